"""JSON to domain: the body of a create request of a bulk read (facts 12).

Both forms of modules and criteria are read on every version. What is documented and not served
raises NotStored with the name of the key. Unknown keys are ignored.
"""

from __future__ import annotations

import base64
import binascii
from decimal import Decimal
from typing import Any

from bulkwright.domain.criteria import Condition, Criteria, CriteriaGroup, Junction
from bulkwright.domain.errors import InvalidData
from bulkwright.domain.ids import parse_id
from bulkwright.domain.limits import CRITERIA_LEVELS
from bulkwright.domain.read_errors import (
    AmbiguousCriteria,
    AmbiguousGroup,
    BodyIsEmpty,
    BodyNotReadable,
    BodyNotSupported,
    ComparatorAndValueNotCompatible,
    GroupOperatorNotSupported,
    InvalidCriteria,
)
from bulkwright.domain.read_job import ReadQuery, ReadRequest
from bulkwright.domain.record_write import NotStored
from bulkwright.service.read_criteria import LISTED
from bulkwright.zoho.parse.document import parse_document
from bulkwright.zoho.parse.jobs import callback_of

_TOKEN_START = "read:"  # noqa: S105 - how a page token begins


def read_request(body: bytes) -> ReadRequest:
    """Returns the request in a body. Raises those of `domain/read_errors.py`, and NotStored."""
    if not body.strip():
        raise BodyIsEmpty
    try:
        root = parse_document(body)
    except InvalidData:
        raise BodyNotReadable from None
    query = _object(_required(root, "query", "$"), "$.query")
    for place in (root, query):  # the SDKs of 8.0 have it in both
        _check_file_type(place.get("file_type"))
    if query.get("cvid") is not None:
        raise NotStored("query.cvid")
    token = query.get("page_token")
    text = None if token is None else _string(token, "$.query.page_token")
    module = query.get("module") if text is not None else _required(query, "module", "$.query")
    if isinstance(module, dict):
        module = _required(module, "api_name", "$.query.module")
    criteria = query.get("criteria")
    found = ReadQuery(
        fields=_fields(query.get("fields")),
        criteria=None if criteria is None else _criteria(criteria, "$.query.criteria", 0),
        page=_page(query.get("page")),
        page_token=text,
    )
    return ReadRequest(
        module="" if module is None else _string(module, "$.query.module"),
        query=found,
        continues=None if text is None else _job_of(text),
        callback=callback_of(root),
    )


def token_of(job_id: int) -> str:
    """Returns the token of the page behind that of a bulk read.

    It names nothing that its bearer may not read anyway, so it needs no signature.
    """
    return base64.urlsafe_b64encode(f"{_TOKEN_START}{job_id}".encode()).decode().rstrip("=")


def _job_of(token: str) -> int:
    """Returns the bulk read that a token continues. Raises InvalidData."""
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, ValueError):
        text = ""
    number = parse_id(text.removeprefix(_TOKEN_START)) if text.startswith(_TOKEN_START) else None
    if number is None:
        raise InvalidData("the token given seems to be invalid", {"param_name": "page_token"})
    return number


def _check_file_type(raw: object) -> None:
    if raw is None:
        return
    kind = _string(raw, "$.file_type").lower()
    if kind == "ics":
        raise NotStored("file_type ics")
    if kind != "csv":
        raise BodyNotSupported(
            details={"supported_values": ["csv", "ics"], "json_path": "$.file_type"}
        )


def _fields(raw: object) -> tuple[str, ...] | None:
    """The names in their order, each once; None for every field, also if none is named."""
    if raw is None:
        return None
    if not isinstance(raw, list):
        raise _wrong_type("jsonarray", "$.query.fields")
    names = [_string(name, f"$.query.fields[{i}]") for i, name in enumerate(raw)]
    return tuple(dict.fromkeys(names)) or None


def _page(raw: object) -> int:
    if raw is None:
        return 1
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise _wrong_type("integer", "$.query.page")
    return raw


def _criteria(raw: object, path: str, level: int) -> Criteria:
    if not isinstance(raw, dict) or level > CRITERIA_LEVELS:
        raise InvalidCriteria(details={"json_path": path})
    parts, word = raw.get("group"), raw.get("group_operator")
    name = raw.get("api_name", raw.get("field"))
    is_group = parts is not None or word is not None
    if is_group and any(one is not None for one in (name, raw.get("comparator"), raw.get("value"))):
        raise AmbiguousCriteria(
            "Ambiguous criteria. Criteria can have either {group, group_operator} or "
            "{api_name, comparator, value}.",
            {"json_path": path},
        )
    if not is_group:
        return _condition(raw, name, path)
    if not isinstance(parts, list) or not parts:
        raise InvalidCriteria(details={"json_path": f"{path}.group"})
    if len(parts) == 1:
        raise AmbiguousGroup(details={"json_path": f"{path}.group"})
    supported = [one.value for one in Junction]
    if not isinstance(word, str) or word.lower() not in supported:
        raise GroupOperatorNotSupported(
            f"Criteria doesn't support this logical group operator '{str(word)[:20]}'. "
            "Supported operators are 'and', 'or'.",
            {"supported": supported, "json_path": f"{path}.group_operator"},
        )
    found = [_criteria(part, f"{path}.group[{i}]", level + 1) for i, part in enumerate(parts)]
    return CriteriaGroup(Junction(word.lower()), tuple(found))


def _condition(raw: dict[str, Any], name: object, path: str) -> Condition:
    if isinstance(name, dict):
        name = name.get("api_name")
    comparator, value = raw.get("comparator"), raw.get("value")
    if raw.get("type") not in (None, "value"):
        raise NotStored("query.criteria type")
    if not isinstance(name, str) or not isinstance(comparator, str) or value is None:
        raise InvalidCriteria(details={"json_path": path})
    comparator = comparator.lower()
    several = isinstance(value, list)
    if several and comparator not in LISTED:
        raise ComparatorAndValueNotCompatible(
            f"Comparator '{comparator[:40]}' takes one value.", {"json_path": f"{path}.value"}
        )
    values = value if isinstance(value, list) else [value]
    return Condition(name, comparator, tuple(_text(one, f"{path}.value") for one in values))


def _text(value: object, path: str) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | Decimal():
            return str(value)
    raise InvalidCriteria(details={"json_path": path})


def _required(raw: dict[str, Any], key: str, path: str) -> Any:
    value = raw.get(key)
    if value is None:
        raise BodyNotSupported(details={"json_path": f"{path}.{key}"})
    return value


def _object(value: object, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong_type("jsonobject", path)
    return value


def _string(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise _wrong_type("string", path)
    return value


def _wrong_type(kind: str, path: str) -> BodyNotSupported:
    return BodyNotSupported(details={"expected_data_type": kind, "json_path": path})
