"""JSON to domain: the body of a create request (facts 3.2).

An invalid body gets a 400 with a code and the place of the mistake. Unknown keys are ignored, as in
the real service: SDKs send keys of responses back.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bulkwright.domain.errors import InvalidData, MissingKey
from bulkwright.domain.job import Callback, FieldMapping, Operation
from bulkwright.domain.request import JobRequest, ResourceRequest
from bulkwright.zoho.parse.document import as_object, parse_document, wrong_type

_DEFAULT_CHARACTERS = 50_000
_MOST_RESOURCES = 100
_MOST_MAPPINGS = 1_000
_OPERATIONS = [o.value for o in Operation]


def job_request(body: bytes) -> JobRequest:
    """Returns the request in a body. Raises MissingKey and InvalidData with `details.json_path`."""
    root = parse_document(body)
    operation = _string(_required(root, "operation", "$"), "$.operation")
    if operation not in _OPERATIONS:
        raise InvalidData(details={"supported_values": _OPERATIONS, "json_path": "$.operation"})
    resources = _list(_required(root, "resource", "$"), "$.resource", _MOST_RESOURCES)
    if not resources:
        raise MissingKey(
            "required key resource is not found in request body.", {"json_path": "$.resource"}
        )
    return JobRequest(
        operation=Operation(operation),
        resources=tuple(_resource(r, f"$.resource[{i}]") for i, r in enumerate(resources)),
        character_encoding=_optional_string(root, "character_encoding", "$"),
        ignore_empty=_optional_boolean(root, "ignore_empty", "$"),
        callback=callback_of(root),
    )


def _resource(raw: object, path: str) -> ResourceRequest:
    resource = as_object(raw, path)
    kind = _required(resource, "type", path)
    if kind != "data":
        raise InvalidData(details={"supported_values": ["data"], "json_path": f"{path}.type"})
    module = _required(resource, "module", path)
    if isinstance(module, dict):
        # Clients send both shapes to all versions (facts 3.2).
        module = _required(module, "api_name", f"{path}.module")
    file_id = _required(resource, "file_id", path)
    return ResourceRequest(
        module=_string(module, f"{path}.module"),
        # The service rejects malformed ids. A number is no id, and neither is the empty text.
        file_id=file_id if isinstance(file_id, str) else "",
        mappings=_mappings(resource.get("field_mappings"), f"{path}.field_mappings"),
        find_by=_optional_string(resource, "find_by", path),
        ignore_empty=_optional_boolean(resource, "ignore_empty", path),
        file_names=_file_names(resource.get("file_names"), f"{path}.file_names"),
    )


def _file_names(raw: object, path: str) -> tuple[str, ...]:
    return () if raw is None else tuple(_string(name, path) for name in _list(raw, path))


def _mappings(raw: object, path: str) -> tuple[FieldMapping, ...] | None:
    if raw is None:
        return None
    mappings = _list(raw, path, _MOST_MAPPINGS)
    if not mappings:
        raise InvalidData("field_mappings is empty", {"json_path": path})
    return tuple(_mapping(mapping, f"{path}[{i}]") for i, mapping in enumerate(mappings))


def _mapping(raw: object, path: str) -> FieldMapping:
    mapping = as_object(raw, path)
    default_json, default = _default(mapping.get("default_value"), f"{path}.default_value")
    return FieldMapping(
        api_name=_string(_required(mapping, "api_name", path), f"{path}.api_name"),
        index=_optional_integer(mapping, "index", path),
        format=_optional_string(mapping, "format", path),
        find_by=_optional_string(mapping, "find_by", path),
        default=default,
        default_json=default_json,
        module=_module_name(mapping, path),
        parent_column_index=_optional_integer(mapping, "parent_column_index", path),
    )


def _default(raw: object, path: str) -> tuple[object, str | None]:
    """Returns the default value as job details show it, and as the text that fills cells."""
    if raw is None:
        return None, None
    value = _required(as_object(raw, path), "value", path)
    text: str
    match value:
        case bool():
            text = "true" if value else "false"
        case str():
            text = value
        case int() | Decimal():
            text = str(value)
        case _:
            raise wrong_type("string", path)
    if not text or len(text) > _DEFAULT_CHARACTERS:
        raise InvalidData(details={"maximum_length": _DEFAULT_CHARACTERS, "json_path": path})
    shown = float(value) if isinstance(value, Decimal) else value
    return {"value": shown}, text


def _module_name(mapping: dict[str, Any], path: str) -> str | None:
    module = mapping.get("module")
    if isinstance(module, dict):
        module = module.get("api_name")
    return None if module is None else _string(module, f"{path}.module")


def callback_of(root: dict[str, Any]) -> Callback | None:
    """Returns the callback of a create request, if it has one. Raises MissingKey, InvalidData."""
    # The documentation spells it `callBack` once (facts 3.2).
    raw = root.get("callback", root.get("callBack"))
    if raw is None:
        return None
    callback = as_object(raw, "$.callback")
    return Callback(
        url=_string(_required(callback, "url", "$.callback"), "$.callback.url"),
        method=_string(_required(callback, "method", "$.callback"), "$.callback.method").lower(),
    )


# One value at a time


def _required(raw: dict[str, Any], key: str, path: str) -> Any:
    value = raw.get(key)
    if value is None:
        raise MissingKey(
            f"required key {key} is not found in request body.", {"json_path": f"{path}.{key}"}
        )
    return value


def _list(value: object, path: str, maximum: int = 100) -> list[Any]:
    if not isinstance(value, list):
        raise wrong_type("jsonarray", path)
    if len(value) > maximum:
        raise InvalidData(details={"maximum_length": maximum, "json_path": path})
    return value


def _string(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise wrong_type("string", path)
    return value


def _optional_string(raw: dict[str, Any], key: str, path: str) -> str | None:
    value = raw.get(key)
    return None if value is None else _string(value, f"{path}.{key}")


def _optional_boolean(raw: dict[str, Any], key: str, path: str) -> bool | None:
    value = raw.get(key)
    if value is not None and not isinstance(value, bool):
        raise wrong_type("boolean", f"{path}.{key}")
    return value


def _optional_integer(raw: dict[str, Any], key: str, path: str) -> int | None:
    value = raw.get(key)
    # In Python True is an int, but it is no column.
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise wrong_type("integer", f"{path}.{key}")
    return value
