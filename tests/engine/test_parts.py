"""Jobs that are divided into parts: when, why not, and several jobs on one module at once."""

from __future__ import annotations

import errno
import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from tests.support.bench import Bench, opened
from tests.support.part_workers import helping
from tests.support.processes import until
from tests.support.stores import PostgresStore, Store

from bulkwright.domain.errors import LeaseLost
from bulkwright.domain.job import MERGED, FieldMapping, Job, JobStatus, Lease, Split
from bulkwright.domain.outcome import Counts
from bulkwright.domain.record_write import RecordInput, WrittenRecord
from bulkwright.events.events import JobStarted
from bulkwright.files import DamagedFile
from bulkwright.pipeline import result
from bulkwright.pipeline.part_run import PartRun
from bulkwright.pipeline.run import fail_job
from bulkwright.runtime.worker import Blocked
from bulkwright.store.parts import PartStore

ROWS = 40
LEADS = "Last_Name,Email\n" + "".join(f"Name {n},n{n % 30}@zylker.example\n" for n in range(ROWS))
SMALL = 64
"""Bytes of a chunk, so that some rows are several chunks."""


def split_of(bench: Bench, content: str, most: int = 4, **more: object) -> Split:
    """Run a job and return how it was divided."""
    with bench.parts(most):
        done = bench.run(content, chunk_bytes=SMALL, **more)  # type: ignore[arg-type]
    split = done.job.resources[0].split
    assert split is not None
    return split


@pytest.mark.slow
def test_rows_are_divided_by_what_finds_their_records(bench: Bench) -> None:
    """By the key of find_by or the one unique field, by id, or by their numbers."""
    upsert = split_of(bench, LEADS, operation="upsert", find_by="Email")
    assert (upsert.parts, upsert.by, upsert.reason) == (4, "Email", None)
    plain = "Last_Name,City\n" + "Name,Town\n" * ROWS
    by_number = split_of(bench, plain)
    assert (by_number.parts, by_number.by) == (4, "")
    by_id = split_of(bench, "id,Last_Name\n" + "1,Name\n" * ROWS, operation="update", find_by="id")
    assert (by_id.parts, by_id.by) == (4, "id")
    bench.things({"api_name": "Code", "data_type": "text", "unique": True})
    unique = split_of(bench, "Name,Code\n" + "Name,code\n" * ROWS, module="Things")
    assert (unique.parts, unique.by) == (4, "Code")


@pytest.mark.parametrize("chunk_bytes", [SMALL, None])
def test_a_short_file_is_not_divided(bench: Bench, chunk_bytes: int | None) -> None:
    """A part for each chunk at most; the same key is locked."""
    rows = 1 if chunk_bytes else ROWS
    content = "Last_Name,Email\n" + "Name,n@zylker.example\n" * rows
    with bench.parts(4):
        done = bench.run(content, operation="upsert", find_by="Email", chunk_bytes=chunk_bytes)
    split = done.job.resources[0].split
    assert split is not None and (split.parts, split.by) == (1, "Email")
    assert split.reason == "the file is one chunk"


@pytest.mark.slow
def test_rows_that_may_depend_on_each_other_are_in_one_part(bench: Bench) -> None:
    """By several unique fields, by a lookup into their own module, by picklists that grow."""
    code = {"api_name": "Code", "data_type": "text", "unique": True}
    kind = {"api_name": "Kind", "data_type": "picklist", "pick_list_values": ["a", "b"]}
    up = {"api_name": "Up", "data_type": "lookup", "lookup_module": "Things"}
    bench.things(code, {**code, "api_name": "Serial"}, kind, up)
    several = split_of(bench, "Name,Code,Serial\n" + "N,c,s\n" * ROWS, module="Things")
    assert (several.parts, several.by) == (1, None)
    assert several.reason == "several fields may connect rows: Code, Serial"
    lookup = split_of(bench, "Name,Up\n" + "N,1\n" * ROWS, module="Things")
    assert lookup.reason == "a lookup refers to records of the same module"
    known = split_of(bench, "Name,Kind\n" + "Name Name,a\n" * ROWS, module="Things")
    assert (known.parts, known.reason) == (4, None)
    grown = split_of(bench, "Name,Kind\n" + "N,a\n" * ROWS + "N,new\n", module="Things")
    assert (grown.parts, grown.by) == (1, "")
    assert grown.reason == "new values join the picklist Kind in file order"


