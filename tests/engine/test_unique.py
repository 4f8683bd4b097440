"""Rows with the same unique values, within a chunk and across chunks."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.bench import Bench, Done

from bulkwright.domain.job import FieldMapping

CODE = {"api_name": "Code", "data_type": "text", "unique": True}
SERIAL = {"api_name": "Serial", "data_type": "integer", "unique": True}
chunked = pytest.mark.parametrize("chunk_rows", [1, 2, 1000])


@pytest.fixture
def two(bench: Bench) -> Bench:
    """A bench with a module of two unique fields and three records."""
    bench.things(CODE, SERIAL)
    bench.run("Name,Code,Serial\nA,a,1\nB,b,2\nC,c,3\n", "Things")
    return bench


def held(bench: Bench) -> list[tuple[object, ...]]:
    """Name, Code and Serial of each record."""
    return [(r["Name"], r["Code"], r["Serial"]) for r in bench.records("Things")]


def run(bench: Bench, rows: str, operation: str, find_by: str | None, **more: Any) -> Done:
    """Run rows of a CSV into the module."""
    return bench.run(rows, "Things", operation, find_by=find_by, **more)


@chunked
def test_a_unique_value_is_taken_by_the_first_row(bench: Bench, chunk_rows: int) -> None:
    """One unique field, no find_by: later rows with an equal key are duplicates."""
    bench.things(CODE)
    rows = "Name,Code\nA,x\nB, X \nC,\nD,\nE,y\n"
    done = run(bench, rows, "insert", None, chunk_rows=chunk_rows)
    assert done.outcome == ["ADDED", "DUPLICATE_DATA-Code", "ADDED", "ADDED", "ADDED"]


def test_a_unique_value_of_another_record_is_a_duplicate(two: Bench) -> None:
    """The error names each column whose value another record has."""
    rows = "Name,Code,Serial\nD,A,9\nE,e,2\nF,b,1\nG,g,7\n"
    assert run(two, rows, "insert", None).outcome == [
        "DUPLICATE_DATA-Code",
        "DUPLICATE_DATA-Serial",
        "DUPLICATE_DATA-Code,Serial",
        "ADDED",
    ]


@chunked
def test_taken_columns_are_named_in_mapping_order(two: Bench, chunk_rows: int) -> None:
    """The order does not depend on the errors of earlier rows."""
    rows = "Serial,Code,Name\n9,a,D\n1,b,E\n2,f,F\n"
    done = run(two, rows, "insert", None, chunk_rows=chunk_rows)
    taken = ["DUPLICATE_DATA-Code", "DUPLICATE_DATA-Serial,Code", "DUPLICATE_DATA-Serial"]
    assert done.outcome == taken


@chunked
def test_a_skipped_row_takes_no_unique_value(two: Bench, chunk_rows: int) -> None:
    """If a row is skipped for one field, its value of the other is not used."""
    rows = "Name,Code,Serial\nD,d,1\nE,d,4\nF,f,4\nG,f,5\n"
    done = run(two, rows, "insert", None, chunk_rows=chunk_rows)
    assert done.outcome == ["DUPLICATE_DATA-Serial", "ADDED", "DUPLICATE_DATA-Serial", "ADDED"]
    assert held(two)[3:] == [("E", "d", 4), ("G", "f", 5)]


@chunked
@pytest.mark.parametrize("operation", ["update", "upsert"])
def test_an_update_may_not_take_a_value_of_another_record(
    two: Bench, operation: str, chunk_rows: int
) -> None:
    """The row is skipped and the record unchanged; a record may keep its own value."""
    done = run(two, "Code,Serial,Name\na,2,X\na,1,Y\n", operation, "Code", chunk_rows=chunk_rows)
    assert done.outcome == ["DUPLICATE_DATA-Serial", "UPDATED"]
    assert held(two)[0] == ("Y", "a", 1)


@chunked
def test_an_update_frees_the_former_value(two: Bench, chunk_rows: int) -> None:
    """A row can use a value only if an earlier row of the file has released it."""
    rows = "Code,Serial,Name\nb,1,B\na,9,A\nb,1,B\nnew,2,N\n"
    done = run(two, rows, "upsert", "Code", chunk_rows=chunk_rows)
    assert done.outcome == ["DUPLICATE_DATA-Serial", "UPDATED", "UPDATED", "ADDED"]
    assert held(two) == [("A", "a", 9), ("B", "b", 1), ("C", "c", 3), ("N", "new", 2)]


@chunked
def test_records_swap_values_through_a_third(two: Bench, chunk_rows: int) -> None:
    """a: 1 to 9, b: 2 to 1, a: 9 to 2. Every step is valid, so all are stored."""
    rows = "Code,Serial,Name\na,9,A\nb,1,B\na,2,A\n"
    done = run(two, rows, "update", "Code", chunk_rows=chunk_rows)
    assert done.outcome == ["UPDATED"] * 3
    assert held(two)[:2] == [("A", "a", 2), ("B", "b", 1)]


@chunked
def test_a_swap_in_two_rows_fails_at_its_first_row(two: Bench, chunk_rows: int) -> None:
    """Each row is checked alone: after the first, two records would hold one value."""
    done = run(two, "Code,Serial,Name\na,2,A\nb,1,B\n", "update", "Code", chunk_rows=chunk_rows)
    assert done.outcome == ["DUPLICATE_DATA-Serial", "DUPLICATE_DATA-Serial"]
    assert held(two)[:2] == [("A", "a", 1), ("B", "b", 2)]


@chunked
def test_values_move_along_a_chain(two: Bench, chunk_rows: int) -> None:
    """c releases 3, b gets it and releases 2, a gets that; a new record gets 1."""
    rows = "Code,Serial,Name\nc,4,C\nb,3,B\na,2,A\nd,1,D\n"
    done = run(two, rows, "upsert", "Code", chunk_rows=chunk_rows)
    assert done.outcome == ["UPDATED", "UPDATED", "UPDATED", "ADDED"]
    assert [h[2] for h in held(two)] == [2, 3, 4, 1]


@chunked
def test_a_record_keeps_and_frees_what_it_has_just_taken(two: Bench, chunk_rows: int) -> None:
    """a takes 9, keeps it in the next row, and frees it for b; then c takes what a had first."""
    rows = "Code,Serial,Name\na,9,A\na,9,A\na,8,A\nb,9,B\nc,1,C\n"
    done = run(two, rows, "update", "Code", chunk_rows=chunk_rows)
    assert done.outcome == ["UPDATED"] * 5
    assert held(two) == [("A", "a", 8), ("B", "b", 9), ("C", "c", 1)]


@chunked
def test_an_ignored_empty_cell_does_not_end_the_row(two: Bench, chunk_rows: int) -> None:
    """The Code of the record stays, its Serial is free for the next row."""
    a, b, _ = (r["id"] for r in two.records("Things"))
    rows = f"id,Code,Serial,Name\n{a},,9,A\n{b},,1,B\n"
    done = run(two, rows, "update", "id", ignore_empty=True, chunk_rows=chunk_rows)
    assert done.outcome == ["UPDATED", "UPDATED"]
    assert held(two)[:2] == [("A", "a", 9), ("B", "b", 1)]


@chunked
def test_a_chain_in_the_wrong_order_stops(two: Bench, chunk_rows: int) -> None:
    """Rows that need a value too early are skipped; the one that finds it free is stored."""
    rows = "Code,Serial,Name\na,2,A\nb,3,B\nc,4,C\n"
    done = run(two, rows, "update", "Code", chunk_rows=chunk_rows)
    assert done.outcome == ["DUPLICATE_DATA-Serial", "DUPLICATE_DATA-Serial", "UPDATED"]


@chunked
def test_an_emptied_value_is_free(two: Bench, chunk_rows: int) -> None:
    """An empty cell releases the value, unless empty cells are ignored."""
    rows = "Code,Serial,Name\na,,A\nb,1,B\n"
    kept = run(two, rows, "update", "Code", ignore_empty=True, chunk_rows=chunk_rows)
    assert kept.outcome == ["UPDATED", "DUPLICATE_DATA-Serial"]
    freed = run(two, rows, "update", "Code", chunk_rows=chunk_rows)
    assert freed.outcome == ["UPDATED", "UPDATED"]
    assert held(two)[:2] == [("A", "a", None), ("B", "b", 1)]


@chunked
def test_found_by_id_every_unique_value_may_change(two: Bench, chunk_rows: int) -> None:
    """Records may be found by one field while another decides on duplicates."""
    a, b, c = (r["id"] for r in two.records("Things"))
    rows = f"id,Code,Serial,Name\n{a},z,1,A\n{b},a,2,B\n{c},b,1,C\n{a},c,9,A\n,z,8,D\n"
    done = run(two, rows, "upsert", "id", chunk_rows=chunk_rows)
    assert done.outcome == [
        "UPDATED", "UPDATED", "DUPLICATE_DATA-Serial", "DUPLICATE_DATA-Code", "DUPLICATE_DATA-Code",
    ]  # fmt: skip
    assert held(two) == [("A", "z", 1), ("B", "a", 2), ("C", "c", 3)]


@chunked
def test_a_key_without_a_record_is_reported_beside_duplicates(two: Bench, chunk_rows: int) -> None:
    """An update creates no record, and an upsert none with an unknown id."""
    rows = "Code,Serial,Name\na,2,X\nzz,9,Z\nc,8,C\n"
    done = run(two, rows, "update", "Code", chunk_rows=chunk_rows)
    assert done.outcome == ["DUPLICATE_DATA-Serial", "RESOURCE_NOT_FOUND-Code", "UPDATED"]
    a = two.records("Things")[0]["id"]
    rows = f"id,Code,Serial,Name\n{a},b,,A\n123,x,9,X\n,y,7,Y\n{a},y,6,A\n"
    done = run(two, rows, "upsert", "id", chunk_rows=chunk_rows)
    assert done.outcome == [
        "DUPLICATE_DATA-Code", "RESOURCE_NOT_FOUND-id", "ADDED", "DUPLICATE_DATA-Code",
    ]  # fmt: skip


@chunked
def test_an_insert_with_a_known_key_is_reported_beside_duplicates(
    two: Bench, chunk_rows: int
) -> None:
    """By the find_by field, by id, and a second time in the file. An unknown id is not used."""
    rows = "Code,Serial,Name\nd,1,D\na,9,A\ne,8,E\ne,7,F\n"
    done = run(two, rows, "insert", "Code", chunk_rows=chunk_rows)
    assert done.outcome == [
        "DUPLICATE_DATA-Serial", "DUPLICATE_DATA-Code", "ADDED", "DUPLICATE_DATA-Code",
    ]  # fmt: skip
    a = two.records("Things")[0]["id"]
    rows = f"id,Code,Serial,Name\n{a},x,19,X\n123,a,18,B\n123,y,18,C\n123,z,17,D\n"
    done = run(two, rows, "insert", "id", chunk_rows=chunk_rows)
    assert done.outcome == ["DUPLICATE_DATA-id", "DUPLICATE_DATA-Code", "ADDED", "ADDED"]


@chunked
@pytest.mark.parametrize("first", ["a,2,A", "a,1,A"])
def test_a_new_record_needs_its_mandatory_fields_beside_duplicates(
    two: Bench, first: str, chunk_rows: int
) -> None:
    """With and without a duplicate in the chunk: an empty cell is an error in a creating row only.

    A row with another error has no record to create.
    """
    rows = f"Code,Serial,Name\n{first}\nn,8,\nm,many,\nn,9,N\nn,,\nc,,\n"
    done = run(two, rows, "upsert", "Code", ignore_empty=True, chunk_rows=chunk_rows)
    assert done.outcome == [
        "DUPLICATE_DATA-Serial" if first == "a,2,A" else "UPDATED",
        "MANDATORY_NOT_FOUND-Name", "INVALID_DATA-Serial", "ADDED", "UPDATED", "UPDATED",
    ]  # fmt: skip
    assert held(two)[2:] == [("C", "c", 3), ("N", "n", 9)]


@pytest.mark.parametrize("ignore_empty", [False, True])
def test_blanks_are_no_unique_value(two: Bench, ignore_empty: bool) -> None:
    """Blanks are not a key, so they are an error; the record keeps the key that it had."""
    rows = f'id,Code\n{two.records("Things")[0]["id"]},"  "\n'
    done = run(two, rows, "update", "id", ignore_empty=ignore_empty)
    assert done.outcome == ["INVALID_DATA-Code"]
    assert run(two, "Name,Code\nX,a\n", "insert", None).outcome == ["DUPLICATE_DATA-Code"]


def test_a_unique_field_may_be_filled_by_a_default(two: Bench) -> None:
    """Only one row of the file can be stored; the error names the field by its API name."""
    mappings = [FieldMapping("Name", 0), FieldMapping("Code", None, default="same")]
    done = two.run("n\nX\nY\n", "Things", mappings=mappings)
    assert done.outcome == ["ADDED", "DUPLICATE_DATA-Code"]


def test_unique_texts_are_folded_by_the_rules_of_unicode(bench: Bench) -> None:
    """Composed and decomposed, upper and lower case, ß and ss are one key; cells do not change."""
    bench.things(CODE)
    rows = (
        "Name,Code\nA,Straße\nB,STRASSE\nC,Caf\u00e9\nD,CAFE\u0301\nE,ΣΑΣ\nF,σας\nG,İ\nH,i\u0307\n"
    )
    done = run(bench, rows, "insert", None)
    taken = "DUPLICATE_DATA-Code"
    assert done.outcome == ["ADDED", taken, "ADDED", taken, "ADDED", taken, "ADDED", taken]
    assert [r["Code"] for r in bench.records("Things")] == ["Straße", "Caf\u00e9", "ΣΑΣ", "İ"]


@pytest.mark.parametrize("data_type", ["phone", "website", "email", "integer", "bigint"])
def test_every_type_that_may_be_unique(bench: Bench, data_type: str) -> None:
    """Equal by value: 7 and 007 are one integer."""
    bench.things({"api_name": "Key", "data_type": data_type, "unique": True})
    one, same, other = {
        "phone": ("+1 23", " +1 23", "+1 24"),
        "website": ("zylker.example", "ZYLKER.example", "zylker.test"),
        "email": ("a@b.example", "A@B.example", "c@b.example"),
    }.get(data_type, ("7", "007", "-7"))
    rows = f"Name,Key\nA,{one}\nB,{same}\nC,{other}\n"
    assert run(bench, rows, "insert", None).outcome == ["ADDED", "DUPLICATE_DATA-Key", "ADDED"]
    rows = f"Name,Key\nX,{same}\nY,{other}\n"
    assert run(bench, rows, "update", "Key").outcome == ["UPDATED", "UPDATED"]
    assert [r["Name"] for r in bench.records("Things")] == ["X", "Y"]


def test_thousands_of_rows_with_duplicates_are_matched(two: Bench) -> None:
    """Most records hold no value; no column gets its type from the first rows that are read."""
    empty = "".join(f"N{i},,\n" for i in range(2500))
    full = "".join(f"F{i},k{i},{i + 10}\n" for i in range(100))
    ids = two.run("Name,Code,Serial\n" + empty + full, "Things").ids
    rows = "".join(f"{record_id},new{n},\n" for n, record_id in enumerate(ids))
    done = run(two, f"id,Code,Serial\n{rows}{ids[0]},new1,\n", "update", "id")
    assert done.job.counts.updated == 2600
    assert done.outcome[-1] == "DUPLICATE_DATA-Code"
