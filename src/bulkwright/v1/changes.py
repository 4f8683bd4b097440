"""What jobs have changed in records: the diff of a job, and the history of a record."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.responses import Response

from bulkwright.domain import errors as e
from bulkwright.domain.account import Right
from bulkwright.domain.changes import FieldChange, RecordDiff, RecordWrite
from bulkwright.domain.ids import parse_id
from bulkwright.domain.scope import JOBS_READ
from bulkwright.domain.undo_errors import CannotUndo, JobNotEnded, NoImages
from bulkwright.service.reports import diff_csv
from bulkwright.v1.endpoint import OwnCall, OwnEndpoint
from bulkwright.v1.jobs import job_of
from bulkwright.v1.problems import InvalidParameter, NoHistory, NoSuchJob, TooManyReports
from bulkwright.v1.reports import (
    CSV,
    JSON_LINES,
    MODULE_OF_JOB,
    download,
    query_of,
    resource_of,
    wants_json_lines,
)
from bulkwright.web.json import encode
from bulkwright.web.route import ParameterDoc, ResponseDoc
from bulkwright.wire import own_changes


async def job_diff(call: OwnCall) -> Response:
    """Returns the records that a job has changed, as CSV or as JSON lines."""
    query = query_of(call, "module", "format")
    as_json = wants_json_lines(call)
    job = await call.request.run(job_of, call)
    resource, services = resource_of(job, query.get("module")), call.api.services
    found = await call.request.run(services.changes.diff, call.caller, job, resource)

    def pieces() -> Iterator[bytes]:
        if as_json:
            for records in found:
                yield b"".join(encode(_changed(record)) + b"\n" for record in records)
        else:
            lines = diff_csv(found, quote_formulas=services.settings.quotes_formulas)
            yield from map(str.encode, lines)

    ending = "jsonl" if as_json else "csv"
    return await download(call, pieces(), f"{job.id}-diff.{ending}", JSON_LINES if as_json else CSV)


def record_history(call: OwnCall) -> own_changes.HistoryOfRecord:
    """Returns the writes of a record."""
    number = parse_id(call.path["record_id"])
    try:
        if number is None:
            raise e.ResourceNotFound
        found = call.api.services.changes.history(call.caller, call.path["module"], number)
    except e.ResourceNotFound:
        raise NoHistory from None
    return own_changes.HistoryOfRecord(
        module=call.path["module"],
        record_id=str(found.record_id),
        exists=found.exists,
        complete=found.complete,
        writes=[_write(write) for write in found.writes],
    )


def _changed(record: RecordDiff) -> own_changes.ChangedRecord:
    return own_changes.ChangedRecord(
        record_id=str(record.record_id),
        change=record.change,
        note=record.note,
        fields=[_field(change) for change in record.fields],
    )


def _field(change: FieldChange) -> own_changes.ChangedField:
    return own_changes.ChangedField(field=change.field, before=change.before, after=change.after)


def _write(write: RecordWrite) -> own_changes.WriteOfRecord:
    return own_changes.WriteOfRecord(
        job=None if write.job_id is None else str(write.job_id),
        time=None if write.time is None else write.time.isoformat(timespec="seconds"),
        modified_by=None if write.user_id is None else str(write.user_id),
        created=write.created,
        after_known=write.after_known,
        fields=None if write.fields is None else [_field(change) for change in write.fields],
    )


ENDPOINTS = (
    OwnEndpoint(
        "GET", "/api/v1/jobs/{job_id}/diff",
        name="readDiff", group="results", summary="What a job has changed",
        text="Each record that the job has changed, with the fields that differ: before and after. "
        "Records that it has updated come first, then those that it has created. The token needs "
        "the scope to read the module too.",
        parameters=(
            MODULE_OF_JOB,
            ParameterDoc(
                "format", "query", "csv, or jsonl for JSON lines, as an Accept header with "
                "application/x-ndjson chooses too.", {"enum": ["csv", "jsonl"]},
            ),
        ),
        answers={200: ResponseDoc("A line of the CSV for each field; a line of JSON lines is a "
                                  "ChangedRecord.", ({"type": "string"},), media=CSV)},
        errors=(
            NoSuchJob, InvalidParameter, JobNotEnded, CannotUndo, NoImages, TooManyReports,
            e.InvalidModule,
        ),
        handler=job_diff, scopes=JOBS_READ, right=Right.READ_JOBS,
    ),
    OwnEndpoint(
        "GET", "/api/v1/modules/{module}/records/{record_id}/history",
        name="readHistory", group="records", summary="The writes of a record",
        text="Which jobs and calls have written a record, newest first, and what they have "
        "changed, as long as jobs keep what records held before. The token needs the scope to "
        "read the module too.",
        answers={200: ResponseDoc("The writes.", (own_changes.HistoryOfRecord,))},
        errors=(NoHistory, e.InvalidModule, CannotUndo),
        handler=record_history, scopes=JOBS_READ, right=Right.READ_JOBS,
    ),
)  # fmt: skip
