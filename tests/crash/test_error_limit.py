"""Workers are killed while their job passes the limit of its errors: it ends, and stores no more.

The transaction of the chunk that passes the limit records that. Killed before its commit, the chunk
is done again and judged again; killed after it, the next worker ends the job.
`BULKWRIGHT_TEST_SEED` repeats a run.
"""

from __future__ import annotations

import random
from typing import Any
from unittest import mock

import pytest
from tests.crash.killed_jobs import CHUNK_ROWS, SEED, KilledJobs, passages
from tests.crash.part_stand import Kills
from tests.support.bench import Bench, Done

from bulkwright.domain.error_limit import ErrorLimit
from bulkwright.domain.job import JobStatus, Operation
from bulkwright.domain.request import JobRequest, ResourceRequest
from bulkwright.store.parts import PartStore

ROWS = 40
WORKERS = 2


class Limited(KilledJobs):
    """Runs jobs with limits while their workers are killed."""

    stopped = 0

    def run(self, least: int) -> list[str]:
        """Run jobs, at least that many, until all kills have been made; what is wrong then."""
        with mock.patch.object(PartStore, "stop_if_passed", self._judging()):
            return super().run(least)

    def _judging(self) -> Any:
        """A passage inside the transaction that records that the limit is passed."""
        original = PartStore.stop_if_passed

        def stop_if_passed(store: PartStore, *args: Any) -> bool:
            passed = original(store, *args)
            if passed:
                self.kills.reach("stop", "before")
            return passed

        return stop_if_passed

    def one(self, number: int) -> None:
        """Run one job, whose records have the name `N<number>`, and note what is wrong."""
        bench, limit = self.bench, self.random.choice((0, 1, 4, ROWS))
        rows = "".join(
            f"N{number},{'none' if self.random.random() < 0.3 else f'j{number}n{n}@x.example'}\n"
            for n in range(ROWS)
        )
        upload = str(bench.upload(f"Last_Name,Email\n{rows}"))
        resource = ResourceRequest("Leads", upload, None, "Email")
        request = JobRequest(Operation.UPSERT, (resource,), error_limit=ErrorLimit(limit))
        job = bench.services.jobs.create(bench.caller, request)
        found = self.ended(job, number)
        if found is not None:
            self._check(*found, limit)

    def _check(self, done: Done, stored: dict[str, str], limit: int) -> None:
        job = done.job
        if len(done.rows) != ROWS:
            self.faults.append(f"wrong: job {job.id} has {len(done.rows)} lines")
        counts, skipped = done.job.counts, done.statuses.count("SKIPPED")
        left = self.bench.services.jobs.unprocessed(done.job)
        if (counts.added, counts.skipped, left) != (
            len(stored), skipped, done.statuses.count("UNPROCESSED"),
        ):  # fmt: skip
            self.faults.append(f"wrong: job {job.id} has counted {counts} and {left}")
        wanted = (
            (JobStatus.FAILED, "TOO_MANY_ERRORS")
            if skipped > limit
            else (JobStatus.COMPLETED, None)
        )
        if (done.job.status, done.job.code) != wanted or skipped > limit + WORKERS * CHUNK_ROWS:
            self.faults.append(f"wrong: job {job.id}: {done.job.code}, {skipped}, not {limit}")
        self.stopped += bool(left)


def every_passage(bench: Bench) -> set[str]:
    """Those of jobs that end early, and the one that passes the limit."""
    return passages(bench) | {"stop-before"}


def test_a_kill_at_any_commit_point_leaves_the_limit_as_it_is(benches: list[Bench]) -> None:
    """Each once, among them the one that passes the limit."""
    kills = Kills(planned=every_passage(benches[0]))
    jobs = Limited(benches, kills)
    assert jobs.run(6) == []
    assert kills.done.keys() == every_passage(benches[0])
    assert jobs.stopped > 0


@pytest.mark.long
def test_kills_at_random_passages_leave_the_limit_as_it_is(benches: list[Bench]) -> None:
    """Lost 0, doubled 0, stuck 0, and no job ends with too many errors as COMPLETED."""
    kills = Kills(chance=0.05, most=300, random=random.Random(SEED))
    assert Limited(benches, kills).run(20) == []
    assert kills.done.total() == 300
