"""OAuth scopes and what each one permits (facts 7.4).

The form of a scope is `Product.group[.thing].OPERATION`; case does not matter. `ALL` covers every
operation, and a group covers everything below it: `ZohoCRM.modules.ALL` covers
`ZohoCRM.modules.leads.CREATE`.
"""

from __future__ import annotations

import re

from bulkwright.domain.errors import OAuthError
from bulkwright.domain.limits import SCOPES_CHARACTERS

_FORM = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+){2,}")

BULK = ("zohocrm.bulk.create", "zohocrm.bulk.all")
"""Create a job, read its details, download its result (founding page; READ is not enough)."""
BULK_READ = ("zohocrm.bulk.read", "zohocrm.bulk.all")
"""Create a bulk read, beside the scope to read the module (facts 12)."""
BULK_READ_RESULT = (*BULK_READ, "zohocrm.modules.read")
"""Read the details of a bulk read and download its CSV: either is enough (facts 12)."""
UPLOAD = ("zohofiles.files.all",)
SETTINGS_MODULES = ("zohocrm.settings.all", "zohocrm.settings.modules.read")
SETTINGS_FIELDS = ("zohocrm.settings.all", "zohocrm.settings.fields.read")
SETTINGS_LAYOUTS = ("zohocrm.settings.all", "zohocrm.settings.layouts.read")
USERS = ("zohocrm.users.read",)
ORG = ("zohocrm.org.read",)

SEARCH = ("zohosearch.securesearch.read",)
"""Search records, beside the scope to read them (facts 10.6)."""
COQL = ("zohocrm.coql.read",)
"""Query with COQL, beside the scope to read the records (facts 10.6)."""

JOBS_READ = ("bulkwright.jobs.read",)
"""Read jobs over the service's own API."""
JOBS_CREATE = ("bulkwright.jobs.create",)
"""Upload files and create jobs there, beside the scope to write to the module."""
JOBS_UPDATE = ("bulkwright.jobs.update",)
"""Abort jobs and replay their callbacks there."""
JOBS_DELETE = ("bulkwright.jobs.delete",)
"""Delete jobs there."""
AUDIT_READ = ("bulkwright.audit.read",)
"""Read the audit log of the org there."""

EVERY = (
    "ZohoCRM.bulk.ALL,ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.users.ALL,"
    "ZohoCRM.org.ALL,ZohoCRM.coql.READ,ZohoFiles.files.ALL,ZohoSearch.securesearch.READ,"
    "bulkwright.jobs.ALL,bulkwright.audit.READ"
)
"""Every scope that this service knows; a development token has them all."""


def normalise(scopes: str) -> str:
    """Returns the scopes in lower case, comma separated, without blanks or doubles, in their order.

    Both commas and blanks separate scopes. An unknown scope is kept, because clients request scopes
    of other products too and must not be rejected for it (client contract 6).
    """
    parts = scopes.replace(",", " ").lower().split()
    return ",".join(dict.fromkeys(parts))


def granted(scopes: str) -> str:
    """Returns the scopes of a new token, normalised.

    Raises OAuthError (`invalid_scope`) if there are none, or more than one token may have.
    """
    found = normalise(scopes)
    if not 0 < len(found) <= SCOPES_CHARACTERS:
        raise OAuthError("invalid_scope")
    return found


def unformed(scopes: str) -> list[str]:
    """Returns those of some scopes that have not the form `Product.group.OPERATION`."""
    return [one for one in normalise(scopes).split(",") if not _FORM.fullmatch(one)]


def joined(before: str, scopes: str) -> str:
    """Returns normalised scopes with more of them; these alone if all would be too many."""
    both = normalise(f"{before},{scopes}")
    return both if len(both) <= SCOPES_CHARACTERS else scopes


def shown(scopes: str) -> str:
    """Returns normalised scopes for the token endpoint: `ZohoCRM.bulk.ALL ZohoCRM.org.ALL`."""
    return " ".join(_shown(scope) for scope in scopes.split(","))


def module_write(module: str) -> tuple[str, ...]:
    """Returns the scopes of which one is needed to write records of a module."""
    name = module.lower()
    return tuple(f"zohocrm.modules.{name}.{op}" for op in ("create", "write"))


def bulk_write(module: str, *, is_custom: bool, updates: bool) -> tuple[str, ...]:
    """Returns the scopes of which one is needed for a bulk write into a module.

    Facts 3.1; client contract 4.
    """
    spellings = {module.lower(), module.lower().replace("_", "")}
    names = sorted(spellings | {"custom"} if is_custom else spellings)
    needed = [scope for name in names for scope in module_write(name)]
    return (*needed, *(f"zohocrm.modules.{name}.update" for name in names if updates))


def module_update(module: str) -> tuple[str, ...]:
    """Returns the scopes of which one is needed to change records of a module."""
    name = module.lower()
    return tuple(f"zohocrm.modules.{name}.{op}" for op in ("update", "write"))


def module_delete(module: str) -> tuple[str, ...]:
    """Returns the scopes of which one is needed to delete records of a module."""
    return (f"zohocrm.modules.{module.lower()}.delete",)


def module_read(module: str) -> tuple[str, ...]:
    """Returns the scopes of which one is needed to read records of a module."""
    return (f"zohocrm.modules.{module.lower()}.read",)


def permits(granted: str, needed: tuple[str, ...]) -> bool:
    """Whether the granted scopes (normalised) cover at least one of the needed ones."""
    return any(_covers(g, n) for n in needed for g in granted.split(","))


def _covers(granted: str, needed: str) -> bool:
    if granted == needed:
        return True
    *group, operation = granted.split(".")
    *wanted_group, wanted = needed.split(".")
    return operation in ("all", wanted) and wanted_group[: len(group)] == group and len(group) > 1


_PRODUCTS = {
    "zohocrm": "ZohoCRM", "zohofiles": "ZohoFiles", "zohosearch": "ZohoSearch",
    "aaaserver": "Aaaserver",
}  # fmt: skip


def _shown(scope: str) -> str:
    product, *rest = scope.split(".")
    return ".".join([_PRODUCTS.get(product, product), *rest[:-1], *(w.upper() for w in rest[-1:])])
