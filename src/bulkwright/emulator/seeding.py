"""Adds records through the service's own write path: from JSON, or from CSV text.

All records are added or none: a test that begins with some of its records would fail later, where
nothing says why.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from bulkwright.domain import scope
from bulkwright.domain.account import Caller
from bulkwright.domain.errors import RequestError
from bulkwright.domain.limits import RECORDS_PER_CALL
from bulkwright.domain.record_write import (
    Given,
    GivenObjects,
    GivenReference,
    NotStored,
    RecordFault,
    RecordInput,
    WrittenRecord,
)
from bulkwright.wire.decoding import NO_JSON

if TYPE_CHECKING:
    from bulkwright.service.record_writes import RecordCalls
    from bulkwright.store.accounts import AccountStore
    from bulkwright.store.database import Database

_MOST_SHOWN = 20
_decoder = msgspec.json.Decoder(float_hook=Decimal)


class InvalidSeed(RequestError):
    """The records cannot be read, or the service rejects some of them."""

    code = "INVALID_SEED"


class SeedServices(Protocol):
    """The services that add records."""

    @property
    def database(self) -> Database:
        """The database."""
        ...

    @property
    def record_calls(self) -> RecordCalls:
        """Writes single records."""
        ...


def records_of_json(data: bytes) -> dict[str, list[RecordInput]]:
    """Returns the records of a JSON document, by module. Raises InvalidSeed.

    It is an object: `{"Leads": [{"Last_Name": "Boyle"}]}`.
    """
    return records_of_document(decode_json(data))


def decode_json(data: bytes) -> object:
    """Returns a decoded JSON document. Raises InvalidSeed."""
    try:
        return _decoder.decode(data)
    except NO_JSON as error:
        raise InvalidSeed(f"The JSON cannot be read: {error}.") from None


def records_of_document(document: object) -> dict[str, list[RecordInput]]:
    """Returns the records of a decoded JSON document, by module. Raises InvalidSeed."""
    if not isinstance(document, dict):
        raise InvalidSeed('Give an object of modules: {"Leads": [{"Last_Name": "Boyle"}]}.')
    found = {}
    for module, records in document.items():
        if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
            raise InvalidSeed(f"The records of {module} are no list of objects.")
        found[module] = [_record(record) for record in records]
    return found


def records_of_csv(data: bytes) -> list[RecordInput]:
    """Returns the records of a CSV whose header has the API names of fields. Raises InvalidSeed."""
    try:
        text = data.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidSeed(f"The CSV cannot be read: {error}.") from None
    if not rows:
        raise InvalidSeed("The CSV has no header.")
    header, *rest = rows
    for number, row in enumerate(rest, 2):
        if row and len(row) != len(header):
            raise InvalidSeed(f"Row {number} of the CSV has not as many cells as the header.")
    return [_record(dict(zip(header, row, strict=True))) for row in rest if row]


def add_records(
    services: SeedServices, caller: Caller, given: Mapping[str, Sequence[RecordInput]]
) -> dict[str, list[int]]:
    """Adds records and returns their ids by module, in the order in which they were given.

    Raises InvalidSeed with the first faults; then nothing is added.
    """
    with services.database.transaction():
        return {
            module: list(_added(services.record_calls, caller, module, records))
            for module, records in given.items()
        }


def _added(
    calls: RecordCalls, caller: Caller, module: str, records: Sequence[RecordInput]
) -> Iterator[int]:
    faults: list[dict[str, object]] = []
    for first in range(0, len(records), RECORDS_PER_CALL):
        batch = records[first : first + RECORDS_PER_CALL]
        try:
            outcomes = calls.insert(caller, module, batch)
        except NotStored as error:
            raise InvalidSeed(f"{module}: the service cannot store {error.api_name}.") from None
        for number, outcome in enumerate(outcomes, first + 1):
            match outcome:
                case WrittenRecord(id=record_id):
                    yield record_id
                case RecordFault():
                    faults.append(_shown(number, outcome))
    if faults:
        raise InvalidSeed(
            f"{len(faults)} of {len(records)} records of {module} are rejected; none was added.",
            {"module": module, "errors": faults[:_MOST_SHOWN]},
        )


def first_user(accounts: AccountStore, org_id: int | None = None) -> Caller | None:
    """Returns the first user of an org, or of the first org; None if there is none."""
    orgs = [org for org in accounts.orgs() if org_id in (None, org.id)]
    users = accounts.users(orgs[0].id) if orgs else []
    if not users:
        return None
    return Caller(users[0].org_id, users[0].id, scope.normalise(scope.EVERY))


def _shown(number: int, fault: RecordFault) -> dict[str, object]:
    shown: dict[str, object] = {"record": number, "code": fault.code, "message": fault.message}
    return shown | ({"api_name": fault.api_name} if fault.api_name else {})


def _record(values: Mapping[str, Any]) -> RecordInput:
    return RecordInput({name: _given(value) for name, value in values.items()})


def _given(value: object) -> Given:
    match value:
        case None | str() | bool() | int() | Decimal():
            return value
        case list() if all(isinstance(one, str) for one in value):
            return tuple(value)
        case {"id": number}:
            return GivenReference(str(number))
    return GivenObjects(empty=not value)
