"""The end of a job and its delivery: never one without the other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.callback.office import Office
from tests.support.receivers import Receiver, hang

from bulkwright.clock import ManualClock
from bulkwright.domain.delivery import DeliveryState
from bulkwright.domain.errors import LeaseLost
from bulkwright.domain.job import JobStatus, Lease
from bulkwright.settings import Settings
from bulkwright.store.sqlite.adbc import AdbcDatabase
from bulkwright.wiring import open_services


@pytest.mark.parametrize("status", [JobStatus.COMPLETED, JobStatus.FAILED])
def test_every_end_has_a_delivery(office: Office, status: JobStatus) -> None:
    """A job with a callback gets a delivery, completed or failed; it is due at once."""
    job = office.added("https://a.example:8443/x")
    assert office.deliveries(job.org_id) == []
    office.end(job, status)
    delivery = office.delivery(job)
    assert (delivery.job_id, delivery.url) == (job.id, "https://a.example:8443/x")
    assert (delivery.destination, delivery.state, delivery.attempts) == (
        "a.example:8443",
        "pending",
        0,
    )
    assert delivery.next_time == delivery.created_time
    assert (delivery.deadline - delivery.created_time).days == 3
    assert office.deliveries(job.org_id) == [delivery]


def test_no_callback_no_delivery(office: Office) -> None:
    """A job without a callback has no row in the outbox."""
    job = office.ended(None)
    assert office.deliveries(job.org_id) == []
    assert office.services.outbox.pending_destinations() == {}


def test_a_stale_worker_adds_no_delivery(office: Office) -> None:
    """A worker that has lost its lease cannot end the job."""
    job = office.added("https://a.example/")
    office.services.claims.claim("tests/1", job.id)
    with pytest.raises(LeaseLost):
        office.services.claims.finish(
            Lease(job.id, 99, "x"), JobStatus.COMPLETED, code=None, has_result=False
        )
    assert office.deliveries(job.org_id) == []


def test_another_org_finds_no_delivery(office: Office) -> None:
    """Deliveries belong to their org."""
    job = office.ended("https://a.example/")
    assert office.deliveries(job.org_id + 1) == []


_ENDING = """
import os, signal, sys
from pathlib import Path
from bulkwright.domain.job import JobStatus
from bulkwright.store.claims import ClaimStore

path, job_id, driver, point = sys.argv[1:]
if driver == "adbc":
    from bulkwright.store.sqlite.adbc import AdbcDatabase as Base
else:
    from bulkwright.store.sqlite.connection import StdlibDatabase as Base

class Deadly(Base):
    def run(self, query, /, **values):
        if (point, query) == ("before", "add_delivery"):
            os.kill(os.getpid(), signal.SIGKILL)
        super().run(query, **values)
        if (point, query) == ("after", "add_delivery"):
            os.kill(os.getpid(), signal.SIGKILL)

claims = ClaimStore(Deadly(Path(path)))
lease, _, _ = claims.claim("deadly/1", int(job_id))
claims.finish(lease, JobStatus.COMPLETED, code=None, has_result=False)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("driver", ["adbc", "sqlite3"])
@pytest.mark.parametrize(("point", "done"), [("before", False), ("after", False), ("end", True)])
def test_end_and_delivery_commit_together(
    office_folder: Path, tmp_path: Path, driver: str, point: str, *, done: bool
) -> None:
    """If a process is killed while it ends a job, both are stored or neither."""
    import shutil

    shutil.copytree(office_folder, tmp_path / "data")
    settings = Settings(tmp_path / "data")
    with open_services(settings) as services:
        job = Office(services, services.accounts.orgs()[0].id).added("https://a.example/")
    database = str(settings.database_path)
    command = [sys.executable, "-c", _ENDING, database, str(job.id), driver, point]
    assert subprocess.run(command, timeout=300).returncode == -signal.SIGKILL
    with open_services(settings) as services:
        delivered = services.outbox.newest(job.org_id, 1) != []
        status = services.jobs.details(job.org_id, job.id).status
        assert (status, delivered) == (("COMPLETED", True) if done else ("INPROGRESS", False))
        services.claims.end_leases("deadly/1")
        if not done:
            office = Office(services, job.org_id)
            office.end(job)
            assert office.delivery(job).state == "pending"


