"""Undos of jobs: create one, read it, and download its result."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from bulkwright.domain import errors as e
from bulkwright.domain.account import Right
from bulkwright.domain.job import Callback
from bulkwright.domain.report_errors import NoResult, RowsGone
from bulkwright.domain.scope import JOBS_READ, JOBS_UPDATE
from bulkwright.domain.undo_errors import AlreadyUndone, CannotUndo, JobNotEnded, NoImages
from bulkwright.domain.undo_job import UndoJob, UndoRequest
from bulkwright.v1.endpoint import OwnCall, OwnEndpoint, decode, json_answer
from bulkwright.v1.jobs import BY_ID, PAGING, job_id_of, known_parameters, page_of
from bulkwright.v1.new_files import IDEMPOTENCY_HEADER, idempotency_of
from bulkwright.v1.present import undo_snapshot
from bulkwright.v1.problems import BodyTooLong, InvalidBody, InvalidParameter, NoSuchJob
from bulkwright.v1.zips import ZIP, zip_response
from bulkwright.web.json import encode
from bulkwright.web.route import ResponseDoc
from bulkwright.wire import own


def undo_job(call: OwnCall) -> Response:
    """Creates the undo of a job. Without a body everything is undone."""
    wanted = decode(call, own.NewUndo) if call.body else own.NewUndo()
    callback = None if wanted.callback_url is None else Callback(wanted.callback_url)
    number = job_id_of(call)
    key = idempotency_of(call, b"undo", str(number).encode(), encode(wanted))
    request = UndoRequest(number, wanted.dry_run, callback, key)
    try:
        undo = call.api.services.undos.create(call.caller, request)
    except e.ResourceNotFound:
        raise NoSuchJob from None
    return json_answer(undo_snapshot(undo), 201, location=f"/api/v1/undos/{undo.id}")


def list_undos(call: OwnCall) -> own.UndoPage:
    """Returns a page of the org's undos, newest first."""
    query = known_parameters(call, PAGING)
    pages = partial(call.api.services.undos.page, call.caller.org_id)
    shown, cursor = page_of(query, pages, BY_ID)
    return own.UndoPage(
        undos=[undo_snapshot(undo) for undo in shown],
        next_cursor=cursor,
    )


def read_undo(call: OwnCall) -> own.UndoSnapshot:
    """Returns an undo of the org as it is now."""
    return undo_snapshot(_undo_of(call))


def download_undo_result(call: OwnCall) -> Response:
    """Returns the zip with a CSV that lists each record."""
    undo = _undo_of(call)
    return zip_response(call.api.services.job_rows.open_result(undo), f"{undo.id}.zip")


def _undo_of(call: OwnCall) -> UndoJob:
    try:
        return call.api.services.undos.details(call.caller.org_id, job_id_of(call))
    except e.ResourceNotFound:
        raise NoSuchJob from None


ENDPOINTS = (
    OwnEndpoint(
        "POST", "/api/v1/jobs/{job_id}/undo",
        name="undoJob", group="undos", summary="Undo a job",
        text="Records that the job created are removed, records that it updated hold again what "
        "they held before, also their times and who wrote them. A record that was written since is "
        "kept as it is. The undo is a job itself: it can be aborted and deleted as other jobs. "
        "With `dry_run`, nothing is changed, and the result says what would be.",
        parameters=(IDEMPOTENCY_HEADER,), takes=own.NewUndo,
        answers={201: ResponseDoc("The undo; a worker will run it.", (own.UndoSnapshot,))},
        errors=(
            NoSuchJob, JobNotEnded, AlreadyUndone, CannotUndo, NoImages, InvalidBody,
            BodyTooLong, e.InvalidData, e.InvalidCallbackUrl, e.QuotaExceeded,
            e.IdempotencyKeyReused,
        ),
        handler=undo_job, scopes=JOBS_UPDATE, right=Right.CREATE_JOBS,
    ),
    OwnEndpoint(
        "GET", "/api/v1/undos",
        name="listUndos", group="undos", summary="List undos, newest first",
        parameters=PAGING,
        answers={200: ResponseDoc("A page of undos.", (own.UndoPage,))},
        errors=(InvalidParameter,),
        handler=list_undos, scopes=JOBS_READ, right=Right.READ_JOBS,
    ),
    OwnEndpoint(
        "GET", "/api/v1/undos/{job_id}",
        name="readUndo", group="undos", summary="Read an undo",
        answers={200: ResponseDoc("The undo as it is now.", (own.UndoSnapshot,))},
        errors=(NoSuchJob,),
        handler=read_undo, scopes=JOBS_READ, right=Right.READ_JOBS,
    ),
    OwnEndpoint(
        "GET", "/api/v1/undos/{job_id}/result",
        name="downloadUndoResult", group="undos", summary="Download the result of an undo",
        text="A zip with one CSV: MODULE, RECORD_ID, OUTCOME (`REMOVED`, `RESTORED`, `KEPT`) and "
        "REASON (`CHANGED_SINCE`, `DELETED_SINCE`, `KEY_TAKEN`, or empty).",
        answers={200: ResponseDoc("The zip.", ({"type": "string"},), media=ZIP)},
        errors=(NoSuchJob, NoResult, RowsGone),
        handler=download_undo_result, scopes=JOBS_READ, right=Right.READ_JOBS,
    ),
)  # fmt: skip