@pytest.mark.slow
@pytest.mark.parametrize("most", [1, 3, 8])
def test_a_limit_ends_all_parts_at_the_same_chunk(bench: Bench, most: int) -> None:
    """The rows before it are stored and the others UNPROCESSED, however many parts there are."""
    before = bench.worker._ctx
    limits = replace(before.limits, default_bytes=100)
    bench.worker._ctx = replace(before, limits=limits)
    mappings = [FieldMapping("Last_Name", 0), FieldMapping("Email", 1),
                FieldMapping("City", default="Paris")]  # fmt: skip
    content = "Last_Name,Email\n" + "".join(f"N,n{n}@zylker.example\n" for n in range(ROWS))
    with bench.parts(most):
        done = bench.run(content, operation="upsert", find_by="Email", mappings=mappings,
                         chunk_rows=5, chunk_bytes=SMALL)  # fmt: skip
    assert (done.job.status, done.job.code) == (JobStatus.FAILED, "LIMIT_EXCEEDED")
    stored = done.statuses.count("ADDED")
    assert done.statuses == ["ADDED"] * stored + ["UNPROCESSED"] * (ROWS - stored)
    assert 15 <= stored <= 20 and len(bench.records()) == stored
    assert done.job.counts == Counts(added=stored)


def test_a_job_of_a_version_without_parts_continues(bench: Bench) -> None:
    """Its ledger is that of the only part; what it has counted stays counted."""
    job = bench.create(LEADS, operation="upsert", find_by="Email")
    with bench.chunks(rows=7):
        seen = bench.worker._ctx.observe
        stopped = replace(bench.worker._ctx, observe=lambda _: bench.worker.stop())
        bench.worker._ctx = stopped
        assert bench.worker.run_one(job.id)
        stopped.stop.is_set = False
        bench.worker._ctx = replace(stopped, observe=seen)
    sql = bench.services.database.sql
    (done,) = sql("SELECT added, updated, skipped FROM parts")
    assert done["added"] == 7
    sql("UPDATE resources SET added = 7, parts = NULL, split_by = NULL, chunk_rows = NULL")
    sql("DELETE FROM parts")
    assert bench.services.jobs.details(bench.org.id, job.id).counts == Counts(added=7)
    with bench.parts(4), bench.chunks(size=SMALL):
        assert bench.worker.run_one(job.id)
    ended = bench.done(job.id)
    assert ended.statuses == ["ADDED"] * 30 + ["UPDATED"] * 10
    assert ended.job.counts == Counts(added=30, updated=10)
    split = ended.job.resources[0].split
    assert split is not None and split.reason == "a version without parts has begun the job"


def test_lines_are_merged_while_parts_run(bench: Bench, store: Store) -> None:
    """A worker that runs several parts at once does not leave the merge to the end of the job."""
    if not isinstance(store, PostgresStore):
        pytest.skip("on SQLite parts run one after the other")
    ledger, chunks, merged = bench.services.ledger, itertools.count(1), [0]
    job = bench.create(LEADS, operation="upsert", find_by="Email")

    def committed(part: int) -> int:
        return ledger.count(job.id, 0, part)

    def after_chunk() -> None:
        own = next(chunks)
        assert until(lambda: min(map(committed, range(3))) >= own)
        if own == 3:  # what was committed when the chunk before ended
            assert until(lambda: committed(MERGED))
            merged[0] = committed(MERGED)

    with bench.parts(3, at_once=3), bench.chunks(size=SMALL):
        bench.worker._ctx = replace(bench.worker._ctx, after_chunk=after_chunk)
        assert bench.worker.run_one(job.id)
    assert merged[0] >= 1
    assert bench.done(job.id).statuses == ["ADDED"] * 30 + ["UPDATED"] * 10


