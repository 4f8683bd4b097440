"""What pages show of a job beside what the API returns: words, shares, times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from bulkwright.domain.ids import parse_id
from bulkwright.wire import own

if TYPE_CHECKING:
    from bulkwright.console.page import PageCall

STATES = {
    "ADDED": ("Waiting", "wait"),
    "INPROGRESS": ("Running", "run"),
    "COMPLETED": ("Completed", "done"),
    "FAILED": ("Failed", "fail"),
}
"""The status of a job for a person, and its kind for the style."""
_BAR = 100.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One piece of the bar of outcomes: where it begins and how long it is, of 100."""

    outcome: str
    at: float
    length: float


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as pages show it."""

    job: own.JobSnapshot
    state: str
    """For a person."""
    kind: str
    """Of the state, for the style."""
    total: int | None
    """Rows of its files; None if they are not counted."""
    seconds: float
    """From its creation to its end, or to now."""

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        return self.job.status in ("COMPLETED", "FAILED")

    @property
    def modules(self) -> str:
        """The modules that it writes to."""
        return ", ".join(resource.module for resource in self.job.resources)

    @property
    def files(self) -> str:
        """The names of its files."""
        return ", ".join(dict.fromkeys(resource.file_name for resource in self.job.resources))

    @property
    def percent(self) -> int | None:
        """How much of it is done; None if that is not known."""
        if self.job.status == "COMPLETED":
            return 100
        if not self.total:
            return None
        return min(99, self.job.rows.processed * 100 // self.total)

    @property
    def bars(self) -> list[Bar]:
        """The shares of the outcomes."""
        rows = self.job.rows
        whole = max(self.total or 0, rows.processed + (self.job.rows_unprocessed or 0))
        if not whole:
            return []
        bars, at = [], 0.0
        counts = (
            ("added", rows.added),
            ("updated", rows.updated),
            ("unchanged", rows.unchanged),
            ("skipped", rows.skipped),
            ("unprocessed", self.job.rows_unprocessed or 0),
        )
        for outcome, count in counts:
            length = count * _BAR / whole
            if count:
                bars.append(Bar(outcome, round(at, 2), round(length, 2)))
            at += length
        return bars

    @property
    def summary(self) -> str:
        """The counts in words, for those who do not see the bar."""
        rows = self.job.rows
        text = f"{rows.added:,} added, {rows.updated:,} updated, {rows.skipped:,} skipped"
        if rows.unchanged:
            text += f", {rows.unchanged:,} unchanged"
        if self.job.rows_unprocessed:
            text += f", {self.job.rows_unprocessed:,} not reached"
        return text


def view_of(call: PageCall, job: own.JobSnapshot) -> JobView:
    """Returns what a page shows of a job. The rows of the files are looked up while it runs."""
    state, kind = STATES[job.status]
    if job.abort_requested_time is not None:
        state, kind = ("Aborting", "wait") if kind in ("wait", "run") else ("Aborted", "fail")
    created = datetime.fromisoformat(job.created_time)
    ended = call.services.clock.now()
    if job.ended_time is not None:
        ended = datetime.fromisoformat(job.ended_time)
    total = None if kind in ("done", "fail") else _rows_of_files(call, job)
    return JobView(job, state, kind, total, (ended - created).total_seconds())


def _rows_of_files(call: PageCall, job: own.JobSnapshot) -> int | None:
    total = 0
    for resource in job.resources:
        number = parse_id(resource.file_id)
        upload = number and call.services.upload_store.upload(call.caller.org_id, number)
        rows = [csv.rows for csv in upload.csvs if csv.name == resource.file_name] if upload else []
        if not rows or rows[0] is None:
            return None
        total += rows[0]
    return total
