"""Three workers that run divided jobs on PostgreSQL, each killed again and again.

A kill is simulated, so that there can be many: an exception that nothing catches ends the worker at
a passage, and the server rolls back what was not committed. Then its leases are ended, as the
supervisor does for a dead worker, and a worker with another name begins. Kills of real processes
are in tests/workers/test_parts.py and `python -m tests.cluster --parts`.

A passage is a point and a side, `chunk-before`: before is after the last statement of the
transaction.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Self
from unittest import mock

from tests.crash.rows import Rows
from tests.support.bench import Bench
from tests.support.model import COLUMNS, Model, key_of
from tests.support.processes import until

from bulkwright.domain.job import Job, JobStatus
from bulkwright.events.events import JobAttemptFailed
from bulkwright.files.local import LocalFiles
from bulkwright.pipeline import part_threads
from bulkwright.runtime import worker
from bulkwright.store.claims import ClaimStore
from bulkwright.store.ledger import LedgerStore
from bulkwright.store.parts import PartStore

POINTS = (
    "claim", "divide", "own-part", "free-part", "piece", "chunk", "end-part", "merged-piece",
    "merge", "give-way", "resume", "finish",
)  # fmt: skip
PASSAGES = [f"{point}-{side}" for point in POINTS for side in ("before", "after")]
UNDO_POINTS = ("begin-undo", "rewrite", "count-again")
"""Points of jobs of which nothing may stay, when they fail."""
CLAIMS = ("claim", "own-part", "free-part")
"""Points that are passed only if something was claimed."""
PARTS = 5
"""More than workers, so that each runs several."""
CHUNK_ROWS = 10
CHUNK_BYTES = 500
OPERATIONS = ("insert", "upsert", "update")
STUCK_SECONDS = 120.0


class Killed(BaseException):
    """The process of a worker was killed."""


@dataclass
class Kills:
    """When a worker is killed: at each of these passages once, or at any by chance."""

    planned: set[str] = field(default_factory=set)
    chance: float = 0.0
    most: int = 0
    """Of those by chance."""
    random: random.Random = field(default_factory=random.Random)
    done: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reach(self, point: str, side: str) -> None:
        """A worker has reached a passage."""
        if threading.current_thread() is threading.main_thread():
            return  # the test itself
        passage = f"{point}-{side}"
        with self._lock:
            struck = passage in self.planned
            if not struck and self.most > 0 and self.random.random() < self.chance:
                struck, self.most = True, self.most - 1
            if not struck:
                return
            self.planned.discard(passage)
            self.done[passage] += 1
        raise Killed(passage)

    @property
    def are_over(self) -> bool:
        """Whether no further one is planned."""
        return not self.planned and self.most == 0


@contextmanager
def seams(kills: Kills) -> Iterator[None]:
    """Let every worker of this process pass the points of `kills`."""
    reach, local = kills.reach, threading.local()

    def around(point: str) -> Callable[[Any], Any]:
        """A method that makes one change: it commits when the method returns."""

        def make(original: Any) -> Any:
            def method(self: Any, *args: Any, **more: Any) -> Any:
                with self._db.transaction():
                    returned = original(self, *args, **more)
                    reached = returned is not None or not point.endswith(CLAIMS)
                    if reached:
                        reach(point, "before")
                if reached:
                    reach(point, "after")
                return returned

            return method

        return make

    def chunk(original: Any) -> Any:
        @contextmanager
        def method(self: Any, *args: Any, **more: Any) -> Iterator[None]:
            with original(self, *args, **more):
                yield
                reach("chunk", "before")
            reach("chunk", "after")

        return method

    def held(original: Any) -> Any:
        @contextmanager
        def method(self: Any, *args: Any, **more: Any) -> Iterator[None]:
            local.merged = False
            with original(self, *args, **more):
                yield
                if local.merged:
                    reach("merge", "before")
            if local.merged:
                reach("merge", "after")

        return method

    def add_merged(original: Any) -> Any:
        def method(self: Any, *args: Any) -> None:
            original(self, *args)
            local.merged = True

        return method

    def put_piece(original: Any) -> Any:
        def method(self: Any, job_id: int, name: str, data: bytes) -> None:
            point = "merged-piece" if "merged" in name else "piece"
            reach(point, "before")
            original(self, job_id, name, data)
            reach(point, "after")

        return method

    wrapped = (
        (ClaimStore, "claim", around("claim")), (ClaimStore, "begin", around("divide")),
        (ClaimStore, "claim_part", around("own-part")), (ClaimStore, "chunk", chunk),
        (ClaimStore, "held", held), (ClaimStore, "finish", around("finish")),
        (PartStore, "claim_free", around("free-part")), (PartStore, "end", around("end-part")),
        (PartStore, "release", around("give-way")), (PartStore, "resume", around("resume")),
        (ClaimStore, "begin_undo", around("begin-undo")),
        (ClaimStore, "count_again", around("count-again")),
        (LedgerStore, "replace", around("rewrite")),
        (LedgerStore, "add_merged", add_merged), (LocalFiles, "put_piece", put_piece),
    )  # fmt: skip
    with ExitStack() as stack:
        for owner, name, make in wrapped:
            stack.enter_context(mock.patch.object(owner, name, make(owner.__dict__[name])))
        for module in (part_threads, worker):  # a job may be hit more often than a sound one is
            stack.enter_context(mock.patch.object(module, "JOB_ATTEMPTS", 10**6))
        yield


class WorkerThreads:
    """Workers, each on a thread of its own; a killed one begins again under another name."""

    def __init__(self, benches: Sequence[Bench]) -> None:
        self._benches = benches
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(n,)) for n in range(len(benches))
        ]
        self.errors: list[BaseException] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _work(self, number: int) -> None:
        bench, lives = self._benches[number], 0
        while not self._over.is_set():
            one = bench.worker
            one._identity = f"host{number}/{lives}"
            try:
                if not one.run_one():
                    self._over.wait(0.002)
            except Killed:
                one._deferred.clear()
                bench.services.claims.end_leases(one._identity)
                lives += 1
            except BaseException as error:
                self.errors.append(error)
                return


@dataclass
class PartStand:
    """Workers on one database, and what the jobs are to do."""

    benches: list[Bench]
    seed: int = 0
    model: Model = field(default_factory=Model)
    faults: list[str] = field(default_factory=list)
    jobs: int = 0
    at_once: int = 1
    """Parts that each worker runs at the same time."""

    def attack(self, kills: Kills, jobs: int, rows: int = 60) -> list[str]:
        """Run jobs, at least that many, until all kills have been made; what is wrong then."""
        chance = random.Random(self.seed)
        made = Rows(chance)
        with ExitStack() as stack:
            stack.enter_context(seams(kills))
            for bench in self.benches:
                stack.enter_context(bench.parts(PARTS, self.at_once))
                stack.enter_context(bench.chunks(CHUNK_ROWS, CHUNK_BYTES))
            threads = stack.enter_context(WorkerThreads(self.benches))
            while self.jobs < jobs or (not kills.are_over and self.jobs < 40 * jobs):
                operation = "insert" if not self.jobs else chance.choice(OPERATIONS)
                self._run(operation, made.csv(rows))
                self.jobs += 1
                if self.faults or threads.errors:
                    break
            self.faults += [f"a worker ended: {error!r}" for error in threads.errors]
        for bench in self.benches:
            failed = [event for event in bench.events if isinstance(event, JobAttemptFailed)]
            self.faults += [f"an attempt failed: {event.error!r}" for event in failed]
        self._check_records()
        return self.faults

    def _run(self, operation: str, content: str) -> None:
        bench = self.benches[0]
        job = bench.create(content, operation=operation, find_by="Email")
        helped = "SELECT count(*) AS helpers FROM parts WHERE status = 'OPEN' AND lease_until > 0"

        def is_helped() -> bool:
            (row,) = bench.services.database.sql(helped)
            return row["helpers"] > 1 or self._has_ended(job)

        # Once all workers are at work, one of them leaves its part for another job.
        until(is_helped, STUCK_SECONDS)
        small = bench.create("Last_Name\nBoyle\n", "Contacts")
        for one in (job, small):
            if not until(lambda one=one: self._has_ended(one), STUCK_SECONDS, 0.005):  # type: ignore[misc]
                self.faults.append(f"stuck: job {one.id}")
                return
        self._check(job, operation, content)
        if not self.faults and bench.done(small.id).statuses != ["ADDED"]:
            self.faults.append(f"wrong: the small job {small.id}")

    def _has_ended(self, job: Job) -> bool:
        bench = self.benches[0]
        return bench.services.jobs.details(bench.org.id, job.id).status.is_final

    def _check(self, job: Job, operation: str, content: str) -> None:
        """Compare the lines and counts of a job with those of the model."""
        bench = self.benches[0]
        ended = bench.services.jobs.details(bench.org.id, job.id)
        if ended.status is not JobStatus.COMPLETED or not ended.has_result:
            self.faults.append(f"lost: job {job.id} is {ended.status} with {ended.code}")
            return
        done = bench.done(job.id)
        head, *lines = content.splitlines()
        asked = [dict(zip(head.split(","), line.split(","), strict=True)) for line in lines]
        if [row["Last_Name"] for row in done.rows] != [row["Last_Name"] for row in asked]:
            self.faults.append(f"wrong: job {job.id} has other lines, or in another order")
            return
        for row, line in zip(asked, done.rows, strict=True):
            wanted = self.model.expected(operation, row)
            if (line["STATUS"], line["ERRORS"]) != wanted:
                self.faults.append(f"wrong: job {job.id}: {line} is not {wanted}")
            if (
                wanted[0] != "SKIPPED"
                and self.model.take(row, line["RECORD_ID"]) != (line["RECORD_ID"])
            ):
                self.faults.append(f"wrong: job {job.id}: {line} is another record")
        counts = Counter(done.statuses)
        counted = done.job.counts
        for name in ("added", "updated", "skipped"):
            if getattr(counted, name) != counts[name.upper()]:
                self.faults.append(f"wrong: job {job.id} has counted {counted}, not {counts}")

    def _check_records(self) -> None:
        """Compare the records with those of the model."""
        stored = [
            {
                "id": str(r["id"]),
                **{name: "" if r[name] is None else str(r[name]) for name in COLUMNS},
            }
            for r in self.benches[0].records()
        ]
        twice = [key for key, n in Counter(map(key_of, stored)).items() if n > 1]
        self.faults += [f"doubled: {key}" for key in twice]
        there = {key_of(record): record for record in stored}
        for key, wanted in self.model.records.items():
            found = there.get(key)
            if found is None:
                self.faults.append(f"lost: {key}")
            elif {**found, "Email": key} != {**wanted, "Email": key}:
                self.faults.append(f"wrong: {key} is {found}, not {wanted}")
        self.faults += [
            f"doubled: {key}, which no line names"
            for key in there.keys() - self.model.records.keys()
        ]
