"""A bulk read from its records to its CSV: pages, one moment, interruptions, the round trip."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.support.bench import Bench

from bulkwright.domain.criteria import Condition
from bulkwright.domain.errors import ResourceNotFound
from bulkwright.domain.job import FieldMapping, JobStatus
from bulkwright.domain.read_job import ReadJob, ReadQuery, ReadRequest
from bulkwright.domain.record_errors import TokenMismatch
from bulkwright.events.events import JobAttemptFailed
from bulkwright.files import Area
from bulkwright.pipeline import bulk_read
from bulkwright.ports import ReadRecords
from bulkwright.runtime.worker import Blocked
from bulkwright.service.findings import Fault
from bulkwright.store.org_removal import OrgRemoval
from bulkwright.store.sqlite.adbc import AdbcDatabase

ROWS = 12


@pytest.fixture
def leads(bench: Bench) -> list[int]:
    """Twelve leads."""
    text = "Last_Name,Email\n" + "".join(f"L{n},l{n}@x.example\n" for n in range(ROWS))
    return [i for i in bench.run(text).ids if i is not None]


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of five records."""
    monkeypatch.setattr(bulk_read, "READ_ROWS", 5)


def ids(rows: list[dict[str, str]]) -> list[int]:
    """The ids of rows."""
    return [int(row["id"]) for row in rows]


def begin(bench: Bench, **query: Any) -> int:
    """The id of a new bulk read of the leads."""
    return bench.services.reads.create(bench.caller, ReadRequest("Leads", ReadQuery(**query))).id


def details(bench: Bench, job_id: int) -> ReadJob:
    """A bulk read as it is now."""
    return bench.services.reads.details(bench.org.id, job_id)


def between_chunks(bench: Bench, act: Callable[[], None]) -> None:
    """Let the worker call `act` once, after the first chunk of its next read was read."""
    ctx = bench.worker._ctx
    reader, acts = ctx.records.reader, [act]

    class Watched:
        snapshot = staticmethod(reader.snapshot)

        @staticmethod
        def read(*arguments: Any) -> Generator[ReadRecords]:
            with closing(reader.read(*arguments)) as chunks:
                yield next(chunks)
                if acts:
                    acts.pop()()
                yield from chunks

    bench.worker._ctx = replace(ctx, records=replace(ctx.records, reader=Watched()))


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("chunk_rows", [1, 2, 5, 1000])
def test_pages_by_number_and_by_token(bench: Bench, leads: list[int], chunk_rows: int) -> None:
    """Each record is on one page; a token finds the page behind that of its job."""
    seen, job = [], None
    for page in (1, 2, 3, 4):
        job, rows = bench.read(chunk_rows=chunk_rows, page=page, fields=("Email",))
        assert job.read is not None
        assert (job.read.rows, job.read.more) == (len(rows), page < 3)
        seen.append(ids(rows))
    assert seen == [leads[:5], leads[5:10], leads[10:], []]
    first, _ = bench.read(page=1, fields=("Email",))
    second, rows = bench.read("", continues=first.id, page_token="t")
    assert ids(rows) == leads[5:10] and list(rows[0]) == ["id", "Email"]
    assert second.query.page == 2
    third, rows = bench.read("", continues=second.id)
    assert ids(rows) == leads[10:] and third.read is not None and not third.read.more


@pytest.mark.usefixtures("small_pages", "leads")
def test_a_token_belongs_to_its_query(bench: Bench) -> None:
    """What is given beside it must be the same; it is not ignored in silence."""
    first, _ = bench.read(fields=("Email",))
    again: dict[str, Any] = {"continues": first.id, "fields": ("Email",), "page": 2}
    _, rows = bench.read("Leads", **again)
    assert len(rows) == 5
    criteria = Condition("Last_Name", "equal", ("x",))
    others: list[dict[str, Any]] = [{"fields": ("City",)}, {"page": 3}, {"criteria": criteria}]
    for module, other in (("Contacts", {}), *(("", other) for other in others)):
        with pytest.raises(TokenMismatch):
            bench.read(module, **again | other)


