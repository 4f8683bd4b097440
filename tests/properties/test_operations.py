"""Any rows on any records: the outcomes are those of the model."""

from __future__ import annotations

import csv
import io
from collections import Counter

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from tests.properties.model import Model, Record, Request, cells
from tests.support.bench import Bench, Done
from tests.support.effort import tries

from bulkwright.domain.job import FieldMapping
from bulkwright.pipeline import match

FIELDS = ("Last_Name", "Email", "Code", "Serial", "City")
CHUNK_ROWS = (1, 2, 3, 7, 1000)
CELLS = {
    "Last_Name": ["A", "B", "C", "", " "],
    "Email": ["x@e.example", "X@E.example", " y@e.example", "z@e.example", "", "bad"],
    "Code": ["c1", "C1 ", "c2", "c3", "ß", "SS", "", "  "],
    "Serial": ["1", "01", "2", "3", "4", "", "no"],
    "City": ["P", "Q", ""],
}
GOOD = {
    name: [c for c in values if c not in (" ", "  ", "bad", "no")] for name, values in CELLS.items()
}


@st.composite
def requests(draw: st.DrawFn) -> tuple[Request, Request]:
    """A job that adds some records, and the job to test; an id is the index of a record."""
    pool = draw(st.sampled_from([CELLS, GOOD]))
    rows = st.tuples(*(st.sampled_from(pool[name]) for name in FIELDS))
    before = Request("insert", None, False, FIELDS, tuple(draw(st.lists(rows, max_size=5))))
    operation = draw(st.sampled_from(["insert", "update", "upsert"]))
    keys: list[str | None] = ["Email", "Code", "Serial", "id"]
    find_by = draw(st.sampled_from(keys if operation != "insert" else [None, *keys]))
    optional = [n for n in FIELDS if n not in ("Last_Name", find_by)]
    left_out = draw(st.sets(st.sampled_from(optional)))
    if operation == "update" and draw(st.booleans()):
        left_out |= {"Last_Name"}
    columns = tuple(n for n in FIELDS if n not in left_out)
    known = {**pool, "id": ["0", "1", "2", "3", "99", "", *(["x"] if pool is CELLS else [])]}
    if find_by == "id":
        columns = ("id", *columns)
    columns = tuple(draw(st.permutations(columns)))
    row = st.tuples(*(st.sampled_from(known[name]) for name in columns))
    wanted = draw(st.lists(row, min_size=1, max_size=9))
    return before, Request(operation, find_by, draw(st.booleans()), columns, tuple(wanted))


def emptied(bench: Bench) -> None:
    """Delete all records, so that all examples can use one folder."""
    module = bench.module("Leads")
    bench.services.database.sql(f'DELETE FROM "org{module.org_id}_Leads"')


def perform(bench: Bench, request: Request, ids: list[int], chunk_rows: int = 1000) -> Done:
    """Run a request; the indexes of records become their ids."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(request.columns)
    for row in request.rows:
        named = zip(request.columns, row, strict=True)
        writer.writerow(_id(c, ids) if n == "id" else c for n, c in named)
    return bench.run(
        out.getvalue(),
        operation=request.operation,
        find_by=request.find_by,
        ignore_empty=request.ignore_empty,
        mappings=[FieldMapping(name, index) for index, name in enumerate(request.columns)],
        chunk_rows=chunk_rows,
    )


def _id(cell: str, ids: list[int]) -> str:
    return str(ids[int(cell)]) if cell.isdigit() and int(cell) < len(ids) else cell


def ran(bench: Bench, before: Request, request: Request, chunk_rows: int) -> tuple[Done, list[int]]:
    """Run both jobs on no records; return the second one and the ids of all records in order."""
    emptied(bench)
    first = perform(bench, before, []) if before.rows else None
    ids = [i for i in (first.ids if first else []) if i is not None]
    done = perform(bench, request, ids, chunk_rows)
    new = [i for i, s in zip(done.ids, done.statuses, strict=True) if s == "ADDED" and i]
    return done, ids + new


@pytest.mark.parametrize("by_rows", [False, True], ids=["at once", "row by row"])
@tries(40)
@given(requests=requests(), chunk_rows=st.sampled_from(CHUNK_ROWS))
def test_a_job_does_what_the_model_says(
    bench: Bench, by_rows: bool, requests: tuple[Request, Request], chunk_rows: int
) -> None:
    """Outcomes, errors, ids and records, with chunks matched at once or row by row."""
    before, request = requests
    model = Model()
    model.run(before)
    model.run(request)
    with pytest.MonkeyPatch.context() as patch:
        if by_rows:
            patch.setattr(match, "_has_duplicates", lambda *_: True)
        done, ids = ran(bench, before, request, chunk_rows)
    for outcome in set(model.outcome):
        event(outcome.partition("-")[0])
    assert done.outcome == model.outcome
    assert done.ids == [None if place is None else ids[place] for place in model.touched]
    stored = bench.records()
    assert [r["id"] for r in stored] == ids
    assert cells(FIELDS, stored) == cells(FIELDS, model.records)


@tries(10)
@given(requests=requests())
def test_chunk_size_never_changes_the_outcome(
    bench: Bench, requests: tuple[Request, Request]
) -> None:
    """The statuses, errors and records are the same, except ids and times."""
    outcomes = []
    for chunk_rows in CHUNK_ROWS:
        done, ids = ran(bench, *requests, chunk_rows)
        places = [None if i is None else ids.index(i) for i in done.ids]
        outcomes.append((done.outcome, places, cells(FIELDS, bench.records())))
    assert all(outcome == outcomes[0] for outcome in outcomes)


@tries(15)
@given(requests=requests(), chunk_rows=st.sampled_from(CHUNK_ROWS))
def test_the_books_balance(
    bench: Bench, requests: tuple[Request, Request], chunk_rows: int
) -> None:
    """Every row is in the result once and in order, counts add up, and records match it."""
    before, request = requests
    emptied(bench)
    first = perform(bench, before, []) if before.rows else None
    ids = [i for i in (first.ids if first else []) if i is not None]
    existing = {r["id"]: r for r in bench.records()}
    done = perform(bench, request, ids, chunk_rows)
    shown = done.header[:-3]
    at = [request.columns.index(name) for name in shown]
    expected = [tuple(_cell(request, row[i], i, ids) for i in at) for row in request.rows]
    assert [tuple(row[n] for n in shown) for row in done.rows] == expected
    statuses, counts = Counter(done.statuses), done.job.counts
    assert statuses == +Counter(ADDED=counts.added, UPDATED=counts.updated, SKIPPED=counts.skipped)
    assert counts.total == len(request.rows)
    now: dict[int, Record] = {r["id"]: r for r in bench.records()}
    reported = dict(zip(done.ids, done.statuses, strict=True))
    for row, status in zip(done.rows, done.statuses, strict=True):
        assert bool(row["ERRORS"]) == (status == "SKIPPED") == (not row["RECORD_ID"])
    added = {i for i, s in zip(done.ids, done.statuses, strict=True) if s == "ADDED"}
    assert now.keys() == existing.keys() | added and not added & existing.keys()
    for record_id, record in existing.items():
        if record_id not in reported:
            assert now[record_id] == record


def _cell(request: Request, cell: str, column: int, ids: list[int]) -> str:
    return _id(cell, ids) if request.columns[column] == "id" else cell
