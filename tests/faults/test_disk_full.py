"""The disk is full: requests fail with a code, jobs wait, and both continue by themselves."""

from __future__ import annotations

import resource
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from tests.faults.conftest import MiB, SmallDisk
from tests.faults.served import CONSTANTS, FaultedServer, is_coded, leads, pause, waits
from tests.support.processes import until

Serve = Callable[..., FaultedServer]
LIMITS = CONSTANTS["bulkwright.domain.limits"]
SMALL = {**CONSTANTS, "bulkwright.domain.limits": {**LIMITS, "CHUNK_ROWS": 25}}
"""Chunks so small that the job is running when the disk is filled."""
UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def test_an_upload_on_a_full_disk_is_rejected_and_leaves_nothing(
    disk: SmallDisk, serve: Serve
) -> None:
    """A coded error, no file, no row; reads continue; the next upload works."""
    served = serve(disk.path / "data")
    before = served.files("uploads")
    disk.fill()
    for n in range(3):
        assert is_coded(served.upload(leads(2_000 * 10**n // 10)))
    served.answers()
    assert served.files("uploads") == before and served.files("incoming") == set()
    assert served.number("SELECT count(*) FROM uploads") == 0
    disk.free()
    served.works("a")


def test_a_job_on_a_full_disk_waits_for_space(disk: SmallDisk, serve: Serve) -> None:
    """It is never FAILED, no attempt is counted, and the log has one line."""
    served = serve(disk.path / "data", constants=SMALL)
    file_id = served.file_id(leads(3_000, filler=800))
    job = str(served.ask(file_id).json()["details"]["id"])
    assert until(lambda: served.number("SELECT count(*) FROM ledger") >= 2, pause=0.002)
    pause(served, *served.workers)
    disk.fill()
    served.resume_workers()
    waits(served, lambda: served.details(job)["status"] == "INPROGRESS", 2.0)
    assert served.number("SELECT attempts FROM jobs") <= 1
    assert 1 <= served.log.count("waiting: ") <= 3
    assert "no space is left" in served.log and "unexpected error" not in served.log
    served.answers()
    disk.free()
    assert served.ended(job) == "COMPLETED"
    assert len(served.rows(job)) == 3_000
    assert until(lambda: "continuing" in served.log)


def is_completed(served: FaultedServer, job: str) -> bool:
    """Returns whether a job has completed."""
    return bool(served.details(job)["status"] == "COMPLETED")


def is_waiting(served: FaultedServer, job: str) -> bool:
    """Returns whether a job has not failed."""
    return bool(served.details(job)["status"] != "FAILED")


def _loop(disk: SmallDisk, serve: Serve, leaves: list[int]) -> None:
    """With a little more space each time, another write is the first to fail."""
    served = serve(disk.path / "data")
    for n, leave in enumerate(leaves):
        disk.fill(leave)
        answer = served.upload(leads(600, f"r{n}-", filler=60))
        asked = None if answer.status_code == 200 and not answer.is_error else answer
        if asked is None:
            asked = served.ask(str(answer.json()["details"]["file_id"]))
        if asked.status_code != 201:
            assert is_coded(asked)
        else:
            job = str(asked.json()["details"]["id"])
            until(partial(is_completed, served, job), 1.0, 0.02)
            assert served.details(job)["status"] in ("ADDED", "INPROGRESS", "COMPLETED"), served.log
        disk.free()
        if asked.status_code == 201:
            assert served.ended(job) == "COMPLETED"
        served.works(f"w{n}-")


def test_wherever_the_space_runs_out(disk: SmallDisk, serve: Serve) -> None:
    """From no space to enough: no row is lost, and no restart is needed."""
    _loop(disk, serve, [4_096, 81_920, 327_680])


@pytest.mark.long
def test_wherever_the_space_runs_out_page_by_page(disk: SmallDisk, serve: Serve) -> None:
    """The same in steps of two pages."""
    _loop(disk, serve, [8_192 * n for n in range(60)])


def test_every_place_where_a_worker_writes_a_file(serve: Serve) -> None:
    """The part of a chunk, its rename, the result: finished work stays, the rest waits."""
    served = serve()
    waiting = "waiting: no space is left"

    def noted(word: str, times: int) -> bool:
        return served.log.count(word) == times

    for n, place in enumerate(("write", "put_piece", "move_to", "join_pieces"), start=1):
        file_id = served.file_id(leads(500, place))
        before = served.files("results"), served.number("SELECT count(*) FROM ledger")
        served.flag(f"full/{place}")
        job = str(served.ask(file_id).json()["details"]["id"])
        assert until(partial(noted, waiting, n)), served.log
        waits(served, partial(is_waiting, served, job), 0.5)
        assert served.files("incoming") == set() and served.files("results") == before[0]
        done = served.number("SELECT count(*) FROM ledger") - before[1]
        assert done == (5 if place == "join_pieces" else 0)
        served.flag(f"full/{place}", on=False)
        assert served.ended(job) == "COMPLETED"
        assert len(served.rows(job)) == 500
        assert until(partial(noted, "continuing", n))
    assert served.log.count(waiting) == served.log.count("continuing") == 4


def test_a_quota_is_a_full_disk_too(serve: Serve) -> None:
    """A limit on the size of files, which needs no root user: the WAL cannot grow."""
    served = serve()
    job = served.begin(leads(4_000, filler=400))
    pids = [served.process.pid, *served.workers]
    try:
        for pid in pids:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (1 * MiB, resource.RLIM_INFINITY))
        waits(served, lambda: served.details(job)["status"] != "FAILED", 1.5)
        served.answers()
    finally:
        for pid in pids:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, UNLIMITED)
    assert served.ended(job) == "COMPLETED"
    served.works("w")


def test_a_start_on_a_full_disk_says_so(disk: SmallDisk, tmp_path: Path) -> None:
    """One line that says what to do, and an exit status that service managers understand."""
    import subprocess
    import sys

    disk.fill()
    line = [sys.executable, "-m", "bulkwright", "serve", "--dev", "--port", "0", "--data"]
    ended = subprocess.run(
        [*line, str(disk.path / "data")], capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 1
    assert "no space is left" in ended.stderr and "Traceback" not in ended.stderr
