"""The rows of a COQL query as JSON (facts 10.11). Pure functions."""

from __future__ import annotations

from bulkwright.domain.coql import CoqlQuery
from bulkwright.domain.record import Reference, UserReference, Value
from bulkwright.service.coql import CoqlRows
from bulkwright.zoho.present.records import Json, shown_value
from bulkwright.zoho.versions import Version


def rows(query: CoqlQuery, found: CoqlRows, version: Version) -> Json:
    """Returns the answer: each row has the selected columns, and its id."""
    data: list[Json] = []
    for values in found.rows:
        row = {column.key: _value(values[column.written], version) for column in query.columns}
        if "id" in values:
            row.setdefault("id", values["id"])
        data.append(row)
    return {"data": data, "info": {"count": len(data), "more_records": found.has_more}}


def _value(value: Value, version: Version) -> object:
    if isinstance(value, (Reference, UserReference)):
        name = {"name": value.name} if version.coql_names else {}
        return name | {"id": str(value.id)}
    return shown_value(value)
