"""What was kept for its time, forgotten in small steps.

Each step is one short transaction that takes a hundred things at most, finds them by an index and
says which they were, so that a worker never waits long for its turn to write. The caller repeats
a step until nothing comes back, and removes the files afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from bulkwright.domain.job import JobStatus
from bulkwright.store.clock import now
from bulkwright.store.database import Database, Row

STEP = 100
"""Uploads, results, callbacks, tokens forgotten in one transaction."""
JOBS_A_STEP = 20
"""Jobs have ledgers."""

_OF_A_JOB = (
    "drop_delivery_of_job", "drop_ledger", "drop_parents", "drop_resources", "drop_job",
)  # fmt: skip


class RetentionStore:
    """Forgets; every method is one step."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def forget_uploads(self, older: timedelta) -> list[int]:
        """Forget uploads that no unfinished job needs."""
        with self._db.transaction():
            found = _ids(self._db.all("old_uploads", before=_before(older), most=STEP))
            return [i for i in found if self._db.one("drop_upload", id=i) is not None]

    def forget_results(self, older: timedelta) -> list[int]:
        """Forget the results of jobs, not the jobs."""
        with self._db.transaction():
            jobs = self._db.all("old_results", before=_before(older), most=STEP)
            for job in jobs:
                self._db.run("drop_result", id=job["id"], now=now())
            self._note(jobs)
        return _ids(jobs)

    def forget_jobs(self, older: timedelta) -> list[int]:
        """Forget jobs whose callback is over, with all that is known of them."""
        with self._db.transaction():
            jobs = self._db.all("old_jobs", before=_before(older), most=JOBS_A_STEP)
            for job in jobs:
                for query in _OF_A_JOB:
                    self._db.run(query, id=job["id"])
            self._note(jobs)
        return _ids(jobs)

    def forget_deliveries(self, older: timedelta) -> int:
        """Forget callbacks that were delivered or given up; how many."""
        return len(self._db.all("old_deliveries", before=_before(older), most=STEP))

    def forget_tokens(self) -> int:
        """Forget tokens and codes that have run out; how many."""
        return len(self._db.all("old_tokens", before=now(), most=STEP))

    def forget_sessions(self) -> int:
        """Forget sessions that have run out; how many."""
        return len(self._db.all("old_sessions", before=now(), most=STEP))

    def upload_known(self, upload_id: int) -> bool:
        """Whether a file of this name belongs to an upload."""
        return self._db.one("upload_known", id=upload_id) is not None

    def result_needed(self, job_id: int) -> bool:
        """Whether a result of this name belongs to a job, or may do so soon."""
        row = self._db.one("job_files", id=job_id)
        if row is None:
            return False
        ended = JobStatus(row["status"]).final
        return not ended or bool(row["has_result"] and row["result_swept"] is None)

    def parts_needed(self, job_id: int) -> bool:
        """Whether parts of this name belong to a job that still runs."""
        row = self._db.one("job_files", id=job_id)
        return row is not None and not JobStatus(row["status"]).final

    def _note(self, jobs: list[Row]) -> None:
        if jobs:
            self._db.run("note_sweep", until=max(job["finished_time"] for job in jobs))


def _ids(rows: Iterable[Row]) -> list[int]:
    return [int(row["id"]) for row in rows]


def _before(older: timedelta) -> int:
    return now() - older // timedelta(microseconds=1)
