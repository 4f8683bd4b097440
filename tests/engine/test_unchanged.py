"""A row whose record holds its values already writes nothing, and the full result says so."""

from __future__ import annotations

import random
from typing import Any

import pytest
from tests.engine.test_dry_run import create as create_dry
from tests.engine.test_undo import everything, undo
from tests.support.bench import Bench, Done

from bulkwright.domain.job import Job
from bulkwright.store import tables

pytestmark = pytest.mark.slow

FIRST = "Last_Name,Email,Company\n" + "".join(f"L{n},l{n}@x.example,C{n}\n" for n in range(12))
EVERY_TYPE = (
    {"api_name": "Text", "data_type": "text"},
    {"api_name": "Area", "data_type": "textarea"},
    {"api_name": "Whole", "data_type": "integer"},
    {"api_name": "Big", "data_type": "bigint"},
    {"api_name": "Real", "data_type": "double"},
    {"api_name": "Money", "data_type": "currency"},
    {"api_name": "Share", "data_type": "percent"},
    {"api_name": "Flag", "data_type": "boolean"},
    {"api_name": "Day", "data_type": "date"},
    {"api_name": "Moment", "data_type": "datetime"},
    {"api_name": "Mail", "data_type": "email", "unique": True},
    {"api_name": "Site", "data_type": "website"},
)
"""Fields of each type."""
CELLS = (
    'a "quoted" text,"two\nlines",-7,9007199254740993,0.1,12.50,3.5,true,2024-02-29,'
    "2024-02-29T23:59:59Z,a@x.example,https://x.example",
    ",,,,,,,,,,b@x.example,",
)


def outcomes(bench: Bench, job: Job) -> list[str]:
    """The outcome of each row, as a full result shows it."""
    with bench.services.job_rows.open(job, job.resources[0]) as rows:
        return [row.outcome for piece in rows for row in piece]


def upsert(bench: Bench, text: str, **more: Any) -> Done:
    """Run an upsert by the address."""
    return bench.run(text, operation="upsert", find_by="Email", **more)


@pytest.mark.parametrize("operation", ["update", "upsert"])
@pytest.mark.parametrize("ignore_empty", [False, True])
def test_equal_rows_write_nothing(bench: Bench, operation: str, ignore_empty: bool) -> None:
    """Neither a time nor a writer nor an image; for Zoho's clients the rows are UPDATED."""
    bench.run(FIRST)
    stored = everything(bench)
    done = bench.run(
        FIRST, operation=operation, find_by="Email", ignore_empty=ignore_empty, chunk_rows=5
    )
    assert everything(bench) == stored
    assert done.statuses == ["UPDATED"] * 12
    assert done.ids == [row["id"] for row in stored]
    assert (done.job.counts.updated, done.job.counts.unchanged) == (12, 12)
    assert outcomes(bench, done.job) == ["UNCHANGED"] * 12
    undone, lines = undo(bench, done.job.id)
    assert (undone.counts.total, lines) == (0, [])


def test_only_rows_that_differ_are_written(bench: Bench) -> None:
    """The undo of the job touches these alone."""
    bench.run(FIRST)
    stored = everything(bench)
    text = FIRST.replace("C3\n", "Other\n").replace("L7,", "Seven,") + "New,new@x.example,N\n"
    done = upsert(bench, text, chunk_rows=4)
    changed = ["UPDATED" if n in (3, 7) else "UNCHANGED" for n in range(12)]
    assert outcomes(bench, done.job) == [*changed, "ADDED"]
    now = everything(bench)
    assert [a == b for a, b in zip(stored, now, strict=False)] == [
        n not in (3, 7) for n in range(12)
    ]
    undone, _ = undo(bench, done.job.id)
    assert (undone.removed, undone.restored, undone.kept) == (1, 2, 0)
    assert everything(bench) == stored


def test_an_empty_cell_is_equal_where_it_leaves_its_field_unchanged(bench: Bench) -> None:
    bench.run(FIRST)
    text = "Last_Name,Email,Company\nL1,l1@x.example,\n"
    assert outcomes(bench, upsert(bench, text, ignore_empty=True).job) == ["UNCHANGED"]
    assert outcomes(bench, upsert(bench, text).job) == ["UPDATED"]
    assert outcomes(bench, upsert(bench, text).job) == ["UNCHANGED"]


