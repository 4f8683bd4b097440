"""Free workers take the jobs of an org by priority, and none waits forever."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support.bench import Bench

from bulkwright.clock import ManualClock
from bulkwright.domain.job import Job, Operation, Priority
from bulkwright.domain.limits import PRIORITY_SECONDS
from bulkwright.domain.read_job import ReadQuery, ReadRequest
from bulkwright.domain.request import JobRequest, ResourceRequest

pytestmark = pytest.mark.slow


@pytest.fixture
def file_id(bench: Bench) -> str:
    """A file for all jobs of a test."""
    return str(bench.upload("Last_Name\nBoyle\n"))


def create(bench: Bench, file_id: str, priority: Priority = Priority.NORMAL, **more: Any) -> Job:
    """Add a job."""
    resource = ResourceRequest("Leads", file_id)
    request = JobRequest(Operation.INSERT, (resource,), priority=priority, **more)
    return bench.services.jobs.create(bench.caller, request)


def claimed(bench: Bench) -> list[int]:
    """All jobs in the order in which they are claimed."""
    found = []
    while (claim := bench.services.claims.claim("host/1")) is not None:
        found.append(claim[1].id)
    return found


def test_jobs_of_a_higher_priority_are_claimed_first(bench: Bench, file_id: str) -> None:
    """Those of one priority in the order of their creation; bulk reads among the normal ones."""
    low, first, read, high, last = (
        create(bench, file_id, Priority.LOW),
        create(bench, file_id),
        bench.services.reads.create(bench.caller, ReadRequest("Leads", ReadQuery())),
        create(bench, file_id, Priority.HIGH),
        create(bench, file_id),
    )
    assert claimed(bench) == [job.id for job in (high, first, read, last, low)]
    stored = [bench.services.jobs.details(bench.org.id, j.id).priority for j in (low, first, high)]
    assert stored == [Priority.LOW, Priority.NORMAL, Priority.HIGH]


def test_a_job_that_has_waited_is_claimed_first(bench: Bench, file_id: str) -> None:
    clock = ManualClock(datetime.now(UTC))
    object.__setattr__(bench.services.jobs, "clock", clock)
    waiting = create(bench, file_id, Priority.LOW)
    normal = create(bench, file_id)
    clock.advance(PRIORITY_SECONDS + 1)
    newer = create(bench, file_id)
    high = create(bench, file_id, Priority.HIGH)
    assert claimed(bench) == [job.id for job in (normal, high, waiting, newer)]


def test_the_turns_of_orgs_do_not_depend_on_it(bench: Bench, file_id: str) -> None:
    """An org whose jobs are all urgent takes turns with another one."""
    other = bench.services.setup.create_org("Other")
    user = bench.services.setup.create_user(other, "Olga", "Other", "olga@other.example")
    own = [create(bench, file_id, Priority.HIGH).id for _ in range(3)]
    bench.caller = replace(bench.caller, org_id=other.id, user_id=user.id)
    others = [create(bench, str(bench.upload("Last_Name\nKay\n"))).id for _ in range(3)]
    order = claimed(bench)
    assert [job for job in order if job in own] == own
    assert [job for job in order if job in others] == others
    assert [job in own for job in order] in ([True, False] * 3, [False, True] * 3)
