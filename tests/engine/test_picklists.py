"""Picklists that jobs fill: new values join them, up to the limit of the limits profile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from tests.support.bench import Bench

BAD = "INVALID_DATA-Kind"
OF_A_CSV = "Name,Kind\n"


@contextmanager
def limited(bench: Bench, values: int) -> Iterator[None]:
    """Let picklists take this many values."""
    before = bench.worker._ctx
    bench.worker._ctx = replace(before, limits=replace(before.limits, picklist_values=values))
    try:
        yield
    finally:
        bench.worker._ctx = before


def kinds(bench: Bench, data_type: str = "picklist", *values: str) -> None:
    """A module with a picklist that has these values."""
    kind = {"api_name": "Kind", "data_type": data_type, "pick_list_values": list(values)}
    key = {"api_name": "Number", "data_type": "text", "unique": True}
    bench.things(kind, key, {**kind, "api_name": "Sort"})


def picklist(bench: Bench, name: str = "Kind") -> tuple[str, ...]:
    """The values of the picklist now."""
    field = bench.module("Things").field(name)
    assert field is not None
    return field.pick_list_values


def csv_of(*cells: str) -> str:
    """One row for each cell."""
    return OF_A_CSV + "".join(f"R{i},{cell}\n" for i, cell in enumerate(cells))


@pytest.mark.parametrize("chunk_rows", [1, 2, 3, 1000])
def test_a_full_picklist_takes_no_new_values(bench: Bench, chunk_rows: int) -> None:
    """Whatever the size of the chunks; values that it has are valid as before."""
    kinds(bench, "picklist", "a")
    with limited(bench, 3):
        done = bench.run(csv_of("b", "a", "c", "d", "b", "", "e", "c"), "Things",
                         chunk_rows=chunk_rows)  # fmt: skip
        assert done.outcome == ["ADDED", "ADDED", "ADDED", BAD, "ADDED", "ADDED", BAD, "ADDED"]
        assert picklist(bench) == ("a", "b", "c")
        again = bench.run(csv_of("z", "c"), "Things", chunk_rows=chunk_rows)
        assert again.outcome == [BAD, "ADDED"]


@pytest.mark.parametrize("chunk_rows", [1, 2, 1000])
def test_only_stored_rows_fill_a_picklist(bench: Bench, chunk_rows: int) -> None:
    """A skipped row takes no place; one that a full picklist rejects is no duplicate's reason."""
    kinds(bench)
    rows = (
        "Name,Kind,Number\n"
        "A,a,1\n"
        "B,b,1\n"  # a duplicate: b does not join
        ",c,2\n"  # no name: c does not join
        "D,d,3\n"  # the second and last value
        "E,e,4\n"  # rejected, so 4 is not taken
        "F,a,4\n"
        "G,b,1\n"  # both: b is not in the picklist, which comes first
    )
    with limited(bench, 2):
        done = bench.run(rows, "Things", chunk_rows=chunk_rows)
    assert done.outcome == [
        "ADDED", "DUPLICATE_DATA-Number", "MANDATORY_NOT_FOUND-Name", "ADDED", BAD, "ADDED", BAD,
    ]  # fmt: skip
    assert picklist(bench) == ("a", "d")


@pytest.mark.parametrize("chunk_rows", [1, 2, 1000])
def test_a_cell_with_several_values_fills_a_picklist(bench: Bench, chunk_rows: int) -> None:
    """All values of a row join as long as one place is left."""
    kinds(bench, "multiselectpicklist")
    cells = ["a;b", "b;c;d;e", "a;f", "e;c", "g"]
    with limited(bench, 3):
        done = bench.run(csv_of(*cells), "Things", chunk_rows=chunk_rows)
    assert done.outcome == ["ADDED", "ADDED", BAD, "ADDED", BAD]
    assert picklist(bench) == ("a", "b", "c", "d", "e")
    assert [json.loads(r["Kind"]) for r in bench.records("Things")] == [
        ["a", "b"], ["b", "c", "d", "e"], ["e", "c"],
    ]  # fmt: skip


@pytest.mark.parametrize("chunk_rows", [1, 2, 1000])
def test_several_picklists_fill_one_after_the_other(bench: Bench, chunk_rows: int) -> None:
    """A row that one full picklist rejects adds nothing to another one."""
    kinds(bench)
    rows = "Name,Kind,Sort\nA,a,x\nB,b,x\nC,c,y\nD,b,z\nE,a,w\nF,c,w\n"
    with limited(bench, 2):
        done = bench.run(rows, "Things", chunk_rows=chunk_rows)
    both = "INVALID_DATA-Kind,Sort"
    assert done.outcome == ["ADDED", "ADDED", BAD, "ADDED", "INVALID_DATA-Sort", both]
    assert (picklist(bench), picklist(bench, "Sort")) == (("a", "b"), ("x", "z"))


def test_values_of_another_job_are_not_added_twice(bench: Bench) -> None:
    """A job reads them when it meets a value that it does not know."""
    kinds(bench, "picklist", "a")
    one = bench.create(csv_of("b", "c", "b"), "Things")
    bench.run(csv_of("c", "d"), "Things")
    assert bench.worker.run_one(one.id)
    assert picklist(bench) == ("a", "c", "d", "b")


@pytest.mark.slow
def test_a_picklist_keeps_the_order_of_the_file(bench: Bench) -> None:
    """Also with more values than one statement would take as parameters."""
    kinds(bench)
    values = [f"value {i * 7919 % 40_000}" for i in range(40_000)]
    with limited(bench, 50_000):
        assert set(bench.run(csv_of(*values), "Things").statuses) == {"ADDED"}
    assert picklist(bench) == tuple(values)
