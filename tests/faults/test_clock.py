"""The wall clock jumps while leases and tokens are valid: only tokens follow it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from tests.faults.served import CONSTANTS, FaultedServer, holder, leads, pause
from tests.support.processes import until

Serve = Callable[..., FaultedServer]

HOUR = 3600.0
HALF = HOUR / 2
"""Less than the lifetime of a token."""
SMALL = {**CONSTANTS, "bulkwright.domain.limits": {"CHUNK_ROWS": 25, "LEASE_SECONDS": 1.0}}
"""Chunks so small that a job lasts for several leases."""


def _jump(served: FaultedServer, jumps: list[tuple[str, float]], rows: int, pause: float) -> None:
    """Makes clocks jump while a job is running and a second worker polls for one."""
    job = served.begin(leads(rows))
    assert until(lambda: served.number("SELECT count(*) FROM ledger") >= 1, pause=0.002)
    for whose, seconds in jumps:
        for name in [path.name for path in served.faults.glob("clock*")]:
            served.flag(name, on=False)
        (served.faults / whose).write_text(str(seconds))
        before = served.number("SELECT count(*) FROM ledger")
        time.sleep(pause)
        assert until(lambda n=before: served.number("SELECT count(*) FROM ledger") > n)  # type: ignore[misc]
    assert served.details(job)["status"] == "INPROGRESS", "the job was too short for this test"
    served.flag(whose, on=False)
    assert served.ended(job) == "COMPLETED"
    # One claim from its start to its end: no other worker has claimed it.
    assert served.number(f"SELECT lease_token FROM jobs WHERE id = {job}") == 1
    assert len(served.rows(job)) == rows


def test_jumps_of_the_clock_leave_leases_alone(serve: Serve) -> None:
    """An hour forward and back, and back to 1970, for the machine and for one worker."""
    # The real lease time: no pause of a busy machine is as long, and every jump is longer.
    served = serve(workers=2, constants={**SMALL, "bulkwright.domain.limits": {"CHUNK_ROWS": 25}})
    one, other = (f"clock-{pid}" for pid in served.workers)
    jumps = [("clock", HOUR), (one, HOUR), (other, HOUR), ("clock", -time.time())]
    _jump(served, jumps, 16_000, 0.5)


@pytest.mark.long
def test_many_jumps_of_all_clocks(serve: Serve) -> None:
    """Every jump on every clock, each longer than a lease."""
    constants = {**SMALL, "bulkwright.domain.limits": {"CHUNK_ROWS": 8, "LEASE_SECONDS": 1.0}}
    served = serve(workers=2, constants=constants)
    clocks = ["clock", *(f"clock-{pid}" for pid in served.workers)]
    leaps = (HOUR, -HOUR, 10 * 365 * 24 * HOUR, -time.time())
    _jump(served, [(clock, leap) for clock in clocks for leap in leaps], 25_000, 1.2)


def test_a_worker_that_vanishes_while_the_clock_is_set_back(serve: Serve) -> None:
    """Its lease expires in its own time, not half an hour later."""
    served = serve(workers=2, constants=SMALL)
    (served.faults / "clock").write_text(str(HALF))
    job = served.begin(leads(4_000))
    assert until(lambda: served.number("SELECT count(*) FROM ledger") >= 1, pause=0.002)
    (served.faults / "clock").write_text("0")
    pause(served, holder(served, job))  # not dead: only its lease shows that it does not work
    assert served.ended(job) == "COMPLETED"
    assert len(served.rows(job)) == 4_000


def test_tokens_follow_the_clock(serve: Serve) -> None:
    """They expire by the clock, and are valid again when the clock is corrected."""
    served = serve()
    served.answers()
    (served.faults / "clock").write_text(str(2 * HOUR))
    refused = served.http.get("/crm/v2/org")
    assert refused.status_code == 401 and refused.json()["code"] == "INVALID_TOKEN"
    (served.faults / "clock").write_text(str(-2 * HOUR))
    served.answers()
    served.flag("clock", on=False)
    served.works("w")
