"""docs/job-details.md names tests that exist, for everything that the founding page states."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
PAGE = (ROOT / "docs" / "job-details.md").read_text("utf-8").partition("## Sentence by sentence")[2]
ROWS = [
    (statement, re.findall(r"`([\w/]+\.py)::(\w+)`", tests))
    for statement, tests in re.findall(r"^\| (?!statement|---)(.*) \| (.*) \|$", PAGE, re.MULTILINE)
]
ERRORS = {
    "INVALID_URL_PATTERN": 404,
    "OAUTH_SCOPE_MISMATCH": 401,
    "NO_PERMISSION": 403,
    "INTERNAL_ERROR": 500,
    "INVALID_REQUEST_METHOD": 400,
    "AUTHORIZATION_FAILED": 400,
    "RESOURCE_NOT_FOUND": 404,
}
"""The errors of the founding page with their statuses."""


@cache
def functions_of(path: str) -> frozenset[str]:
    """The test functions of a file."""
    tree = ast.parse((TESTS / path).read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize(("statement", "tests"), ROWS, ids=[row[0][:40] for row in ROWS])
def test_every_statement_has_a_test(statement: str, tests: list[tuple[str, str]]) -> None:
    """At least one, and each is there under its name."""
    assert tests, statement
    assert [(path, name) for path, name in tests if name not in functions_of(path)] == []


def keys(value: object) -> set[str]:
    """Every key of a JSON value."""
    if isinstance(value, list):
        return set().union(*map(keys, value))
    if isinstance(value, dict):
        return set(value).union(*map(keys, value.values()))
    return set()


def test_every_key_of_the_samples_has_a_statement() -> None:
    """The samples of the founding page are in tests/wire/golden."""
    stated = {name for statement, _ in ROWS for name in re.findall(r"\w+", statement)}
    for name in ("added", "in_progress", "completed"):
        sample = json.loads((TESTS / "wire" / "golden" / f"{name}.json").read_text("utf-8"))
        assert keys(sample) - stated == set()


def test_every_error_of_the_page_has_a_statement_with_its_status() -> None:
    """No other error is named."""
    found = re.findall(r"^\| `([A-Z_]+)`, (\d+):", PAGE, re.MULTILINE)
    assert {code: int(status) for code, status in found} == ERRORS


@pytest.mark.parametrize("status", ["ADDED", "IN PROGRESS", "COMPLETED", "SKIPPED", "FAILED"])
def test_every_status_of_the_page_has_a_statement(status: str) -> None:
    """SKIPPED and FAILED of a resource included."""
    assert any(status in statement for statement, _ in ROWS if "status" in statement)
