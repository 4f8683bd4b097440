"""Records as JSON (facts 9). Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from bulkwright.domain.job import Person
from bulkwright.domain.limits import PAGE_TOKEN_SECONDS
from bulkwright.domain.record import Record, Reference, UserReference, Value
from bulkwright.service.records import DeletedEntry
from bulkwright.zoho.present.jobs import moment

Json = dict[str, object]

_CONSTANT_KEYS: Json = {
    "$currency_symbol": "$",
    "$review_process": {"approve": False, "reject": False, "resubmit": False},
    "$editable": True,
    "$approved": True,
    "$approval": {"delegate": False, "approve": False, "reject": False, "resubmit": False},
    "$approval_state": "approved",
    "$process_flow": False,
    "$orchestration": False,
    "$in_merge": False,
    "$status": None,
}
"""Keys of a v2 record for features that this service does not have (facts 9)."""


def records(found: Sequence[Record], info: Json, only: Collection[str] = ()) -> Json:
    """Returns a page of records. With `only`, each record has its id and these keys alone."""
    return {"data": [_shown(record, only) for record in found], "info": info}


def page_info(count: int, per_page: int, number: int, has_more: bool) -> Json:  # noqa: FBT001
    """Returns what a page says of itself."""
    return {"per_page": per_page, "count": count, "page": number, "more_records": has_more}


def token_info(
    info: Json,
    sort_by: str,
    sort_order: str,
    token: str | None,
    previous: str | None,
    now: datetime,
) -> Json:
    """Returns the same with the order and the tokens of the neighbours, from v3 on (facts 10.8)."""
    expiry = None if token is None else moment(now + timedelta(seconds=PAGE_TOKEN_SECONDS))
    return {
        "call": False,
        "per_page": info["per_page"],
        "next_page_token": token,
        "count": info["count"],
        "sort_by": sort_by,
        "page": info["page"],
        "previous_page_token": previous,
        "page_token_expiry": expiry,
        "sort_order": sort_order,
        "email": False,
        "more_records": info["more_records"],
    }


def deleted(found: Sequence[DeletedEntry], info: Json) -> Json:
    """Returns a page of deleted records; those that have left the recycle bin have no people."""
    return {"data": [_deleted(entry) for entry in found], "info": info}


def _deleted(entry: DeletedEntry) -> Json:
    gone = entry.permanent
    return {
        "deleted_by": None if gone else _person(entry.deleted_by),
        "id": str(entry.id),
        "display_name": None if gone else entry.name,
        "type": "permanent" if gone else "recycle",
        "created_by": None if gone or entry.created_by is None else _person(entry.created_by),
        "deleted_time": moment(entry.deleted_time),
    }


def _person(one: Person) -> Json:
    return {"name": one.name, "id": str(one.id)}


def record(found: Record, only: Collection[str] = ()) -> dict[str, list[Json]]:
    """Returns one record. With `only`, it has its id and these keys alone."""
    return {"data": [_shown(found, only)]}


def _shown(record: Record, only: Collection[str]) -> Json:
    shown = _record(record)
    if not only:
        return shown
    keep = {"id", *only}
    return {name: value for name, value in shown.items() if name in keep}


def _record(record: Record) -> Json:
    shown = {name: shown_value(value) for name, value in record.values.items()}
    shown["id"] = str(record.id)
    shown["Tag"] = []  # tags are not stored
    return shown | _CONSTANT_KEYS


def shown_value(value: Value) -> object:
    """Returns one value as JSON."""
    present = _PRESENTERS.get(type(value))
    return value if present is None else present(value)


def _reference(reference: Reference) -> Json:
    return {"name": reference.name, "id": str(reference.id)}


def _user(user: UserReference) -> Json:
    return {"name": user.name, "id": str(user.id), "email": user.email}


_PRESENTERS: dict[type, Callable[[Any], object]] = {
    datetime: moment,
    Reference: _reference,
    UserReference: _user,
}
"""By the type of a value; a value of another type is its own JSON."""
