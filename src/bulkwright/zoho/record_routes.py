"""RECORD_ROUTES: the endpoints of records. Any name may be a module, unless a route has it."""

from __future__ import annotations

from bulkwright.domain import errors as e
from bulkwright.domain import record_errors as r
from bulkwright.domain import scope
from bulkwright.domain.account import Right
from bulkwright.web.route import ParameterDoc, ResponseDoc, Route
from bulkwright.zoho import record_docs as records_doc
from bulkwright.zoho import route_docs as doc
from bulkwright.zoho.auth import Access, Open
from bulkwright.zoho.context import ZohoContext
from bulkwright.zoho.handlers import coql, record_writes, records
from bulkwright.zoho.problems import NotServed

_MODULE = "/crm/{version}/{module}"
_RECORD = f"{_MODULE}/{{record_id}}"

_READ_ERRORS = (
    e.InvalidModule,
    e.InvalidData,
    e.InvalidRequest,
    e.RequiredParamMissing,
    e.LimitExceeded,
    e.AuthorizationFailed,
)
_SEARCH_ERRORS = (r.InvalidQuery, r.CriteriaLimitExceeded, NotServed)
_COQL_ERRORS = (
    r.QuerySyntaxError,
    r.InvalidQuery,
    r.DuplicateColumn,
    r.DuplicateAlias,
    r.InvalidAlias,
    e.InvalidModule,
    e.InvalidData,
    e.InvalidRequest,
    e.MandatoryNotFound,
    e.LimitExceeded,
    e.AuthorizationFailed,
    NotServed,
)
_TOKEN_ERRORS = (
    r.AmbiguousRequest,
    r.ExpiredToken,
    r.PageLimitExceeded,
    r.TokenLimitExceeded,
    r.TokenMismatch,
)
_WRITE_ERRORS = (
    e.InvalidModule,
    e.InvalidData,
    e.InvalidRequest,
    e.LimitExceeded,
    e.AuthorizationFailed,
    NotServed,
)

