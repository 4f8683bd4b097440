"""The module of a record call, and whether the caller's scopes cover it (facts 7.4, 10.6)."""

from __future__ import annotations

from collections.abc import Callable

from bulkwright.domain import scope
from bulkwright.domain.account import Caller
from bulkwright.domain.errors import InvalidModule, ScopeMismatch
from bulkwright.domain.module import Module
from bulkwright.store.modules import ModuleStore

ScopesOf = Callable[[str], tuple[str, ...]]
"""Returns the scopes of which a caller needs one, by the name of a module (domain/scope.py)."""


def permitted_module(
    modules: ModuleStore, caller: Caller, name: str, scopes_of: ScopesOf
) -> Module:
    """Returns a module of the caller's org. Raises InvalidModule, and ScopeMismatch.

    Underscores of the name are optional in scopes, and `custom` means any custom module.
    """
    module = modules.module(caller.org_id, name)
    if module is None:
        raise InvalidModule(details={"resource_path_index": 0})
    require_scope(module, caller, scopes_of)
    return module


def require_scope(module: Module, caller: Caller, scopes_of: ScopesOf) -> None:
    """Raises ScopeMismatch if the caller's scopes do not cover a module."""
    name = module.api_name
    names = {name, name.replace("_", "")}
    if module.generated_type == "custom":
        names.add("custom")
    if not scope.permits(caller.scopes, tuple(s for n in sorted(names) for s in scopes_of(n))):
        raise ScopeMismatch
