"""`bulkwright callbacks`: the deliveries and the secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.program import Run, refused
from tests.support.uploads import zipped

from bulkwright.domain import scope
from bulkwright.domain.account import Caller
from bulkwright.domain.job import Callback, JobStatus, Operation
from bulkwright.domain.request import JobRequest, ResourceRequest
from bulkwright.settings import Settings
from bulkwright.wiring import open_services

DATA = ("--data", "d")

pytestmark = pytest.mark.usefixtures("org")


def test_the_secret_stays_until_it_is_changed(run: Run) -> None:
    """It is printed alone, the same each time; --rotate creates a new one."""
    first = run("callbacks", "secret", *DATA).stdout
    assert first.startswith("whsec_")
    assert run("callbacks", "secret", *DATA).stdout == first
    second = run("callbacks", "secret", "--rotate", *DATA).stdout
    assert second.startswith("whsec_")
    assert second != first
    assert run("callbacks", "secret", *DATA).stdout == second


def test_an_empty_list(run: Run, tmp_path: Path) -> None:
    """It says so, and is no error; as JSON, an empty array."""
    done = run("callbacks", "list", *DATA)
    assert (done.returncode, done.stdout) == (0, "none\n")
    assert run("callbacks", "list", "--json", *DATA).stdout == "[]\n"
    with open_services(Settings(tmp_path / "d")) as services:
        assert services.outbox.newest(services.accounts.orgs()[0].id, 9) == []


def test_deliveries_are_listed(run: Run, tmp_path: Path) -> None:
    """A delivery that waits for its first attempt has its destination; later it is sent again."""
    with open_services(Settings(tmp_path / "d")) as services:
        (org,) = services.accounts.orgs()
        (user,) = services.accounts.users(org.id)
        caller = Caller(org.id, user.id, scope.normalise(scope.EVERY))
        with services.files.incoming() as incoming:
            incoming.write(zipped())
            file_id = services.uploads.receive(caller, "leads.zip", incoming).id
        callback = Callback("http://receiver.example:8123/done")
        resource = ResourceRequest("Leads", str(file_id))
        request = JobRequest(Operation.INSERT, (resource,), callback=callback)
        job = services.jobs.create(caller, request)
        claimed = services.claims.claim("a worker")
        assert claimed is not None
        services.claims.finish(claimed[0], JobStatus.FAILED, code="X", has_result=False)
    shown = run("callbacks", "list", *DATA).stdout
    assert [w for w in (str(job.id), "pending", "receiver.example:8123") if w not in shown] == []
    pending = refused(run("callbacks", "replay", str(job.id), *DATA))
    assert "not delivered yet" in pending
    with open_services(Settings(tmp_path / "d")) as services:
        services.database.sql("DELETE FROM outbox")
    again = run("callbacks", "replay", str(job.id), *DATA)
    assert again.stdout == f"the callback of job {job.id} will be sent again\n"
    assert "pending" in run("callbacks", "list", *DATA).stdout