@pytest.fixture
def two(store: Store, tmp_path: Path) -> Iterator[tuple[Bench, Bench]]:
    """Two workers on one PostgreSQL database."""
    if not isinstance(store, PostgresStore):
        pytest.skip("on SQLite chunks are written one after the other")
    with (
        store.copy(tmp_path / "data") as database,
        opened(tmp_path / "data", database) as first,
        opened(tmp_path / "data", database) as second,
    ):
        yield first, second


def at_once(two: tuple[Bench, Bench], jobs: list[int]) -> None:
    """Let each worker run one of the jobs."""
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(lambda bench, job: bench.worker.run_one(job), two, jobs)) == [
            True,
            True,
        ]


def upserts(bench: Bench, count: int) -> tuple[str, str]:
    """Two files with the same keys in opposite orders."""
    lines = [f"Name {n},key{n}@zylker.example\n" for n in range(count)]
    return tuple("Last_Name,Email\n" + "".join(order) for order in (lines, lines[::-1]))  # type: ignore[return-value]


@pytest.mark.parametrize("parts", [(1, 1), (2, 3)])
def test_two_jobs_create_one_record_of_each_key(
    two: tuple[Bench, Bench], parts: tuple[int, int]
) -> None:
    """The chunk that comes first adds the record, the other one updates it."""
    count = 400
    jobs = [
        two[0].create(content, operation="upsert", find_by="Email").id
        for content in upserts(two[0], count)
    ]
    with (
        two[0].parts(parts[0]), two[1].parts(parts[1]),
        two[0].chunks(size=600), two[1].chunks(size=900),
    ):  # fmt: skip
        at_once(two, jobs)
    statuses = Counter(status for job in jobs for status in two[0].done(job).statuses)
    assert statuses == Counter(ADDED=count, UPDATED=count)
    keys = [record["Email"] for record in two[0].records()]
    assert len(keys) == len(set(keys)) == count


def test_no_unique_value_comes_twice(two: tuple[Bench, Bench]) -> None:
    """Jobs by different fields and calls of the record API write one module at the same time."""
    first, second = two
    unique = {"data_type": "text", "unique": True}
    first.things({"api_name": "Code", **unique}, {"api_name": "Serial", **unique})
    values = [f"value {n}" for n in range(120)]
    pairs = list(zip(values, values[::-1], strict=True))
    contents = (
        ("Code", "Name,Code\n" + "".join(f"N,{value}\n" for value in values)),
        ("Serial", "Name,Serial\n" + "".join(f"N,{value}\n" for value in values[::-1])),
        ("Code", "Name,Code,Serial\n" + "".join(f"N,{one},{other}\n" for one, other in pairs)),
    )
    jobs = [
        first.create(content, "Things", "upsert", find_by=find_by).id
        for find_by, content in contents
    ]
    ended = threading.Event()

    def call() -> int:
        made = 0
        for name, value in itertools.cycle(itertools.product(("Code", "Serial"), values[::2])):
            if ended.is_set():
                break
            record = RecordInput({"Name": "N", name: value})
            (written,) = first.services.record_calls.insert(first.caller, "Things", [record])
            made += isinstance(written, WrittenRecord)
        return made

    with (
        first.parts(4), second.parts(4), first.chunks(size=150), second.chunks(size=200),
        ThreadPoolExecutor(1) as threads,
    ):  # fmt: skip
        calling = threads.submit(call)
        at_once(two, jobs[:2])
        with helping([second]):
            assert first.worker.run_one(jobs[2])
        ended.set()
        assert calling.result() > 0
    ends = [first.done(job).job for job in jobs]
    assert [job.status for job in ends] == [JobStatus.COMPLETED] * 3
    # One of the first two is not divided, because the other one is.
    splits = [job.resources[0].split for job in ends]
    assert sorted(split.parts for split in splits if split is not None) == [1, 1, 4]
    for name in ("Code", "Serial"):
        stored = [r[name] for r in first.records("Things") if r[name] is not None]
        assert len(stored) == len(set(stored)) == len(values)


