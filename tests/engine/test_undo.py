"""The undo of a job: the records are as before it, but for those that were written since."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.bench import Bench, Done

from bulkwright.domain.errors import (
    Aborted,
    JobIsOpen,
    ModuleNotAvailable,
    ResourceNotFound,
)
from bulkwright.domain.job import JobStatus
from bulkwright.domain.undo_errors import AlreadyUndone, JobNotEnded, NoImages
from bulkwright.domain.undo_job import UndoJob, UndoRequest
from bulkwright.events.events import JobAttemptFailed
from bulkwright.pipeline import undo as pipeline_undo
from bulkwright.pipeline.context import StopSignal
from bulkwright.store import retention, tables
from bulkwright.store.migrate import migrate
from bulkwright.store.org_removal import OrgRemoval

pytestmark = pytest.mark.slow

Lines = list[dict[str, str]]
FIRST = "Last_Name,Email,Company,Annual_Revenue\n" + "".join(
    f"L{n},l{n}@x.example,C{n},{n}.50\n" for n in range(12)
)


def everything(bench: Bench, module: str = "Leads") -> list[dict[str, Any]]:
    """All columns of all records, also the keys and who wrote them last."""
    table = tables.table_of(bench.module(module)).name
    rows = bench.services.database.sql(f'SELECT * FROM {table} ORDER BY "id"')
    return [dict(row) for row in rows]


def undo(
    bench: Bench, job_id: int, *, dry_run: bool = False, chunk_rows: int | None = None
) -> tuple[UndoJob, Lines]:
    """Undo a job: the undo as it ended, and the lines of its result."""
    job = bench.services.undos.create(bench.caller, UndoRequest(job_id, dry_run))
    bench.events.clear()
    with bench.chunks(chunk_rows):
        assert bench.worker.run_one(job.id)
    for event in bench.events:
        if isinstance(event, JobAttemptFailed):
            raise event.error
    done = bench.services.undos.details(bench.org.id, job.id)
    assert done.status is JobStatus.COMPLETED, done.code
    with (
        bench.services.job_rows.open_result(done) as result,
        zipfile.ZipFile(result) as archive,
    ):
        text = archive.read(f"undo-{job_id}.csv").decode()
    lines = list(csv.DictReader(io.StringIO(text)))
    assert len(lines) == done.counts.total
    return done, lines


def counts(done: UndoJob) -> tuple[int, int, int]:
    """Records that were removed, restored and kept."""
    return done.removed, done.restored, done.kept


def upserted(
    bench: Bench, *rows: str, columns: str = "Last_Name,Email,Company", **more: Any
) -> Done:
    """An upsert of leads by their addresses."""
    text = f"{columns}\n" + "".join(f"{row}\n" for row in rows)
    return bench.run(text, operation="upsert", find_by="Email", **more)


@pytest.mark.parametrize("chunk_rows", [None, 1, 5])
def test_an_insert_is_undone(bench: Bench, chunk_rows: int | None) -> None:
    before = bench.run("Last_Name,Email\nBoyle,b@x.example\n")
    stored = everything(bench)
    job = bench.run(FIRST, chunk_rows=chunk_rows).job
    done, lines = undo(bench, job.id, chunk_rows=chunk_rows)
    assert counts(done) == (12, 0, 0)
    assert everything(bench) == stored
    assert [int(line["RECORD_ID"]) for line in lines] == bench.done(job.id).ids
    assert {(line["MODULE"], line["OUTCOME"], line["REASON"]) for line in lines} == {
        ("Leads", "REMOVED", "")
    }
    assert before.ids == [stored[0]["id"]]


@pytest.mark.parametrize("chunk_rows", [None, 1, 5])
@pytest.mark.parametrize("ignore_empty", [False, True])
def test_an_upsert_is_undone(bench: Bench, chunk_rows: int | None, ignore_empty: bool) -> None:
    """Also rows that repeat a key, in the same chunk or in another one."""
    bench.run(FIRST)
    stored = everything(bench)
    rows = [f"M{n},L{n % 14}@X.example,{'' if n % 3 else n}" for n in range(30)]
    job = upserted(bench, *rows, chunk_rows=chunk_rows, ignore_empty=ignore_empty).job
    assert everything(bench) != stored
    done, _ = undo(bench, job.id, chunk_rows=chunk_rows)
    assert counts(done) == (2, 12, 0)
    assert everything(bench) == stored


def test_a_record_that_was_written_since_is_kept(bench: Bench) -> None:
    """One that does not exist any more is named too."""
    bench.run(FIRST)
    former = {row["id"]: row for row in everything(bench)}
    job = upserted(bench, *(f"M{n},l{n}@x.example,D{n}" for n in range(15))).job
    later = upserted(bench, "Later,l1@x.example,E", "Later,l13@x.example,E").ids
    ids = {row["Email"]: row["id"] for row in everything(bench)}
    gone = [ids["l3@x.example"], ids["l14@x.example"]]
    for record_id in gone:
        table = tables.table_of(bench.module("Leads")).name
        bench.services.database.sql(f'DELETE FROM {table} WHERE "id" = ?', (record_id,))
    before = {row["id"]: row for row in everything(bench)}
    done, lines = undo(bench, job.id)
    assert counts(done) == (2, 10, 3)
    found = {int(line["RECORD_ID"]): (line["OUTCOME"], line["REASON"]) for line in lines}
    assert [found[i] for i in later if i] == [("KEPT", "CHANGED_SINCE")] * 2
    assert [found[i] for i in gone] == [("KEPT", "DELETED_SINCE"), ("REMOVED", "DELETED_SINCE")]
    now = {row["id"]: row for row in everything(bench)}
    for record_id, (outcome, _) in found.items():
        expected = before if outcome == "KEPT" else former
        assert now.get(record_id) == expected.get(record_id)


def test_undos_of_later_jobs_first_give_back_the_beginning(bench: Bench) -> None:
    bench.run(FIRST)
    states, jobs = [], []
    for turn in range(3):
        states.append(everything(bench))
        rows = [f"T{turn},l{n}@x.example,C{turn}" for n in range(turn, 14, turn + 1)]
        jobs.append(upserted(bench, *rows).job.id)
    for state, job in zip(reversed(states), reversed(jobs), strict=True):
        done, _ = undo(bench, job)
        assert done.kept == 0
        assert everything(bench) == state


def test_a_dry_run_says_what_would_be_done(bench: Bench) -> None:
    bench.run(FIRST)
    job = upserted(bench, *(f"M{n},l{n}@x.example,D{n}" for n in range(15))).job
    upserted(bench, "Later,l1@x.example,E", "Later,l13@x.example,E")
    stored = everything(bench)
    expected, lines = undo(bench, job.id, dry_run=True)
    assert counts(expected) == (2, 11, 2)
    assert everything(bench) == stored
    done, real = undo(bench, job.id)
    assert (counts(done), real) == (counts(expected), lines)


def test_another_writer_between_two_writes_of_the_job_is_not_lost(bench: Bench) -> None:
    """The job writes a record in two chunks; a later job writes it between them."""
    bench.run(FIRST)
    ctx = bench.worker._ctx
    acts = [lambda: upserted(bench, "Between,l0@x.example,B", "Between,n@x.example,B")]
    job = bench.create(
        "Last_Name,Email\nA,l0@x.example\nA,n@x.example\nB,l0@x.example\nB,n@x.example\n",
        operation="upsert", find_by="Email",
    )  # fmt: skip

    def observe(event: object) -> None:
        if type(event).__name__ == "ChunkCommitted" and acts:
            acts.pop()()

    bench.worker._ctx = replace(ctx, observe=observe, chunk_rows=2)
    assert bench.worker.run_one(job.id)
    bench.worker._ctx = ctx
    stored = everything(bench)
    done, lines = undo(bench, job.id)
    assert counts(done) == (0, 0, 2)
    assert everything(bench) == stored
    assert {line["REASON"] for line in lines} == {"CHANGED_SINCE"}


@pytest.mark.parametrize("chunk_rows", [None, 2])
def test_unique_values_that_records_exchanged_return(bench: Bench, chunk_rows: int | None) -> None:
    bench.things(
        {"api_name": "Code", "data_type": "text", "unique": True},
        {"api_name": "Rank", "data_type": "integer", "unique": True},
    )
    first = "Name,Code,Rank\n" + "".join(f"T{n},c{n},{n}\n" for n in range(8))
    ids = bench.run(first, "Things").ids
    stored = everything(bench, "Things")
    moves = [f"{ids[0]},free,99", *(f"{ids[n]},C{n - 1},{n - 1}" for n in range(1, 8))]
    text = "id,Code,Rank\n" + "\n".join([*moves, f"{ids[0]},c7,7"])
    job = bench.run(text, "Things", "update", find_by="id", chunk_rows=chunk_rows).job
    assert job.counts.updated == 9
    done, _ = undo(bench, job.id, chunk_rows=chunk_rows)
    assert counts(done) == (0, 8, 0)
    assert everything(bench, "Things") == stored


@pytest.mark.parametrize("chunk_rows", [None, 1])
def test_a_record_whose_key_is_taken_is_kept(bench: Bench, chunk_rows: int | None) -> None:
    """So is one that needs the key of such a record."""
    bench.things({"api_name": "Code", "data_type": "text", "unique": True})
    ids = bench.run("Name,Code\nA,a\nB,b\nC,c\n", "Things").ids
    stored = everything(bench, "Things")
    text = f"id,Code\n{ids[0]},x\n{ids[1]},a\n{ids[2]},y\n"
    job = bench.run(text, "Things", "update", find_by="id").job
    bench.run("Name,Code\nD,b\n", "Things")
    expected, planned = undo(bench, job.id, dry_run=True, chunk_rows=chunk_rows)
    done, lines = undo(bench, job.id, chunk_rows=chunk_rows)
    assert counts(done) == counts(expected) == (0, 1, 2)
    assert [line["REASON"] for line in lines] == ["KEY_TAKEN", "KEY_TAKEN", ""]
    assert lines == planned
    codes = [row["Code"] for row in everything(bench, "Things")]
    assert codes == ["x", "a", "c", "b"]
    assert everything(bench, "Things")[2] == stored[2]


def test_what_cannot_be_undone_is_refused_by_name(bench: Bench) -> None:
    create = bench.services.undos.create
    with pytest.raises(ResourceNotFound):
        create(bench.caller, UndoRequest(1))
    waiting = bench.create(FIRST)
    with pytest.raises(JobNotEnded, match="ADDED"):
        create(bench.caller, UndoRequest(waiting.id))
    assert bench.worker.run_one(waiting.id)
    first = create(bench.caller, UndoRequest(waiting.id))
    with pytest.raises(AlreadyUndone, match="is being undone"):
        create(bench.caller, UndoRequest(waiting.id))
    assert bench.worker.run_one(first.id)
    with pytest.raises(AlreadyUndone, match="was undone"):
        create(bench.caller, UndoRequest(waiting.id))
    with pytest.raises(ResourceNotFound):
        create(bench.caller, UndoRequest(first.id))
    with pytest.raises(ResourceNotFound):
        bench.services.jobs.details(bench.org.id, first.id)
    foreign = replace(bench.caller, org_id=bench.org.id + 1)
    with pytest.raises(Exception, match="invalid"):
        create(foreign, UndoRequest(waiting.id))
    bench.worker._ctx = replace(bench.worker._ctx, keep_images=False)
    unkept = bench.run("Last_Name,Email\nBoyle,b@x.example\n").job
    with pytest.raises(NoImages, match="--keep-images"):
        create(bench.caller, UndoRequest(unkept.id))


def images(bench: Bench) -> int:
    """How many images of leads there are."""
    table = tables.images_table(bench.module("Leads"))
    (row,) = bench.services.database.sql(f"SELECT count(*) AS n FROM {table}")
    return int(row["n"])


def age(bench: Bench, days: int) -> None:
    """Let all jobs have ended earlier."""
    sql = "UPDATE jobs SET finished_time = finished_time - ?"
    bench.services.database.sql(sql, (days * 24 * 3600 * 1_000_000,))


def test_images_are_deleted_after_their_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not while an undo needs them; a job is deleted when it has none any more."""
    monkeypatch.setattr(retention, "IMAGES_A_STEP", 5)
    bench.run(FIRST)
    job = upserted(bench, *(f"M{n},l{n}@x.example,D{n}" for n in range(15))).job
    assert images(bench) == 12
    age(bench, 29)
    assert bench.services.retention.sweep().undoable == 0
    waiting = bench.services.undos.create(bench.caller, UndoRequest(job.id, dry_run=True))
    age(bench, 400)
    bench.services.retention.sweep()
    assert images(bench) == 12
    assert bench.services.jobs.details(bench.org.id, job.id)
    assert bench.worker.run_one(waiting.id)
    assert bench.services.retention.sweep().jobs >= 1
    assert images(bench) == 0
    with pytest.raises(ResourceNotFound):
        bench.services.undos.create(bench.caller, UndoRequest(job.id))


