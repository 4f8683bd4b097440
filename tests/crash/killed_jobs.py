"""Jobs that end early while their workers are killed: what their tests share.

`BULKWRIGHT_TEST_SEED` repeats a run.
"""

from __future__ import annotations

import os
import random
from abc import ABC, abstractmethod
from contextlib import ExitStack

from tests.crash.part_stand import PASSAGES, Kills, WorkerThreads, seams
from tests.support.bench import Bench, Done
from tests.support.processes import until

from bulkwright.domain.job import Job

SEED = int(os.environ.get("BULKWRIGHT_TEST_SEED", "0")) or random.randrange(1, 10**6)
CHUNK_ROWS = 5
STUCK_SECONDS = 120.0
_OF_PARTS = ("own-part", "free-part", "end-part", "merge", "give-way", "resume")
"""Points that only divided jobs pass, or workers of several."""


def passages(bench: Bench) -> set[str]:
    """The passages that every job that ends early comes by, whichever worker runs it."""
    divided = bench.services.database.dialect == "postgres"
    left_out = _OF_PARTS if divided else (*_OF_PARTS, "merged-piece")
    return {p for p in PASSAGES if p.rpartition("-")[0] not in left_out}


class KilledJobs(ABC):
    """Runs jobs while their workers are killed, and compares what is stored with the results."""

    def __init__(self, benches: list[Bench], kills: Kills) -> None:
        self.bench, self.kills = benches[0], kills
        self.random = random.Random(SEED)
        self.faults: list[str] = []
        self.jobs = 0
        self._benches = benches

    def run(self, least: int) -> list[str]:
        """Run jobs, at least that many, until all kills have been made; what is wrong then."""
        with ExitStack() as stack:
            stack.enter_context(seams(self.kills))
            for bench in self._benches:
                stack.enter_context(bench.parts(3, self.random.choice((1, 3))))
                stack.enter_context(bench.chunks(CHUNK_ROWS, 200))
            threads = stack.enter_context(WorkerThreads(self._benches[1:]))
            while self.jobs < least or (not self.kills.are_over and self.jobs < 40 * least):
                self.jobs += 1
                self.one(self.jobs)
                if self.faults or threads.errors:
                    break
            self.faults += [f"a worker ended: {error!r}" for error in threads.errors]
        return self.faults

    @abstractmethod
    def one(self, number: int) -> None:
        """Run one job, whose records have the name `N<number>`, and note what is wrong."""

    def ended(self, job: Job, number: int) -> tuple[Done, dict[str, str]] | None:
        """The ended job, and its stored records by id; None if it is stuck.

        Records that the result does not name, and lines without their record, are faults.
        """
        if not until(lambda: self.now(job).status.is_final, STUCK_SECONDS, 0.005):
            self.faults.append(f"stuck: job {job.id}")
            return None
        done = self.bench.done(job.id)
        added = {row["RECORD_ID"]: row["Email"] for row in done.rows if row["STATUS"] == "ADDED"}
        stored = {
            str(r["id"]): r["Email"] for r in self.bench.records() if r["Last_Name"] == f"N{number}"
        }
        if stored != added:
            self.faults.append(f"lost or doubled: job {job.id}: {len(stored)} and {len(added)}")
        return done, stored

    def now(self, job: Job) -> Job:
        """The job as it is now."""
        return self.bench.services.jobs.details(job.org_id, job.id)