def test_two_jobs_add_each_picklist_value_once(two: tuple[Bench, Bench]) -> None:
    """Also where both chunks have the same new values at the same time."""
    first, second = two
    kind = {"api_name": "Kind", "data_type": "picklist", "pick_list_values": ["k0"]}
    first.things(kind)
    rows = [f"Name,k{n % 50}\n" for n in range(400)]
    files = ("Name,Kind\n" + "".join(order) for order in (rows, rows[::-1]))
    jobs = [first.create(content, "Things").id for content in files]
    with first.chunks(rows=20), second.chunks(rows=30):
        at_once(two, jobs)
    field = first.module("Things").field("Kind")
    assert field is not None
    assert sorted(field.pick_list_values) == sorted(f"k{n}" for n in range(50))
    assert [first.done(job).statuses for job in jobs] == [["ADDED"] * 400] * 2


def test_an_idle_worker_runs_parts_of_another_one(two: tuple[Bench, Bench]) -> None:
    """The result is whole and in file order, and both have done a share."""
    first, second = two
    rows = [f"Name {n},key{n % 900}@zylker.example\n" for n in range(1000)]
    job = first.create("Last_Name,Email\n" + "".join(rows), operation="upsert", find_by="Email")

    def help_until_ended() -> int:
        ran = 0
        while not first.services.jobs.details(first.org.id, job.id).status.is_final:
            ran += second.worker.help(job.id)
        return ran

    second.worker._identity = "there/1"
    with first.parts(4), first.chunks(size=800), ThreadPoolExecutor(1) as threads:
        helping = threads.submit(help_until_ended)
        assert first.worker.run_one(job.id)
        assert helping.result() >= 1
    done = first.done(job.id)
    assert done.statuses == ["ADDED"] * 900 + ["UPDATED"] * 100
    assert [row["Last_Name"] for row in done.rows] == [f"Name {n}" for n in range(1000)]
    assert len(first.records()) == 900
    workers = first.services.database.sql("SELECT DISTINCT lease_holder FROM parts")
    assert len(workers) == 2


class Killed(BaseException):
    """The process is killed."""


def shared(first: Bench, rows: int = 60, parts: int = 3) -> tuple[Lease, Job]:
    """A job that a worker has claimed and divided, and of which it has run nothing yet."""
    content = "Last_Name,Email\n" + "".join(f"Name {n},n{n}@zylker.example\n" for n in range(rows))
    job = first.create(content, operation="upsert", find_by="Email")
    claims = first.services.claims
    claimed = claims.claim("here/1", only=job.id)
    assert claimed is not None
    claims.begin(claimed[0], 0, None, Split(parts, "Email", None, rows, SMALL))
    return claimed[0], job


