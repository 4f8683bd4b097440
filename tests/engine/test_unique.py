"""Rows that contend for unique values, within a chunk and across chunks."""

from __future__ import annotations

import pytest
from tests.engine.bench import Bench, Done

from bulkwright.domain.job import Mapping

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


def run(bench: Bench, rows: str, operation: str, find_by: str | None, **more: object) -> Done:
    """Run rows of a CSV into the module."""
    return bench.run(rows, "Things", operation, find_by=find_by, **more)


@chunked
def test_a_unique_value_is_taken_by_the_first_row(bench: Bench, chunk_rows: int) -> None:
    """One unique field, no find_by: later rows with an equal key are duplicates."""
    bench.things(CODE)
    rows = "Name,Code\nA,x\nB, X \nC,\nD,\nE,y\n"
    done = run(bench, rows, "insert", None, chunk_rows=chunk_rows)
    assert done.outcome == ["ADDED", "DUPLICATE_DATA-Code", "ADDED", "ADDED", "ADDED"]


def test_a_unique_value_that_a_record_holds_is_refused(two: Bench) -> None:
    """Each unique column that is taken is named."""
    rows = "Name,Code,Serial\nD,A,9\nE,e,2\nF,b,1\nG,g,7\n"
    assert run(two, rows, "insert", None).outcome == [
        "DUPLICATE_DATA-Code",
        "DUPLICATE_DATA-Serial",
        "DUPLICATE_DATA-Code,Serial",
        "ADDED",
    ]


@chunked
def test_taken_columns_are_named_in_mapping_order(two: Bench, chunk_rows: int) -> None:
    """Whichever of them an earlier row was refused for."""
    rows = "Serial,Code,Name\n9,a,D\n1,b,E\n2,f,F\n"
    done = run(two, rows, "insert", None, chunk_rows=chunk_rows)
    taken = ["DUPLICATE_DATA-Code", "DUPLICATE_DATA-Serial,Code", "DUPLICATE_DATA-Serial"]
    assert done.outcome == taken


@chunked
def test_a_skipped_row_takes_no_unique_value(two: Bench, chunk_rows: int) -> None:
    """What is refused for one field leaves the value of the other free."""
    rows = "Name,Code,Serial\nD,d,1\nE,d,4\nF,f,4\nG,f,5\n"
    done = run(two, rows, "insert", None, chunk_rows=chunk_rows)
    assert done.outcome == ["DUPLICATE_DATA-Serial", "ADDED", "DUPLICATE_DATA-Serial", "ADDED"]
    assert held(two)[3:] == [("E", "d", 4), ("G", "f", 5)]


@chunked
@pytest.mark.parametrize("operation", ["update", "upsert"])
def test_an_update_may_not_take_a_value_of_another_record(
    two: Bench, operation: str, chunk_rows: int
) -> None:
    """The row is refused, the record keeps what it had; its own value is no obstacle."""
    done = run(two, "Code,Serial,Name\na,2,X\na,1,Y\n", operation, "Code", chunk_rows=chunk_rows)
    assert done.outcome == ["DUPLICATE_DATA-Serial", "UPDATED"]
    assert held(two)[0] == ("Y", "a", 1)


@chunked
def test_an_update_frees_the_former_value(two: Bench, chunk_rows: int) -> None:
    """In file order: before it is freed a value is taken, afterwards it is not."""
    rows = "Code,Serial,Name\nb,1,B\na,9,A\nb,1,B\nnew,2,N\n"
    done = run(two, rows, "upsert", "Code", chunk_rows=chunk_rows)
    assert done.outcome == ["DUPLICATE_DATA-Serial", "UPDATED", "UPDATED", "ADDED"]
    assert held(two) == [("A", "a", 9), ("B", "b", 1), ("C", "c", 3), ("N", "new", 2)]


@chunked
def test_records_swap_values_through_a_third(two: Bench, chunk_rows: int) -> None:
    """a: 1 to 9, b: 2 to 1, a: 9 to 2. Every step is allowed, so all are."""
    rows = "Code,Serial,Name\na,9,A\nb,1,B\na,2,A\n"
    done = run(two, rows, "update", "Code", chunk_rows=chunk_rows)
    assert done.outcome == ["UPDATED"] * 3
    assert held(two)[:2] == [("A", "a", 2), ("B", "b", 1)]


@chunked
def test_a_swap_in_two_rows_is_refused_at_its_first_row(two: Bench, chunk_rows: int) -> None:
    """Rows stand alone: the first would make two records hold one value."""
    done = run(two, "Code,Serial,Name\na,2,A\nb,1,B\n", "update", "Code", chunk_rows=chunk_rows)
    assert done.outcome == ["DUPLICATE_DATA-Serial", "DUPLICATE_DATA-Serial"]
    assert held(two)[:2] == [("A", "a", 1), ("B", "b", 2)]


