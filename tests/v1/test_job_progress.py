"""How far a job is: rows, pace, phase, and what it waits for. Claims stand for a worker."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.deployment import Deployment
from tests.v1.test_job_control import abort, end
from tests.v1.test_jobs import JOBS, get

from bulkwright.domain.job import Lease, Split

pytestmark = pytest.mark.slow

TEXT = "Last_Name\n" + "".join(f"R{n}\n" for n in range(1_000))
_CHUNK = (
    "INSERT INTO ledger (job_id, resource, part, chunk, first_row, row_count, added, updated, "
    "skipped, resume_text, resume_row, part_name, part_deflated, part_plain, part_crc, "
    "committed_time) VALUES (?, 0, 0, ?, 0, ?, ?, 0, 0, 0, 0, '', 0, 0, 0, ?)"
)


def progress(server: Deployment, job: int) -> dict[str, Any]:
    """The progress of a job."""
    found: dict[str, Any] = get(server, f"{JOBS}/{job}")["progress"]
    return found


def claimed(server: Deployment, job: int) -> Lease:
    """The lease of a job that a worker has begun."""
    found = server.services.claims.claim("test", job)
    assert found is not None
    server.services.claims.begin(found[0], 0, None, Split())
    return found[0]


def add_chunk(server: Deployment, job: int, number: int, rows: int, seconds: float) -> None:
    """Commit a chunk at this time."""
    database = server.services.database
    database.sql(_CHUNK, (job, number, rows, rows, int(seconds * 1_000_000)))
    database.sql("UPDATE parts SET added = added + ? WHERE job_id = ?", (rows, job))


def test_a_job_that_waits_says_what_for(server: Deployment) -> None:
    """Jobs of the org that come first, or a worker. A job of high priority is before others."""
    file_id = server.file_id(TEXT)
    org = server.tenant.org.id
    before = server.services.job_store.count_open(org, 10_000)
    first, second = (server.job_id(file_id=file_id, field_mappings=None) for _ in range(2))
    one, two = progress(server, first), progress(server, second)
    assert two == {
        "phase": "waiting", "waits_for": "jobs", "jobs_before": one["jobs_before"] + 1,
        "rows_total": 1_000, "rows_a_second": None, "seconds_left": None,
    }  # fmt: skip
    assert one["jobs_before"] <= before
    for row in server.services.database.sql(
        "SELECT id FROM jobs WHERE status = 'ADDED' AND org_id = ? AND id < ?", (org, first)
    ):
        end(server, row["id"])
    alone = progress(server, first)
    assert (alone["phase"], alone["waits_for"], alone["jobs_before"]) == ("waiting", "worker", 0)


def test_a_running_job_has_a_pace(server: Deployment) -> None:
    """It is known from the second chunk on, and without the time before the first one."""
    job = server.job_id(file_id=server.file_id(TEXT), field_mappings=None)
    lease = claimed(server, job)
    assert progress(server, job) == {
        "phase": "writing", "waits_for": None, "jobs_before": 0, "rows_total": 1_000,
        "rows_a_second": None, "seconds_left": None,
    }  # fmt: skip
    add_chunk(server, job, 0, 100, 50.0)
    assert progress(server, job)["rows_a_second"] is None
    add_chunk(server, job, 1, 300, 52.0)
    found = progress(server, job)
    assert (found["rows_a_second"], found["seconds_left"]) == (150.0, 4.0)
    server.services.claims.release(lease)
    assert progress(server, job)["phase"] == "waiting"
    lease = claimed(server, job)
    add_chunk(server, job, 2, 600, 53.0)
    assert progress(server, job)["phase"] == "ending"
    server.services.database.sql("UPDATE jobs SET ending = 'ABORTED' WHERE id = ?", (job,))
    assert progress(server, job)["phase"] == "undoing"
    server.services.database.sql("UPDATE jobs SET ending = NULL WHERE id = ?", (job,))
    server.services.claims.release(lease)
    end(server, job)
    assert progress(server, job) is None


def test_an_aborted_job_is_ending(server: Deployment) -> None:
    job = server.job_id(file_id=server.file_id(TEXT), field_mappings=None)
    claimed(server, job)
    assert abort(server, job).status_code == 202
    assert progress(server, job)["phase"] == "ending"