def test_the_text_of_a_key_is_compared(bench: Bench) -> None:
    """Keys are equal whatever the case; the stored address changes all the same."""
    bench.run(FIRST)
    text = "Last_Name,Email\nL1,L1@X.example\n"
    assert outcomes(bench, upsert(bench, text).job) == ["UPDATED"]
    assert bench.records()[1]["Email"] == "L1@X.example"
    assert outcomes(bench, upsert(bench, text).job) == ["UNCHANGED"]


def test_a_row_of_nothing_but_its_key_is_unchanged(bench: Bench) -> None:
    bench.run(FIRST)
    stored = everything(bench)
    ids = [row["id"] for row in stored]
    done = bench.run(f"id\n{ids[0]}\n{ids[1]}\n", operation="update", find_by="id")
    assert outcomes(bench, done.job) == ["UNCHANGED"] * 2
    assert everything(bench) == stored


@pytest.mark.parametrize("ignore_empty", [False, True])
def test_values_of_every_type_are_compared(bench: Bench, ignore_empty: bool) -> None:
    bench.things(*EVERY_TYPE)
    names = ",".join(str(field["api_name"]) for field in EVERY_TYPE)
    text = f"Name,{names}\n" + "".join(f"T,{cells}\n" for cells in CELLS)
    bench.run(text, "Things")
    stored = everything(bench, "Things")
    again = bench.run(
        text, "Things", "upsert", find_by="Mail", ignore_empty=ignore_empty, chunk_rows=1
    )
    assert outcomes(bench, again.job) == ["UNCHANGED"] * 2
    assert everything(bench, "Things") == stored


@pytest.mark.parametrize("ignore_empty", [False, True])
def test_the_size_of_chunks_does_not_matter(bench: Bench, ignore_empty: bool) -> None:
    """Rows of one record see what the rows before them have left, in whichever chunk they are."""
    chance = random.Random(7)
    cells = ["", "A", "B"]
    rows = [
        f"{chance.choice(['X', 'Y'])},k{chance.randrange(6)}@x.example,{chance.choice(cells)},"
        f"{chance.choice(cells)}"
        for _ in range(80)
    ]
    header = "Last_Name,Email,Company,City\n"
    text = header + "\n".join(rows) + "\n"
    found = []
    for chunk_rows in (1, 7, None):
        bench.services.database.sql(f"DELETE FROM {tables.table_of(bench.module('Leads')).name}")
        bench.run(f"{header}X,k0@x.example,A,\nY,k1@x.example,,B\n")
        job = upsert(bench, text, ignore_empty=ignore_empty, chunk_rows=chunk_rows).job
        values = [[r[n] for n in header.strip().split(",")] for r in bench.records()]
        found.append((outcomes(bench, job), values, job.counts))
    assert found[0] == found[1] == found[2]
    assert {"ADDED", "UPDATED", "UNCHANGED"} == set(found[0][0])


def test_a_record_that_returns_to_its_values_is_written(bench: Bench) -> None:
    """Two rows have changed it, so it has another writer, also if both are in one chunk."""
    bench.run(FIRST)
    stored = everything(bench)
    done = upsert(bench, "Last_Name,Email\nOther,l1@x.example\nL1,l1@x.example\n")
    assert outcomes(bench, done.job) == ["UPDATED"] * 2
    now = everything(bench)
    assert now[1]["$writer"] == done.job.id != stored[1]["$writer"]
    undo(bench, done.job.id)
    assert everything(bench) == stored


def many(change: set[int], rows: int = 1_500) -> str:
    """A file of more rows than are compared one by one; those of a set differ."""
    lines = (f"{'M' if n in change else 'L'}{n},m{n}@x.example,01/02/2024\n" for n in range(rows))
    return "Last_Name,Email,Visited\n" + "".join(lines)


