"""Records as JSON (facts 9). Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from bulkwright.domain.record import Record, Reference, UserReference, Value
from bulkwright.service.records import RecordPage
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


def records(page: RecordPage, only: Collection[str] = ()) -> Json:
    """Returns a page of records. With `only`, each record has its id and these keys alone."""
    shown = [_shown(record, only) for record in page.records]
    info = {
        "per_page": page.per_page,
        "count": len(shown),
        "page": page.number,
        "more_records": page.has_more,
    }
    return {"data": shown, "info": info}


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
    shown = {name: _value(value) for name, value in record.values.items()}
    shown["id"] = str(record.id)
    shown["Tag"] = []  # tags are not stored
    return shown | _CONSTANT_KEYS


def _value(value: Value) -> object:
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
