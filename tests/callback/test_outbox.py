"""A job's end and its delivery: never one without the other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.callback.office import Office
from tests.callback.receivers import Receiver, hang

from bulkwright.config import Settings
from bulkwright.domain.delivery import DeliveryState
from bulkwright.domain.errors import LeaseLost
from bulkwright.domain.job import JobStatus, Lease
from bulkwright.store.sqlite.adbc import AdbcDatabase
from bulkwright.wiring import open_services


@pytest.mark.parametrize("status", [JobStatus.COMPLETED, JobStatus.FAILED])
def test_every_end_is_told(office: Office, status: JobStatus) -> None:
    """A job that has a callback gets its delivery whichever way it ends, due at once."""
    job = office.added("https://a.example:8443/x")
    assert office.services.outbox.of_job(job.org_id, job.id) is None
    office.end(job, status)
    delivery = office.delivery(job)
    assert (delivery.job_id, delivery.url) == (job.id, "https://a.example:8443/x")
    assert (delivery.lane, delivery.state, delivery.attempts) == ("a.example:8443", "pending", 0)
    assert delivery.next_time == delivery.created_time
    assert (delivery.deadline - delivery.created_time).days == 3
    assert office.services.outbox.newest(job.org_id, 5) == [delivery]


def test_no_callback_no_delivery(office: Office) -> None:
    """A job without a callback leaves nothing in the outbox."""
    job = office.ended(None)
    assert office.services.outbox.of_job(job.org_id, job.id) is None
    assert office.services.outbox.pending_lanes() == {}


def test_a_stale_worker_tells_nothing(office: Office) -> None:
    """A worker that has lost its lease ends nothing, so there is nothing to be told."""
    job = office.added("https://a.example/")
    office.services.job_store.claim("tests/1", job.id)
    with pytest.raises(LeaseLost):
        office.services.job_store.finish(
            Lease(job.id, 99, "x"), JobStatus.COMPLETED, code=None, has_result=False
        )
    assert office.services.outbox.of_job(job.org_id, job.id) is None


def test_another_org_sees_no_delivery(office: Office) -> None:
    """Deliveries belong to their org."""
    job = office.ended("https://a.example/")
    assert office.services.outbox.of_job(job.org_id + 1, job.id) is None
    assert office.services.outbox.newest(job.org_id + 1, 5) == []


_ENDING = """
import os, signal, sys
from pathlib import Path
from bulkwright.domain.job import JobStatus
from bulkwright.store.jobs import JobStore

path, job_id, driver, point = sys.argv[1:]
if driver == "adbc":
    from bulkwright.store.sqlite.adbc import AdbcDatabase as Base
else:
    from bulkwright.store.sqlite.stdlib import StdlibDatabase as Base

class Deadly(Base):
    def run(self, query, /, **values):
        if (point, query) == ("before", "add_delivery"):
            os.kill(os.getpid(), signal.SIGKILL)
        super().run(query, **values)
        if (point, query) == ("after", "add_delivery"):
            os.kill(os.getpid(), signal.SIGKILL)

jobs = JobStore(Deadly(Path(path)))
lease, _, _ = jobs.claim("deadly/1", int(job_id))
jobs.finish(lease, JobStatus.COMPLETED, code=None, has_result=False)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("driver", ["adbc", "sqlite3"])
@pytest.mark.parametrize(("point", "done"), [("before", False), ("after", False), ("end", True)])
def test_end_and_delivery_commit_together(
    office_folder: Path, tmp_path: Path, driver: str, point: str, *, done: bool
) -> None:
    """P11, K79: killed anywhere while a job ends, there is either both or neither."""
    import shutil

    shutil.copytree(office_folder, tmp_path / "data")
    settings = Settings(tmp_path / "data")
    with open_services(settings) as services:
        job = Office(services, services.accounts.orgs()[0].id).added("https://a.example/")
    database = str(settings.database_path)
    command = [sys.executable, "-c", _ENDING, database, str(job.id), driver, point]
    assert subprocess.run(command, timeout=30).returncode == -signal.SIGKILL
    with open_services(settings) as services:
        told = services.outbox.of_job(job.org_id, job.id) is not None
        status = services.jobs.details(job.org_id, job.id).status
        assert (status, told) == (("COMPLETED", True) if done else ("INPROGRESS", False))
        services.job_store.end_leases("deadly/1")
        if not done:
            office = Office(services, job.org_id)
            office.end(job)
            assert office.delivery(job).state == "pending"