def test_images_of_an_undone_job_are_deleted(bench: Bench) -> None:
    bench.run(FIRST)
    job = upserted(bench, *(f"M{n},l{n}@x.example,D{n}" for n in range(15))).job
    undo(bench, job.id)
    assert images(bench) == 12
    bench.services.retention.sweep()
    assert images(bench) == 0
    with pytest.raises(AlreadyUndone):
        bench.services.undos.create(bench.caller, UndoRequest(job.id))


def test_a_check_finds_nothing_after_an_undo(bench: Bench, tmp_path: Path) -> None:
    bench.run(FIRST)
    job = upserted(bench, *(f"M{n},l{n}@x.example,D{n}" for n in range(15))).job
    undo(bench, job.id)
    assert findings(bench, tmp_path / "data") == []


def findings(bench: Bench, data: Path) -> list[str]:
    """What `bulkwright check` finds, in a process of its own."""
    url = getattr(bench.services.database, "_url", "")
    more = ["--database", url] if url else []
    line = [sys.executable, "-m", "bulkwright", "check", "--json", "--data", str(data), *more]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    return [finding["code"] for finding in json.loads(done.stdout)["findings"]]


def test_an_undo_can_be_aborted_and_continued_by_a_new_one(bench: Bench) -> None:
    """A job that is being undone cannot be deleted; one that was can."""
    bench.run(FIRST)
    stored = everything(bench)
    job = upserted(bench, *(f"M{n},l{n}@x.example,D{n}" for n in range(15))).job
    waiting = bench.services.undos.create(bench.caller, UndoRequest(job.id))
    control = bench.services.job_control
    with pytest.raises(JobIsOpen, match=str(waiting.id)):
        control.delete(bench.org.id, job.id)
    control.abort(bench.org.id, waiting.id)
    assert bench.worker.run_one(waiting.id)
    aborted = bench.services.undos.details(bench.org.id, waiting.id)
    assert (aborted.status, aborted.code) == (JobStatus.FAILED, Aborted.code)
    undo(bench, job.id)
    assert everything(bench) == stored
    control.delete(bench.org.id, job.id)
    bench.services.retention.sweep()
    assert images(bench) == 0


