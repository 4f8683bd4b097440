"""What insert, update and upsert do with a row: facts 3.4, and choices of this service."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.bench import Bench

ONE = "Last_Name,Email,City\nBoyle,p@zylker.example,Trier\n"
TWINS = "Last_Name,Email\nFirst,twin@zylker.example\nSecond,twin@zylker.example\n"


def by_email(bench: Bench, operation: str, rows: str, **more: Any) -> list[str]:
    """Outcomes of rows `Last_Name,Email`, found by Email."""
    return bench.run(
        f"Last_Name,Email\n{rows}", operation=operation, find_by="Email", **more
    ).outcome


# No find_by


def test_insert_adds_every_row(bench: Bench) -> None:
    """Without find_by every valid row becomes its own record, even if rows are equal."""
    done = bench.run(TWINS)
    assert done.outcome == ["ADDED", "ADDED"]
    assert [r["Last_Name"] for r in bench.records()] == ["First", "Second"]
    assert done.ids == [r["id"] for r in bench.records()]


# No match


def test_insert_adds_rows_without_a_match(bench: Bench) -> None:
    """Insert with find_by adds a row whose key no record holds."""
    bench.run(ONE)
    assert by_email(bench, "insert", "Kay,k@zylker.example\n") == ["ADDED"]


def test_update_skips_rows_without_a_match(bench: Bench) -> None:
    """Update never creates: RESOURCE_NOT_FOUND names the find_by column."""
    bench.run(ONE)
    assert by_email(bench, "update", "Kay,k@zylker.example\n") == ["RESOURCE_NOT_FOUND-Email"]
    assert len(bench.records()) == 1


def test_upsert_adds_rows_without_a_match(bench: Bench) -> None:
    """Upsert adds a row whose key no record holds."""
    bench.run(ONE)
    assert by_email(bench, "upsert", "Kay,k@zylker.example\n") == ["ADDED"]
    assert len(bench.records()) == 2


# One match


def test_insert_skips_rows_with_a_match(bench: Bench) -> None:
    """Insert with find_by does not change the existing record."""
    before = bench.run(ONE).ids
    done = bench.run("Last_Name,Email\nKay,p@zylker.example\n", find_by="Email")
    assert done.outcome == ["DUPLICATE_DATA-Email"] and done.ids == [None]
    assert [(r["id"], r["Last_Name"]) for r in bench.records()] == [(before[0], "Boyle")]


@pytest.mark.parametrize("operation", ["update", "upsert"])
def test_one_match_is_updated(bench: Bench, operation: str) -> None:
    """The mapped fields change, the others stay; RECORD_ID is the id of the record."""
    before = bench.run(ONE)
    done = bench.run(
        "Last_Name,Email\nKay,p@zylker.example\n", operation=operation, find_by="Email"
    )
    assert done.outcome == ["UPDATED"] and done.ids == before.ids
    (record,) = bench.records()
    assert (record["Last_Name"], record["City"]) == ("Kay", "Trier")


@pytest.mark.parametrize("key", ["P@Zylker.Example", "  p@zylker.example ", "p@ZYLKER.example"])
def test_keys_match_in_any_case_and_with_any_blanks(bench: Bench, key: str) -> None:
    """Keys are trimmed and case-folded on both sides."""
    bench.run(ONE)
    assert by_email(bench, "update", f"Kay,{key}\n") == ["UPDATED"]


# Several matches


@pytest.mark.parametrize("operation", ["insert", "update", "upsert"])
def test_several_matches_are_skipped(bench: Bench, operation: str) -> None:
    """The service does not guess which of several records a row means."""
    bench.run(TWINS)
    rows = "Kay,twin@zylker.example\nLee,lee@zylker.example\nMay,TWIN@zylker.example\n"
    outcome = by_email(bench, operation, rows)
    assert outcome[0] == outcome[2] == "CANNOT_PROCESS-Email"
    assert outcome[1] == ("RESOURCE_NOT_FOUND-Email" if operation == "update" else "ADDED")
    assert [r["Last_Name"] for r in bench.records()][:2] == ["First", "Second"]


# Empty key


def test_insert_adds_a_row_without_a_key(bench: Bench) -> None:
    """A new record needs no key, and two rows without a key are not duplicates."""
    assert by_email(bench, "insert", "A,\nB,\n") == ["ADDED", "ADDED"]


def test_rows_with_and_without_a_key_are_added_side_by_side(bench: Bench) -> None:
    """A skipped row names no record, even if another row has added one with its key."""
    rows = "Last_Name,Email,No_of_Employees\nA,x@y.example,1\nB,,2\nC,x@y.example,many\n"
    done = bench.run(rows, find_by="Email")
    assert done.outcome == ["ADDED", "ADDED", "INVALID_DATA-No_of_Employees"]
    assert done.ids == [*(r["id"] for r in bench.records()), None]


@pytest.mark.parametrize("operation", ["update", "upsert"])
def test_rows_that_may_update_need_their_key(bench: Bench, operation: str) -> None:
    """An empty find_by cell does not name a record."""
    bench.run("Last_Name,Email\nBoyle,\n")
    assert by_email(bench, operation, "A,\n") == ["MANDATORY_NOT_FOUND-Email"]
    assert [r["Last_Name"] for r in bench.records()] == ["Boyle"]


@pytest.mark.parametrize("operation", ["insert", "update", "upsert"])
def test_a_key_that_is_no_value_is_invalid_and_not_missing(bench: Bench, operation: str) -> None:
    """A find_by cell with a bad value is INVALID_DATA alone."""
    assert by_email(bench, operation, "A,nonsense\n") == ["INVALID_DATA-Email"]


# The same key twice in one file


@pytest.mark.parametrize("chunk_rows", [1, 2, 1000])
def test_insert_skips_the_second_of_equal_keys(bench: Bench, chunk_rows: int) -> None:
    """Rows take effect in file order, within a chunk and across chunks."""
    rows = "A,x@y.example\nB,X@y.example\nC,z@y.example\n"
    outcome = by_email(bench, "insert", rows, chunk_rows=chunk_rows)
    assert outcome == ["ADDED", "DUPLICATE_DATA-Email", "ADDED"]
    assert [r["Last_Name"] for r in bench.records()] == ["A", "C"]


@pytest.mark.parametrize("chunk_rows", [1, 2, 1000])
def test_upsert_updates_what_an_earlier_row_added(bench: Bench, chunk_rows: int) -> None:
    """The second row with a new key updates the record of the first."""
    rows = "Last_Name,Email\nA,x@y.example\nB,X@y.example\nC,x@Y.example\n"
    done = bench.run(rows, operation="upsert", find_by="Email", chunk_rows=chunk_rows)
    assert done.outcome == ["ADDED", "UPDATED", "UPDATED"]
    assert len(set(done.ids)) == 1
    (record,) = bench.records()
    assert (record["Last_Name"], record["Email"]) == ("C", "x@Y.example")


@pytest.mark.parametrize("chunk_rows", [1, 2, 1000])
def test_update_takes_every_row_of_one_record_in_order(bench: Bench, chunk_rows: int) -> None:
    """Several rows may mean one record; the last one wins."""
    bench.run(ONE)
    rows = "A,p@zylker.example\nB,no@zylker.example\nC,p@zylker.example\n"
    outcome = by_email(bench, "update", rows, chunk_rows=chunk_rows)
    assert outcome == ["UPDATED", "RESOURCE_NOT_FOUND-Email", "UPDATED"]
    assert [r["Last_Name"] for r in bench.records()] == ["C"]


@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_a_skipped_row_does_not_take_its_key(bench: Bench, chunk_rows: int) -> None:
    """The next row can use the key of a skipped row."""
    rows = "Last_Name,Email,No_of_Employees\nA,x@y.example,many\nB,x@y.example,2\n"
    done = bench.run(rows, find_by="Email", chunk_rows=chunk_rows)
    assert done.outcome == ["INVALID_DATA-No_of_Employees", "ADDED"]


# find_by id


def test_insert_by_id_skips_known_ids(bench: Bench) -> None:
    """A known id is a duplicate; any other row becomes a record with a new id."""
    (known,) = bench.run(ONE).ids
    done = bench.run(f"id,Last_Name\n{known},A\n123,B\n,C\n", find_by="id")
    assert done.outcome == ["DUPLICATE_DATA-id", "ADDED", "ADDED"]
    assert [r["Last_Name"] for r in bench.records()] == ["Boyle", "B", "C"]
    assert 123 not in [r["id"] for r in bench.records()]


def test_update_by_id(bench: Bench) -> None:
    """A known id updates. Unknown, empty and impossible ids have different errors."""
    (known,) = bench.run(ONE).ids
    rows = f"id,Last_Name\n{known},A\n123,B\n,C\nabc,D\n-1,E\n{10**18},F\n{known},G\n"
    done = bench.run(rows, operation="update", find_by="id")
    assert done.outcome == [
        "UPDATED",
        "RESOURCE_NOT_FOUND-id",
        "MANDATORY_NOT_FOUND-id",
        "INVALID_DATA-id",
        "RESOURCE_NOT_FOUND-id",
        "INVALID_DATA-id",
        "UPDATED",
    ]
    assert [r["Last_Name"] for r in bench.records()] == ["G"]


def test_upsert_by_id(bench: Bench) -> None:
    """The service assigns ids: an empty one creates a record, an unknown one is an error."""
    (known,) = bench.run(ONE).ids
    rows = f"id,Last_Name\n{known},A\n123,B\n,C\n,D\nabc,E\n"
    done = bench.run(rows, operation="upsert", find_by="id")
    assert done.outcome == [
        "UPDATED", "RESOURCE_NOT_FOUND-id", "ADDED", "ADDED", "INVALID_DATA-id",
    ]  # fmt: skip
    assert [r["Last_Name"] for r in bench.records()] == ["A", "C", "D"]


def test_no_id_is_used_twice(bench: Bench) -> None:
    """Ids grow from job to job; no id is used twice, even if rows are skipped."""
    first = bench.run("Last_Name\nA\n\nB\n").ids
    second = bench.run("Last_Name,Email\nC,bad\nD,\n").ids
    assert sorted(i for i in first if i) < sorted(i for i in second if i) and len(set(first)) == 2


# ignore_empty


def test_empty_cells_empty_the_field(bench: Bench) -> None:
    """With ignore_empty false an empty cell overwrites the stored value."""
    bench.run(ONE)
    bench.run("Email,City\np@zylker.example,\n", operation="update", find_by="Email")
    assert bench.records()[0]["City"] is None


def test_empty_cells_keep_the_value_with_ignore_empty(bench: Bench) -> None:
    """With ignore_empty true only cells with a value change the record."""
    bench.run(ONE)
    rows = "Email,City,Last_Name\np@zylker.example,,Kay\n"
    bench.run(rows, operation="update", find_by="Email", ignore_empty=True)
    assert (bench.records()[0]["City"], bench.records()[0]["Last_Name"]) == ("Trier", "Kay")


@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_rows_of_one_record_add_up_when_empty_cells_are_ignored(
    bench: Bench, chunk_rows: int
) -> None:
    """Each field gets the last value that the rows of the file have for it."""
    rows = (
        "Email,Last_Name,City,State\nx@y.example,A,Trier,\nx@y.example,,,Hessen\nx@y.example,B,,\n"
    )
    done = bench.run(
        rows, operation="upsert", find_by="Email", ignore_empty=True, chunk_rows=chunk_rows
    )
    assert done.outcome == ["ADDED", "UPDATED", "UPDATED"]
    (record,) = bench.records()
    assert (record["Last_Name"], record["City"], record["State"]) == ("B", "Trier", "Hessen")


# Mandatory fields


@pytest.mark.parametrize("cell", ["", "   "])
@pytest.mark.parametrize("ignore_empty", [False, True])
def test_a_new_record_needs_its_mandatory_fields(
    bench: Bench, cell: str, ignore_empty: bool
) -> None:
    """The cell is empty or blank, with and without ignore_empty."""
    done = bench.run(f"Last_Name,City\n{cell},Trier\n", ignore_empty=ignore_empty)
    assert done.outcome == ["MANDATORY_NOT_FOUND-Last_Name"]


def test_update_may_not_empty_a_mandatory_field(bench: Bench) -> None:
    """If empty cells overwrite, an empty cell of a mapped mandatory field is an error."""
    bench.run(ONE)
    assert by_email(bench, "update", ",p@zylker.example\n") == ["MANDATORY_NOT_FOUND-Last_Name"]
    assert bench.records()[0]["Last_Name"] == "Boyle"


def test_update_with_ignore_empty_may_leave_mandatory_cells_empty(bench: Bench) -> None:
    """The empty cell changes nothing, so nothing is missing."""
    bench.run(ONE)
    assert by_email(bench, "update", ",p@zylker.example\n", ignore_empty=True) == ["UPDATED"]
    assert bench.records()[0]["Last_Name"] == "Boyle"


@pytest.mark.parametrize("operation", ["update", "upsert"])
def test_blanks_never_fill_a_mandatory_field(bench: Bench, operation: str) -> None:
    """ignore_empty does not ignore a cell of blanks, and a mandatory field does not accept it."""
    bench.run(ONE)
    outcome = by_email(bench, operation, "  ,p@zylker.example\n", ignore_empty=True)
    assert outcome == ["MANDATORY_NOT_FOUND-Last_Name"]
    assert bench.records()[0]["Last_Name"] == "Boyle"


def test_update_needs_no_mandatory_field_mapped(bench: Bench) -> None:
    """Fields without a mapping do not change."""
    bench.run(ONE)
    done = bench.run("Email,City\np@zylker.example,Bonn\n", operation="update", find_by="Email")
    assert done.outcome == ["UPDATED"]


@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_upsert_with_ignore_empty_needs_mandatory_cells_for_new_records_only(
    bench: Bench, chunk_rows: int
) -> None:
    """An empty cell is valid in a row that updates and an error in a row that would create."""
    bench.run(ONE)
    rows = (
        ",p@zylker.example\n"  # exists
        ",n@zylker.example\n"  # would be a new record
        "New,n@zylker.example\n"  # is a new record
        ",n@zylker.example\n"  # exists now
    )
    outcome = by_email(bench, "upsert", rows, ignore_empty=True, chunk_rows=chunk_rows)
    assert outcome == ["UPDATED", "MANDATORY_NOT_FOUND-Last_Name", "ADDED", "UPDATED"]
    assert [r["Last_Name"] for r in bench.records()] == ["Boyle", "New"]


# What the service itself writes to a record


def test_a_new_record_belongs_to_the_jobs_creator(bench: Bench) -> None:
    """Owner, creator, times and layout are filled in; the ids are those of the job's user."""
    (record_id,) = bench.run(ONE).ids
    record = bench.stored(record_id)
    for name in ("Owner", "Created_By", "Modified_By"):
        assert record[name] == bench.user.id
    assert record["Created_Time"] == record["Modified_Time"] and record["Created_Time"].endswith(
        "Z"
    )
    assert record["Layout"] == bench.module("Leads").layout_id


def test_an_update_keeps_owner_creator_and_creation_time(bench: Bench) -> None:
    """Only the mapped fields and the time and user of the last change are new."""
    (record_id,) = bench.run(ONE).ids
    before = bench.stored(record_id)
    by_email(bench, "update", "Kay,p@zylker.example\n")
    after = bench.stored(record_id)
    changed = {k for k in before if before[k] != after[k]} - {"Modified_Time"}
    assert changed == {"Last_Name"} and after["Modified_Time"] >= before["Modified_Time"]


def test_an_update_of_nothing_but_the_key_marks_the_record(bench: Bench) -> None:
    """A job that maps only `id` finds its records and changes no mapped field."""
    (known,) = bench.run(ONE).ids
    done = bench.run(f"id\n{known}\n123\n", operation="update", find_by="id")
    assert done.outcome == ["UPDATED", "RESOURCE_NOT_FOUND-id"]
    assert bench.stored(known or 0)["City"] == "Trier"
