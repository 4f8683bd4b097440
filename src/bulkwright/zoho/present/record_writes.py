"""What became of the records of a call, as JSON (facts 10.2 and 10.3). Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from bulkwright.domain.module import Module
from bulkwright.domain.record_write import (
    DeletedRecord,
    Effect,
    RecordFault,
    RecordOutcome,
    WrittenRecord,
)
from bulkwright.zoho.present.jobs import moment, person
from bulkwright.zoho.versions import Version

Json = dict[str, object]

_MESSAGES = {Effect.INSERT: "record added", Effect.UPDATE: "record updated"}


def outcomes(
    found: Sequence[RecordOutcome], module: Module, version: Version, *, upsert: bool = False
) -> Json:
    """Returns a list with one object for each record, in the order of the request."""
    shown = []
    for number, outcome in enumerate(found):
        match outcome:
            case WrittenRecord():
                shown.append(_written(outcome, version, upsert=upsert))
            case DeletedRecord():
                shown.append(_success({"id": str(outcome.id)}, "record deleted"))
            case RecordFault():
                shown.append(fault(outcome, module, version, f"$.data[{number}]"))
    return {"data": shown}


def status_of(found: Sequence[RecordOutcome], version: Version, good: int) -> int:
    """Returns the HTTP status: `good` if all went well (facts 10.2)."""
    bad = [outcome for outcome in found if isinstance(outcome, RecordFault)]
    if not bad:
        return good
    if len(bad) < len(found):
        return 207
    if all(outcome.unmodified is not None for outcome in bad):
        return 412
    return version.all_bad_status


def fault(found: RecordFault, module: Module, version: Version, path: str) -> Json:
    """Returns the error of one record; `path` is the place of the record in the body."""
    if found.unmodified is not None:
        return _error(found.code, found.message, _details(found.unmodified, version))
    if found.more and version.multiple_errors:
        single = [fault(one, module, version, path) for one in (_first(found), *found.more)]
        message = "Multiple errors in the request"
        return _error("MULTIPLE_OR_MULTI_ERRORS", message, {"errors": single})
    details: Json = dict(found.details)
    if found.api_name:
        details["api_name"] = found.api_name
    if version.json_path and not found.unknown_id:
        place = found.place or found.api_name
        details["json_path"] = f"{path}.{place}" if place else path
    if found.holder is not None:
        holder = str(found.holder)
        if version.json_path:
            reference = {"api_name": module.api_name, "id": str(module.id)}
            details["duplicate_record"] = {"module": reference, "id": holder}
        details["id"] = holder
    return _error(found.code, found.message, details)


def _first(found: RecordFault) -> RecordFault:
    return RecordFault(found.code, found.message, found.api_name, holder=found.holder)


def _written(record: WrittenRecord, version: Version, *, upsert: bool) -> Json:
    shown = _success(_details(record, version), _MESSAGES[record.action])
    if not upsert:
        return shown
    more: Json = {"duplicate_field": record.matched_by, "action": record.action.value}
    return {"code": shown.pop("code"), **more, **shown}


def _details(record: WrittenRecord, version: Version) -> Json:
    author = person(record.modified_by)
    creator = None if record.created_by is None else person(record.created_by)
    details: Json = {
        "Modified_Time": moment(record.modified_time),
        "Modified_By": {"name": author.name, "id": author.id},
        "Created_Time": None if record.created_time is None else moment(record.created_time),
        "id": str(record.id),
        "Created_By": None if creator is None else {"name": creator.name, "id": creator.id},
    }
    return details | ({"$approval_state": "approved"} if version.approval_state else {})


def _success(details: Json, message: str) -> Json:
    return {"code": "SUCCESS", "details": details, "message": message, "status": "success"}


def _error(code: str, message: str, details: Json) -> Json:
    return {"code": code, "details": details, "message": message, "status": "error"}
