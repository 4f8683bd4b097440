"""Values of existing tables: what a column holds stays exact, whichever program wrote it."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from tests.engine.existing import exported, offer, outcomes, run
from tests.support.bench import Bench

from bulkwright.domain import scope
from bulkwright.domain.account import Caller
from bulkwright.domain.job import FieldMapping
from bulkwright.store.postgres.connection import PostgresDatabase
from bulkwright.web.json import encode
from bulkwright.zoho.present.records import records as present_records

MOMENTS = {
    "2024-07-01T12:00:00.123456Z": "2024-07-01 12:00:00.123456",
    "2024-07-01T12:00:00.5Z": "2024-07-01 12:00:00.5",
    "2024-07-01T12:00:00,250+02": "2024-07-01 10:00:00.25",
    "2024-07-01T12:00:00Z": "2024-07-01 12:00:00",
    "2024-07-01T12:00:00.120000000Z": "2024-07-01 12:00:00.12",
    "9999-12-31T23:59:59.999999Z": "9999-12-31 23:59:59.999999",
    "0001-01-01T00:00:00.000001Z": "0001-01-01 00:00:00.000001",
}
"""Cells, and what a column of date-times without a value before holds afterwards."""


def texts(bench: Bench, table: str, column: str) -> list[str]:
    """The date-times of a column as its users see them in SQL."""
    rows = run(bench, f"SELECT CAST({column} AS TEXT) AS text FROM {table} ORDER BY id")
    return [row["text"] for row in rows]


def as_csv(rows: list[list[str]]) -> str:
    """Rows as a CSV."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def shown_page(bench: Bench, module: str, caller: Caller) -> list[dict[str, Any]]:
    """The records of the first page, as a client of the caller reads them."""
    page = bench.services.records.page(caller, module)
    records: list[dict[str, Any]] = json.loads(encode(present_records(page.records, {})))["data"]
    return records


# Parts of a second


def test_parts_of_a_second_are_kept(bench: Bench) -> None:
    """To the microsecond; more digits than the column has are an error, as with numbers."""
    run(bench, "CREATE TABLE t (id {id}, at TIMESTAMP)")
    offer(bench, "t")
    assert outcomes(bench, "t", "at", list(MOMENTS)) == ["ADDED"] * len(MOMENTS)
    assert texts(bench, "t", "at") == list(MOMENTS.values())
    assert outcomes(bench, "t", "at", ["2024-07-01T12:00:00.1234567Z"]) == ["INVALID_DATA-at"]
    shown = [bench.shown(r["id"], "t")["at"] for r in bench.records("t")]
    assert shown[0] == "2024-07-01T05:00:00-07:00"  # clients of Zoho see whole seconds


def test_a_pattern_with_parts_of_a_second(bench: Bench) -> None:
    """They are kept in both spellings of a pattern."""
    run(bench, "CREATE TABLE t (id {id}, at TIMESTAMP)")
    offer(bench, "t")
    for pattern, cell in (
        ("yyyy-MM-dd HH:mm:ss.SSS", "2024-07-01 12:00:00.125"),
        ("yyyyMMddHHmmssSSSSSS", "20240701120000000250"),
    ):
        mappings = [FieldMapping("at", 0, format=pattern)]
        assert outcomes(bench, "t", "at", [cell], mappings=mappings) == ["ADDED"]
    assert texts(bench, "t", "at") == ["2024-07-01 12:00:00.125", "2024-07-01 12:00:00.00025"]


@pytest.mark.parametrize("digits", [0, 3])
def test_a_column_with_fewer_digits(postgres_only: Bench, digits: int) -> None:
    """The server would round what the column cannot hold: the row is an error instead."""
    bench = postgres_only
    run(bench, f"CREATE TABLE t (id {{id}}, at TIMESTAMPTZ({digits}), local TIMESTAMP({digits}))")
    offer(bench, "t")
    fits = "0" * digits or ""
    cells = [f"2024-07-01T12:00:00{'.' if fits else ''}{fits}Z", "2024-07-01T12:00:00.1239Z"]
    for column in ("at", "local"):
        assert outcomes(bench, "t", column, cells) == ["ADDED", f"INVALID_DATA-{column}"]


