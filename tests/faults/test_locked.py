"""Another program holds the database's write lock: reads work, writers wait, nothing is lost."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from tests.faults.served import CONSTANTS, FaultedServer, is_coded, leads, waits
from tests.support.processes import until
from tests.support.receivers import Receiver, answer

from bulkwright.domain.limits import LOCK_WAIT_SECONDS

Serve = Callable[..., FaultedServer]


@contextmanager
def locked(served: FaultedServer) -> Iterator[None]:
    """Holds the write lock until the block ends."""
    path = served.data / "bulkwright.sqlite"
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as foreign:
        foreign.execute("BEGIN IMMEDIATE")
        yield
        foreign.execute("ROLLBACK")


def _hold(served: FaultedServer, seconds: float, patience: float) -> None:
    """Holds the lock for `seconds` while a job is running and another one is requested."""
    job = served.begin(leads(3_000, "h", filler=200))
    assert until(lambda: served.number("SELECT count(*) FROM ledger") >= 2, pause=0.002)
    refused = []
    with locked(served):
        begun = time.monotonic()
        upload = threading.Thread(target=lambda: refused.append(served.upload(leads(5))))
        upload.start()
        seen = served.details(job)["resource"][0]["file"]
        while time.monotonic() < begun + seconds:
            asked = time.monotonic()
            assert served.details(job)["resource"][0]["file"] == seen
            served.answers(ready=asked < begun + LOCK_WAIT_SECONDS / 2)
            assert time.monotonic() - asked < 2, "reads wait for the lock"
            time.sleep(0.1)
        if seconds > patience:
            upload.join(10)
            assert is_coded(refused[0])
    upload.join(10)
    assert served.ended(job) == "COMPLETED"
    assert served.number("SELECT max(attempts) FROM jobs") <= 1
    assert len(served.rows(job)) == 3_000
    assert "unexpected error" not in served.log and served.log.count("waiting: ") <= 3
    served.works("w")


def test_a_lock_that_is_held_too_long(serve: Serve) -> None:
    """A request that waits longer than the busy timeout fails; the job is not affected."""
    _hold(serve(workers=2), 3.0, 1.5)


@pytest.mark.long
def test_a_lock_that_is_held_for_over_a_minute(serve: Serve) -> None:
    """The same with the real waits."""
    _hold(serve(workers=2, constants={"bulkwright.domain.limits": {"CHUNK_ROWS": 100}}), 63.0, 60)


def test_a_callback_during_a_lock_is_delivered_later(serve: Serve) -> None:
    """The dispatcher cannot record anything; it continues afterwards, and logs few lines."""
    served = serve()
    with Receiver(answer(200)) as receiver:
        served.flag("full/join_pieces")
        job = served.begin(leads(50, "c"), receiver.url)
        served.flag("full/join_pieces", on=False)
        with locked(served):
            waits(served, lambda: receiver.letters == [], 2.5)
        assert served.ended(job) == "COMPLETED"
        assert until(lambda: receiver.letters), served.log
    assert served.log.count("callbacks: ") <= 3


@pytest.mark.long
def test_a_worker_that_cannot_start_is_not_started_in_a_loop(serve: Serve) -> None:
    """Each reports the reason in a line; the pause grows; without the lock, one starts."""
    short = {**CONSTANTS, "bulkwright.store.sqlite.write_lock": {"BUSY_SECONDS": 0.05}}
    served = serve(constants=short)
    with locked(served):
        (worker,) = served.workers
        os.kill(worker, signal.SIGKILL)
        assert until(lambda: "starting another in 0.4 s" in served.log), served.log
    assert served.log.count("starting another in 0.1 s") == 5
    assert served.log.count("cannot work on") >= 5
    served.works("w")
