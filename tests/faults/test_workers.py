"""Workers that are paused, that are killed by their job, that run out of files or memory."""

from __future__ import annotations

import os
import resource
import signal
import socket
import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest
from tests.faults.conftest import MiB
from tests.faults.served import CONSTANTS, FaultedServer, holder, is_coded, leads, pause
from tests.support.processes import until

Serve = Callable[..., FaultedServer]
LONG = pytest.mark.long

SMALL = {**CONSTANTS, "bulkwright.domain.limits": {"CHUNK_ROWS": 25, "LEASE_SECONDS": 1.0}}


_WAKES = ("while another is at work", pytest.param("when another has finished", marks=LONG))


@pytest.mark.parametrize("wakes", _WAKES)
def test_a_worker_that_is_paused_past_its_lease(serve: Serve, wakes: str) -> None:
    """Another worker continues; the paused one finds its claim lost and changes nothing."""
    served = serve(workers=2, constants=SMALL)
    job = served.begin(leads(6_000))
    assert until(lambda: served.number("SELECT count(*) FROM ledger") >= 3, pause=0.002)
    first = holder(served, job)
    pause(served, first)
    assert until(lambda: holder(served, job) != first)
    if wakes == "when another has finished":
        assert served.ended(job) == "COMPLETED"
    result = served.download(job).content
    os.kill(first, signal.SIGCONT)
    assert until(lambda: "another worker has claimed it" in served.log)
    assert served.ended(job) == "COMPLETED"
    if wakes == "when another has finished":
        assert served.download(job).content == result
    assert len(served.rows(job)) == 6_000
    assert served.number(f"SELECT sum(row_count) FROM ledger WHERE job_id = {job}") == 6_000
    served.works("w")


def test_a_job_that_kills_its_workers(serve: Serve) -> None:
    """FAILED with a code after three attempts; the next job begins soon."""
    served = serve()
    poisoned = served.file_id(leads(50, "p"))
    (served.faults / "poison" / poisoned).touch()
    job = str(served.ask(poisoned).json()["details"]["id"])
    begun = time.monotonic()
    after = served.begin(leads(50, "q"))
    assert served.ended(after) == "COMPLETED"
    assert time.monotonic() - begun < 60
    assert served.ended(job) == "FAILED"
    assert served.number(f"SELECT code = 'INTERNAL_ERROR' FROM jobs WHERE id = {job}")
    assert served.log.count("ended with status -9") == 4  # the fourth only to list the rows
    served.works("w")


def test_no_file_can_be_opened_any_more(serve: Serve) -> None:
    """Idle connections take all descriptors: coded errors, and afterwards everything works."""
    served = serve(workers=1)
    pid = served.process.pid
    old = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (64, old[1]))
    host, port = served.base_url.removeprefix("http://").split(":")
    served.answers()
    text = leads(30, "f")
    with ExitStack() as idle:
        for _ in range(70):
            with suppress(OSError):
                idle.enter_context(socket.create_connection((host, int(port)), timeout=1))
        assert until(lambda: len(list(Path(f"/proc/{pid}/fd").iterdir())) >= 60)
        for _ in range(3):
            with suppress(Exception):
                answer = served.upload(text)
                assert answer.status_code == 200 or is_coded(answer)
    served.works("w")
    served.answers()


def test_a_log_that_cannot_shrink_while_another_program_reads(serve: Serve) -> None:
    """A reader of another program keeps an old snapshot: jobs continue; the WAL shrinks later."""
    served = serve()
    path = served.data / "bulkwright.sqlite"
    wal = path.with_name(path.name + "-wal")
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM jobs").fetchall()
        job = served.begin(leads(20_000, "r", filler=900))
        assert served.ended(job) == "COMPLETED"
        grown = wal.stat().st_size
        assert grown > 16 * MiB
        assert reader.execute("SELECT count(*) FROM jobs").fetchall() == [(0,)]
        reader.execute("ROLLBACK")
    for n in range(3):
        served.works(f"w{n}-")
    assert wal.stat().st_size < grown


def _heaviest(rows: int, columns: int) -> bytes:
    """A CSV with as many rows and columns as the profile allows; it inflates to some 400 MB."""
    header = ["Last_Name", "Email", *(f"c{n}" for n in range(columns - 2))]
    cells = ",".join(["y" * 80] * (columns - 2))
    lines = [",".join(header), *(f"n{n},n{n}@x.example,{cells}" for n in range(rows))]
    return "\n".join(lines).encode()


@pytest.mark.long
def test_the_heaviest_legal_file_in_little_memory(serve: Serve) -> None:
    """A worker that may take 1.5 GiB of addresses beyond its start runs 25,000 rows x 200."""
    served = serve(constants={})
    (worker,) = served.workers
    assert until(lambda: size_of(worker) > 100 * MiB)
    served.works("w")
    most = size_of(worker) + 1536 * MiB
    resource.prlimit(worker, resource.RLIMIT_AS, (most, most))
    file_id = served.file_id(_heaviest(25_000, 200).decode())
    job = str(served.ask(file_id, field_mappings=None).json()["details"]["id"])
    assert served.ended(job, 120) in ("COMPLETED", "FAILED")
    assert served.details(job)["status"] == "COMPLETED", served.log
    served.works("v")


@pytest.mark.long
def test_a_worker_without_memory_does_not_take_the_service_down(serve: Serve) -> None:
    """Too little for its job: it ends with a code after three attempts, and other jobs continue."""
    served = serve(constants={}, workers=2)
    served.foreseen = False
    for worker in served.workers:
        most = size_of(worker) + 24 * MiB
        resource.prlimit(worker, resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
    job = served.begin(leads(25_000, "m", filler=900))
    assert served.ended(job, 120) in ("COMPLETED", "FAILED")
    served.answers()
    served.works("v", 60)


def size_of(pid: int) -> int:
    """Returns the size of a process's address space."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
