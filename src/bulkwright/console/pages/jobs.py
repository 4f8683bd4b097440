"""The list of jobs: filters, pages, and progress that moves."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.responses import Response

from bulkwright.console import PREFIX
from bulkwright.console.page import Page, PageCall
from bulkwright.console.render import END_OF_EVENTS, fragment, plain
from bulkwright.console.views import JobView, view_of
from bulkwright.domain.account import Right
from bulkwright.domain.ids import parse_id
from bulkwright.domain.job import JobStatus, Operation
from bulkwright.v1.event_stream import Look, stream_of
from bulkwright.v1.problems import InvalidParameter, details_of
from bulkwright.wire import own

JOBS = f"{PREFIX}/jobs"
_A_PAGE = "50"
_EVENT_SECONDS = 1.0
"""Between two looks at a list; one costs more than a look at a job."""
_LABELS = {
    "ADDED": "Waiting",
    "INPROGRESS": "Running",
    "COMPLETED": "Completed",
    "FAILED": "Failed",
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What the form above the list says; empty texts filter nothing."""

    status: str = ""
    operation: str = ""
    module: str = ""
    file: str = ""
    """A part of the name of the file."""
    created_by: str = ""
    since: str = ""
    """A day: jobs that were created then or later."""
    until: str = ""
    """A day: jobs that were created then or earlier."""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filters:
        """Returns the filters of a query."""
        return cls(**{name: query.get(name, "").strip() for name in cls.__slots__})

    def api_query(self, zone: ZoneInfo) -> dict[str, str]:
        """Returns the same for the API. Days begin in the user's time zone. Raises ValueError."""
        query = {
            name: getattr(self, name)
            for name in ("status", "operation", "module", "file", "created_by")
            if getattr(self, name)
        }
        if self.since:
            query["created_since"] = _midnight(date.fromisoformat(self.since), zone)
        if self.until:
            day = date.fromisoformat(self.until) + timedelta(days=1)
            query["created_before"] = _midnight(day, zone)
        return query

    def url(self, **more: str) -> str:
        """Returns the address of the list with these filters."""
        given = {name: getattr(self, name) for name in self.__slots__} | more
        query = urlencode({name: value for name, value in given.items() if value})
        return f"{JOBS}?{query}" if query else JOBS

    @property
    def any(self) -> bool:
        """Whether a job may be left out."""
        return self != Filters()


def list_jobs(call: PageCall) -> Response:
    """Shows a page of the org's jobs, newest first; or leads to the one whose id is given."""
    number = call.query.get("id", "").strip()
    if parse_id(number) is not None:
        return call.lead_to(f"{JOBS}/{number}")
    filters, cursor = Filters.of(call.query), call.query.get("cursor", "")
    alert, status = "", 200
    found = own.JobPage(jobs=[], next_cursor=None)
    try:
        found = _page(call, filters, cursor)
    except InvalidParameter as error:
        alert, status = plain(details_of(error)), 400
    views = [view_of(call, job) for job in found.jobs]
    address = filters.url(cursor=cursor)
    deleted = call.query.get("deleted", "")
    return call.show(
        "jobs.html",
        status,
        section="jobs",
        note=f"Job {deleted} was deleted." if deleted.isascii() and deleted.isdigit() else "",
        is_open=_any_open(found),
        events=f"{JOBS}/events{address.removeprefix(JOBS)}",
        **_table(filters, cursor, found, views, alert),
        statuses=[(s.value, _LABELS[s.value]) for s in JobStatus],
        operations=[o.value for o in Operation],
        modules=[m.api_name for m in call.services.metadata.all_modules(call.caller)],
        users=[(str(u.id), u.name) for u in call.services.accounts.users(call.caller.org_id)],
    )


def events(call: PageCall) -> Response:
    """Returns server-sent events with the list, until all of its jobs have ended."""
    filters, cursor = Filters.of(call.query), call.query.get("cursor", "")

    def look() -> Look:
        found = _page(call, filters, cursor)
        return Look(_event_id(found), not _any_open(found), partial(data, found))

    def data(found: own.JobPage) -> bytes:
        views = [view_of(call, job) for job in found.jobs]
        shown = _table(filters, cursor, found, views, "")
        return fragment("jobs_table.html", zone=call.zone, **shown)

    return stream_of(call.of_api("listJobs"), "jobs", look, END_OF_EVENTS, _EVENT_SECONDS)


def _page(call: PageCall, filters: Filters, cursor: str) -> own.JobPage:
    """Returns a page of jobs. Raises InvalidParameter."""
    try:
        query = filters.api_query(call.zone) | {"limit": _A_PAGE}
    except (ValueError, OverflowError):
        raise InvalidParameter("A day is written as 2026-11-28.") from None
    query |= {"cursor": cursor} if cursor else {}
    return call.ask("listJobs", own.JobPage, query=query)


def _table(
    filters: Filters, cursor: str, found: own.JobPage, views: list[JobView], alert: str
) -> dict[str, object]:
    """Returns what the moving part of the page shows."""
    return {
        "alert": alert,
        "filters": filters,
        "jobs": views,
        "first_page": filters.url() if cursor else "",
        "next_page": filters.url(cursor=found.next_cursor) if found.next_cursor else "",
    }


def _any_open(found: own.JobPage) -> bool:
    return any(job.status in ("ADDED", "INPROGRESS") for job in found.jobs)


def _event_id(found: own.JobPage) -> str:
    """Returns what changes with what the list shows."""
    shown = [
        (job.id, job.status, job.rows.processed, job.abort_requested_time) for job in found.jobs
    ]
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


def _midnight(day: date, zone: ZoneInfo) -> str:
    return datetime.combine(day, time(), zone).isoformat()


PAGES = (
    Page("GET", JOBS, list_jobs, Right.READ_JOBS),
    Page("GET", f"{JOBS}/events", events, Right.READ_JOBS),
)