def test_an_interrupted_undo_continues(bench: Bench) -> None:
    """Each chunk is done once."""
    bench.run(FIRST)
    stored = everything(bench)
    job = upserted(bench, *(f"M{n},l{n}@x.example,D{n}" for n in range(15))).job
    undone = bench.services.undos.create(bench.caller, UndoRequest(job.id))
    ctx = bench.worker._ctx
    for _ in range(30):
        bench.worker._ctx = replace(ctx, stop=StopSignal(), chunk_rows=2)
        bench.worker.stop()
        if not bench.worker.run_one(undone.id):
            break
    bench.worker._ctx = ctx
    done = bench.services.undos.details(bench.org.id, undone.id)
    assert (done.status, counts(done)) == (JobStatus.COMPLETED, (3, 12, 0))
    assert everything(bench) == stored


def test_a_failed_undo_is_continued_by_a_new_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run(FIRST)
    stored = everything(bench)
    job = upserted(bench, *(f"M{n},l{n}@x.example,D{n}" for n in range(15))).job
    failing = bench.services.undos.create(bench.caller, UndoRequest(job.id))
    chunks = iter(range(3))
    chunk = pipeline_undo._UpdatedRecords.chunk

    def fail_later(self: Any, after: int, most: int) -> Any:
        if next(chunks, None) is None:
            raise ModuleNotAvailable
        return chunk(self, after, most)

    with monkeypatch.context() as patched, bench.chunks(3):
        patched.setattr(pipeline_undo._UpdatedRecords, "chunk", fail_later)
        assert bench.worker.run_one(failing.id)
    failed = bench.services.undos.details(bench.org.id, failing.id)
    assert (failed.status, failed.code, counts(failed)) == (
        JobStatus.FAILED, "MODULE_NOT_AVAILABLE", (3, 9, 0),
    )  # fmt: skip
    done, lines = undo(bench, job.id)
    assert counts(done) == (3, 12, 0)
    assert {line["REASON"] for line in lines if line["OUTCOME"] == "REMOVED"} == {"DELETED_SINCE"}
    assert everything(bench) == stored