def test_whole_seconds_in_tables_of_the_service(bench: Bench) -> None:
    """A date-time of Zoho has no parts of a second."""
    bench.things({"api_name": "At", "data_type": "datetime"})
    done = bench.run("Name,At\nA,2024-07-01T12:00:00.987Z\n", "Things")
    assert bench.stored(done.ids[0], "Things")["At"] == "2024-07-01T12:00:00Z"


def test_a_value_that_only_the_server_rejects_names_its_column(postgres_only: Bench) -> None:
    """Not the words of the server; the columns before and behind it are not named."""
    bench = postgres_only
    run(
        bench,
        'CREATE TABLE v (id {id}, t TEXT UNIQUE, "it\'s 50%?" REAL, j JSONB, n NUMERIC, u TEXT)',
        "CREATE FUNCTION halved() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN NEW.u := 1 / (NEW.n - 7); RETURN NEW; END $$",
        "CREATE TRIGGER halved BEFORE INSERT OR UPDATE ON v FOR EACH ROW EXECUTE FUNCTION halved()",
    )
    offer(bench, "v")
    header = "t,it's 50%?,j,n,u\n"
    rows = 'a,1e39,1,1,\nb,1,"""\\u0000""",1,\nc,1,1,1e131080,\nd,1,1,7,\ne,1,1,1,\n'
    wrong = ["INVALID_DATA-it's 50%?", "INVALID_DATA-j", "INVALID_DATA-n"]
    done = bench.run(header + rows, "v")
    assert done.outcome == [*wrong, "INVALID_DATA-division by zero", "ADDED"]
    again = bench.run(header + "e,1e39,1,1,\n", "v", "update", find_by="t")
    assert again.outcome == wrong[:1]


# Export, then update


EVERY_TYPE = {
    "sqlite": (
        "CREATE TABLE e (id {id}, t TEXT, c VARCHAR(9), n NUMERIC, d NUMERIC(9,3), r REAL, "
        "i INTEGER, b BOOLEAN, day DATE, at TIMESTAMP, tz TIMESTAMP, js TIMESTAMP, num DATETIME, "
        "j JSON, flag BOOLEAN)",
        "INSERT INTO e (t, c, n, d, r, i, b, day, at, tz, js, num, j, flag) VALUES "
        "('a ''b''', 'x', 1e20, 12.5, 1.5e300, -7, 1, '2024-02-29', '2024-07-01 12:00:00', "
        "'2024-07-01T12:00:00.250000+00:00', '2024-07-01T12:00:00.500Z', 1704099600, "
        "'[1e400]', 't')",
        "INSERT INTO e (t, b, at, tz, js, num) VALUES ('', 0, '2024-07-01 12:00:00.000001', "
        "'2024-07-01T12:00:00+00:00', '2024-07-01T12:00:00.000Z', 1704099601)",
        "INSERT INTO e (flag, js) VALUES ('f', '2024-07-01T12:00:01.000Z')",
    ),
    "postgres": (
        "CREATE TABLE e (id {id}, t TEXT, c CHAR(3), n NUMERIC, d NUMERIC(9,3), r REAL, "
        "f DOUBLE PRECISION, i BIGINT, b BOOLEAN, day DATE, at TIMESTAMP, tz TIMESTAMPTZ, "
        "ms TIMESTAMPTZ(3), j JSONB, k JSON, u UUID)",
        "INSERT INTO e (t, c, n, d, r, f, i, b, day, at, tz, ms, j, k, u) VALUES "
        "('a ''b''', 'x', 1e20, 12.5, 1.1, 1.5e300, -7, TRUE, '2024-02-29', "
        "'2024-07-01 12:00:00.000001', '2024-07-01 12:00:00.25+02', '2024-07-01 12:00:00.5+02', "
        "'{\"a b\": [1e400, 1.10, \"x y\"]}', '[ 1 ]', '0f0e0d0c-0000-4000-8000-000000000001')",
        "INSERT INTO e (n, d, r, f, b, day, at, tz) VALUES ('NaN', 'NaN', '-Infinity', 'Infinity', "
        "FALSE, 'infinity', '-infinity', 'infinity')",
        "INSERT INTO e (n, day, at, tz) VALUES ('-Infinity', '0044-03-15 BC', '12024-01-01 00:00', "
        "'0044-03-15 12:00:00.5+00 BC')",
    ),
}


