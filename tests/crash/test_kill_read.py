"""A worker that is killed during a bulk read: the next one reads again, and nothing is doubled."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import pytest
from tests.crash.test_kill_worker import SOME, add_job, fewer
from tests.support.processes import kill, start, until
from tests.support.watch import Watch

from bulkwright.domain import scope
from bulkwright.domain.account import Caller
from bulkwright.domain.read_job import ReadQuery, ReadRequest
from bulkwright.settings import Settings
from bulkwright.wiring import open_services

__all__ = ["fewer"]


def begin(data: Path) -> int:
    """Add a bulk read of all leads as the API does, in a process that runs none."""
    with open_services(Settings(data)) as services:
        (org,) = services.accounts.orgs()
        (user,) = services.accounts.users(org.id)
        caller = Caller(org.id, user.id, scope.normalise(scope.EVERY))
        return services.reads.create(caller, ReadRequest("Leads", ReadQuery())).id


@pytest.mark.slow
def test_killed_in_the_middle(fewer: Path, watch: Watch) -> None:
    """Every record is in the CSV once, and no part stays."""
    add_job(watch.data, fewer)
    worker = start("worker", "--data", watch.data)
    assert until(lambda: watch.status == "COMPLETED", 200)
    kill(worker)
    job_id = begin(watch.data)
    parts = watch.data / "files" / "parts" / str(job_id)
    status = f"SELECT status FROM jobs WHERE id = {job_id}"
    for _ in range(2):
        worker = start("worker", "--data", watch.data)
        assert until(lambda: parts.exists() and any(parts.iterdir()), 200, pause=0.001)
        kill(worker)
        assert watch.ask(status) == [("INPROGRESS",)]
        assert watch.number(f"SELECT count(*) FROM ledger WHERE job_id = {job_id}") == 0
    worker = start("worker", "--data", watch.data)
    try:
        assert until(lambda: watch.ask(status) == [("COMPLETED",)], 200)
        assert until(lambda: not parts.exists() or not any(parts.iterdir())), "parts stay"
    finally:
        kill(worker)
    with zipfile.ZipFile(watch.data / "files" / "results" / f"{job_id}.zip") as archive:
        text = archive.read(f"{job_id}.csv").decode()
    found = [int(row["id"]) for row in csv.DictReader(io.StringIO(text, newline=""))]
    stored = [row[0] for row in watch.ask(f"SELECT id FROM {watch.table()} ORDER BY id")]
    assert found == stored and 0 < len(stored) <= SOME
