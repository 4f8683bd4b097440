"""What differs between the API versions, as data: nothing else in the code asks for a version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

_AS_STATUS = {"INPROGRESS": "INPROGRESS", "COMPLETED": "COMPLETED"}
_AS_DOCUMENTED = {"INPROGRESS": "ADDED", "COMPLETED": "SUCCESS"}


class Style(Enum):
    """Whose key order an answer follows."""

    PAGES = "the documentation pages"
    CAPTURE = "the captured answer of the real v2.1 (facts 4.2)"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the API (facts 4.2; client contract 1.4)."""

    name: str
    module_is_object: bool = True
    """`module` is `{"api_name","id"}` in answers; v2 has a plain string."""
    mapping_module: bool = True
    """Mappings show `module`."""
    parent_column_index: bool = True
    """Mappings show `parent_column_index` where one was given."""
    shows_request: bool = True
    """The root shows `callback` and `ignore_empty`."""
    resource_code: Mapping[str, str] = field(default_factory=lambda: _AS_DOCUMENTED)
    """The word for `resource[].code` by status; empty where the version has no such key."""
    style: Style = Style.PAGES


_V2 = Version(
    "v2",
    module_is_object=False,
    mapping_module=False,
    parent_column_index=False,
    shows_request=False,
    resource_code={},
)
_V2_1 = Version("v2.1", resource_code=_AS_STATUS, style=Style.CAPTURE)

VERSIONS: Mapping[str, Version] = {
    v.name: v
    for v in (_V2, _V2_1, *(Version(name) for name in ("v3", "v4", "v5", "v6", "v7", "v8")))
}
"""Every version that is served, by its segment of the path."""
