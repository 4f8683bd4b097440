"""The CSV of a bulk read says what a list of records says, and a bulk write reads it back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.properties.test_stores_agree import CELLS, TYPES
from tests.support.bench import Bench
from tests.support.effort import tries
from tests.support.postgres import Server
from tests.support.stores import opened_on_both

from bulkwright.domain.criteria import Condition, Criteria, CriteriaGroup, Junction
from bulkwright.domain.errors import BulkwrightError
from bulkwright.domain.record_write import RecordInput
from bulkwright.service.read_criteria import EMPTY, LISTED

VALUES = tuple(c for c in CELLS if "\0" not in c and len(c) < 100)
COMPARATORS = (
    "equal", "not_equal", "in", "not_in", "contains", "not_contains", "starts_with", "ends_with",
    "between", "not_between", "greater_than", "greater_equal", "less_than", "less_equal",
)  # fmt: skip
FIELDS = ("Name", "Key", *(f"F_{t}" for t in TYPES), "Owner", "Created_Time", "id")


@pytest.fixture(scope="module")
def both(
    postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Bench, Bench]]:
    """The same records on each store: every difficult value that a field takes."""
    with opened_on_both(postgres, tmp_path_factory.mktemp("both")) as benches:
        for bench in benches:
            bench.things(
                {"api_name": "Key", "data_type": "text", "unique": True},
                *({"api_name": f"F_{t}", "data_type": t} for t in TYPES),
            )
            records = [
                RecordInput({"Name": f"{kind} {number}", "Key": f"{kind}{number}", f"F_{kind}": c})
                for kind in TYPES
                for number, c in enumerate(VALUES)
            ]
            for start in range(0, len(records), 100):
                calls = bench.services.record_calls
                calls.insert(bench.caller, "Things", records[start : start + 100])
        yield benches


def meaning(cell: str, shown: Any) -> object:
    """A cell in the form of the JSON value of a list of records."""
    match shown:
        case None:
            return cell or None
        case bool():
            return {"true": True, "false": False}[cell]
        case int():
            return int(cell)
        case Decimal():
            return Decimal(cell)
        case list():
            return cell.split(";")
        case dict():
            return {**shown, "id": cell}
    return cell


def test_a_csv_equals_the_list(both: tuple[Bench, Bench]) -> None:
    """Every value of every type, in the order of the ids, on both stores."""
    texts = []
    for bench in both:
        stored = bench.records("Things")
        shown = {record["id"]: shown_record(bench, record["id"]) for record in stored}
        for chunk_rows in (7, 1_000):
            job, rows = bench.read("Things", chunk_rows=chunk_rows)
            assert job.read is not None and job.read.rows == len(rows) and not job.read.more
            assert [int(row["id"]) for row in rows] == list(shown)
            for row in rows:
                record = shown[int(row["id"])]
                assert {n: meaning(cell, record[n]) for n, cell in row.items()} == {
                    n: record[n] for n in row
                }
        own = {"id", "Owner", "Layout", "Created_By", "Modified_By", "Created_Time",
               "Modified_Time"}  # fmt: skip
        texts.append([{n: c for n, c in row.items() if n not in own} for row in rows])
        names = tuple(n for n in rows[0] if n[2:] not in ("datetime", "multiselectpicklist"))
        plain = tuple(n for n in names if not n.endswith("_Time") and n != "id")
        _, written = bench.read("Things", fields=plain)
        assert written == [{n: row[n] for n in ("id", *plain)} for row in rows]
    assert texts[0] == texts[1]


def shown_record(bench: Bench, number: int) -> dict[str, Any]:
    """A record as JSON, with exact decimals."""
    from bulkwright.web.json import encode

    found: dict[str, Any] = json.loads(encode(bench.shown(number, "Things")), parse_float=Decimal)
    return found


def conditions() -> st.SearchStrategy[Condition]:
    """One condition, of any field with any comparator."""

    def made(field: str, comparator: str, values: list[str]) -> Condition:
        several = comparator in LISTED
        wanted = values[:2] if "between" in comparator else values if several else values[:1]
        return Condition(field, comparator, tuple(wanted))

    values = st.sampled_from((*VALUES, EMPTY))
    return st.builds(
        made,
        st.sampled_from(FIELDS),
        st.sampled_from(COMPARATORS),
        st.lists(values, min_size=2, max_size=3),
    )


def criteria() -> st.SearchStrategy[Criteria]:
    """Up to three conditions."""
    return st.recursive(
        conditions(),
        lambda inner: st.builds(
            lambda word, a, b: CriteriaGroup(word, (a, b)), st.sampled_from(Junction), inner, inner
        ),
        max_leaves=3,
    )


def found(bench: Bench, wanted: Criteria) -> object:
    """The names of the records that meet criteria, or the error."""
    try:
        _, rows = bench.read("Things", criteria=wanted, fields=("Name",))
    except BulkwrightError as error:
        return error.code, error.details
    assert all(list(row) == ["id", "Name"] for row in rows)
    return [row["Name"] for row in rows]


@tries(60)
@given(wanted=criteria())
def test_any_criteria(both: tuple[Bench, Bench], wanted: Criteria) -> None:
    """The same records on both stores."""
    sqlite, server = (found(bench, wanted) for bench in both)
    assert sqlite == server


@tries(60)
@given(wanted=conditions())
def test_a_comparator_and_its_opposite_share_all_records(
    both: tuple[Bench, Bench], wanted: Condition
) -> None:
    """Each record meets exactly one of them."""
    opposite = {"equal": "not_equal", "in": "not_in", "contains": "not_contains",
                "between": "not_between"}.get(wanted.comparator)  # fmt: skip
    if opposite is None:
        return
    bench = both[0]
    one = found(bench, wanted)
    other = found(bench, Condition(wanted.field, opposite, wanted.values))
    if isinstance(one, list) and isinstance(other, list):
        assert sorted(one + other) == sorted(r["Name"] for r in bench.records("Things"))


def test_moments_in_every_zone_and_time(both: tuple[Bench, Bench]) -> None:
    """As the list shows them: summer time, offsets of half an hour, and of seconds before 1900."""
    moments = ["1850-06-01T12:00:00Z", "1915-01-01T00:00:00Z", "2024-07-01T00:00:00Z",
               "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2024-03-10T10:30:00Z"]  # fmt: skip
    for bench in both:
        bench.things({"api_name": "At", "data_type": "datetime"}, name="Moments")
        text = "Name,At\n" + "".join(f"m,{m}\n" for m in moments)
        assert bench.run(text, "Moments").outcome == ["ADDED"] * len(moments)
        for zone in ("UTC", "America/Los_Angeles", "Asia/Kolkata", "Africa/Monrovia",
                     "Europe/Amsterdam", "Pacific/Apia", "America/St_Johns"):  # fmt: skip
            sql = "UPDATE users SET time_zone = ?"
            with bench.services.database.transaction():
                bench.services.database.sql(sql, (zone,))
            _, rows = bench.read("Moments")
            shown = [bench.shown(int(row["id"]), "Moments")["At"] for row in rows]
            assert [row["At"] for row in rows] == shown, zone
            assert [datetime.fromisoformat(row["At"]) for row in rows] == [
                datetime.fromisoformat(m) for m in moments
            ]