RECORD_ROUTES: tuple[Route[ZohoContext, Access], ...] = (
    Route(
        "GET",
        _MODULE,
        records.records,
        Access(Open.BY_MODULE, Right.READ_RECORDS),
        name="listRecords",
        group=doc.READS,
        summary="List records",
        text="Newest first.",
        parameters=(
            *doc.PAGE_QUERY,
            doc.FIELDS_QUERY,
            *records_doc.LIST_QUERY,
            records_doc.MODIFIED_HEADER,
        ),
        answers={
            200: ResponseDoc(
                "A page of records.", (doc.list_of("data", "id", more=doc.PAGE_INFO),)
            ),
            204: ResponseDoc("The page has no records."),
            304: ResponseDoc("No record has changed since."),
        },
        errors=(*_READ_ERRORS, *_TOKEN_ERRORS),
    ),
    Route(
        "GET",
        f"{_MODULE}/search",
        records.search,
        Access(scope.SEARCH, Right.READ_RECORDS),
        name="searchRecords",
        group=records_doc.RECORDS,
        summary="Search records",
        text="Newest first. Of several of criteria, email, phone and word the first one counts.",
        parameters=(
            *records_doc.SEARCH_QUERY,
            *doc.PAGE_QUERY,
            doc.FIELDS_QUERY,
            *records_doc.SORT_QUERY,
            *records_doc.STATE_QUERY,
        ),
        answers={
            200: ResponseDoc(
                "A page of records.", (doc.list_of("data", "id", more=doc.PAGE_INFO),)
            ),
            204: ResponseDoc("No record is found."),
        },
        errors=(*_READ_ERRORS, *_SEARCH_ERRORS, r.ExpectedParamMissing, r.LimitReached),
    ),
    Route(
        "POST",
        "/crm/{version}/coql",
        coql.query,
        Access(scope.COQL, Right.READ_RECORDS),
        name="queryRecords",
        group=records_doc.RECORDS,
        summary="Query records with COQL",
        text="Sorted by id unless the query says otherwise. `limit` is 200 by default.",
        body=records_doc.COQL_BODY,
        answers={
            200: ResponseDoc("The rows.", (records_doc.COQL_ROWS,)),
            204: ResponseDoc("No record is found."),
        },
        errors=_COQL_ERRORS,
    ),
    Route(
        "GET",
        f"{_MODULE}/actions/count",
        records.count,
        Access(scope.SEARCH, Right.READ_RECORDS),
        name="countRecords",
        group=records_doc.RECORDS,
        summary="Count records",
        text="All, or those that a search would find.",
        parameters=(*records_doc.SEARCH_QUERY,),
        answers={
            200: ResponseDoc(
                "The number.",
                (
                    {
                        "type": "object",
                        "required": ["count"],
                        "properties": {"count": {"type": "integer"}},
                    },
                ),
            )
        },
        errors=(*_READ_ERRORS, *_SEARCH_ERRORS, r.AmbiguousRequest, r.ApiNotSupported),
    ),
    Route(
        "GET",
        f"{_MODULE}/deleted",
        records.deleted,
        Access(Open.BY_MODULE, Right.READ_RECORDS),
        name="listDeletedRecords",
        group=records_doc.RECORDS,
        summary="List deleted records",
        text="Newest first.",
        parameters=(records_doc.KIND_QUERY, *doc.PAGE_QUERY, records_doc.MODIFIED_HEADER),
        answers={
            200: ResponseDoc(
                "A page of deleted records.",
                (doc.list_of("data", "id", "type", "deleted_time", more=doc.PAGE_INFO),),
            ),
            204: ResponseDoc("No record was deleted."),
            304: ResponseDoc("No record was deleted since."),
        },
        errors=(*_READ_ERRORS, *_TOKEN_ERRORS, r.PatternNotMatched),
    ),
    Route(
        "GET",
        _RECORD,
        records.record,
        Access(Open.BY_MODULE, Right.READ_RECORDS),
        name="getRecord",
        group=doc.READS,
        summary="Get a record",
        parameters=(doc.FIELDS_QUERY, records_doc.MODIFIED_HEADER),
        answers={
            200: ResponseDoc("The record.", (doc.list_of("data", "id"),)),
            204: ResponseDoc("The record does not exist."),
            304: ResponseDoc("The record has not changed since."),
        },
        errors=(e.InvalidModule, e.InvalidRequest, e.AuthorizationFailed),
    ),
    Route(
        "POST",
        _MODULE,
        record_writes.insert,
        Access(Open.BY_MODULE, Right.CREATE_RECORDS),
        name="insertRecords",
        group=records_doc.RECORDS,
        summary="Insert records",
        text=records_doc.WRITE_TEXT,
        body=records_doc.RECORDS_BODY,
        answers=records_doc.outcomes(201),
        errors=_WRITE_ERRORS,
    ),
    Route(
        "PUT",
        _MODULE,
        record_writes.update,
        Access(Open.BY_MODULE, Right.UPDATE_RECORDS),
        name="updateRecords",
        group=records_doc.RECORDS,
        summary="Update records",
        text="Each record has its `id`. Only the given keys change; null clears a value.",
        parameters=(records_doc.UNMODIFIED_HEADER,),
        body=records_doc.RECORDS_BODY,
        answers=records_doc.outcomes(200, 412),
        errors=_WRITE_ERRORS,
    ),
    Route(
        "PUT",
        _RECORD,
        record_writes.update_one,
        Access(Open.BY_MODULE, Right.UPDATE_RECORDS),
        name="updateRecord",
        group=records_doc.RECORDS,
        summary="Update a record",
        text="Only the given keys change; null clears a value.",
        parameters=(records_doc.UNMODIFIED_HEADER,),
        body=records_doc.RECORDS_BODY,
        answers=records_doc.outcomes(200, 412),
        errors=_WRITE_ERRORS,
    ),
    Route(
        "POST",
        f"{_MODULE}/upsert",
        record_writes.upsert,
        Access(Open.BY_MODULE, Right.CREATE_RECORDS),
        name="upsertRecords",
        group=records_doc.RECORDS,
        summary="Insert records or update them",
        text="A record updates the one that has the same value in one of "
        "`duplicate_check_fields`, or in a unique field.",
        parameters=(records_doc.UNMODIFIED_HEADER,),
        body=records_doc.RECORDS_BODY,
        answers=records_doc.outcomes(200, 412),
        errors=_WRITE_ERRORS,
    ),
    Route(
        "DELETE",
        _MODULE,
        record_writes.delete,
        Access(Open.BY_MODULE, Right.DELETE_RECORDS),
        name="deleteRecords",
        group=records_doc.RECORDS,
        summary="Delete records",
        parameters=(
            ParameterDoc("ids", "query", "Ids, joined by commas.", doc.TEXT, required=True),
            records_doc.TRIGGER_QUERY,
        ),
        answers=records_doc.outcomes(200),
        errors=(*_WRITE_ERRORS, e.RequiredParamMissing),
    ),
    Route(
        "DELETE",
        _RECORD,
        record_writes.delete_one,
        Access(Open.BY_MODULE, Right.DELETE_RECORDS),
        name="deleteRecord",
        group=records_doc.RECORDS,
        summary="Delete a record",
        parameters=(records_doc.TRIGGER_QUERY,),
        answers=records_doc.outcomes(200),
        errors=_WRITE_ERRORS,
    ),
)
"""The routes of records."""
