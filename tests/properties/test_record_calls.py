"""Single records and rows of a job are judged by the same rules: outcome, reason, what is stored.

Two readers apply these rules, one to columns of cells (pipeline/values.py) and one to single values
(domain/scalar.py), because the API starts without Polars. Here both get the same values.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.properties.test_stores_agree import CELLS, TYPES
from tests.support.bench import EMAIL, Bench, Done, opened
from tests.support.effort import tries
from tests.support.stores import Store

from bulkwright.domain.job import FieldMapping
from bulkwright.domain.module import Field
from bulkwright.domain.record_write import (
    DeletedRecord,
    Given,
    RecordFault,
    RecordInput,
    RecordOutcome,
    WrittenRecord,
)
from bulkwright.domain.scalar import NotAValue, key_of, read_value

MORE = (
    "2024-W53-1", "2020-W53-7", "9999-W52-7", "2024-366", "2023-366", "0000-01-01", "1/5/2024",
    "02/30/2024", "20240131T0900Z", "2024-01-31T09:00:00+14:00", "2024-01-31T09:00:00+15",
    "2024-01-31T09:00:00-05:30:30", "1/31/2024 09:00", "2024-11-03T01:30:00", "-.5", "-00.5",
    "(555) 123-4567", "+1 555 123;45#6", "http://a.b/ c", "HTTPS://ä.ö/ü", "a.b@c.de", "x@y.z",
    "1", "true", "Straße", "STRASSE",
)  # fmt: skip
OWN = ("id", "Created_By", "Modified_By", "Created_Time", "Modified_Time")
"""Fields in which two records of one content differ."""
KEYS = ("", "a", "A ", "b", "Straße", "STRASSE", "\u00e9", "e\u0301")


@pytest.fixture(scope="module")
def bench(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A module with a field of each type, and one with keys."""
    data = tmp_path_factory.mktemp("records") / "data"
    with store.copy(data) as url, opened(data, url) as made:
        made.things(
            *({"api_name": f"F_{t}", "data_type": t} for t in TYPES),
            {"api_name": "F_lookup", "data_type": "lookup", "lookup_module": "Accounts"},
            {"api_name": "F_user", "data_type": "userlookup"},
            {"api_name": "F_short", "data_type": "text", "length": 3},
        )
        made.things(
            {"api_name": "Code", "data_type": "text", "unique": True},
            {"api_name": "Badge", "data_type": "integer", "unique": True},
            {"api_name": "Kind", "data_type": "picklist"},
            name="Keyed",
        )
        yield made


FIELDS = (*(f"F_{t}" for t in TYPES), "F_lookup", "F_user", "F_short")


