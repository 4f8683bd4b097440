"""Bulk reads: the list, and the page of one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import quote

import msgspec
from starlette.responses import Response

from bulkwright.console import PREFIX
from bulkwright.console.page import Page, PageCall, redirect
from bulkwright.console.render import plain
from bulkwright.console.views import STATES
from bulkwright.domain.account import Right
from bulkwright.domain.errors import JobHasEnded, JobIsOpen
from bulkwright.v1.problems import details_of
from bulkwright.v1.reads import download_read_result
from bulkwright.wire import own, own_reads

READS = f"{PREFIX}/reads"
_READ = f"{READS}/{{job_id}}"
_A_PAGE = "50"
_ABORTED: Mapping[bool, tuple[str, str]] = MappingProxyType(
    {False: ("Aborting", "wait"), True: ("Aborted", "fail")}
)


def list_reads(call: PageCall) -> Response:
    """Shows a page of the org's bulk reads, newest first."""
    cursor = call.query.get("cursor", "")
    query = {"limit": _A_PAGE} | ({"cursor": cursor} if cursor else {})
    found = call.ask("listReads", own_reads.ReadPage, query=query)
    return call.show(
        "reads.html",
        section="jobs",
        reads=[(read, *_state(read)) for read in found.reads],
        is_open=any(not _is_final(read) for read in found.reads),
        this_page=f"{READS}?cursor={quote(cursor)}" if cursor else READS,
        first_page=READS if cursor else "",
        next_page=f"{READS}?cursor={found.next_cursor}" if found.next_cursor else "",
    )


def show_read(call: PageCall) -> Response:
    """Shows a bulk read."""
    return _show(call)


def result(call: PageCall) -> Response:
    """Returns the zip with the CSV."""
    return download_read_result(call.of_api("downloadReadResult", job_id=call.path["job_id"]))


def abort(call: PageCall) -> Response:
    """Requests the abort of a bulk read."""
    try:
        call.ask("abortJob", own.AbortedJob, job_id=call.path["job_id"])
    except JobHasEnded as error:
        return _show(call, 409, plain(details_of(error)))
    return redirect(f"{READS}/{call.path['job_id']}")


def delete(call: PageCall) -> Response:
    """Deletes a bulk read that has ended."""
    try:
        call.ask("deleteJob", own.JobDeletion, job_id=call.path["job_id"])
    except JobIsOpen as error:
        return _show(call, 409, plain(details_of(error)))
    return redirect(READS)


def _show(call: PageCall, status: int = 200, alert: str = "") -> Response:
    read = call.ask("readRead", own_reads.ReadSnapshot, job_id=call.path["job_id"])
    state, kind = _state(read)
    return call.show(
        "read.html",
        status,
        section="jobs",
        alert=alert,
        read=read,
        state=state,
        kind=kind,
        is_final=_is_final(read),
        may_download=call.visitor.may(Right.READ_RECORDS),
        details=msgspec.to_builtins(read),
        api_url=f"{call.console.base_url}/api/v1/reads/{read.id}",
    )


def _is_final(read: own_reads.ReadSnapshot) -> bool:
    return read.status in ("COMPLETED", "FAILED")


def _state(read: own_reads.ReadSnapshot) -> tuple[str, str]:
    """Returns the state for a person, and its kind for the style."""
    if read.abort_requested_time is not None and read.status != "COMPLETED":
        return _ABORTED[_is_final(read)]
    return STATES[read.status]


PAGES = (
    Page("GET", READS, list_reads, Right.READ_JOBS),
    Page("GET", _READ, show_read, Right.READ_JOBS),
    Page("GET", f"{_READ}/result", result, Right.READ_JOBS),
    Page("POST", f"{_READ}/abort", abort, Right.CREATE_JOBS),
    Page("POST", f"{_READ}/delete", delete, Right.CREATE_JOBS),
)
