"""Workers are killed while all or nothing of a job is stored: its records are all there, or none.

A job that is refused has its records undone by another job. Killed at any
point of both, the next worker continues there. `BULKWRIGHT_TEST_SEED` repeats a run.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from tests.crash.killed_jobs import SEED, STUCK_SECONDS, KilledJobs, passages
from tests.crash.part_stand import UNDO_POINTS, Kills
from tests.support.bench import Bench, Done
from tests.support.processes import until

from bulkwright.domain.job import JobStatus, Operation
from bulkwright.domain.request import JobRequest, ResourceRequest
from bulkwright.store import tables

ROWS = 30


class AllOrNothing(KilledJobs):
    """Runs such jobs, most of which have a row that is refused, while their workers are killed."""

    undone = 0

    def one(self, number: int) -> None:
        """Run one job, half of whose records exist from the second on, and note what is wrong."""
        bench, bad = self.bench, self.random.choice((None, ROWS // 2, ROWS - 1))
        if number == 1:
            bad = None
        before = self._records()
        rows = [
            f"N{number},{f'old{n}' if n % 2 else f'j{number}n{n}'}@x.example" for n in range(ROWS)
        ]
        if bad is not None:
            rows[bad] = f"N{number},none"
        upload = str(bench.upload("Last_Name,Email\n" + "\n".join(rows)))
        resource = ResourceRequest("Leads", upload, None, "Email")
        request = JobRequest(Operation.UPSERT, (resource,), all_or_nothing=True)
        job = bench.services.jobs.create(bench.caller, request)
        if number > 1 and self.random.random() < 0.2:
            bench.services.job_control.abort(bench.org.id, job.id)
            bad = -1
        if not until(lambda: self.now(job).status.is_final, STUCK_SECONDS, 0.005):
            self.faults.append(f"stuck: job {job.id}")
            return
        done = bench.done(job.id)
        if bad is None:
            self._check_all(done, number)
        else:
            self._check_nothing(done, before)

    def _check_all(self, done: Done, number: int) -> None:
        names = {r["Email"]: r["Last_Name"] for r in self._records()}
        lacking = [row["Email"] for row in done.rows if names.get(row["Email"]) != f"N{number}"]
        if lacking or done.job.status is not JobStatus.COMPLETED:
            self.faults.append(f"lost: job {done.job.id}, {done.job.code}: {lacking}")
        if len(names) != len(self._records()):
            self.faults.append(f"doubled: job {done.job.id}")

    def _check_nothing(self, done: Done, before: list[dict[str, Any]]) -> None:
        job = done.job
        self.undone += job.undo_id is not None
        if self._records() != before:
            self.faults.append(f"stayed: of job {job.id}")
        if job.status is not JobStatus.FAILED or job.code not in ("TOO_MANY_ERRORS", "ABORTED"):
            self.faults.append(f"wrong: job {job.id} is {job.status}, {job.code}")
        counts = (job.counts.added, job.counts.updated)
        if len(done.rows) != ROWS or counts != (0, 0) or any(done.ids):
            self.faults.append(f"wrong: job {job.id} reports {counts} of {len(done.rows)} rows")
        if set(done.statuses) - {"SKIPPED", "UNPROCESSED"}:
            self.faults.append(f"wrong: job {job.id} reports {set(done.statuses)}")

    def _records(self) -> list[dict[str, Any]]:
        table = tables.table_of(self.bench.module("Leads")).name
        rows = self.bench.services.database.sql(f'SELECT * FROM {table} ORDER BY "id"')
        return [dict(row) for row in rows]


def every_passage(bench: Bench) -> set[str]:
    """Those of jobs that end early, and those of what they undo."""
    own = {f"{point}-{side}" for point in UNDO_POINTS for side in ("before", "after")}
    return passages(bench) | own


def test_a_kill_at_any_commit_point_leaves_all_or_nothing(benches: list[Bench]) -> None:
    """Each once."""
    kills = Kills(planned=every_passage(benches[0]))
    jobs = AllOrNothing(benches, kills)
    assert jobs.run(6) == []
    assert kills.done.keys() == every_passage(benches[0])
    assert jobs.undone > 0


@pytest.mark.long
def test_kills_at_random_passages_leave_all_or_nothing(benches: list[Bench]) -> None:
    """Stayed 0, lost 0, doubled 0, stuck 0."""
    kills = Kills(chance=0.05, most=300, random=random.Random(SEED))
    jobs = AllOrNothing(benches, kills)
    assert jobs.run(20) == []
    assert kills.done.total() == 300
    assert jobs.undone > 0
