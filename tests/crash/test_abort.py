"""Workers are killed while their job is aborted: nothing is stored later, and the job ends.

The request that aborts is one transaction: killed before its commit it has not been, killed after
it the job is aborted and the client repeats the request. `BULKWRIGHT_SEED` repeats a run.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.crash.part_stand import PASSAGES, Kills, WorkerThreads, seams
from tests.support.bench import Bench
from tests.support.part_workers import workers_of
from tests.support.processes import until
from tests.support.stores import Store

from bulkwright.domain.errors import JobHasEnded
from bulkwright.domain.job import Job
from bulkwright.store.claims import ClaimStore

SEED = int(os.environ.get("BULKWRIGHT_SEED", "0")) or random.randrange(1, 10**6)
ROWS = 24
STUCK_SECONDS = 120.0
OF_PARTS = ("own-part", "free-part", "end-part", "merge", "give-way", "resume")
"""Points that only divided jobs pass, or workers of several."""


@pytest.fixture
def benches(store: Store, tmp_path: Path) -> Iterator[list[Bench]]:
    """A bench for the test and two for workers, on a fresh deployment of each store."""
    print(f"seed {SEED}")
    with (
        store.copy(tmp_path / "data") as database,
        workers_of(tmp_path / "data", database, 3) as made,
    ):
        yield made


class Aborts:
    """Aborts jobs while their workers are killed, and compares what is stored with the results."""

    def __init__(self, benches: list[Bench], kills: Kills) -> None:
        self.benches, self.kills = benches, kills
        self.random = random.Random(SEED)
        self.faults: list[str] = []
        self.jobs = self.cut_short = 0

    def run(self, least: int) -> list[str]:
        """Run jobs, at least that many, until all kills have been made; what is wrong then."""
        with ExitStack() as stack:
            stack.enter_context(seams(self.kills))
            for bench in self.benches:
                stack.enter_context(bench.parts(3))
                stack.enter_context(bench.chunks(5, 200))
            threads = stack.enter_context(WorkerThreads(self.benches[1:]))
            while self.jobs < least or (not self.kills.are_over and self.jobs < 40 * least):
                self.jobs += 1
                self._one(self.jobs)
                if self.faults or threads.errors:
                    break
            self.faults += [f"a worker ended: {error!r}" for error in threads.errors]
        return self.faults

    def _one(self, number: int) -> None:
        bench = self.benches[0]
        rows = "".join(f"N{number},j{number}n{n}@x.example\n" for n in range(ROWS))
        job = bench.create(f"Last_Name,Email\n{rows}", operation="upsert", find_by="Email")
        reached = self.random.choice((0, 0, 1, ROWS // 2))
        until(lambda: self._now(job).counts.total >= reached, STUCK_SECONDS, 0.002)
        try:
            bench.services.job_control.abort(bench.org.id, job.id)
            confirmed = self._now(job).counts.total
        except JobHasEnded:
            confirmed = ROWS
        if not until(lambda: self._now(job).status.is_final, STUCK_SECONDS, 0.005):
            self.faults.append(f"stuck: job {job.id}")
            return
        done = bench.done(job.id)
        added = {row["RECORD_ID"]: row["Email"] for row in done.rows if row["STATUS"] == "ADDED"}
        stored = {
            str(r["id"]): r["Email"] for r in bench.records() if r["Last_Name"] == f"N{number}"
        }
        self.cut_short += len(stored) < ROWS
        if stored != added:
            self.faults.append(f"lost or doubled: job {job.id}: {len(stored)} and {len(added)}")
        if len(stored) != confirmed or done.job.counts.total != confirmed:
            self.faults.append(f"written later: job {job.id}: {len(stored)}, not {confirmed}")
        if len(done.rows) != ROWS or done.job.code not in (None, "ABORTED"):
            self.faults.append(f"wrong: job {job.id}: {done.job.code}, {len(done.rows)} lines")

    def _now(self, job: Job) -> Job:
        return self.benches[0].services.jobs.details(job.org_id, job.id)


def passages(bench: Bench) -> set[str]:
    """The passages that every aborted job comes by, whichever worker runs it."""
    divided = bench.services.database.dialect == "postgres"
    left_out = OF_PARTS if divided else (*OF_PARTS, "merged-piece")
    return {p for p in PASSAGES if p.rpartition("-")[0] not in left_out}


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
