"""Workers are killed while their job passes the limit of its errors: it ends, and stores no more.

The transaction of the chunk that passes the limit records that. Killed before its commit, the chunk
is done again and judged again; killed after it, the next worker ends the job. `BULKWRIGHT_SEED`
repeats a run.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from tests.crash.part_stand import PASSAGES, Kills, WorkerThreads, seams
from tests.support.bench import Bench
from tests.support.part_workers import workers_of
from tests.support.processes import until
from tests.support.stores import Store

from bulkwright.domain.error_limit import ErrorLimit
from bulkwright.domain.job import Job, JobStatus, Operation
from bulkwright.domain.request import JobRequest, ResourceRequest
from bulkwright.store.parts import PartStore

SEED = int(os.environ.get("BULKWRIGHT_SEED", "0")) or random.randrange(1, 10**6)
ROWS = 40
CHUNK_ROWS = 5
WORKERS = 2
STUCK_SECONDS = 120.0
OF_PARTS = ("own-part", "free-part", "end-part", "merge", "give-way", "resume")
"""Points that only divided jobs pass, or workers of several."""


@pytest.fixture
def benches(store: Store, tmp_path: Path) -> Iterator[list[Bench]]:
    """A bench for the test and two for workers, on a fresh deployment of each store."""
    print(f"seed {SEED}")
    with (
        store.copy(tmp_path / "data") as database,
        workers_of(tmp_path / "data", database, WORKERS + 1) as made,
    ):
        yield made


class Limited:
    """Runs jobs with limits while their workers are killed, and compares stores with results."""

    def __init__(self, benches: list[Bench], kills: Kills) -> None:
        self.benches, self.kills = benches, kills
        self.random = random.Random(SEED)
        self.faults: list[str] = []
        self.jobs = self.stopped = 0

    def run(self, least: int) -> list[str]:
        """Run jobs, at least that many, until all kills have been made; what is wrong then."""
        with ExitStack() as stack:
            stack.enter_context(seams(self.kills))
            stack.enter_context(mock.patch.object(PartStore, "stop_if_passed", self._judging()))
            for bench in self.benches:
                stack.enter_context(bench.parts(3))
                stack.enter_context(bench.chunks(CHUNK_ROWS, 200))
            threads = stack.enter_context(WorkerThreads(self.benches[1:]))
            while self.jobs < least or (not self.kills.are_over and self.jobs < 40 * least):
                self.jobs += 1
                self._one(self.jobs)
                if self.faults or threads.errors:
                    break
            self.faults += [f"a worker ended: {error!r}" for error in threads.errors]
        return self.faults

    def _judging(self) -> Any:
        """A passage inside the transaction that records that the limit is passed."""
        original = PartStore.stop_if_passed

        def stop_if_passed(store: PartStore, *args: Any) -> bool:
            passed = original(store, *args)
            if passed:
                self.kills.reach("stop", "before")
            return passed

        return stop_if_passed

    def _one(self, number: int) -> None:
        bench, limit = self.benches[0], self.random.choice((0, 1, 4, ROWS))
        rows = "".join(
            f"N{number},{'none' if self.random.random() < 0.3 else f'j{number}n{n}@x.example'}\n"
            for n in range(ROWS)
        )
        upload = str(bench.upload(f"Last_Name,Email\n{rows}"))
        resource = ResourceRequest("Leads", upload, None, "Email")
        request = JobRequest(Operation.UPSERT, (resource,), error_limit=ErrorLimit(limit))
        job = bench.services.jobs.create(bench.caller, request)
        if not until(lambda: self._now(job).status.is_final, STUCK_SECONDS, 0.005):
            self.faults.append(f"stuck: job {job.id}")
            return
        self._check(job, number, limit)

    def _check(self, job: Job, number: int, limit: int) -> None:
        bench = self.benches[0]
        done = bench.done(job.id)
        added = {row["RECORD_ID"]: row["Email"] for row in done.rows if row["STATUS"] == "ADDED"}
        stored = {
            str(r["id"]): r["Email"] for r in bench.records() if r["Last_Name"] == f"N{number}"
        }
        if stored != added or len(done.rows) != ROWS:
            self.faults.append(f"lost or doubled: job {job.id}: {len(stored)} and {len(added)}")
        counts, skipped = done.job.counts, done.statuses.count("SKIPPED")
        left = bench.services.jobs.unprocessed(done.job)
        if (counts.added, counts.skipped, left) != (
            len(added), skipped, done.statuses.count("UNPROCESSED"),
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

    def _now(self, job: Job) -> Job:
        return self.benches[0].services.jobs.details(job.org_id, job.id)


def passages(bench: Bench) -> set[str]:
    """The passages that every job comes by, whichever worker runs it."""
    divided = bench.services.database.dialect == "postgres"
    left_out = OF_PARTS if divided else (*OF_PARTS, "merged-piece")
    return {p for p in PASSAGES if p.rpartition("-")[0] not in left_out} | {"stop-before"}


def test_a_kill_at_any_commit_point_leaves_the_limit_as_it_is(benches: list[Bench]) -> None:
    """Each once, among them the one that passes the limit."""
    kills = Kills(planned=passages(benches[0]))
    jobs = Limited(benches, kills)
    assert jobs.run(6) == []
    assert kills.done.keys() == passages(benches[0])
    assert jobs.stopped > 0


@pytest.mark.long
def test_kills_at_random_passages_leave_the_limit_as_it_is(benches: list[Bench]) -> None:
    """Lost 0, doubled 0, stuck 0, and no job ends with too many errors as COMPLETED."""
    kills = Kills(chance=0.05, most=300, random=random.Random(SEED))
    assert Limited(benches, kills).run(20) == []
    assert kills.done.total() == 300
