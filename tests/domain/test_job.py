"""Operations, statuses, and the columns that a resource reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bulkwright.domain.delivery import Delivery, DeliveryState
from bulkwright.domain.job import FieldMapping, Job, JobStatus, Operation, Person, Resource
from bulkwright.domain.outcome import Counts

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def resource(*indexes: int | None, counts: Counts | None = None) -> Resource:
    """Returns a resource with a mapping of each index."""
    mappings = tuple(FieldMapping(f"Field_{n}", index) for n, index in enumerate(indexes))
    return Resource("Leads", 1, 2, "leads.csv", mappings, counts=counts or Counts())


@pytest.mark.parametrize(
    ("operation", "creates", "updates"),
    [
        (Operation.INSERT, True, False),
        (Operation.UPDATE, False, True),
        (Operation.UPSERT, True, True),
    ],
)
def test_an_operation_creates_or_updates_or_both(
    operation: Operation, creates: bool, updates: bool
) -> None:
    """Facts 3.4."""
    assert (operation.creates, operation.updates) == (creates, updates)


def test_only_the_end_of_a_job_is_final() -> None:
    """A job that is COMPLETED or FAILED does not change any more."""
    assert [s.name for s in JobStatus if s.is_final] == ["COMPLETED", "FAILED"]


def test_columns_are_in_file_order_and_each_once() -> None:
    """A mapping without an index, which has a default value, reads no column."""
    assert resource(7, 0, None, 3, 7).columns == (0, 3, 7)
    assert resource(None).columns == ()


def test_a_result_line_repeats_the_first_three_columns() -> None:
    """Facts 5.1. The first in the file, not in the request."""
    assert resource(9, 4, 2, 7).echoed_columns == (2, 4, 7)
    assert resource(5).echoed_columns == (5,)


def test_the_counts_of_a_job_are_those_of_its_resources() -> None:
    """Added up; a job without rows has zeros."""
    parent, child = resource(counts=Counts(1, 2, 3)), resource(counts=Counts(10, 20, 30))
    job = Job(1, 2, Operation.INSERT, Person(3, "P"), NOON, "UTC", (parent, child))
    assert job.counts == Counts(11, 22, 33)
    assert replace(job, resources=()).counts == Counts()


def test_a_delivery_keeps_its_webhook_id() -> None:
    """The receiver knows a repeated attempt by it."""
    first = Delivery(
        42, 1, 2, "http://a.example/", "a.example:80", DeliveryState.PENDING, 0, NOON, NOON, NOON
    )
    assert first.webhook_id == replace(first, attempts=3).webhook_id == "msg_42"