def test_export_then_update_changes_nothing(bench: Bench) -> None:
    """Every value is read back from the cell that the export makes of it."""
    statements = EVERY_TYPE[bench.services.database.dialect]
    run(bench, *statements)
    offer(bench, "e")
    before = _dump(bench)
    rows = exported(bench, "e")
    done = bench.run(as_csv(rows), "e", "update", find_by="id", ignore_empty=True)
    assert done.outcome == ["UPDATED"] * (len(rows) - 1)
    assert _dump(bench) == before


def _dump(bench: Bench) -> list[dict[str, object]]:
    """The rows as the database itself writes them, with SQLite's types."""
    if bench.services.database.dialect == "postgres":
        return run(bench, "SELECT id, CAST(e AS TEXT) AS text FROM e ORDER BY id")
    (first, *_) = run(bench, "SELECT * FROM e")
    typed = ", ".join(f"{name}, typeof({name}) AS type_{name}" for name in first)
    return run(bench, f"SELECT {typed} FROM e ORDER BY id")


def test_what_psql_copies_can_be_written_back(postgres_only: Bench) -> None:
    """`\\copy ... to ... csv header` of the server itself, in every type that is written."""
    bench = postgres_only
    run(bench, *EVERY_TYPE["postgres"])
    offer(bench, "e")
    before = _dump(bench)
    database = bench.services.database
    assert isinstance(database, PostgresDatabase)
    with (
        database._connected() as connection,
        connection.cursor().copy("COPY e TO STDOUT (FORMAT csv, HEADER)") as copied,
    ):
        content = b"".join(bytes(piece) for piece in copied).decode()
    assert ",t," in content and "+00" in content
    done = bench.run(content, "e", "update", find_by="id", ignore_empty=True)
    assert done.outcome == ["UPDATED"] * 3
    assert _dump(bench) == before


# Spellings


def test_spellings_of_iso_8601_and_of_databases(bench: Bench) -> None:
    """Dates, date-times and booleans as other programs write them."""
    run(bench, "CREATE TABLE s (id {id}, at TIMESTAMP, day DATE, b BOOLEAN)")
    offer(bench, "s")
    moments = [
        "2024-07-01T12:00:00+00", "2024-07-01 12:00:00+00", "2024-07-01t12:00:00z",
        "20240701T120000Z", "20240701T1200Z", "2024-07-01T14:00:00.000+0200",
        "2024-07-01 12:53:28+00:53:28", "2024-07-01T120000", "2024-07-01T12:00:60Z", "infinite",
    ]  # fmt: skip
    bad = "INVALID_DATA-at"
    assert outcomes(bench, "s", "at", moments) == ["ADDED"] * 7 + [bad] * 3
    assert set(texts(bench, "s", "at")) == {"2024-07-01 12:00:00"}
    days = [
        "2024-02-29",
        "20240229",
        "2024-060",
        "2024-W09-4",
        "02/29/2024",
        "2024-366",
        "2024-367",
    ]
    assert outcomes(bench, "s", "day", days) == ["ADDED"] * 6 + ["INVALID_DATA-day"]
    words = ["t", "f", "true", "FALSE", "1", "0", "yes", "2"]
    assert outcomes(bench, "s", "b", words) == ["ADDED"] * 6 + ["INVALID_DATA-b"] * 2


def test_a_time_without_offset_in_a_column_without_zone(bench: Bench) -> None:
    """It is stored as it is written, whatever zone the user has (Los Angeles)."""
    run(bench, "CREATE TABLE z (id {id}, at TIMESTAMP, tz TIMESTAMPTZ)")
    offer(bench, "z")
    assert bench.run("at,tz\n2024-07-01 12:00:00,2024-07-01 12:00:00\n", "z").outcome == ["ADDED"]
    assert texts(bench, "z", "at") == ["2024-07-01 12:00:00"]
    assert texts(bench, "z", "tz")[0].startswith("2024-07-01 19:00:00")


