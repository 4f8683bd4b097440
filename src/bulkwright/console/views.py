"""What pages show of a job beside what the API returns: words, shares, times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from bulkwright.v1.problems import NoSuchJob
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
_UNDOS = {
    "ADDED": "Being undone",
    "INPROGRESS": "Being undone",
    "COMPLETED": "Undone",
    "FAILED": "Undo failed",
}
"""What the status of its undo makes of a job."""
_BAR = 100.0
_CORRECT = "Download them, correct them, and import that file."
_STORED = "What was stored stays."
_ENDINGS = {
    "ABORTED": "The job was aborted. {kept} The failed rows are those that are not stored.",
    "TOO_MANY_ERRORS": "More rows were skipped than the job allows. {kept} The failed rows are "
    f"those that are not stored. {_CORRECT}",
    "UNDO_FAILED": "A row was skipped, but what was stored could not be removed. Continue the "
    "undo.",
    "INVALID_FILE_FORMAT": "The file has changed since it was uploaded. Upload it again.",
    "INTERNAL_ERROR": "A worker ended without a result. The log of the server has the reason, "
    "beside the id of the job.",
}
"""What the codes of jobs mean, and what to do next."""


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
    undo: str
    """Whether it was undone, for a person; empty if it has no undo."""

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        return self.job.status in ("COMPLETED", "FAILED")

    @property
    def is_uncounted(self) -> bool:
        """Whether it runs, and nothing says how many rows are left."""
        return not self.is_final and self.total is None and self.job.rows.processed > 0

    @property
    def advice(self) -> str:
        """What its end means, and what to do next; empty if nothing is to be said."""
        job = self.job
        if job.dry_run:
            return "Nothing is stored: the numbers are those that the import would have."
        if not self.is_final:
            return ""
        kept = "Nothing of the file is stored." if job.on_error == "all_or_nothing" else _STORED
        found = _ENDINGS.get(job.code or "", "")
        if job.status == "COMPLETED" and job.rows.skipped and not self.undo:
            found = f"The failed rows are not stored. {_CORRECT}"
        return found.format(kept=kept)

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
        return f"{text} so far" if self.is_uncounted else text


def view_of(call: PageCall, job: own.JobSnapshot) -> JobView:
    """Returns what a page shows of a job."""
    state, kind = STATES[job.status]
    if job.abort_requested_time is not None:
        state, kind = ("Aborting", "wait") if kind in ("wait", "run") else ("Aborted", "fail")
    created = datetime.fromisoformat(job.created_time)
    ended = call.services.clock.now()
    if job.ended_time is not None:
        ended = datetime.fromisoformat(job.ended_time)
    total = None if job.progress is None else job.progress.rows_total
    return JobView(job, state, kind, total, (ended - created).total_seconds(), _undo(call, job))


def _undo(call: PageCall, job: own.JobSnapshot) -> str:
    if job.undo is None:
        return ""
    try:
        return _UNDOS[call.ask("readUndo", own.UndoSnapshot, job_id=job.undo).status]
    except NoSuchJob:  # deleted meanwhile
        return ""
