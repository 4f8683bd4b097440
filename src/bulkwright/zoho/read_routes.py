"""READ_ROUTES: the endpoints of bulk read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkwright.domain import errors as e
from bulkwright.domain import read_errors as b
from bulkwright.domain import record_errors as r
from bulkwright.domain import scope
from bulkwright.domain.account import Right
from bulkwright.web.handlers import Handlers
from bulkwright.web.route import BodyDoc, Json, ResponseDoc, Route
from bulkwright.zoho import route_docs as doc
from bulkwright.zoho.auth import Access
from bulkwright.zoho.context import ZohoContext
from bulkwright.zoho.problems import NotServed

if TYPE_CHECKING:
    from bulkwright.zoho.handlers import bulk_read
else:
    bulk_read = Handlers("bulkwright.zoho.handlers.bulk_read")

_READ = "/crm/bulk/{version}/read"
_GROUP = "Bulk read"

_BODY = BodyDoc(
    ("application/json",),
    {
        "type": "object",
        "required": ["query"],
        "properties": {
            "callback": {
                "type": "object",
                "required": ["url", "method"],
                "properties": doc.texts("url", "method"),
            },
            "query": {
                "type": "object",
                "properties": {
                    "module": {},
                    "fields": {"type": "array", "items": doc.TEXT},
                    "criteria": {"type": "object"},
                    "page": {"type": "integer"},
                    "page_token": doc.TEXT,
                },
            },
            "file_type": {"type": "string", "enum": ["csv"]},
        },
    },
    '`query.module` is a name or `{"api_name"}`. A criterion is `{"api_name" or "field", '
    '"comparator", "value"}` or `{"group", "group_operator"}`. With `page_token` the query holds '
    "nothing else.",
)
_CREATED: Json = {
    "type": "object",
    "required": ["data", "info"],
    "properties": {
        "data": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["status", "code", "message", "details"],
                "properties": {**doc.texts("status", "code", "message")},
            },
        },
        "info": {"type": "object"},
    },
}

READ_ROUTES: tuple[Route[ZohoContext, Access], ...] = (
    Route(
        "POST",
        _READ,
        bulk_read.create,
        Access(scope.BULK_READ, Right.READ_RECORDS),
        name="createReadJob",
        group=_GROUP,
        summary="Create a bulk read job",
        text="Up to 200,000 records of a module become a CSV. The token needs a scope to read the "
        "module too.",
        parameters=(doc.IDEMPOTENCY_HEADER,),
        body=_BODY,
        answers={201: ResponseDoc("The job.", (_CREATED,))},
        errors=(
            b.BodyIsEmpty,
            b.BodyNotReadable,
            b.BodyNotSupported,
            b.FieldNotAvailable,
            b.PageRangeExceeded,
            b.FieldInCriteriaNotAvailable,
            b.ComparatorNotCompatible,
            b.ValueNotCompatible,
            b.ComparatorAndValueNotCompatible,
            b.ValueLimitExceeded,
            b.InvalidCriteria,
            b.AmbiguousCriteria,
            b.AmbiguousGroup,
            b.GroupOperatorNotSupported,
            r.CriteriaLimitExceeded,
            r.ExpiredToken,
            r.TokenMismatch,
            e.InvalidRequest,
            e.InvalidData,
            e.MissingKey,
            e.ModuleNotAvailable,
            e.LimitExceeded,
            e.QuotaExceeded,
            e.IdempotencyKeyReused,
            e.InvalidCallbackUrl,
            e.InvalidCallbackMethod,
            e.AuthorizationFailed,
            NotServed,
        ),
    ),
    Route(
        "GET",
        f"{_READ}/{{job_id}}",
        bulk_read.details,
        Access(scope.BULK_READ_RESULT, Right.READ_RECORDS),
        name="getReadJob",
        group=_GROUP,
        summary="Get the details of a bulk read job",
        text="`result` is present once the job has ended.",
        answers={
            200: ResponseDoc(
                "The job.", (doc.list_of("data", "id", "operation", "state", "query"),)
            )
        },
        errors=(e.ResourceNotFound, e.AuthorizationFailed),
        cached=True,
    ),
    Route(
        "GET",
        f"{_READ}/{{job_id}}/result",
        bulk_read.result,
        Access(scope.BULK_READ_RESULT, Right.READ_RECORDS),
        name="downloadReadResult",
        group=_GROUP,
        summary="Download the result of a bulk read job",
        text="A zip with one CSV: `id` and the fields that were asked for, by their API names.",
        answers={
            200: ResponseDoc(
                "The zip.",
                media="application/zip",
                headers={"Content-Disposition": '^attachment; filename="[0-9]+[.]zip"$'},
            )
        },
        errors=(e.ResourceNotFound, e.AuthorizationFailed),
    ),
)
"""The routes of bulk read."""
