"""What the forms on the page of a job do: abort, delete, undo, send the callback again."""

from __future__ import annotations

from typing import Any, TypeVar

from starlette.responses import Response

from bulkwright.console import PREFIX
from bulkwright.console.page import Page, PageCall, redirect
from bulkwright.console.pages.job import JOB, show
from bulkwright.console.pages.jobs import JOBS
from bulkwright.console.render import plain
from bulkwright.domain.account import Right
from bulkwright.domain.delivery_errors import CallbackIsPending, NoCallback
from bulkwright.domain.errors import JobHasEnded, JobIsOpen, RequestError
from bulkwright.domain.undo_errors import CannotUndo
from bulkwright.v1.problems import details_of
from bulkwright.wire import own

T = TypeVar("T")

_EXPECTED = (JobHasEnded, JobIsOpen, CannotUndo, CallbackIsPending, NoCallback, RequestError)
"""Errors that the page of the job shows."""


def abort(call: PageCall) -> Response:
    """Requests the abort of a job."""
    return _done(call, _try(call, "abortJob", own.AbortedJob))


def delete(call: PageCall) -> Response:
    """Deletes a job that has ended."""
    found = _try(call, "deleteJob", own.JobDeletion)
    return found if isinstance(found, Response) else redirect(f"{JOBS}?deleted={found.id}")


def undo(call: PageCall) -> Response:
    """Creates the undo of a job, or a preview of it."""
    body = own.NewUndo(dry_run="preview" in call.form)
    found = _try(call, "undoJob", own.UndoSnapshot, body=body)
    return found if isinstance(found, Response) else redirect(f"{PREFIX}/undos/{found.id}")


def replay(call: PageCall) -> Response:
    """Sends the callback of a job again."""
    return _done(call, _try(call, "replayCallback", own.CallbackSnapshot))


def _try(call: PageCall, name: str, kind: type[T], **more: Any) -> T | Response:
    """Returns what an endpoint returns; the page of the job with the reason if it cannot."""
    job_id = call.path["job_id"]
    try:
        return call.ask(name, kind, job_id=job_id, **more)
    except _EXPECTED as error:
        problem = details_of(error)
        job = call.ask("readJob", own.JobSnapshot, job_id=job_id)
        return show(call, job, problem.status, plain(problem))


def _done(call: PageCall, found: object) -> Response:
    if isinstance(found, Response):
        return found
    return redirect(f"{JOBS}/{call.path['job_id']}")


PAGES = (
    Page("POST", f"{JOB}/abort", abort, Right.CREATE_JOBS),
    Page("POST", f"{JOB}/delete", delete, Right.CREATE_JOBS),
    Page("POST", f"{JOB}/undo", undo, Right.CREATE_JOBS),
    Page("POST", f"{JOB}/callback", replay, Right.CREATE_JOBS),
)