def test_infinity_is_for_postgresql(bench: Bench) -> None:
    """SQLite has no such values: there they are errors."""
    run(bench, "CREATE TABLE f (id {id}, r REAL, at TIMESTAMP)")
    offer(bench, "f")
    done = bench.run("r,at\nNaN,\nInfinity,\n-infinity,\n,infinity\n,-infinity\n", "f")
    if bench.services.database.dialect == "postgres":
        assert done.outcome == ["ADDED"] * 5
        assert len(shown_page(bench, "f", bench.caller)) == 5
    else:
        assert done.outcome == ["INVALID_DATA-r"] * 3 + ["INVALID_DATA-at"] * 2


# The form of a column on SQLite


@pytest.mark.parametrize(
    ("held", "whole", "part"),
    [
        (["2024-01-01 00:00:00"], "2024-07-01 12:00:00", "2024-07-01 12:00:00.5"),
        (["2024-01-01T00:00:00Z"], "2024-07-01T12:00:00Z", "2024-07-01T12:00:00.5Z"),
        (["2024-01-01T00:00:00"], "2024-07-01T12:00:00", "2024-07-01T12:00:00.5"),
        (["2024-01-01T00:00:00.000Z"], "2024-07-01T12:00:00.000Z", "2024-07-01T12:00:00.500Z"),
        (
            ["2024-01-01 00:00:00.000000"],
            "2024-07-01 12:00:00.000000",
            "2024-07-01 12:00:00.500000",
        ),
        (
            ["2024-01-01 00:00:00", "2024-01-01 00:00:00.120000"],
            "2024-07-01 12:00:00",
            "2024-07-01 12:00:00.500000",
        ),
        (
            ["2024-01-01 00:00:00+02:00"],
            "2024-07-01 12:00:00+00:00",
            "2024-07-01 12:00:00.5+00:00",
        ),
        ([1704067200], 1719835200, 1719835200),
        ([1704067200000], 1719835200000, 1719835200500),
        (["yesterday", None], "2024-07-01 12:00:00", "2024-07-01 12:00:00.5"),
        ([], "2024-07-01 12:00:00", "2024-07-01 12:00:00.5"),
    ],
)
def test_date_times_have_the_form_that_the_column_holds(
    sqlite_only: Bench, held: list[object], whole: object, part: object
) -> None:
    """Only then the column sorts; each form is read back as the same moment."""
    bench = sqlite_only
    run(bench, "CREATE TABLE h (id {id}, at DATETIME DEFAULT CURRENT_TIMESTAMP)")
    for value in held:
        bench.services.database.sql("INSERT INTO h (at) VALUES (?)", (value,))
    offer(bench, "h")
    cells = ["2024-07-01T12:00:00Z", "2024-07-01T12:00:00.5Z"]
    assert outcomes(bench, "h", "at", cells, chunk_rows=1) == ["ADDED"] * 2
    stored = run(bench, "SELECT id, at FROM h ORDER BY id")[len(held) :]
    assert [row["at"] for row in stored] == [whole, part]
    assert {bench.shown(row["id"], "h")["at"] for row in stored} == {"2024-07-01T05:00:00-07:00"}


def test_rows_of_the_database_and_of_jobs_sort(sqlite_only: Bench) -> None:
    """A row of CURRENT_TIMESTAMP is between the rows of a job that are older and younger."""
    bench = sqlite_only
    run(
        bench,
        "CREATE TABLE o (id {id}, name TEXT, at DATETIME DEFAULT CURRENT_TIMESTAMP)",
        "INSERT INTO o (name) VALUES ('now')",
    )
    offer(bench, "o")
    bench.run("name,at\nlast,9999-01-01T00:00:00Z\nfirst,2000-01-01T00:00:00Z\n", "o")
    run(bench, "UPDATE o SET name = 'then' WHERE name = 'now'")
    bench.run("id,at\n2,9998-01-01T00:00:00Z\n", "o", "update", find_by="id")
    names = [row["name"] for row in run(bench, "SELECT name FROM o ORDER BY at")]
    assert names == ["first", "then", "last"]


# One value never breaks a page