def test_a_job_that_has_stored_nothing_is_undone(bench: Bench) -> None:
    job = bench.run("Last_Name,Email\nBoyle,nonsense\n").job
    done, lines = undo(bench, job.id)
    assert (counts(done), lines) == ((0, 0, 0), [])


def test_a_job_in_parts_is_undone(postgres_only: Bench) -> None:
    """Each part keeps its own images and takes its own ids."""
    bench = postgres_only
    bench.run(FIRST)
    stored = everything(bench)
    bench.worker.divide_into(3)
    job = upserted(bench, *(f"M{n},l{n}@x.example,D{n}" for n in range(30)), chunk_bytes=200).job
    split = job.resources[0].split
    assert split is not None and split.parts == 3
    done, _ = undo(bench, job.id, chunk_rows=5)
    assert counts(done) == (18, 12, 0)
    assert everything(bench) == stored


def test_a_store_of_an_older_version_gets_the_last_writer(bench: Bench) -> None:
    """Jobs of that version cannot be undone; later ones on its records can."""
    database = bench.services.database
    old = bench.run(FIRST).job
    table = tables.table_of(bench.module("Leads")).name
    for module in bench.services.modules.modules(bench.org.id):
        name = tables.table_of(module).name
        database.sql(f'ALTER TABLE {name} DROP COLUMN "{tables.WRITER}"')
        database.sql(f"DROP TABLE IF EXISTS {tables.images_table(module)}")
    for statement in (
        "DROP INDEX resources_with_images",
        "DROP INDEX ledger_by_first_id",
        "ALTER TABLE resources DROP COLUMN images",
        "ALTER TABLE ledger DROP COLUMN first_id",
        "DROP TABLE undos",
        "DROP TABLE unneeded_images",
        "DELETE FROM migrations WHERE name = '022_undo.sql'",
    ):
        database.sql(statement)
    assert migrate(database) == ["022_undo.sql"]
    stored = everything(bench)
    assert {row[tables.WRITER] for row in stored} == {None}
    with pytest.raises(NoImages):
        bench.services.undos.create(bench.caller, UndoRequest(old.id))
    job = upserted(bench, *(f"M{n},l{n}@x.example,D{n}" for n in range(15))).job
    done, _ = undo(bench, job.id)
    assert counts(done) == (3, 12, 0)
    database.sql(f'UPDATE {table} SET "{tables.WRITER}" = NULL')
    assert everything(bench) == stored


def test_an_org_is_removed_with_its_images(bench: Bench) -> None:
    bench.run(FIRST)
    job = upserted(bench, "M,l1@x.example,D").job
    bench.services.undos.create(bench.caller, UndoRequest(job.id))
    name = tables.images_table(bench.module("Leads")).strip('"')
    database = bench.services.database
    assert database.all("columns_of_table", name=name)
    OrgRemoval(database).delete(bench.org.id)
    assert not database.all("columns_of_table", name=name)