@pytest.mark.usefixtures("small_pages")
def test_pages_of_criteria(bench: Bench, leads: list[int]) -> None:
    """Only the records that meet them count."""
    wanted = Condition("Last_Name", "starts_with", ("L1",))
    job, rows = bench.read(criteria=wanted)
    assert ids(rows) == [leads[1], leads[10], leads[11]]
    assert job.read is not None and not job.read.more


def test_it_reads_one_moment_and_keeps_no_writer_waiting(
    bench: Bench, leads: list[int], tmp_path: Path
) -> None:
    """What is written while it reads is not in the CSV, although the write is committed."""
    table = f'"org{bench.org.id}_Leads"'
    change = f"UPDATE {table} SET \"Last_Name\" = 'changed'"

    def write() -> None:
        if bench.services.database.dialect == "postgres":
            with psycopg.connect(bench.services.database._url) as connection:  # type: ignore[attr-defined]
                connection.execute("SET lock_timeout = '1s'")
                connection.execute(change.encode())
        else:
            path = tmp_path / "data" / "bulkwright.sqlite"
            with closing(AdbcDatabase(path)) as other, other.transaction():
                other.sql(change)

    between_chunks(bench, write)
    _, rows = bench.read(chunk_rows=3)
    assert [row["Last_Name"] for row in rows] == [f"L{n}" for n in range(ROWS)]
    assert {record["Last_Name"] for record in bench.records()} == {"changed"}
    assert len(leads) == ROWS


def test_a_stopped_worker_leaves_the_job_to_the_next(bench: Bench, leads: list[int]) -> None:
    """The next attempt reads again; no part of the first one is in the CSV or stays."""
    job_id = begin(bench)
    stop = bench.worker._ctx.stop

    def interrupt() -> None:
        stop.is_set = True

    between_chunks(bench, interrupt)
    with bench.chunks(2):
        bench.worker.run_one(job_id)
    assert details(bench, job_id).status is JobStatus.INPROGRESS
    assert details(bench, job_id).read is None
    stop.is_set = False
    with bench.chunks(3):
        assert bench.worker.run_one(job_id)
    assert ids(bench.exported(job_id)) == leads
    assert not list(bench.services.files.unchanged_for(Area.PIECES, 0))


def test_the_server_ends_the_session_of_a_read(bench: Bench, leads: list[int]) -> None:
    """The job is deferred; the next attempt reads all records on another connection."""
    database = bench.services.database
    if database.dialect != "postgres":
        pytest.skip("SQLite has no sessions")
    job_id = begin(bench)

    def end_session() -> None:
        with psycopg.connect(database._url) as connection:  # type: ignore[attr-defined]
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    between_chunks(bench, end_session)
    with bench.chunks(2), pytest.raises(Blocked):
        bench.worker.run_one(job_id)
    assert details(bench, job_id).read is None
    with database.transaction():
        database.sql("UPDATE jobs SET lease_until = 0")
    assert bench.worker.run_one(job_id)
    assert ids(bench.exported(job_id)) == leads


