"""Any search finds the same records on SQLite and on PostgreSQL, or is rejected with one error."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.properties.test_stores_agree import CELLS, TYPES
from tests.support.bench import Bench, opened
from tests.support.effort import tries
from tests.support.postgres import Server
from tests.support.stores import PostgresStore, SqliteStore

from bulkwright.domain.criteria import Comparator
from bulkwright.domain.errors import BulkwrightError
from bulkwright.domain.record_write import RecordInput, WrittenRecord
from bulkwright.service.records import PageQuery, Wanted
from bulkwright.zoho.parse.criteria import parse_criteria

FIELDS = ("Name", "Key", *(f"F_{t}" for t in TYPES), "Owner", "Created_Time", "id", "Nothing")
VALUES = tuple(c for c in CELLS if "\0" not in c and len(c) < 100)


@pytest.fixture(scope="module")
def both(
    postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Bench, Bench]]:
    """The same records on each store: every difficult value that a field takes."""
    folder = tmp_path_factory.mktemp("both")
    here, there = SqliteStore(folder / "s"), PostgresStore(postgres, folder / "p")
    with (
        here.copy(folder / "sqlite") as no_url,
        there.copy(folder / "postgres") as url,
        opened(folder / "sqlite", no_url) as sqlite,
        opened(folder / "postgres", url) as server,
    ):
        for bench in (sqlite, server):
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
                for one in calls.insert(bench.caller, "Things", records[start : start + 100]):
                    assert isinstance(one, WrittenRecord) or one
        yield sqlite, server


def escaped(text: str) -> str:
    """A value as criteria write it."""
    return "".join(f"\\{c}" if c in "\\,()" else c for c in text)


def conditions() -> st.SearchStrategy[str]:
    """One condition, of any field with any comparator."""
    return st.builds(
        lambda field, comparator, values: f"({field}:{comparator}:{','.join(values)})",
        st.sampled_from(FIELDS),
        st.sampled_from([c.value for c in Comparator]),
        st.lists(st.sampled_from(VALUES).map(escaped), min_size=1, max_size=3),
    )


def criteria() -> st.SearchStrategy[str]:
    """Up to three conditions."""
    return st.recursive(
        conditions(),
        lambda inner: st.builds(
            lambda a, word, b: f"({a}{word}{b})", inner, st.sampled_from(["and", "or"]), inner
        ),
        max_leaves=3,
    )


def found(bench: Bench, text: str, sort_by: str, *, contains: bool) -> object:
    """The names of the records in their order, or the error."""
    try:
        wanted = Wanted(parse_criteria(text))
        page = bench.services.records.search(
            bench.caller, "Things", wanted, PageQuery(sort_by=sort_by), contains=contains
        )
        count = bench.services.records.count(bench.caller, "Things", wanted, contains=contains)
    except BulkwrightError as error:
        return error.code, error.details
    assert page.has_more or count == len(page.records)
    return [record.values["Name"] for record in page.records], count


@tries(150)
@given(text=criteria(), sort_by=st.sampled_from(FIELDS[:-1]), contains=st.booleans())
def test_any_search(both: tuple[Bench, Bench], text: str, sort_by: str, contains: bool) -> None:
    """The same records in the same order."""
    sqlite, server = (found(bench, text, sort_by, contains=contains) for bench in both)
    assert sqlite == server


@pytest.mark.parametrize("name", [f"F_{t}" for t in TYPES])
def test_every_value_finds_its_record(both: tuple[Bench, Bench], name: str) -> None:
    """A record is found by the value that it was given, and the order of a field is one."""
    for bench in both:
        for record in bench.records("Things"):
            if record[name] is None or name == "F_multiselectpicklist":
                continue
            value = str(record[name])
            if name == "F_boolean":
                value = "true" if record[name] else "false"
            if not value.strip() or value.strip() != value.strip(" "):
                continue
            result = found(bench, f"({name}:equals:{escaped(value.strip())})", "id", contains=True)
            assert isinstance(result, tuple)
            names, _ = result
            assert record["Name"] in names or len(names) == 200, (value, result)
    ordered = [found(bench, "(id:greater_than:0)", name, contains=True) for bench in both]
    assert ordered[0] == ordered[1]


@tries(300)
@given(text=st.text(alphabet="()and or:,\\equalsin_Name1 ", max_size=60))
def test_no_text_breaks_the_parser(text: str) -> None:
    """It is a tree, or an error with a code."""
    try:
        parse_criteria(text)
    except BulkwrightError as error:
        assert error.code == "INVALID_QUERY"
