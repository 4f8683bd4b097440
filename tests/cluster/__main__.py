"""A cluster under load whose workers are killed all the time: `python -m tests.cluster`.

PostgreSQL, two API processes and four workers; jobs of ten orgs come in over HTTP through both APIs
alternately, on keys of their own and on keys that jobs of an org share. Workers are killed at
random moments and started again. Then everything is looked at from outside: the API's answers, the
results, the tables. Exits 0 only when every job is COMPLETED and nothing was lost or doubled.

    python -m tests.cluster [--jobs 500] [--rows 5000] [--orgs 10] [--workers 4] [--seed N]
                            [--database URL] [--files URL] [--pause 1.0] [--divided]

Without --database it starts a server of its own; --files is passed on to all processes. With
--divided, chunks are so short that the jobs run in twice as many parts as there are workers.
"""

from __future__ import annotations

import argparse
import random
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.postgres import own_server
from tests.support.site import Api, Asked, Customer, Row, Site
from tests.support.site_checks import Findings, judge

STUCK_SECONDS = 90.0
"""A job without progress for this time, with no more kills, is stuck."""
_SHARED = 0.2
"""The share of rows on keys that other jobs of the org have too."""
_CHUNKS = 12
"""Of a job, with --divided."""
_ROW_BYTES = 32


@dataclass(frozen=True)
class Load:
    """The jobs, and how often a process is killed meanwhile."""

    jobs: int = 500
    rows: int = 5_000
    orgs: int = 10
    workers: int = 4
    pause: float = 1.0
    """Seconds between two kills, on average."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    findings: Findings
    kills: int
    seconds: float

    def __str__(self) -> str:
        v = self.findings
        wrong = f", wrong {v.wrong}" if v.wrong else ""
        return (
            f"jobs {v.completed} of {v.jobs}, rows {v.rows}, lost {v.lost}, doubled {v.doubled}, "
            f"stuck {v.stuck}{wrong}, kills {self.kills}, seconds {self.seconds:.0f}"
        )


def run(site: Site, load: Load, seed: int) -> Outcome:
    """One run on an empty database."""
    chance = random.Random(seed)
    customers = site.customers(load.orgs)
    apis = [site.api(), site.api()]
    begun = time.monotonic()
    with _killed(site, load, random.Random(chance.random())) as kills:
        asked = list(_asked(apis, customers, load, chance))
        _wait(site, len(asked))
        seconds = time.monotonic() - begun
    return Outcome(judge(site, apis[0], asked), len(kills), seconds)


def _asked(
    apis: list[Api], customers: list[Customer], load: Load, chance: random.Random
) -> Iterator[Asked]:
    for n in range(load.jobs):
        customer = customers[n % len(customers)]
        operation = chance.choice(("insert", "upsert", "upsert"))
        yield apis[n % len(apis)].ask(customer, _rows(n, load, chance), operation)


def _rows(job: int, load: Load, chance: random.Random) -> list[Row]:
    """Each row has a name of its own; some keys are those of other jobs, none comes twice."""
    shared = iter(chance.sample(range(load.rows), load.rows))
    made = []
    for n in range(load.rows):
        key = f"all{next(shared)}" if chance.random() < _SHARED else f"j{job}k{n}"
        made.append((f"j{job}r{n}", f"{key}@x.example", job * load.rows + n))
    return made


@contextmanager
def _killed(site: Site, load: Load, chance: random.Random) -> Iterator[list[int]]:
    """Keep the workers running, and kill a busy one now and then.

    No job meets this more than twice: after three times it would be given up, as it should. A
    worker may run several jobs, and others from one moment to the next, so it is stopped first.
    """
    workers = [site.worker() for _ in range(load.workers)]
    kills: list[int] = []
    hit: Counter[int] = Counter()
    stop = threading.Event()

    def kill() -> None:
        while not stop.wait(chance.uniform(0, 2 * load.pause)):
            for at in chance.sample(range(load.workers), load.workers):
                worker = workers[at]
                worker.send_signal(signal.SIGSTOP)
                jobs = _jobs_of(site, worker.pid)
                if jobs and all(hit[job] < 2 for job in jobs):
                    hit.update(jobs)
                    worker.kill()
                    worker.communicate()
                    kills.append(worker.pid)
                    workers[at] = site.worker()
                    break
                worker.send_signal(signal.SIGCONT)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield kills
    finally:
        stop.set()
        killer.join()


def _jobs_of(site: Site, pid: int) -> set[int]:
    """The jobs that a process has claimed, as a whole or in parts."""
    claimed = site.ask(
        "SELECT id, lease_holder FROM jobs WHERE status = 'INPROGRESS' "
        "AND lease_until > lease_now() UNION "
        "SELECT job_id, lease_holder FROM parts WHERE status = 'OPEN' "
        "AND lease_until > lease_now()"
    )
    return {job for job, holder in claimed if int(holder.rpartition("/")[2]) == pid}


def _wait(site: Site, jobs: int) -> None:
    """Until all jobs have ended, or nothing moves any more: no chunk, and no new attempt.

    On a busy machine a worker that replaces a killed one needs long to start.
    """
    moved, before = time.monotonic(), (-1, -1)
    while time.monotonic() - moved < STUCK_SECONDS:
        ((ended, chunks),) = site.ask(
            "SELECT (SELECT count(*) FROM jobs WHERE status IN ('COMPLETED', 'FAILED')), "
            "(SELECT count(*) FROM ledger) + (SELECT sum(attempts) FROM jobs)"
        )
        if ended == jobs:
            return
        if (ended, chunks) != before:
            moved, before = time.monotonic(), (ended, chunks)
        time.sleep(0.2)


def main() -> int:
    """Run, print what came of it, and say so by the exit status."""
    about = __doc__ or ""
    parser = argparse.ArgumentParser(prog="tests.cluster", description=about.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=Load.jobs)
    parser.add_argument("--rows", type=int, default=Load.rows)
    parser.add_argument("--orgs", type=int, default=Load.orgs)
    parser.add_argument("--workers", type=int, default=Load.workers)
    parser.add_argument("--pause", type=float, default=Load.pause, help="between kills, seconds")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--database", default="", help="an empty one, of a PostgreSQL server")
    parser.add_argument("--files", default="", help="where files are kept, for all processes")
    parser.add_argument("--divided", action="store_true", help="run jobs in several parts")
    given = parser.parse_args()
    load = Load(given.jobs, given.rows, given.orgs, given.workers, given.pause)
    folder = Path(tempfile.mkdtemp(prefix="bulkwright-cluster-"))
    print(f"seed {given.seed}, {load}, in {folder}", flush=True)

    def run_on(database: str) -> Outcome:
        constants: dict[str, dict[str, object]] = {}
        if given.divided:
            size = load.rows * _ROW_BYTES // _CHUNKS
            constants = {"bulkwright.domain.limits": {"CHUNK_TEXT_BYTES": size}}
        at_once = 2 if given.divided else 1
        with Site(
            folder, database, files=given.files, constants=constants, at_once=at_once
        ) as site:
            return run(site, load, given.seed)

    if given.database:
        outcome = run_on(given.database)
    else:
        with own_server() as server:
            outcome = run_on(server.database())
    print(outcome)
    for fault in outcome.findings.faults:
        print(fault)
    if not outcome.findings.sound:
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