def test_a_worker_that_dies_before_the_end_only_joins_again(
    bench: Bench, leads: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All records are read and committed: the next attempt reads none, whatever has changed."""
    job_id = begin(bench)
    finish = type(bench.worker._ctx.claims).finish

    def die(*_: object, **__: object) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(type(bench.worker._ctx.claims), "finish", die)
    bench.worker.run_one(job_id)
    assert any(isinstance(event, JobAttemptFailed) for event in bench.events)
    monkeypatch.setattr(type(bench.worker._ctx.claims), "finish", finish)
    bench.run("Last_Name\nLater\n")
    assert bench.worker.run_one(job_id)
    assert ids(bench.exported(job_id)) == leads


def test_a_read_that_always_fails_is_given_up(bench: Bench, leads: list[int]) -> None:
    """After three tries it is FAILED, without a result and without parts."""
    job_id = begin(bench)
    ctx = bench.worker._ctx

    class Broken:
        snapshot = staticmethod(ctx.records.reader.snapshot)

        @staticmethod
        def read(*_: object) -> Generator[ReadRecords]:
            yield [b"1\n"]
            raise RuntimeError("broken")

    bench.worker._ctx = replace(ctx, records=replace(ctx.records, reader=Broken()))
    for _ in range(4):
        assert bench.worker.run_one(job_id)
    job = details(bench, job_id)
    assert (job.status, job.code, job.has_result) == (JobStatus.FAILED, "INTERNAL_ERROR", False)
    assert leads and not list(bench.services.files.unchanged_for(Area.PIECES, 0))


def test_what_is_exported_can_be_imported(bench: Bench) -> None:
    """An upsert of the CSV by the keys changes nothing, and by ids neither."""
    names = ("Last_Name", "Email", "Annual_Revenue", "No_of_Employees", "Email_Opt_Out",
             "Description", "Website")  # fmt: skip
    bench.run(
        ",".join(names) + "\n"
        'Boyle,b@x.example,1.50,7,true,"a ""b""\nc, d",https://x.example\n'
        "Kay,k@x.example,-0.25,,false, spaces ,\n"
        "Öz,o@x.example,,0,,'=1+1,\n"
    )
    before = bench.records()
    job, _ = bench.read(fields=names)
    file, _ = bench.services.reads.open_result_to_send(bench.org.id, job.id)
    with file, zipfile.ZipFile(file) as archive:
        text = archive.read(f"{job.id}.csv")
    for find_by in ("Email", "id"):
        mappings = [FieldMapping(n, i) for i, n in enumerate(("id", *names)) if n != "id"]
        if find_by == "id":
            mappings = [FieldMapping("id", 0), *mappings]
        done = bench.run(text, "Leads", "update", mappings=mappings, find_by=find_by)
        assert done.outcome == ["UPDATED"] * 3
        stamps = ("Modified_Time", "Modified_By")
        after = [{k: v for k, v in r.items() if k not in stamps} for r in bench.records()]
        assert after == [{k: v for k, v in r.items() if k not in stamps} for r in before]


def findings(bench: Bench, data: Path) -> list[str]:
    """What `bulkwright check` finds, in a process of its own."""
    url = getattr(bench.services.database, "_url", "")
    more = ["--database", url] if url else []
    line = [sys.executable, "-m", "bulkwright", "check", "--json", "--data", str(data), *more]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    return [finding["code"] for finding in json.loads(done.stdout)["findings"]]


def test_check_knows_bulk_reads(bench: Bench, leads: list[int], tmp_path: Path) -> None:
    """One that has ended is sound, and so is one that waits; a changed result is found."""
    bench.read()
    job, _ = bench.read()
    begin(bench)
    path = tmp_path / "data" / "files" / Area.RESULTS.path(job.id)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert leads and findings(bench, tmp_path / "data") == [Fault.RESULT_DAMAGED.value]


def test_sweeps_and_removal(bench: Bench, leads: list[int]) -> None:
    """A result expires, then its job; nothing of the org is left when it is removed."""
    job, _ = bench.read()
    store = bench.services.retention.store
    assert store.delete_results(timedelta(seconds=-60)) and leads
    assert details(bench, job.id).result_swept
    with pytest.raises(ResourceNotFound):
        bench.services.reads.open_result_to_send(bench.org.id, job.id)
    while store.delete_jobs(timedelta(seconds=-60)):
        pass
    assert bench.services.database.sql("SELECT count(*) AS n FROM reads")[0]["n"] == 0
    bench.read()
    begin(bench)
    OrgRemoval(bench.services.database).delete(bench.org.id)
    assert bench.services.database.sql("SELECT count(*) AS n FROM reads")[0]["n"] == 0
