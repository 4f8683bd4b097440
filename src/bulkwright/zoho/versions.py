"""The versions of the API and their differences, as data.

Handlers and presenters compare no name of a version: they read the differences here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from bulkwright.domain.limits import PAGED_RECORDS, CoqlLimits

_AS_STATUS = {"INPROGRESS": "INPROGRESS", "COMPLETED": "COMPLETED"}
_AS_DOCUMENTED = {"INPROGRESS": "ADDED", "COMPLETED": "SUCCESS"}
_EARLY_COQL, _COQL = CoqlLimits(rows=200), CoqlLimits(rows=2_000)


class Style(Enum):
    """The source of the key order in job details."""

    PAGES = "the documentation pages"
    CAPTURE = "the captured response of the real v2.1 (facts 4.2)"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the API (facts 4.2; client contract 1.4)."""

    name: str
    module_is_object: bool = True
    """`module` is `{"api_name","id"}` in responses; v2 has a plain string."""
    mapping_module: bool = True
    """Field mappings contain `module`."""
    parent_column_index: bool = True
    """Field mappings contain `parent_column_index` if the request had one."""
    lookup_module_is_object: bool = True
    """`lookup.module` of a field is `{"api_name","id"}`; before v3 it is a plain string (facts 9).
    """
    layout_status: int | str = "active"
    """The status of a layout in use: a number before v3, a text in v8 (facts 9)."""
    shows_id_field: bool = True
    """`id` is among the fields of a module, from v4 on (facts 9)."""
    fields_required: bool = True
    """A list of records needs the parameter `fields`, from v3 on (facts 9)."""
    page_tokens: bool = True
    """Pages of records have tokens, from v3 on (facts 10.8)."""
    paged_records: int | None = None
    """The records that pages by number reach, from v5 on (facts 10.8)."""
    sorts_by_any_field: bool = False
    """A list of records is sorted by any field, before v3 (facts 10.8)."""
    criteria: int = 10
    """Conditions of a search, at most (facts 10.9)."""
    equals_contains: bool = True
    """`equals` of a text means contains for a single condition too, from v6 on (facts 10.9)."""
    counts_records: bool = True
    """`actions/count` exists, from v2.1 on (facts 10.9)."""
    all_bad_status: int = 400
    """The HTTP status of a write of which every record is bad (facts 10.2)."""
    json_path: bool = True
    """Errors of records say where in the body the mistake is (facts 10.3)."""
    multiple_errors: bool = False
    """Several unique values that others hold are one MULTIPLE_OR_MULTI_ERRORS, from v7 on."""
    approval_state: bool = False
    """The details of a written record have `$approval_state`, from v7 on."""
    read_tokens: bool = False
    """The details of a bulk read have `next_page_token`, from v7 on (facts 12)."""
    coql: CoqlLimits = _COQL
    """What a COQL query may have; 200 rows before v4 (facts 10.11)."""
    coql_names: bool = False
    """A lookup that COQL selects has its name too, from v7 on (facts 10.11)."""
    missing_param_key: str = "param_name"
    """The detail that names a query parameter which is missing (facts 10.4)."""
    shows_request: bool = True
    """The root contains `callback` and `ignore_empty`."""
    resource_code: Mapping[str, str] = field(default_factory=lambda: _AS_DOCUMENTED)
    """The value of `resource[].code` by status; empty if the version has no such key."""
    style: Style = Style.PAGES


_V2 = Version(
    "v2",
    module_is_object=False,
    mapping_module=False,
    parent_column_index=False,
    lookup_module_is_object=False,
    layout_status=0,
    shows_id_field=False,
    fields_required=False,
    page_tokens=False,
    sorts_by_any_field=True,
    equals_contains=False,
    counts_records=False,
    all_bad_status=202,
    json_path=False,
    missing_param_key="param",
    coql=_EARLY_COQL,
    shows_request=False,
    resource_code={},
)
_V2_1 = Version(
    "v2.1",
    lookup_module_is_object=False,
    layout_status=0,
    shows_id_field=False,
    fields_required=False,
    page_tokens=False,
    sorts_by_any_field=True,
    equals_contains=False,
    coql=_EARLY_COQL,
    resource_code=_AS_STATUS,
    style=Style.CAPTURE,
)
_V2_2 = replace(_V2_1, name="v2.2")
"""Not documented, but the version of Zoho's own web client; third parties call it (facts 9)."""

_V3 = Version("v3", shows_id_field=False, equals_contains=False, coql=_EARLY_COQL)
_V4 = Version("v4", equals_contains=False)
_V5 = replace(_V4, name="v5", paged_records=PAGED_RECORDS)
_V6 = replace(_V5, name="v6", equals_contains=True)
_V7 = replace(
    _V6,
    name="v7",
    multiple_errors=True,
    approval_state=True,
    coql=CoqlLimits(2_000, 100_000, values=100, selected_joins=15, criteria_joins=5),
    coql_names=True,
    read_tokens=True,
)
_V8 = replace(_V7, name="v8", criteria=15)

VERSIONS: Mapping[str, Version] = {
    v.name: v for v in (_V2, _V2_1, _V2_2, _V3, _V4, _V5, _V6, _V7, _V8)
}
"""Every version that is served, by its segment of the path. The only list of versions."""


def version_pattern(names: Iterable[str]) -> str:
    """Returns the regular expression of the version in a path."""
    return "|".join(re.escape(name) for name in sorted(names, reverse=True))
