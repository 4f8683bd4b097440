"""Workers are killed while their job is aborted: nothing is stored later, and the job ends.

The request that aborts is one transaction: killed before its commit it has not been, killed after
it the job is aborted and the client repeats the request. `BULKWRIGHT_TEST_SEED` repeats a run.
"""

from __future__ import annotations

import random

import pytest
from tests.crash.killed_jobs import SEED, STUCK_SECONDS, KilledJobs, passages
from tests.crash.part_stand import Kills
from tests.support.bench import Bench
from tests.support.processes import until

from bulkwright.domain.errors import JobHasEnded
from bulkwright.store.claims import ClaimStore

ROWS = 24


class Aborts(KilledJobs):
    """Aborts jobs while their workers are killed."""

    cut_short = 0

    def one(self, number: int) -> None:
        """Run one job, whose records have the name `N<number>`, and note what is wrong."""
        bench = self.bench
        rows = "".join(f"N{number},j{number}n{n}@x.example\n" for n in range(ROWS))
        job = bench.create(f"Last_Name,Email\n{rows}", operation="upsert", find_by="Email")
        reached = self.random.choice((0, 0, 1, ROWS // 2))
        until(lambda: self.now(job).counts.total >= reached, STUCK_SECONDS, 0.002)
        try:
            bench.services.job_control.abort(bench.org.id, job.id)
            confirmed = self.now(job).counts.total
        except JobHasEnded:
            confirmed = ROWS
        found = self.ended(job, number)
        if found is None:
            return
        done, stored = found
        self.cut_short += len(stored) < ROWS
        if len(stored) != confirmed or done.job.counts.total != confirmed:
            self.faults.append(f"written later: job {job.id}: {len(stored)}, not {confirmed}")
        if len(done.rows) != ROWS or done.job.code not in (None, "ABORTED"):
            self.faults.append(f"wrong: job {job.id}: {done.job.code}, {len(done.rows)} lines")


def test_a_kill_at_any_commit_point_leaves_an_aborted_job_aborted(benches: list[Bench]) -> None:
    """Each once."""
    kills = Kills(planned=passages(benches[0]))
    aborts = Aborts(benches, kills)
    assert aborts.run(4) == []
    assert kills.done.keys() == passages(benches[0])
    assert aborts.cut_short > 0


@pytest.mark.long
def test_kills_at_random_passages_leave_aborted_jobs_aborted(benches: list[Bench]) -> None:
    """Lost 0, doubled 0, stuck 0, and nothing is written later."""
    kills = Kills(chance=0.05, most=300, random=random.Random(SEED))
    assert Aborts(benches, kills).run(20) == []
    assert kills.done.total() == 300


def test_a_request_that_is_killed_before_its_commit_has_not_been(benches: list[Bench]) -> None:
    """The job runs to its end; a repeated request aborts one that has not ended."""
    bench = benches[0]
    job = bench.create("Last_Name\nBoyle\n")

    class Killed(BaseException):
        pass

    def abort(self: ClaimStore, org_id: int, job_id: int) -> bool:
        assert real(self, org_id, job_id)
        raise Killed

    real = ClaimStore.abort
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClaimStore, "abort", abort)
        with pytest.raises(Killed):
            bench.services.job_control.abort(bench.org.id, job.id)
    assert bench.worker.run_one(job.id)
    assert bench.done(job.id).statuses == ["ADDED"]