def test_a_page_shows_whatever_a_column_holds(bench: Bench) -> None:
    """Values that no type here has are shown as text, in every time zone."""
    if bench.services.database.dialect == "sqlite":
        run(
            bench,
            "CREATE TABLE w (id {id}, at DATETIME, n NUMERIC, b BOOLEAN, day DATE, i INTEGER)",
            "INSERT INTO w (at, n, b, day, i) VALUES ('soon', 'many', 'maybe', 'x', 'y')",
            "INSERT INTO w (at, n, b, day, i) VALUES (9e99, 1e300, 9, 20240101, 1.5)",
            "INSERT INTO w (at) VALUES (9223372036854775807)",
            "INSERT INTO w (at) VALUES ('9999-12-31 23:59:59')",
            "INSERT INTO w (at) VALUES ('0001-01-01 00:00:00')",
            "INSERT INTO w (at) VALUES ('10000-01-01 00:00:00')",
            "INSERT INTO w (at, n) VALUES (x'ff', x'00')",
        )
    else:
        run(
            bench,
            "CREATE TABLE w (id {id}, at TIMESTAMPTZ, n NUMERIC, j JSONB, day DATE)",
            "INSERT INTO w (at, n) VALUES ('infinity', 'NaN')",
            "INSERT INTO w (at, n) VALUES ('-infinity', '-Infinity')",
            "INSERT INTO w (at, n) VALUES ('9999-12-31 23:59:59+00', 1e300)",
            "INSERT INTO w (at, day) VALUES ('0001-01-01 00:00:00+00', '0044-03-15 BC')",
            "INSERT INTO w (at, day) VALUES ('10000-01-01 00:00:00+00', '12024-01-01')",
            "INSERT INTO w (at, j) VALUES ('0044-03-15 00:00:00+00 BC', '1e5000')",
            "INSERT INTO w (j) VALUES (CAST(repeat('[', 2000) || repeat(']', 2000) AS jsonb))",
        )
    offer(bench, "w")
    for zone in ("Pacific/Kiritimati", "Asia/Tokyo", "America/Los_Angeles", "UTC"):
        assert len(shown_page(bench, "w", _user_in(bench, zone))) == 7


def _user_in(bench: Bench, zone: str) -> Caller:
    """A new user in a time zone, with all scopes."""
    name = zone.lower().replace("/", "-")
    user = bench.services.setup.create_user(
        bench.org, "Kim", "Lee", f"{name}@zylker.example", time_zone=zone
    )
    return Caller(bench.org.id, user.id, scope.normalise(scope.EVERY))


def test_the_first_and_the_last_date_time_in_every_zone(bench: Bench) -> None:
    """A user sees them in UTC if they do not exist in the user's zone."""
    bench.things({"api_name": "At", "data_type": "datetime"})
    rows = "Name,At\nA,9999-12-31T23:59:59Z\nB,0001-01-01T00:00:00Z\nC,1800-01-01T00:00:00Z\n"
    ids = bench.run(rows, "Things").ids
    expected = {
        "Asia/Tokyo": (
            "9999-12-31T23:59:59+00:00", "0001-01-01T09:18:00+09:18", "1800-01-01T09:18:00+09:18",
        ),
        "America/Los_Angeles": (
            "9999-12-31T15:59:59-08:00", "0001-01-01T00:00:00+00:00", "1799-12-31T16:08:00-07:52",
        ),
        "UTC": (
            "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+00:00", "1800-01-01T00:00:00+00:00",
        ),
    }  # fmt: skip
    for zone, shown in expected.items():
        records = shown_page(bench, "Things", _user_in(bench, zone))
        by_id = {record["id"]: record["At"] for record in records}
        assert tuple(by_id[str(i)] for i in ids) == shown


# Values that a parser cannot read


def test_no_value_of_a_json_column_ends_a_job(bench: Bench) -> None:
    """Levels, sizes and damage: the row is an error, the others are stored."""
    run(bench, f"CREATE TABLE j (id {{id}}, j {_json(bench)})")
    offer(bench, "j")
    bad = ["[" * 1100 + "]" * 1100, "[" * 9, '{"a":', "nan", "[1] x", "'", "\\"]
    good = ["1e400", "[" * 500 + "]" * 500, '"\U0001f600"', "null", f"[{'9' * 400}]", " 1 "]
    cells = [cell for pair in zip(bad, [*good, *good[:1]], strict=True) for cell in pair]
    assert outcomes(bench, "j", "j", cells) == ["INVALID_DATA-j", "ADDED"] * 7
    assert len(shown_page(bench, "j", bench.caller)) == 7


def _json(bench: Bench) -> str:
    return "JSONB" if bench.services.database.dialect == "postgres" else "JSON"
