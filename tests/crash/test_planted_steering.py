"""Faults of jobs that end early are planted, and each of them is found.

Without the fault the same jobs leave nothing to be found (test_abort.py, test_error_limit.py,
test_all_or_nothing.py). They run in the long form; those of test_planted.py and
test_planted_parts.py always do.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.crash.killed_jobs import KilledJobs
from tests.crash.part_stand import Kills
from tests.crash.test_abort import Aborts
from tests.crash.test_all_or_nothing import AllOrNothing
from tests.crash.test_error_limit import Limited
from tests.support.bench import Bench

from bulkwright.domain.error_limit import ErrorLimit
from bulkwright.pipeline import run
from bulkwright.store.claims import ClaimStore
from bulkwright.store.images import ImageStore
from bulkwright.store.times import now_micros

pytestmark = pytest.mark.long
JOBS = 6


def faults(kind: type[KilledJobs], benches: list[Bench]) -> list[str]:
    """What is wrong after some jobs, of which no worker is killed."""
    return kind(benches, Kills()).run(JOBS)


@pytest.mark.parametrize("forgotten", ["remove", "restore"])
def test_an_undo_that_forgets_records(
    benches: list[Bench], monkeypatch: pytest.MonkeyPatch, forgotten: str
) -> None:
    """New records stay, or updated ones stay as the job has left them."""

    def nothing(*_: object) -> None: ...

    monkeypatch.setattr(ImageStore, forgotten, nothing)
    assert any(fault.startswith("stayed") for fault in faults(AllOrNothing, benches))


def test_a_job_that_ends_without_its_undo(
    benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ends_at_once(_lease: object, _job: object, code: str, _ctx: object) -> str:
        return code

    monkeypatch.setattr(run, "undo_stored", ends_at_once)
    assert any(fault.startswith("stayed") for fault in faults(AllOrNothing, benches))


def test_a_result_that_reports_records_that_are_gone(
    benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(*_: object) -> None: ...

    monkeypatch.setattr(run, "forget_stored", nothing)
    assert any("reports" in fault for fault in faults(AllOrNothing, benches))


def test_a_limit_that_is_never_passed(
    benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> bool:
        return False

    monkeypatch.setattr(ErrorLimit, "is_passed", never)
    assert any(fault.startswith("wrong") for fault in faults(Limited, benches))


def test_an_abort_that_ends_no_claim(benches: list[Bench], monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker that has the job stores further rows after the response."""

    def abort(self: Any, org_id: int, job_id: int) -> bool:
        sql = "UPDATE jobs SET abort_time = ? WHERE id = ? AND org_id = ? AND abort_time IS NULL"
        self._db.sql(sql, (now_micros(self._db.clock), job_id, org_id))
        return True

    monkeypatch.setattr(ClaimStore, "abort", abort)
    assert faults(Aborts, benches) != []
