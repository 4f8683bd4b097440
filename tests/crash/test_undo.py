"""A server that is killed again and again during an undo: in the end the store is as before.

.venv/bin/pytest tests/crash/test_undo.py -m long --timeout 3000    # a million rows, up to 40 kills

`BULKWRIGHT_TEST_SEED` repeats a run.
"""

from __future__ import annotations

import hashlib
import random
import time

import pytest
from tests.crash.killed_jobs import SEED
from tests.crash.served_store import ServedStore
from tests.support.processes import until
from tests.support.served import leads


def digest(store: ServedStore) -> str:
    """A hash over all columns of all leads."""
    hashed = hashlib.sha256()
    for row in store.each_lead():
        hashed.update(repr(row).encode())
    return hashed.hexdigest()


def changed(store: ServedStore, count: int) -> tuple[str, str]:
    """Upsert leads, half of which exist: the id of the job, and the digest before it."""
    with store.server() as served:
        served.ended(served.begin(leads(count // 2)), 1500)
        before = digest(store)
        job = served.begin(leads(count).replace("Zylker", "Other"))
        served.ended(job, 1500)
    return job, before


def undone_under_kills(store: ServedStore, count: int, kills: int) -> None:
    """Undo an upsert of leads, half of which existed; kill the server meanwhile."""
    job, before = changed(store, count)
    with store.server() as served:
        made = served.http.post(f"/api/v1/jobs/{job}/undo")
        assert made.status_code == 201, made.text
        undo = int(made.json()["id"])
        served.kill()
    killed, chance = 0, random.Random(SEED)

    def chunks() -> int:
        return len(store.rows("SELECT 1 FROM ledger WHERE job_id = ?", undo))

    def ended() -> bool:
        ((status,),) = store.rows("SELECT status FROM jobs WHERE id = ?", undo)
        return str(status) in ("COMPLETED", "FAILED")

    while not ended():
        done = chunks()
        with store.server() as served:
            if killed == kills:
                assert until(ended, 1500)
                break
            if killed % 2 and chunks() > 0:
                # In the middle of a chunk, which is done again; the next kill waits for one.
                time.sleep(chance.uniform(0, 1))
            else:
                assert until(lambda: chunks() > done or ended(), 120, 0.001)  # noqa: B023
            served.kill()
            killed += 1
    print(f"seed {SEED}, {killed} kills, {chunks()} chunks")
    assert killed > 0
    found = store.rows("SELECT added, updated, skipped FROM parts WHERE job_id = ?", undo)
    assert found == [(count - count // 2, count // 2, 0)]
    assert store.rows("SELECT sum(row_count) FROM ledger WHERE job_id = ?", undo) == [(count,)]
    assert store.rows("SELECT status FROM jobs WHERE id = ?", undo) == [("COMPLETED",)]
    assert digest(store) == before


@pytest.mark.slow
def test_an_undo_under_kills(served_store: ServedStore) -> None:
    undone_under_kills(served_store, 20_000, 3)


@pytest.mark.long
def test_an_undo_of_a_million_rows_under_kills(served_store: ServedStore) -> None:
    undone_under_kills(served_store, 1_000_000, 40)