@pytest.mark.parametrize("equal", [(), (1_001,), (0, 1_499), tuple(range(0, 1_500, 3))])
def test_a_large_chunk_of_changes(bench: Bench, equal: tuple[int, ...]) -> None:
    """A sample decides how it is compared; rows that the sample lacks are found all the same."""
    leads = {"api_name": "Leads", "fields": [{"api_name": "Visited", "data_type": "date"}]}
    bench.apply(leads)
    bench.run(many(set()))
    stored = everything(bench)
    done = upsert(bench, many(set(range(1_500)) - set(equal)))
    expected = ["UNCHANGED" if n in equal else "UPDATED" for n in range(1_500)]
    assert outcomes(bench, done.job) == expected
    assert done.job.counts.unchanged == len(equal)
    assert done.job.resources[0].reading is not None
    assert list(done.job.resources[0].reading.assumed) == ["Visited"]
    now = everything(bench)
    assert [a == b for a, b in zip(stored, now, strict=True)] == [n in equal for n in range(1_500)]
    undo(bench, done.job.id)
    assert everything(bench) == stored


def test_a_dry_run_says_the_same(bench: Bench) -> None:
    bench.run(FIRST)
    text = FIRST.replace("C3\n", "Other\n") + "New,new@x.example,N\nNew,new@x.example,N\n"
    dry = create_dry(bench, text)
    with bench.chunks(5):
        assert bench.worker.run_one(dry.id)
    expected = bench.done(dry.id).job
    real = upsert(bench, text).job
    assert outcomes(bench, expected) == outcomes(bench, real)
    assert expected.counts == real.counts
    assert real.counts.unchanged == 12


def test_parts_say_the_same(postgres_only: Bench) -> None:
    bench = postgres_only
    bench.run(FIRST)
    text = FIRST.replace("C3\n", "Other\n") + "New,new@x.example,N\n" + FIRST.partition("\n")[2]
    with bench.parts(3, at_once=2):
        done = upsert(bench, text, chunk_rows=5, chunk_bytes=100)
    assert done.job.resources[0].split is not None
    assert done.job.resources[0].split.parts == 3
    first = ["UPDATED" if n == 3 else "UNCHANGED" for n in range(12)]
    assert outcomes(bench, done.job) == [*first, "ADDED", *first]


def test_unique_values_are_exchanged_beside_rows_that_change_nothing(bench: Bench) -> None:
    bench.things(
        {"api_name": "Code", "data_type": "text", "unique": True},
        {"api_name": "Rank", "data_type": "integer", "unique": True},
    )
    first = "Name,Code,Rank\n" + "".join(f"T{n},c{n},{n}\n" for n in range(4))
    ids = bench.run(first, "Things").ids
    stored = everything(bench, "Things")
    moves = [f"{ids[0]},x,9", f"{ids[1]},c0,0", f"{ids[0]},c1,1", f"{ids[2]},c2,2"]
    text = "id,Code,Rank\n" + "\n".join(moves)
    job = bench.run(text, "Things", "update", find_by="id").job
    assert outcomes(bench, job) == ["UPDATED"] * 3 + ["UNCHANGED"]
    assert [row["Code"] for row in bench.records("Things")] == ["c1", "c0", "c2", "c3"]
    undo(bench, job.id)
    assert everything(bench, "Things") == stored


def test_a_deleted_job_leaves_nothing(bench: Bench) -> None:
    bench.run(FIRST)
    job = upsert(bench, FIRST).job
    count = "SELECT count(*) AS n FROM unchanged_rows"
    assert bench.services.database.sql(count)[0]["n"] == 1
    bench.services.job_control.delete(bench.org.id, job.id)
    assert bench.services.database.sql(count)[0]["n"] == 0


def test_a_decimal_is_compared_as_it_is_stored(bench: Bench) -> None:
    """1.0 and 1.00 are equal numbers, but the record keeps the digits of the file."""
    header = "Last_Name,Email,Annual_Revenue\n"
    bench.run(header + "A,a@x.example,1.0\nB,b@x.example,1.0\n")
    done = upsert(bench, header + 'A,a@x.example,1.00\nB,b@x.example,"1.0"\n')
    assert outcomes(bench, done.job) == ["UPDATED", "UNCHANGED"]
    assert [str(r["Annual_Revenue"]) for r in bench.records()] == ["1.00", "1.0"]
    twice = upsert(bench, header + "A,a@x.example,2.0\nA,a@x.example,2.00\n")
    assert outcomes(bench, twice.job) == ["UPDATED", "UPDATED"]
