"""The page of an undo, or of the preview of one."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from bulkwright.console import PREFIX
from bulkwright.console.page import Page, PageCall
from bulkwright.console.views import STATES
from bulkwright.domain.account import Right
from bulkwright.v1.undos import download_undo_result
from bulkwright.wire import own

_UNDO = f"{PREFIX}/undos/{{job_id}}"


def show_undo(call: PageCall) -> Response:
    """Shows an undo."""
    undo = call.ask("readUndo", own.UndoSnapshot, job_id=call.path["job_id"])
    is_final = undo.status in ("COMPLETED", "FAILED")
    return call.show(
        "undo.html",
        section="jobs",
        undo=undo,
        is_final=is_final,
        state=STATES[undo.status][0],
        kind=STATES[undo.status][1],
        details=msgspec.to_builtins(undo),
        api_url=f"{call.console.base_url}/api/v1/undos/{undo.id}",
    )


def result(call: PageCall) -> Response:
    """Returns the zip with a CSV that lists each record."""
    return download_undo_result(call.of_api("downloadUndoResult", job_id=call.path["job_id"]))


PAGES = (
    Page("GET", _UNDO, show_undo, Right.READ_JOBS),
    Page("GET", f"{_UNDO}/result", result, Right.READ_JOBS),
)