@chunked
def test_values_move_along_a_chain(two: Bench, chunk_rows: int) -> None:
    """c leaves 3, b takes it and leaves 2, a takes that; a new record takes 1."""
    rows = "Code,Serial,Name\nc,4,C\nb,3,B\na,2,A\nd,1,D\n"
    done = run(two, rows, "upsert", "Code", chunk_rows=chunk_rows)
    assert done.outcome == ["UPDATED", "UPDATED", "UPDATED", "ADDED"]
    assert [h[2] for h in held(two)] == [2, 3, 4, 1]


@chunked
def test_a_chain_in_the_wrong_order_stops(two: Bench, chunk_rows: int) -> None:
    """The rows that come too early are refused, the one that finds its place is not."""
    rows = "Code,Serial,Name\na,2,A\nb,3,B\nc,4,C\n"
    done = run(two, rows, "update", "Code", chunk_rows=chunk_rows)
    assert done.outcome == ["DUPLICATE_DATA-Serial", "DUPLICATE_DATA-Serial", "UPDATED"]


@chunked
def test_an_emptied_value_is_free(two: Bench, chunk_rows: int) -> None:
    """An empty cell lets go of the value, unless empty cells are ignored."""
    rows = "Code,Serial,Name\na,,A\nb,1,B\n"
    kept = run(two, rows, "update", "Code", ignore_empty=True, chunk_rows=chunk_rows)
    assert kept.outcome == ["UPDATED", "DUPLICATE_DATA-Serial"]
    freed = run(two, rows, "update", "Code", chunk_rows=chunk_rows)
    assert freed.outcome == ["UPDATED", "UPDATED"]
    assert held(two)[:2] == [("A", "a", None), ("B", "b", 1)]


@chunked
def test_found_by_id_every_unique_value_may_change(two: Bench, chunk_rows: int) -> None:
    """The key that rows are found by need not be one of the values they contend for."""
    a, b, c = (r["id"] for r in two.records("Things"))
    rows = f"id,Code,Serial,Name\n{a},z,1,A\n{b},a,2,B\n{c},b,1,C\n{a},c,9,A\n,z,8,D\n"
    done = run(two, rows, "upsert", "id", chunk_rows=chunk_rows)
    assert done.outcome == [
        "UPDATED", "UPDATED", "DUPLICATE_DATA-Serial", "DUPLICATE_DATA-Code", "DUPLICATE_DATA-Code",
    ]  # fmt: skip
    assert held(two) == [("A", "z", 1), ("B", "a", 2), ("C", "c", 3)]


@pytest.mark.parametrize("ignore_empty", [False, True])
def test_blanks_are_no_unique_value(two: Bench, ignore_empty: bool) -> None:
    """Blanks make no key, so they are refused; the record is found by what it held before."""
    rows = f'id,Code\n{two.records("Things")[0]["id"]},"  "\n'
    done = run(two, rows, "update", "id", ignore_empty=ignore_empty)
    assert done.outcome == ["INVALID_DATA-Code"]
    assert run(two, "Name,Code\nX,a\n", "insert", None).outcome == ["DUPLICATE_DATA-Code"]


def test_a_unique_field_may_be_filled_by_a_default(two: Bench) -> None:
    """Then only one row of the file can be stored; the field's name stands for its column."""
    mappings = [Mapping("Name", 0), Mapping("Code", None, default="same")]
    done = two.run("n\nX\nY\n", "Things", mappings=mappings)
    assert done.outcome == ["ADDED", "DUPLICATE_DATA-Code"]


def test_unique_texts_are_folded_as_unicode_wants(bench: Bench) -> None:
    """Composed and decomposed, capital and small, ß and ss are one key; the cells stay verbatim."""
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


def test_thousands_of_clashing_rows_are_decided(two: Bench) -> None:
    """Among records of which most hold no value: nothing is typed by the first rows read."""
    empty = "".join(f"N{i},,\n" for i in range(2500))
    full = "".join(f"F{i},k{i},{i + 10}\n" for i in range(100))
    ids = two.run("Name,Code,Serial\n" + empty + full, "Things").ids
    rows = "".join(f"{record_id},new{n},\n" for n, record_id in enumerate(ids))
    done = run(two, f"id,Code,Serial\n{rows}{ids[0]},new1,\n", "update", "id")
    assert done.job.counts.updated == 2600
    assert done.outcome[-1] == "DUPLICATE_DATA-Code"
