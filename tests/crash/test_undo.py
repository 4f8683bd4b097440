"""A server that is killed again and again during an undo: in the end the store is as before."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.support.processes import until
from tests.support.served import Served, leads


class Upserts(Served):
    """A server whose jobs upsert by the address."""

    operation = "upsert"
    mapped: ClassVar[Mapping[str, object]] = {"find_by": "Email"}


def rows(data: Path, sql: str, *values: object) -> list[Any]:
    """Rows of the database."""
    with closing(sqlite3.connect(data / "bulkwright.sqlite", timeout=30)) as store:
        return store.execute(sql, values).fetchall()


def digest(data: Path) -> str:
    """A hash over all columns of all leads."""
    ((table,),) = rows(
        data, "SELECT name FROM sqlite_master WHERE name LIKE 'org%\\_Leads' ESCAPE '\\'"
    )
    with closing(sqlite3.connect(data / "bulkwright.sqlite", timeout=30)) as store:
        hashed = hashlib.sha256()
        for row in store.execute(f"SELECT * FROM {table} ORDER BY id"):
            hashed.update(repr(row).encode())
        return hashed.hexdigest()


def undone_under_kills(data: Path, count: int, kills: int) -> None:
    """Upsert leads, half of which exist, and undo that; kill the server meanwhile."""
    with Upserts(data, "--profile", "service", timeout=300.0) as served:
        served.ended(served.begin(leads(count // 2)))
        before = digest(data)
        changed = leads(count).replace("Zylker", "Other")
        job = served.begin(changed)
        served.ended(job)
        token = served.http.headers["Authorization"].partition(" ")[2]
        headers = {"Authorization": f"Bearer {token}"}
        made = served.http.post(f"/api/v1/jobs/{job}/undo", headers=headers)
        assert made.status_code == 201, made.text
        undo = int(made.json()["id"])
        served.kill()
    killed = 0
    while True:
        done = len(rows(data, "SELECT 1 FROM ledger WHERE job_id = ?", undo))
        with Upserts(data, "--profile", "service", timeout=300.0) as served:

            def moved() -> bool:
                ledger = rows(data, "SELECT 1 FROM ledger WHERE job_id = ?", undo)
                return len(ledger) > done or ended()  # noqa: B023

            def ended() -> bool:
                ((status,),) = rows(data, "SELECT status FROM jobs WHERE id = ?", undo)
                return str(status) in ("COMPLETED", "FAILED")

            if killed == kills:
                assert until(ended, 300)
                break
            assert until(moved, 60, 0.001)
            if ended():
                break
            served.kill()
            killed += 1
    assert killed > 0
    found = rows(data, "SELECT added, updated, skipped FROM parts WHERE job_id = ?", undo)
    assert found == [(count - count // 2, count // 2, 0)]
    ledger = rows(data, "SELECT sum(row_count) FROM ledger WHERE job_id = ?", undo)
    assert (ledger, rows(data, "SELECT status FROM jobs WHERE id = ?", undo)) == (
        [(count,)], [("COMPLETED",)],
    )  # fmt: skip
    assert digest(data) == before


@pytest.mark.slow
def test_an_undo_under_kills(tmp_path: Path) -> None:
    undone_under_kills(tmp_path / "data", 20_000, 3)


@pytest.mark.long
def test_an_undo_of_a_million_rows_under_kills(tmp_path: Path) -> None:
    undone_under_kills(tmp_path / "data", 1_000_000, 40)