def test_a_claim_outlives_its_dispatcher(office: Office) -> None:
    """The dispatcher is dead; the next one sends again with the same id."""
    outbox = office.services.outbox
    with Receiver() as receiver:
        job = office.ended(receiver.url)
        (claimed,) = outbox.claim(dict.fromkeys(outbox.pending_destinations(), 9))
        assert outbox.claim(dict.fromkeys(outbox.pending_destinations(), 9)) == []
        outbox.release_all()
        (again,) = outbox.claim(dict.fromkeys(outbox.pending_destinations(), 9))
        outbox.postpone(claimed, 0, status=None, error="from the dead")
        outbox.end(claimed, DeliveryState.GIVEN_UP, status=None, error="from the dead")
        outbox.break_off(claimed)
        assert office.delivery(job) == again
        outbox.break_off(again)
        office.deliver(job)
    assert receiver.letters[0].headers["webhook-id"] == claimed.webhook_id
    delivery = office.delivery(job)
    assert (delivery.state, delivery.attempts, delivery.last_error) == ("delivered", 3, None)


def test_a_claim_expires(office: Office) -> None:
    """After its time a claim is void."""
    clock = office.services.database.clock = ManualClock(datetime.now(UTC))
    outbox = office.services.outbox
    office.ended("https://a.example/")
    assert len(outbox.claim({"a.example:443": 9})) == 1
    assert outbox.claim({"a.example:443": 9}) == []
    clock.advance(91)
    assert [d.attempts for d in outbox.claim({"a.example:443": 9})] == [2]


def test_a_claim_takes_due_deliveries_of_each_destination(office: Office) -> None:
    """A given number of each destination at most, the longest due first."""
    ones = [office.ended("https://a.example/") for _ in range(3)]
    (two,) = [office.ended("https://b.example/")]
    outbox = office.services.outbox
    assert list(outbox.pending_destinations()) == ["a.example:443", "b.example:443"]
    claimed = outbox.claim({"a.example:443": 2, "b.example:443": 2, "c.example:1": 2})
    assert [d.job_id for d in claimed] == [ones[0].id, ones[1].id, two.id]


def test_finding_destinations_takes_one_index_step_each(office: Office) -> None:
    """The number of deliveries does not matter: a poll reads one index entry a destination."""
    database = office.services.database
    query = _sql("pending_destinations")
    plan = database.sql("EXPLAIN QUERY PLAN " + query)
    assert all("SCAN outbox" not in str(row["detail"]) for row in plan), plan
    claim = _sql("claim_deliveries").replace("?", "1")
    plan = database.sql("EXPLAIN QUERY PLAN " + claim)
    step = "outbox_due (lane=? AND next_time<?)"  # codespell:ignore lane
    assert any(step in str(row["detail"]) for row in plan), plan


def _sql(name: str) -> str:
    from bulkwright.store.queries import load

    return load("sqlite")[name].sql


def test_both_drivers_read_the_same_deliveries(office: Office, tmp_path: Path) -> None:
    """One driver reads what the other one has written."""
    job = office.ended("https://a.example/")
    expected = office.delivery(job)
    code = (
        "import sys; from pathlib import Path\n"
        "from bulkwright.store.outbox import OutboxStore\n"
        f"from {AdbcDatabase.__module__} import AdbcDatabase\n"
        "db = AdbcDatabase(Path(sys.argv[1])); outbox = OutboxStore(db)\n"
        "found = outbox.pending_destinations(); (d,) = outbox.claim(dict.fromkeys(found, 1))\n"
        "outbox.add_secret(d.org_id, 'whsec_AA==')\n"
        "outbox.postpone(d, 5, status=None, error='x')\n"
        "(again,) = outbox.newest(d.org_id, 1)\n"
        "print(d.id, list(found), outbox.secrets(d.org_id), again.attempts)"
    )
    path = str(tmp_path / "data" / "bulkwright.sqlite")
    done = subprocess.run(
        [sys.executable, "-c", code, path], check=True, capture_output=True, text=True,
        env={**os.environ},
    )  # fmt: skip
    assert done.stdout.split() == f"{expected.id} ['a.example:443'] ('whsec_AA==',) 1".split()
    assert office.delivery(job).last_error == "x"


def test_an_idle_dispatcher_stops_at_once(office: Office) -> None:
    """A dispatcher with an empty outbox does nothing, and ends at once."""
    with Receiver(hang) as receiver:
        ticks = iter(range(60))
        office.run(lambda: next(ticks) > 50)
        assert receiver.connections == 0
    assert office.events == []
