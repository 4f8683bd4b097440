"""JSON to domain: the body of a create request (facts 3.2).

Whatever a body holds, the answer is a coded 400 that names the place: deep nesting, huge numbers,
NaN, doubled keys and lone surrogates are refused here, before anybody works with them. Keys that
are not known are ignored, as the real service does with response-only keys that SDKs send back.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from bulkwright.domain.errors import InvalidData, MissingKey
from bulkwright.domain.job import Callback, Mapping, Operation
from bulkwright.domain.request import JobRequest, ResourceRequest

_LONGEST_INTEGER = 19
_LONGEST_DEFAULT = 50_000
_MOST_RESOURCES = 100
_MOST_MAPPINGS = 10_000
_OPERATIONS = [o.value for o in Operation]


def job_request(body: bytes) -> JobRequest:
    """The request in a body. Raises MissingKey and InvalidData with `details.json_path`."""
    root = _load(body)
    operation = _word(_needed(root, "operation", "$"), "$.operation")
    if operation not in _OPERATIONS:
        raise InvalidData(details={"supported_values": _OPERATIONS, "json_path": "$.operation"})
    resources = _list(_needed(root, "resource", "$"), "$.resource", _MOST_RESOURCES)
    if not resources:
        raise MissingKey(
            "required key resource is not found in request body.", {"json_path": "$.resource"}
        )
    return JobRequest(
        operation=Operation(operation),
        resources=tuple(_resource(r, f"$.resource[{i}]") for i, r in enumerate(resources)),
        character_encoding=_text(root, "character_encoding", "$"),
        ignore_empty=_flag(root, "ignore_empty", "$"),
        callback=_callback(root),
    )


def _resource(raw: object, place: str) -> ResourceRequest:
    resource = _object(raw, place)
    kind = _needed(resource, "type", place)
    if kind != "data":
        raise InvalidData(details={"supported_values": ["data"], "json_path": f"{place}.type"})
    module = _needed(resource, "module", place)
    if isinstance(module, dict):
        # Both shapes are sent to all versions in the wild (facts 3.2).
        module = _needed(module, "api_name", f"{place}.module")
    file_id = _needed(resource, "file_id", place)
    names = resource.get("file_names")
    mappings = resource.get("field_mappings")
    spot = f"{place}.field_mappings"
    return ResourceRequest(
        module=_word(module, f"{place}.module"),
        # A number is no id, but text like "12x" is not either: the service says which file ids
        # are malformed, in one way for all.
        file_id=file_id if isinstance(file_id, str) else "",
        mappings=None
        if mappings is None
        else tuple(
            _mapping(m, f"{spot}[{i}]")
            for i, m in enumerate(_filled(_list(mappings, spot, _MOST_MAPPINGS), spot))
        ),
        find_by=_text(resource, "find_by", place),
        ignore_empty=_flag(resource, "ignore_empty", place),
        file_names=()
        if names is None
        else tuple(_word(n, f"{place}.file_names") for n in _list(names, f"{place}.file_names")),
    )


def _mapping(raw: object, place: str) -> Mapping:
    mapping = _object(raw, place)
    default_json, default = _default(mapping, place)
    return Mapping(
        api_name=_word(_needed(mapping, "api_name", place), f"{place}.api_name"),
        index=_integer(mapping, "index", place),
        format=_text(mapping, "format", place),
        find_by=_text(mapping, "find_by", place),
        default=default,
        default_json=default_json,
        module=_module_name(mapping, place),
        parent_column_index=_integer(mapping, "parent_column_index", place),
    )


def _default(mapping: dict[str, Any], place: str) -> tuple[object, str | None]:
    """The default value as it is shown again, and as the text that fills cells."""
    raw = mapping.get("default_value")
    if raw is None:
        return None, None
    spot = f"{place}.default_value"
    value = _needed(_object(raw, spot), "value", spot)
    text: str
    match value:
        case bool():
            text = "true" if value else "false"
        case str():
            text = value
        case int() | Decimal():
            text = str(value)
        case _:
            raise InvalidData(details={"expected_data_type": "string", "json_path": spot})
    if not text or len(text) > _LONGEST_DEFAULT:
        raise InvalidData(details={"maximum_length": _LONGEST_DEFAULT, "json_path": spot})
    shown = float(value) if isinstance(value, Decimal) else value
    return {"value": shown}, text


def _module_name(mapping: dict[str, Any], place: str) -> str | None:
    module = mapping.get("module")
    if isinstance(module, dict):
        module = module.get("api_name")
    return None if module is None else _word(module, f"{place}.module")


def _callback(root: dict[str, Any]) -> Callback | None:
    # The documentation itself spells it `callBack` once (facts 3.2).
    raw = root.get("callback", root.get("callBack"))
    if raw is None:
        return None
    callback = _object(raw, "$.callback")
    return Callback(
        url=_word(_needed(callback, "url", "$.callback"), "$.callback.url"),
        method=_word(_needed(callback, "method", "$.callback"), "$.callback.method").lower(),
    )


# One value at a time


def _needed(raw: dict[str, Any], key: str, place: str) -> Any:
    value = raw.get(key)
    if value is None:
        raise MissingKey(
            f"required key {key} is not found in request body.", {"json_path": f"{place}.{key}"}
        )
    return value


def _object(value: object, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _expected("jsonobject", place)
    return value


def _list(value: object, place: str, most: int = 100) -> list[Any]:
    if not isinstance(value, list):
        raise _expected("jsonarray", place)
    if len(value) > most:
        raise InvalidData(details={"maximum_length": most, "json_path": place})
    return value


def _filled(values: list[Any], place: str) -> list[Any]:
    if not values:
        raise InvalidData("field_mappings is empty", {"json_path": place})
    return values


def _word(value: object, place: str) -> str:
    if not isinstance(value, str):
        raise _expected("string", place)
    return value


def _text(raw: dict[str, Any], key: str, place: str) -> str | None:
    value = raw.get(key)
    return None if value is None else _word(value, f"{place}.{key}")


def _flag(raw: dict[str, Any], key: str, place: str) -> bool | None:
    value = raw.get(key)
    if value is not None and not isinstance(value, bool):
        raise _expected("boolean", f"{place}.{key}")
    return value


def _integer(raw: dict[str, Any], key: str, place: str) -> int | None:
    value = raw.get(key)
    # True is an int in Python, but no column.
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise _expected("integer", f"{place}.{key}")
    return value


def _expected(kind: str, place: str) -> InvalidData:
    return InvalidData(details={"expected_data_type": kind, "json_path": place})


# The whole document


def _load(body: bytes) -> dict[str, Any]:
    try:
        root = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_without_doubles,
            parse_constant=_no_number,
            parse_float=_decimal,
            parse_int=_whole,
        )
        if any("\0" in text or not _is_unicode(text) for text in _texts(root)):
            raise ValueError("a text that is none")
    except (ValueError, RecursionError):
        raise _expected("jsonobject", "$") from None
    return _object(root, "$")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key comes twice")
    return made


def _no_number(word: str) -> object:
    raise ValueError(word)


def _decimal(digits: str) -> Decimal:
    if not math.isfinite(float(digits)):
        raise ValueError(digits)
    return Decimal(digits)


def _whole(digits: str) -> int:
    if len(digits.lstrip("-")) > _LONGEST_INTEGER:
        raise ValueError("too many digits")
    return int(digits)


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text) if not text.isascii() else True


def _texts(root: object) -> Iterator[str]:
    """Every text of the document, keys too, without recursion."""
    rest = [root]
    while rest:
        value = rest.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            rest += value.keys()
            rest += value.values()
        elif isinstance(value, list):
            rest += value
