"""Files that are no longer what was acknowledged, and jobs that always fail."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.bench import Bench

from bulkwright.domain.job import JobStatus, LedgerEntry, Piece, Split
from bulkwright.domain.limits import JOB_ATTEMPTS
from bulkwright.domain.outcome import Counts
from bulkwright.events.events import ChunkCommitted, Event
from bulkwright.files import Area
from bulkwright.files.local import LocalFiles

ROWS = "Last_Name,City\n" + "".join(f"Name {i},City {i}\n" for i in range(6))


def upload_of(bench: Bench, job_id: int) -> Path:
    """The stored upload of a job."""
    job = bench.services.jobs.details(bench.org.id, job_id)
    files = bench.services.files
    assert isinstance(files, LocalFiles)
    return files.path(Area.UPLOADS, job.resources[0].file_id)


def flip(path: Path, place: int) -> None:
    """Change one byte of a file."""
    data = bytearray(path.read_bytes())
    data[place] ^= 0x40
    path.write_bytes(data)


def ended(bench: Bench, job_id: int, claims: int = 6) -> tuple[JobStatus, str | None]:
    """How a job ends; it must not take more claims than that."""
    for _ in range(claims):
        job = bench.services.jobs.details(bench.org.id, job_id)
        if job.status.is_final:
            break
        assert bench.worker.run_one(job_id)
    job = bench.services.jobs.details(bench.org.id, job_id)
    return job.status, job.code


@pytest.mark.parametrize("place", [0, 40, -1, -30])
def test_a_damaged_upload_fails_its_job_with_a_code(bench: Bench, place: int) -> None:
    """No row of it is stored, and the next job is none the worse for it."""
    job = bench.create(ROWS)
    flip(upload_of(bench, job.id), place)
    assert ended(bench, job.id, claims=1) == (JobStatus.FAILED, "INVALID_FILE_FORMAT")
    assert bench.records() == []
    assert not bench.worker.run_one()
    assert bench.run(ROWS).statuses == ["ADDED"] * 6


@pytest.mark.parametrize("change", ["truncated", "emptied", "gone"])
def test_an_upload_that_is_not_all_there_fails_its_job(bench: Bench, change: str) -> None:
    """However much of it is missing."""
    job = bench.create(ROWS)
    path = upload_of(bench, job.id)
    if change == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: -20 if change == "truncated" else 0])
    assert ended(bench, job.id, claims=1) == (JobStatus.FAILED, "INVALID_FILE_FORMAT")


def stopped_after_first_chunk(bench: Bench) -> int:
    """The id of a job that was given back after two of its six rows."""

    def observe(event: Event) -> None:
        if isinstance(event, ChunkCommitted):
            bench.worker.stop()

    job = bench.create(ROWS)
    with bench.chunks(rows=2):
        shop = bench.worker._ctx
        object.__setattr__(shop, "observe", observe)
        bench.worker.run_one(job.id)
        object.__setattr__(shop, "observe", bench.events.append)
    bench.worker._ctx.stop.is_set = False
    assert bench.services.jobs.details(bench.org.id, job.id).counts == Counts(added=2)
    return job.id


def test_a_job_that_was_stopped_goes_on_at_its_next_row(bench: Bench) -> None:
    """Whatever size the chunks have then."""
    job_id = stopped_after_first_chunk(bench)
    assert ended(bench, job_id, claims=1) == (JobStatus.COMPLETED, None)
    done = bench.done(job_id)
    assert [row["Last_Name"] for row in done.rows] == [f"Name {i}" for i in range(6)]
    assert done.statuses == ["ADDED"] * 6 and len(bench.records()) == 6


@pytest.mark.parametrize("gone", [False, True])
def test_an_upload_damaged_half_way_keeps_what_was_stored(bench: Bench, gone: bool) -> None:
    """FAILED, and the result still accounts for the rows that were reached."""
    job_id = stopped_after_first_chunk(bench)
    path = upload_of(bench, job_id)
    if gone:
        path.unlink()
    else:
        flip(path, 40)
    assert ended(bench, job_id) == (JobStatus.FAILED, "INVALID_FILE_FORMAT")
    assert len(bench.records()) == 2
    assert bench.done(job_id).statuses[:2] == ["ADDED", "ADDED"]
    assert bench.run(ROWS).statuses == ["ADDED"] * 6


def test_a_job_that_always_fails_is_given_up(bench: Bench) -> None:
    """Something unforeseen at every try: three of them, then FAILED, every row UNPROCESSED."""
    job = bench.create(ROWS)
    table = f'"org{bench.org.id}_Leads"'
    sql = bench.services.database.sql
    sql(
        f"CREATE TRIGGER trap BEFORE INSERT ON {table} "
        "WHEN NEW.Last_Name = 'Name 4' BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    assert ended(bench, job.id) == (JobStatus.FAILED, "INTERNAL_ERROR")
    done = bench.done(job.id)
    assert done.statuses == ["UNPROCESSED"] * 6 and done.job.counts == Counts()
    sql("DROP TRIGGER trap")
    assert bench.records() == []
    assert bench.run(ROWS).statuses == ["ADDED"] * 6


def test_rows_before_the_trap_are_stored_and_reported(bench: Bench) -> None:
    """The chunks that were committed stay; only the rest is UNPROCESSED."""
    job = bench.create(ROWS)
    table = f'"org{bench.org.id}_Leads"'
    bench.services.database.sql(
        f"CREATE TRIGGER trap BEFORE INSERT ON {table} "
        "WHEN NEW.Last_Name = 'Name 4' BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    with bench.chunks(rows=2):
        assert ended(bench, job.id) == (JobStatus.FAILED, "INTERNAL_ERROR")
    done = bench.done(job.id)
    assert done.statuses == ["ADDED"] * 4 + ["UNPROCESSED"] * 2
    assert done.job.counts == Counts(added=4) and len(bench.records()) == 4


def test_only_a_committed_chunk_is_progress(bench: Bench) -> None:
    """A worker that dies between the start of the job and its first commit counts as a try."""
    bench.create(ROWS)
    claims = bench.services.claims
    for expected in (1, 2, 3, 4):
        claimed = claims.claim("here/1")
        assert claimed is not None
        lease, _, attempt = claimed
        assert attempt == expected
        claims.begin(lease, 0, "UTF-8", Split())
        claims.end_leases("here/1")


def test_rows_that_are_only_listed_are_no_progress(bench: Bench) -> None:
    """A worker that dies while it gives a job up does not set the job going again."""
    job = bench.create(ROWS)
    claims = bench.services.claims
    for _ in range(JOB_ATTEMPTS):
        assert claims.claim("here/1") is not None
        claims.end_leases("here/1")
    claimed = claims.claim("here/1")
    assert claimed is not None
    lease, _, attempt = claimed
    _, part = claims.begin(lease, 0, None, Split())
    assert part is not None
    with claims.chunk(part):
        listed = LedgerEntry(0, 0, 0, 2, Counts(), 0, 2, Piece("0-00000000", 2, 0, 0))
        bench.services.ledger.add(part, listed)
    claims.end_leases("here/1")
    again = claims.claim("here/1")
    assert again is not None and again[1].id == job.id
    assert again[2] == attempt + 1 > JOB_ATTEMPTS
