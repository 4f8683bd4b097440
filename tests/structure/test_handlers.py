"""The modules of handlers are imported late, and type checking sees them all the same."""

from __future__ import annotations

import ast
from importlib.util import find_spec

import pytest
from tests.structure.tree import modules

from bulkwright.web.handlers import Handlers


def test_no_handler_is_hidden_by_an_attribute() -> None:
    """`metadata.module` is a handler, so `Handlers` itself has no public names."""
    assert [name for name in vars(Handlers) if not name.startswith("_")] == []


@pytest.mark.slow
def test_type_checking_sees_the_modules_of_the_handlers() -> None:
    """`Handlers` names the module that the import for the type checker has under the same name."""
    pairs = 0
    for module in modules():
        for node in module.find(ast.If):
            assert isinstance(node, ast.If)
            given = {
                node.targets[0].id: node.value.args[0].value
                for node in node.orelse
                if isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Name)
                and isinstance(node.value, ast.Call)
                and isinstance(node.value.func, ast.Name)
                and node.value.func.id == "Handlers"
                and isinstance(node.value.args[0], ast.Constant)
                and isinstance(node.value.args[0].value, str)
            }
            if not given:
                continue
            seen = {
                alias.name: f"{one.module}.{alias.name}"
                for one in node.body
                if isinstance(one, ast.ImportFrom)
                for alias in one.names
            }
            assert given == seen
            assert all(find_spec(name) for name in given.values())
            pairs += len(given)
    assert pairs >= 6
