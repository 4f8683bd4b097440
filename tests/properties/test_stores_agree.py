"""The same jobs on SQLite and on PostgreSQL: results and records are equal except ids and times."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.properties.model import Model, Request
from tests.properties.test_operations import CHUNK_ROWS, emptied, ran, requests
from tests.support.bench import Bench, Done
from tests.support.effort import tries
from tests.support.postgres import Server
from tests.support.stores import opened_on_both

from bulkwright.domain.job import FieldMapping

TYPES = (
    "text", "textarea", "email", "phone", "website", "picklist", "multiselectpicklist", "integer",
    "bigint", "double", "currency", "percent", "boolean", "date", "datetime",
)  # fmt: skip
CELLS = (
    "", " ", "a", "Ä\u0308 ß", "a;b", "a; a;c", '"', '""', "\\", "\\.", "\\N", "x\n\\.\ny", "a\tb",
    "a,b", "\r\n", "%s ? :name", "'", "{}", "{1,2}", "NULL", "nan", "Infinity", "\U0001f600",
    "\x01",
    "0", "-0", "1", "-1", "007", "+5", "1.50", "-0.00", ".5", "1e5", "1,234.5", "999999999",
    "9999999999", "9223372036854775807", "123456789012345.123456789", "0.1", "true", "FALSE", "yes",
    "2024-02-29", "2023-02-29", "0001-01-01", "9999-12-31", "12/31/2024", "2024-01-31T09:00:00Z",
    "2024-01-31 09:00:00.123456", "20240131T090000Z", "2024-01-31 09:00:00+00", "t", "NaN",
    "2024-01-31T09:00:60Z", "infinity", "2024-060", "Red\n", " Red", "+1-800-FLOWERS",
    "9999-12-31T23:59:59-08:00", "2024-03-10T02:30:00", "24:00",
    "p@zylker.example", "P@ZYLKER.example ", "bücher@bücher.example", "www.zylker.example",
    "https://x.example/?a=b&c", "+49 30 123", "x" * 300,
)  # fmt: skip
"""Cells that are difficult for a reader, a driver or a server; every type gets all of them."""


@pytest.fixture(scope="module")
def both(
    postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Bench, Bench]]:
    """A bench on each store with more unique fields and a module with a field of each type."""
    with opened_on_both(postgres, tmp_path_factory.mktemp("both")) as benches:
        for bench in benches:
            bench.apply({"api_name": "Leads", "fields": Model.FIELDS})
            bench.things(*({"api_name": f"F_{t}", "data_type": t} for t in TYPES))
        yield benches


def result_rows(done: Done, ids: list[int]) -> list[dict[str, str]]:
    """The rows of a result, with the index of a record instead of its id."""
    places = {str(number): str(place) for place, number in enumerate(ids)}
    record = "RECORD_ID"
    return [row | {record: places.get(row[record], row[record])} for row in done.rows]


def comparable_records(bench: Bench) -> list[dict[str, object]]:
    """All records without the fields that differ between stores: ids and times."""
    own = ("id", "Owner", "Layout", "Created_By", "Modified_By", "Created_Time", "Modified_Time")
    return [{n: v for n, v in r.items() if n not in own} for r in bench.records()]


@tries(40)
@given(requests=requests(), chunk_rows=st.sampled_from(CHUNK_ROWS))
def test_any_two_jobs(
    both: tuple[Bench, Bench], requests: tuple[Request, Request], chunk_rows: int
) -> None:
    """Found records, duplicates and empty cells have the same outcome."""
    outcomes_by_store = []
    for bench in both:
        done, ids = ran(bench, *requests, chunk_rows)
        rows = [
            {n: "" if n == "id" else c for n, c in row.items()} for row in result_rows(done, ids)
        ]
        outcomes_by_store.append((done.header, rows, done.outcome, comparable_records(bench)))
    assert outcomes_by_store[0] == outcomes_by_store[1]


@tries(12)
@given(rows=st.lists(st.tuples(*[st.sampled_from(CELLS)] * len(TYPES)), min_size=1, max_size=6))
def test_any_values(both: tuple[Bench, Bench], rows: list[tuple[str, ...]]) -> None:
    """Both stores accept the same values in the same form, and reject the same ones."""
    columns = [f"F_{t}" for t in TYPES]
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["Name", *columns])
    writer.writerows(("x", *row) for row in rows)
    mappings = [FieldMapping(name, index) for index, name in enumerate(["Name", *columns])]
    outcomes_by_store = []
    for bench in both:
        done = bench.run(out.getvalue(), "Things", mappings=mappings)
        stored = [None if i is None else bench.stored(i, "Things") for i in done.ids]
        shown = [None if i is None else bench.shown(i, "Things") for i in done.ids]
        values = [r and {n: r[n] for n in columns if n != "F_boolean"} for r in stored]
        api = [r and {n: r[n] for n in columns} for r in shown]
        outcomes_by_store.append((done.outcome, values, api))
    assert outcomes_by_store[0] == outcomes_by_store[1]


def test_every_difficult_value_alone(both: tuple[Bench, Bench]) -> None:
    """Each cell once in each type, so that no other bad cell in its row hides it."""
    outcomes_by_store = []
    for bench in both:
        outcomes = []
        for name in TYPES:
            out = io.StringIO(newline="")
            writer = csv.writer(out)
            writer.writerow(["Name", name])
            writer.writerows(("x", cell) for cell in CELLS)
            mappings = [FieldMapping("Name", 0), FieldMapping(f"F_{name}", 1)]
            done = bench.run(out.getvalue(), "Things", mappings=mappings)
            values = [i and bench.shown(i, "Things")[f"F_{name}"] for i in done.ids]
            outcomes.append((name, done.outcome, values))
        outcomes_by_store.append(outcomes)
    assert outcomes_by_store[0] == outcomes_by_store[1]


def test_every_difficult_text_as_a_key(both: tuple[Bench, Bench]) -> None:
    """A key may hold any character, also those that have a meaning in an array."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["Last_Name", "Code"])
    writer.writerows(("x", cell) for cell in CELLS)
    mappings = [FieldMapping("Last_Name", 0), FieldMapping("Code", 1)]
    outcomes_by_store = []
    for bench in both:
        emptied(bench)
        done = [
            bench.run(out.getvalue(), operation="upsert", find_by="Code", mappings=mappings)
            for _ in range(2)
        ]
        places = [i for i in done[0].ids if i is not None]
        outcomes_by_store.append([(one.outcome, result_rows(one, places)) for one in done])
        first, second = done
        assert first.statuses.count("ADDED") > 40
        assert second.ids == first.ids and "ADDED" not in second.statuses
    assert outcomes_by_store[0] == outcomes_by_store[1]