def killed_in(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on a worker is killed that runs this part."""
    run = PartRun.run

    def dying(self: PartRun, attempt: int) -> None:
        if self.lease.part == part:
            raise Killed
        run(self, attempt)

    monkeypatch.setattr(PartRun, "run", dying)


def test_a_job_of_which_a_part_kills_its_workers_is_given_up(
    two: tuple[Bench, Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three tries of that part, although its other parts continue meanwhile."""
    first, second = two
    lease, job = shared(first)
    killed_in(1, monkeypatch)
    second.worker._identity = "there/1"
    kills = 0
    while second.services.database.sql("SELECT 1 FROM parts WHERE part = 1 AND attempts < 3"):
        try:
            assert second.worker.help(job.id)
        except Killed:
            kills += 1
            second.services.claims.end_leases("there/1")
    assert kills == 3
    first.services.claims.release(lease)
    assert first.worker.run_one(job.id)
    done = first.done(job.id)
    assert (done.job.status, done.job.code) == (JobStatus.FAILED, "INTERNAL_ERROR")
    assert set(done.statuses) == {"ADDED", "UNPROCESSED"}
    assert done.statuses.count("ADDED") == len(first.records()) == done.job.counts.added


def test_a_job_whose_worker_is_killed_in_a_part_is_given_up(
    two: tuple[Bench, Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Progress of other parts between does not give it further tries."""
    first, second = two
    lease, job = shared(first)
    first.services.claims.release(lease)
    killed_in(1, monkeypatch)
    first.worker._identity = "here/1"
    kills = 0
    while not first.services.jobs.details(first.org.id, job.id).status.is_final:
        try:
            first.worker.run_one(job.id)
        except Killed:
            kills += 1
            second.services.claims.end_leases("here/1")
            # As if another part had continued.
            second.services.database.sql("UPDATE parts SET skipped = skipped + 1 WHERE part = 0")
    assert kills == 3
    assert first.services.jobs.details(first.org.id, job.id).code == "INTERNAL_ERROR"


def test_an_outage_in_a_part_is_no_attempt(
    two: tuple[Bench, Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The part is released, by a helper and by the worker of the job, as often as it happens."""
    first, second = two
    lease, job = shared(first)
    second.worker._identity = "there/1"

    def full(self: PartRun, attempt: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(PartRun, "run", full)
        for _ in range(5):
            with pytest.raises(Blocked):
                second.worker.help(job.id)
        first.services.claims.release(lease, counted=False)
        first.worker._identity = "here/1"
        for _ in range(5):
            with pytest.raises(Blocked):
                first.worker.run_one(job.id)
            first.services.database.sql("UPDATE jobs SET lease_until = 0")
    left = first.services.database.sql("SELECT attempts, lease_holder, lease_until FROM parts")
    assert [tuple(row.values()) for row in left] == [(0, None, 0)] * 3
    assert first.worker.run_one(job.id)
    assert first.done(job.id).statuses == ["ADDED"] * 60


def test_a_part_that_fails_beside_another_job_is_free_again(
    two: tuple[Bench, Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its worker runs a job that waits, and keeps no part of the first that it does not run."""
    first, second = two
    _, job = shared(first)
    second.worker._identity = "there/1"
    begun, free, others = threading.Event(), list[bool](), list[int]()
    run = PartRun.run

    def one_fails(self: PartRun, attempt: int) -> None:
        if threading.current_thread() is not threading.main_thread():
            assert begun.wait(60)
            raise OSError(errno.ENOSPC, "No space left on device")
        if not others:
            others.append(first.create(LEADS).id)
        run(self, attempt)

    def observe(event: object) -> None:
        if isinstance(event, JobStarted) and event.job_id in others and not free:
            begun.set()
            sql = "SELECT 1 FROM parts WHERE job_id = ? AND lease_until > 0"
            free.append(until(lambda: not second.services.database.sql(sql, (job.id,))))

    monkeypatch.setattr(PartRun, "run", one_fails)
    second.worker._ctx = replace(second.worker._ctx, observe=observe)
    with second.parts(3, at_once=2), second.chunks(size=SMALL), pytest.raises(Blocked):
        second.worker.run_one()
    assert free == [True]
    assert second.services.jobs.details(second.org.id, others[0]).status is JobStatus.COMPLETED


def test_a_worker_that_lost_a_part_leaves_the_job_to_its_worker(two: tuple[Bench, Bench]) -> None:
    """And a worker of the job that lost one of its parts continues with the others."""
    first, second = two
    lease, job = shared(first)
    taken = second.services.claims.claim_part(lease, 0)
    assert taken is not None
    free = PartStore(second.services.database).claim_free("there/1", job.id)
    assert free is not None and free[0].part != taken.part
    parts = PartStore(first.services.database)
    parts.release(free[0], counted=False)
    again = parts.claim_free("there/2", job.id)
    assert again is not None and again[0].part == free[0].part
    with pytest.raises(LeaseLost):
        parts.resume(free[0])
    with pytest.raises(LeaseLost), first.services.claims.chunk(free[0]):
        raise AssertionError("a stale worker is in its chunk")
    with pytest.raises(LeaseLost):
        first.services.claims.renew(free[0])
    first.services.claims.renew(again[0])
    first.services.claims.end_leases("there/2")
    first.services.claims.release(lease)
    assert first.worker.run_one(job.id)
    assert first.done(job.id).statuses == ["ADDED"] * 60


def test_a_failed_job_takes_its_parts_along(two: tuple[Bench, Bench]) -> None:
    """A worker that has a part of it changes nothing any more."""
    first, second = two
    lease, job = shared(first)
    free = PartStore(second.services.database).claim_free("there/1", job.id)
    assert free is not None
    fail_job(lease, job, "LIMIT_EXCEEDED", first.worker._ctx)
    with pytest.raises(LeaseLost), second.services.claims.chunk(free[0]):
        raise AssertionError("a worker is in a chunk of a job that has ended")
    assert not second.worker.help(job.id)
    assert first.done(job.id).statuses == ["UNPROCESSED"] * 60


def test_a_job_by_another_field_is_not_divided(two: tuple[Bench, Bench]) -> None:
    """While a job divides a module by a field, one by another field locks the whole module."""
    first, second = two
    claims = first.services.claims
    job = first.create(LEADS, operation="upsert", find_by="Email")
    claimed = claims.claim("here/1", only=job.id)
    assert claimed is not None
    claims.begin(claimed[0], 0, None, Split(2, "Email", None, 1, 1))
    same = split_of(second, LEADS, operation="upsert", find_by="Email")
    assert (same.parts, same.by) == (4, "Email")
    other = split_of(second, "id,Last_Name\n" + "1,N\n" * ROWS, operation="update", find_by="id")
    assert (other.parts, other.by) == (1, None)
    assert other.reason == "another job finds records of the module by Email"
    assert split_of(second, "Last_Name\n" + "Name Name\n" * ROWS).parts == 4


def test_a_worker_that_lost_its_part_changes_nothing(bench: Bench) -> None:
    """The fence of the part grows when it is claimed again."""
    claims = bench.services.claims
    job = bench.create(LEADS)
    claimed = claims.claim("here/1", only=job.id)
    assert claimed is not None
    lease: Lease = claimed[0]
    _, stale = claims.begin(lease, 0, None, Split())
    assert stale is not None
    (now,) = claims.take_parts(lease, 0)
    assert now.fence == stale.fence + 1
    with pytest.raises(LeaseLost), claims.chunk(stale):
        raise AssertionError("a stale worker is in its chunk")
    with claims.chunk(now):
        pass


def test_pieces_without_one_line_for_each_row_are_damaged() -> None:
    """A row that is missing or doubled is found; of a chunk that was not reached, some may miss."""

    def piece(*at: int) -> bytes:
        lines = pl.DataFrame({"STATUS": [f"row {n}" for n in at]})
        return result.pack_lines("x", lines, pl.Series(at, dtype=pl.UInt32), b"STATUS\n")[1]

    header, lines = result.merge_lines([piece(1, 3), piece(0, 2)], 4, whole=True)
    assert header == b"STATUS\n"
    assert lines["STATUS"].to_list() == ["row 0", "row 1", "row 2", "row 3"]
    for wrong in ([piece(1, 3), piece(0)], [piece(0, 1), piece(1, 2)], [piece(0, 1, 2, 4)]):
        with pytest.raises(DamagedFile):
            result.merge_lines(wrong, 4, whole=True)
    assert result.merge_lines([piece(3)], 4, whole=False)[1].height == 1
    with pytest.raises(DamagedFile):
        result.merge_lines([piece(3), piece(3)], 4, whole=False)
