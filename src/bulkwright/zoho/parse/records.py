"""JSON to domain: the body of a call that writes records (facts 10.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bulkwright.domain.errors import InvalidData
from bulkwright.domain.limits import RECORDS_OBJECTS, RECORDS_VALUES
from bulkwright.domain.record_write import Given, GivenObjects, GivenReference, RecordInput
from bulkwright.zoho.parse.document import parse_document

REFUSED_KEYS = (
    "lar_id", "apply_feature_execution", "apply_validation_rule", "apply_function_validation_rule",
)  # fmt: skip
"""Keys beside `data` that choose what else happens to a record; nothing here does it."""
_REFUSED_IN_RECORD = ("Tag", "$append_values", "$wizard_connection_path")
_APPROVED = "$approved"


@dataclass(frozen=True, slots=True)
class RecordsRequest:
    """The records of a call, and what the body asks for beside them."""

    records: tuple[RecordInput, ...]
    check: tuple[str, ...]
    """`duplicate_check_fields`."""
    refused: str | None
    """The first key that is not served."""


def records_request(body: bytes) -> RecordsRequest:
    """Returns the request in a body. Raises InvalidData and LimitExceeded."""
    root = parse_document(body, RECORDS_OBJECTS, RECORDS_VALUES)
    data = root.get("data")
    if not isinstance(data, list) or not data:
        raise _no_list("data")
    check = root.get("duplicate_check_fields") or []
    if not isinstance(check, list) or not all(isinstance(name, str) for name in check):
        raise _no_list("duplicate_check_fields")
    refused = [key for key in REFUSED_KEYS if root.get(key)]
    refused += [key for record in data if isinstance(record, dict) for key in _refused(record)]
    return RecordsRequest(tuple(map(_record, data)), tuple(check), next(iter(refused), None))


def _refused(record: Mapping[str, object]) -> list[str]:
    found = [key for key in _REFUSED_IN_RECORD if record.get(key)]
    # Reads return true; false asks for a record that waits for an approval.
    return [*found, _APPROVED] if record.get(_APPROVED) is False else found


def since_header(text: str | None) -> datetime | None:
    """Returns the time of a conditional header; None if there is none that can be read."""
    if text is None:
        return None
    try:
        since = datetime.fromisoformat(text.strip())
        aware = since if since.tzinfo else since.replace(tzinfo=UTC)
        return aware.astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def _record(raw: object) -> RecordInput:
    if not isinstance(raw, dict):
        return RecordInput(is_object=False)
    values = {name: _given(value) for name, value in raw.items() if name != "id"}
    number = raw.get("id")
    # Clients send it as a text or as a number (facts 10.7).
    is_number = isinstance(number, int) and not isinstance(number, bool)
    text = str(number) if is_number else number
    return RecordInput(values, text if isinstance(text, str) else None if text is None else "")


def _given(value: Any) -> Given:
    match value:
        case None | bool() | int() | Decimal() | str():
            return value
        case list():
            return _list(value)
        case dict():
            return _reference(value)
    return GivenObjects()


def _list(values: Sequence[object]) -> Given:
    if all(isinstance(value, str) for value in values):
        return tuple(str(value) for value in values)
    return GivenObjects()


def _reference(value: Mapping[str, object]) -> Given:
    number = value.get("id")
    if isinstance(number, int) and not isinstance(number, bool):
        number = str(number)
    if number is None or isinstance(number, str):
        return GivenReference(number or None)
    return GivenObjects()


def _no_list(name: str) -> InvalidData:
    return InvalidData(details={"expected_data_type": "jsonarray", "api_name": name})