def test_a_claim_outlives_its_courier(office: Office) -> None:
    """K78 in the store: who claimed is dead, the next one sends again under the same id."""
    outbox = office.services.outbox
    with Receiver() as receiver:
        job = office.ended(receiver.url)
        (claimed,) = outbox.claim(dict.fromkeys(outbox.pending_lanes(), 9))
        assert outbox.claim(dict.fromkeys(outbox.pending_lanes(), 9)) == []
        outbox.release_all()
        (again,) = outbox.claim(dict.fromkeys(outbox.pending_lanes(), 9))
        outbox.postpone(claimed, 0, status=None, error="from the dead")
        outbox.end(claimed, DeliveryState.GIVEN_UP, status=None, error="from the dead")
        outbox.break_off(claimed)
        assert office.delivery(job) == again
        outbox.break_off(again)
        office.deliver(job)
    assert receiver.letters[0].headers["webhook-id"] == claimed.webhook_id
    delivery = office.delivery(job)
    assert (delivery.state, delivery.attempts, delivery.last_error) == ("delivered", 3, None)


def test_a_lease_runs_out(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without anybody's help a claim is void after its time."""
    from bulkwright.store import outbox as module

    outbox = office.services.outbox
    office.ended("https://a.example/")
    assert len(outbox.claim({"a.example:443": 9})) == 1
    later = module.now() + 91_000_000
    monkeypatch.setattr(module, "now", lambda: later)
    assert [d.attempts for d in outbox.claim({"a.example:443": 9})] == [2]


def test_a_claim_takes_what_is_due_of_each_lane(office: Office) -> None:
    """So many of each lane at most, the longest due first."""
    ones = [office.ended("https://a.example/") for _ in range(3)]
    (two,) = [office.ended("https://b.example/")]
    outbox = office.services.outbox
    assert list(outbox.pending_lanes()) == ["a.example:443", "b.example:443"]
    claimed = outbox.claim({"a.example:443": 2, "b.example:443": 2, "c.example:1": 2})
    assert [d.job_id for d in claimed] == [ones[0].id, ones[1].id, two.id]


def test_looking_for_lanes_costs_an_index_step_each(office: Office) -> None:
    """However many deliveries are pending or done, each look reads one index entry a lane."""
    database = office.services.database
    plan = database.sql("EXPLAIN QUERY PLAN " + _sql("pending_lanes"))
    assert all("SCAN outbox" not in str(row["detail"]) for row in plan), plan
    claim = _sql("claim_deliveries").replace("?", "1")
    plan = database.sql("EXPLAIN QUERY PLAN " + claim)
    assert any("outbox_due (lane=? AND next_time<?)" in str(row["detail"]) for row in plan), plan


def _sql(name: str) -> str:
    from bulkwright.store.queries import load

    return load("sqlite")[name].sql


def test_both_drivers_read_deliveries_alike(office: Office, tmp_path: Path) -> None:
    """The outbox stands on the seam: what one driver wrote the other one reads."""
    job = office.ended("https://a.example/")
    expected = office.delivery(job)
    code = (
        "import sys; from pathlib import Path\n"
        "from bulkwright.store.outbox import OutboxStore\n"
        f"from {AdbcDatabase.__module__} import AdbcDatabase\n"
        "db = AdbcDatabase(Path(sys.argv[1])); outbox = OutboxStore(db)\n"
        "lanes = outbox.pending_lanes(); (d,) = outbox.claim(dict.fromkeys(lanes, 1))\n"
        "outbox.add_secret(d.org_id, 'whsec_AA==')\n"
        "outbox.postpone(d, 5, status=None, error='x')\n"
        "again = outbox.of_job(d.org_id, d.job_id)\n"
        "print(d.id, list(lanes), outbox.secrets(d.org_id), again.attempts)"
    )
    path = str(tmp_path / "data" / "bulkwright.sqlite")
    done = subprocess.run(
        [sys.executable, "-c", code, path], check=True, capture_output=True, text=True,
        env={**os.environ},
    )  # fmt: skip
    assert done.stdout.split() == f"{expected.id} ['a.example:443'] ('whsec_AA==',) 1".split()
    assert office.delivery(job).last_error == "x"


def test_nothing_hangs_in_an_empty_office(office: Office) -> None:
    """A courier with nothing to do does nothing, and ends at once."""
    with Receiver(hang) as receiver:
        ticks = iter(range(60))
        office.run(lambda: next(ticks) > 50)
        assert receiver.connections == 0
    assert office.events == []