def written(bench: Bench, module: str, header: Sequence[str], rows: Sequence[Sequence[str]],
            operation: str = "insert", find_by: str | None = None) -> Done:  # fmt: skip
    """A job on these rows: outcome, errors and what is stored of each."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows(rows)
    mappings = [FieldMapping(name, i, find_by="id" if name == "F_lookup" else None)
                for i, name in enumerate(header)]  # fmt: skip
    return bench.run(out.getvalue(), module, operation, mappings=mappings, find_by=find_by)


def typed(cell: str, name: str) -> Given:
    """The JSON value that means the same as a cell, where there is one."""
    kind = name.removeprefix("F_")
    if not cell:
        return None
    plain = cell.lstrip("-")
    if kind in ("integer", "bigint") and plain.isdecimal() and plain.isascii():
        return int(cell)
    whole, _, parts = plain.partition(".")
    is_number = f"{whole}{parts}".isdecimal() and whole and cell.isascii()
    if kind in ("double", "currency", "percent") and is_number:
        return Decimal(cell)
    if kind == "boolean" and cell in ("true", "false"):
        return cell == "true"
    if kind == "multiselectpicklist":
        return tuple(cell.split(";"))
    return cell


def same(fault: RecordFault, errors: str) -> bool:
    """Whether a fault is one of the errors of a row."""
    named = dict(part.split("-", 1) for part in errors.split(":"))
    return fault.api_name in named.get(fault.code, "").split(",")


def compare(bench: Bench, module: str, done: Done, outcomes: Sequence[RecordOutcome]) -> None:
    """Every row and its record have the same outcome, reason and content."""
    for row, number, outcome in zip(done.rows, done.ids, outcomes, strict=True):
        if isinstance(outcome, RecordFault):
            assert number is None, (row, outcome)
            assert same(outcome, row["ERRORS"]), (row, outcome)
            continue
        assert isinstance(outcome, WrittenRecord) and number is not None, (row, outcome)
        ours, theirs = bench.stored(outcome.id, module), bench.stored(number, module)
        assert {k: v for k, v in ours.items() if k not in OWN} == {
            k: v for k, v in theirs.items() if k not in OWN
        }


@pytest.mark.parametrize("name", FIELDS)
def test_every_difficult_value(bench: Bench, name: str) -> None:
    """Each as a text, and as the JSON value that means the same."""
    account = bench.run("Account_Name\nA\n", "Accounts").ids[0]
    cells = [c for c in (*CELLS, *MORE, str(account), str(bench.user.id), EMAIL) if "\0" not in c]
    for form in (lambda cell, _: cell, typed):
        done = written(bench, "Things", ["Name", name], [("x", cell) for cell in cells])
        outcomes = []
        for start in range(0, len(cells), 100):
            given_ = [RecordInput({"Name": "x", name: form(c, name)})
                      for c in cells[start : start + 100]]  # fmt: skip
            outcomes += bench.services.record_calls.insert(bench.caller, "Things", given_)
        compare(bench, "Things", done, outcomes)


@tries(20)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["", " ", "x"]), *[st.sampled_from((*CELLS, *MORE))] * len(FIELDS)
        ),
        min_size=1,
        max_size=5,
    )
)
def test_any_record(bench: Bench, rows: list[tuple[str, ...]]) -> None:
    """Of several faults the record reports one that the row has too."""
    names = ["Name", *FIELDS]
    done = written(bench, "Things", names, rows)
    given_ = [RecordInput(dict(zip(names, row, strict=True))) for row in rows]
    compare(
        bench, "Things", done, bench.services.record_calls.insert(bench.caller, "Things", given_)
    )


@tries(30)
@given(
    before=st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(["", "1", "2"])), max_size=3),
    rows=st.lists(
        st.tuples(
            st.sampled_from(["x", ""]),
            st.sampled_from(KEYS),
            st.sampled_from(["", "1", "2", "x"]),
            st.sampled_from(["", "new", "Old "]),
        ),
        min_size=1,
        max_size=5,
    ),
    operation=st.sampled_from(["insert", "update", "upsert"]),
)
def test_keys_mean_the_same_record(
    bench: Bench,
    before: list[tuple[str, str]],
    rows: list[tuple[str, ...]],
    operation: str,
) -> None:
    """Records take effect in order; a unique value of one way is found by the other way."""
    calls, caller = bench.services.record_calls, bench.caller
    header = ["Name", "Code", "Badge", "Kind"]
    if operation == "upsert":
        header, rows = ["Name", "Code", "Kind"], [(r[0], r[1] or "a", r[3]) for r in rows]
        before = [(code, "") for code, _ in before]
    outcomes: list[list[Any]] = []
    for way in ("job", "call"):
        everything = [str(record["id"]) for record in bench.records("Keyed")]
        for start in range(0, len(everything), 100):
            calls.delete(caller, "Keyed", everything[start : start + 100])
        seeds = [("seed", *pair) for pair in before]
        # Each way finds what the other way has written.
        if way == "job":
            given_ = [RecordInput(dict(zip(("Name", "Code", "Badge"), s, strict=True)))
                      for s in seeds]  # fmt: skip
            made = calls.insert(caller, "Keyed", given_) if seeds else []
            ids = [one.id for one in made if isinstance(one, WrittenRecord)]
        else:
            ids = [i for i in written(bench, "Keyed", ["Name", "Code", "Badge"], seeds).ids if i] \
                if seeds else []  # fmt: skip
        targets = [*ids, 1] * len(rows)
        if way == "job":
            if operation == "update":
                named = [(str(targets[i]), *row) for i, row in enumerate(rows)]
                done = written(bench, "Keyed", ["id", *header], named, "update", "id")
            else:
                find_by = "Code" if operation == "upsert" else None
                done = written(bench, "Keyed", header, rows, operation, find_by)
            outcomes.append([row["ERRORS"] or row["STATUS"] for row in done.rows])
        else:
            given_ = [RecordInput(dict(zip(header, row, strict=True)),
                                  str(targets[i]) if operation == "update" else None)
                      for i, row in enumerate(rows)]  # fmt: skip
            if operation == "insert":
                found = calls.insert(caller, "Keyed", given_)
            elif operation == "update":
                found = calls.update(caller, "Keyed", given_)
            else:
                found = calls.upsert(caller, "Keyed", given_, ["Code"])
            for errors, one in zip(outcomes[0], found, strict=True):
                assert not isinstance(one, DeletedRecord)
                if isinstance(one, WrittenRecord):
                    assert errors == ("ADDED" if one.action == "insert" else "UPDATED")
                elif one.unknown_id:
                    assert errors.startswith("RESOURCE_NOT_FOUND")
                else:
                    assert same(one, errors), (errors, one)
        content = [
            {k: v for k, v in r.items() if k not in (*OWN, "Owner", "Layout")}
            for r in bench.records("Keyed")
        ]
        outcomes.append(content)
    assert outcomes[1] == outcomes[2]


@tries(200)
@given(text=st.text(min_size=1, max_size=12))
def test_no_text_raises(text: str) -> None:
    """A text is a value of a field, or NotAValue is raised; a key is its own key."""
    for kind in TYPES:
        try:
            read_value(text, Field(1, "F", "F", kind), ZoneInfo("America/Los_Angeles"))
        except NotAValue as error:
            assert error.details
    key = key_of(text)
    assert key is None or key_of(key) == key
