"""Quotas of an org: what it may keep, send and ask for; another org has its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from tests.support.bench import Bench
from tests.support.deployment import Deployment, deployed
from tests.support.stores import Store
from tests.support.uploads import zipped

from bulkwright.domain import limits
from bulkwright.domain.job import FieldMapping, JobStatus
from bulkwright.files import Area
from bulkwright.outages import Outage
from bulkwright.settings import Settings
from bulkwright.wiring import open_files

UPLOADS, JOBS = 4, 2
KEPT_DAYS = 7
QUOTA = "TOO_MANY_REQUESTS"


@pytest.fixture
def server(store: Store, tmp_path: Path) -> Iterator[Deployment]:
    """A server with small quotas."""
    data = tmp_path / "data"
    quotas = {"org_stored_mib": 1, "org_daily_uploads": UPLOADS, "org_open_jobs": JOBS}
    with store.copy(data) as database, deployed(data, database, **quotas) as running:
        yield running


def refused(answer: httpx2.Response, *words: str) -> None:
    """A quota rejects the request, and the message says which and what to do."""
    assert (answer.status_code, answer.json()["code"]) == (429, QUOTA), answer.text
    assert answer.json()["status"] == "error"
    for word in words:
        assert word in answer.json()["message"]


def age(server: Deployment, days: float) -> None:
    """Make all uploads older."""
    micros = int(days * 86_400_000_000)
    server.services.database.sql(f"UPDATE uploads SET created_time = created_time - {micros}")


def test_uploads_of_a_day(server: Deployment) -> None:
    """An upload that is rejected does not count; yesterday's do not either."""
    assert server.upload(b"no zip").json()["code"] == "INVALID_FILE_FORMAT"
    for _ in range(UPLOADS):
        assert server.upload().status_code == 200
    refused(server.upload(), str(UPLOADS), "24 hours")
    assert server.upload(tenant=server.other).status_code == 200
    age(server, 1.1)
    assert server.upload().status_code == 200


def test_a_repeated_upload_is_no_further_one(server: Deployment) -> None:
    """Its answer is that of the first request, also when the day's quota is used up since."""
    first = server.upload(Idempotency_Key="k1")
    for _ in range(UPLOADS - 1):
        server.upload()
    again = server.upload(Idempotency_Key="k1")
    assert (again.status_code, again.json()) == (200, first.json())
    refused(server.upload(Idempotency_Key="k2"), "24 hours")


def test_stored_bytes(server: Deployment) -> None:
    """An upload that does not fit is too large; one that finds no place at all is not read."""
    noise = zipped("Last_Name\n" + os.urandom(300_000).hex() + "\n")
    assert 300_000 < len(noise) < 400_000
    for _ in range(2):
        assert server.upload(noise).status_code == 200
    assert server.upload(noise + bytes(400_000)).status_code == 413
    assert server.upload(noise, tenant=server.other).status_code == 200
    left = limits.MiB - server.services.upload_store.usage(server.tenant.org.id).bytes
    assert server.upload(zipped("Last_Name\n" + "x" * 50 + "\n")).status_code == 200
    assert 0 < left < len(noise) + 400_000
    server.services.database.sql("UPDATE uploads SET bytes = 1000000")
    refused(server.upload(), "bytes", str(limits.MiB))


def test_jobs_that_have_not_ended(server: Deployment) -> None:
    """A job that ends makes place for another one."""
    body = server.insert()
    jobs = [int(server.create(body).json()["details"]["id"]) for _ in range(JOBS)]
    refused(server.create(body), str(JOBS), "ended")
    claimed = server.services.claims.claim("here/1", jobs[0])
    assert claimed is not None
    server.services.claims.finish(claimed[0], JobStatus.COMPLETED, code=None, has_result=False)
    assert server.create(body).status_code == 201


def test_default_values_count_as_text(server: Deployment) -> None:
    """Rows times length: a small file with a long default would become gigabytes."""
    file_id = server.file_id("Last_Name\n" + "x\n" * 25_000)
    name = {"api_name": "Last_Name", "index": 0}

    def described(letters: int) -> httpx2.Response:
        text = {"api_name": "Description", "default_value": {"value": "x" * letters}}
        return server.create(server.insert(file_id=file_id, field_mappings=[name, text]))

    answer = described(32_000)
    assert (answer.status_code, answer.json()["code"]) == (400, "LIMIT_EXCEEDED")
    assert answer.json()["details"] == {"json_path": "$.resource[0].field_mappings"}
    assert "25000 records" in answer.json()["message"]
    assert described(1_000).status_code == 201


# Where rows are not counted before


@pytest.fixture
def bench(store: Store, tmp_path: Path) -> Iterator[Bench]:
    """A bench with the service profile."""
    from tests.support.bench import opened

    with store.copy(tmp_path / "data") as database, opened(tmp_path / "data", database) as made:
        yield made


def test_a_job_fails_when_its_default_values_are_too_much(bench: Bench) -> None:
    """Its rows up to there are stored, and the result lists the others."""
    before = bench.worker._ctx
    bench.worker._ctx = replace(before, limits=replace(before.limits, default_bytes=2_500))
    mappings = [FieldMapping("Last_Name", 0), FieldMapping("Description", default="d" * 100)]
    done = bench.run("Last_Name\n" + "x\n" * 40, mappings=mappings, chunk_rows=10)
    assert (done.job.status, done.job.code) == (JobStatus.FAILED, "LIMIT_EXCEEDED")
    assert done.statuses == ["ADDED"] * 20 + ["UNPROCESSED"] * 20


def test_a_long_default_makes_chunks_small(bench: Bench) -> None:
    """Memory holds a chunk with its default values."""
    mappings = [FieldMapping("Last_Name", 0), FieldMapping("Description", default="d" * 1_000)]
    done = bench.run("Last_Name\n" + "x\n" * 40, mappings=mappings, chunk_bytes=10_000)
    assert done.statuses == ["ADDED"] * 40
    chunks = bench.services.ledger.entries(done.job.id, 0)
    assert [entry.rows for entry in chunks] == [10] * 4


# The disk


def test_a_disk_that_is_nearly_full_takes_no_uploads(tmp_path: Path, store: Store) -> None:
    """Uploads and pieces are rejected; a result may still be written."""
    with (
        store.copy(tmp_path / "data") as database,
        deployed(tmp_path / "data", database, free_disk_mib=1 << 40) as server,
    ):
        assert server.upload().status_code == 500
        with pytest.raises(Outage, match="MiB are free"):
            server.services.files.put_piece(1, "p", b"x")
        with server.services.files.incoming() as file:
            file.write(b"x")
            file.save(Area.RESULTS, 1)
    open_files(Settings(tmp_path / "other", free_disk_mib=0)).check_space()
