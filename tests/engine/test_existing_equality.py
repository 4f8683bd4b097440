"""Texts that a unique index of an existing table calls equal mean one record in all chunk sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from tests.engine.existing import offer, run
from tests.support.bench import Bench

from bulkwright.store.postgres import sql as postgres_sql
from bulkwright.store.postgres.existing import PostgresExistingSink
from bulkwright.store.sqlite import sql as sqlite_sql
from bulkwright.store.sqlite.existing import SqliteExistingSink

pytestmark = pytest.mark.slow

SIZES = (1, 2, 3, 1000)
"""Rows of a chunk."""


@dataclass(frozen=True)
class Equality:
    """A column whose index calls different texts equal."""

    statements: tuple[str, ...]
    texts: tuple[str, ...]
    """The first two are equal, and so are the next two; the last is equal to none."""


ASCII_CASE = ("Ann", "aNN", "BOB", "bob", "\u00c4nn")
BLANKS = ("Ann", "Ann  ", "Bob ", "Bob", "ann")
CASE = ("\u00c4nn", "\u00e4NN", "BOB", "bob", "Cid")
ACCENTS = ("Jos\u00e9", "jose", "Re\u0301my", "remy", "Remi")
EQUALITIES = {
    "sqlite": {
        "column nocase": Equality(
            ("CREATE TABLE t (id {id}, k TEXT COLLATE NOCASE UNIQUE, v TEXT)",), ASCII_CASE
        ),
        "index nocase": Equality(
            (
                "CREATE TABLE t (id {id}, k TEXT, v TEXT)",
                "CREATE INDEX plain ON t (k)",
                "CREATE UNIQUE INDEX by_k ON t (k COLLATE NOCASE)",
            ),
            ASCII_CASE,
        ),
        "column rtrim": Equality(
            ("CREATE TABLE t (id {id}, k TEXT COLLATE RTRIM UNIQUE, v TEXT)",), BLANKS
        ),
    },
    "postgres": {
        "case": Equality(
            (
                "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', "
                "deterministic = false)",
                "CREATE TABLE t (id {id}, k TEXT COLLATE loose UNIQUE, v TEXT)",
            ),
            CASE,
        ),
        "accents, by the index": Equality(
            (
                'CREATE COLLATION "Very ""loose" (provider = icu, locale = \'und-u-ks-level1\', '
                "deterministic = false)",
                "CREATE TABLE t (id {id}, k VARCHAR(20), v TEXT)",
                'CREATE UNIQUE INDEX by_k ON t (k COLLATE "Very ""loose")',
            ),
            ACCENTS,
        ),
        "padded": Equality(("CREATE TABLE t (id {id}, k CHAR(9) UNIQUE, v TEXT)",), BLANKS),
    },
}
NAMES = [(dialect, name) for dialect, named in EQUALITIES.items() for name in named]


@pytest.fixture(params=NAMES, ids=" ".join)
def equality(bench: Bench, request: pytest.FixtureRequest) -> Equality:
    """A table with such a column, on the store that has it."""
    dialect, name = request.param
    if bench.services.database.dialect != dialect:
        pytest.skip("the other store")
    made = EQUALITIES[dialect][name]
    try:
        run(bench, *made.statements)
    except psycopg.errors.FeatureNotSupported:
        pytest.skip("this server has no ICU")
    offer(bench, "t")
    return made


def outcomes(
    bench: Bench, rows: list[str], operation: str, header: str = "k,v", **more: Any
) -> list[tuple[list[str], list[tuple[str, str]]]]:
    """Outcomes and records of one job on the empty table, for chunks of every size."""
    found = []
    for size in SIZES:
        run(bench, "DELETE FROM t")
        for first in more.get("before", ()):
            assert bench.run(f"k,v\n{first}\n", "t").outcome == ["ADDED"]
        text = "\n".join([header, *rows, ""])
        done = bench.run(text, "t", operation, find_by=more.get("find_by"), chunk_rows=size)
        records = run(bench, "SELECT k, v FROM t ORDER BY id")
        found.append((done.outcome, [(r["k"].rstrip(), r["v"]) for r in records]))
    return found


def rows_of(texts: tuple[str, ...]) -> list[str]:
    """A row for each text, and once more the first."""
    return [f"{text},{number}" for number, text in enumerate((*texts, texts[0]))]


def test_an_insert_skips_twins(bench: Bench, equality: Equality) -> None:
    """The second of two equal texts is a duplicate, whether or not they share a chunk."""
    twin = "DUPLICATE_DATA-k"
    expected = ["ADDED", twin, "ADDED", twin, "ADDED", twin]
    a, _, b, _, c = (text.rstrip() for text in equality.texts)
    for outcome, records in outcomes(bench, rows_of(equality.texts), "insert"):
        assert (outcome, records) == (expected, [(a, "0"), (b, "2"), (c, "4")])


def test_an_upsert_updates_twins(bench: Bench, equality: Equality) -> None:
    """The record keeps the text that created it, because the key is what found it."""
    expected = ["ADDED", "UPDATED", "ADDED", "UPDATED", "ADDED", "UPDATED"]
    a, _, b, _, c = (text.rstrip() for text in equality.texts)
    for outcome, records in outcomes(bench, rows_of(equality.texts), "upsert", find_by="k"):
        assert (outcome, records) == (expected, [(a, "5"), (b, "3"), (c, "4")])


def test_an_update_finds_the_record_by_an_equal_text(bench: Bench, equality: Equality) -> None:
    """A text that is equal to none is not found."""
    a, twin, b, _, c = equality.texts
    rows = [f"{twin},1", f"{a},2", f"{c},3"]
    for outcome, records in outcomes(
        bench, rows, "update", find_by="k", before=[f"{a},0", f"{b},0"]
    ):
        assert outcome == ["UPDATED", "UPDATED", "RESOURCE_NOT_FOUND-k"]
        assert records == [(a.rstrip(), "2"), (b.rstrip(), "0")]


def test_twins_in_a_unique_field_beside_the_id(bench: Bench, equality: Equality) -> None:
    """Rows that give, exchange and release equal texts are matched one after the other."""
    a, twin, b, other, c = equality.texts
    found = []
    for size in SIZES:
        run(bench, "DELETE FROM t")
        first, second = (i or 0 for i in bench.run(f"k,v\n{a},1\n{b},2\n", "t", chunk_rows=1).ids)
        rows = [
            f"{first},{twin}",  # its own text in another spelling
            f"{second},{a}",  # held by the first
            f"{first},{c}",  # released
            f"{second},{twin}",  # free now
            f"{first},{other}",  # released by the second
        ]
        done = bench.run(
            "\n".join(["id,k", *rows, ""]), "t", "update", find_by="id", chunk_rows=size
        )
        records = run(bench, "SELECT k FROM t ORDER BY id")
        found.append((done.outcome, [r["k"].rstrip() for r in records]))
    duplicate = "DUPLICATE_DATA-k"
    expected = ["UPDATED", duplicate, "UPDATED", "UPDATED", "UPDATED"]
    assert found == [(expected, [other.rstrip(), twin.rstrip()])] * len(SIZES)


def test_the_index_finds_the_record(bench: Bench, equality: Equality) -> None:
    """Matching reads no table: the query plan names the index."""
    module, sink = bench.module("t"), bench.worker._ctx.records.existing
    field = module.field("k")
    assert field is not None and field.unique
    if isinstance(sink, SqliteExistingSink):
        statement = sqlite_sql.find(module, field, sink._collation(module, field))
        plan = bench.services.database.sql(f"EXPLAIN QUERY PLAN {statement}", ("x", "y"))
        assert "USING INDEX" in str(plan) or "USING COVERING INDEX" in str(plan)
    else:
        assert isinstance(sink, PostgresExistingSink)
        index = sink._index_equality(module, field)
        assert index is not None
        statement = postgres_sql.find(module, field, bench.services.database.types, index)
        plan = bench.services.database.sql(f"EXPLAIN {statement}", ("{x}",))
        assert "Index" in str(plan) and "Seq Scan" not in str(plan)


CITEXT = (
    "CREATE SCHEMA more",
    "CREATE TYPE more.citext",
    "CREATE FUNCTION more.citextin(cstring) RETURNS more.citext "
    "LANGUAGE internal IMMUTABLE STRICT AS 'textin'",
    "CREATE FUNCTION more.citextout(more.citext) RETURNS cstring "
    "LANGUAGE internal IMMUTABLE STRICT AS 'textout'",
    "CREATE TYPE more.citext (INPUT = more.citextin, OUTPUT = more.citextout, LIKE = text, "
    "CATEGORY = 'S', COLLATABLE = true)",
    "CREATE CAST (more.citext AS text) WITHOUT FUNCTION AS IMPLICIT",
    "CREATE CAST (text AS more.citext) WITHOUT FUNCTION AS ASSIGNMENT",
    "CREATE FUNCTION more.compared(more.citext, more.citext) RETURNS integer "
    "LANGUAGE sql IMMUTABLE STRICT AS "
    "'SELECT bttextcmp(lower(CAST($1 AS text)), lower(CAST($2 AS text)))'",
    *(
        f"CREATE FUNCTION more.{name}(more.citext, more.citext) RETURNS boolean "
        f"LANGUAGE sql IMMUTABLE STRICT AS 'SELECT more.compared($1, $2) {sign} 0'"
        for name, sign in (("lt", "<"), ("le", "<="), ("eq", "="), ("ge", ">="), ("gt", ">"))
    ),
    *(
        f"CREATE OPERATOR more.{sign} (LEFTARG = more.citext, RIGHTARG = more.citext, "
        f"FUNCTION = more.{name})"
        for name, sign in (("lt", "<"), ("le", "<="), ("eq", "="), ("ge", ">="), ("gt", ">"))
    ),
    "CREATE OPERATOR CLASS more.citext_ops DEFAULT FOR TYPE more.citext USING btree AS "
    "OPERATOR 1 more.<, OPERATOR 2 more.<=, OPERATOR 3 more.=, OPERATOR 4 more.>=, "
    "OPERATOR 5 more.>, FUNCTION 1 more.compared(more.citext, more.citext)",
)
"""The extension citext as SQL, because not every server has its files."""


@pytest.mark.parametrize("made", ["extension", "type"])
def test_a_column_of_the_type_citext(postgres_only: Bench, made: str) -> None:
    """It is a text; its index ignores case."""
    bench = postgres_only
    try:
        run(
            bench,
            *(CITEXT if made == "type" else (CITEXT[0], "CREATE EXTENSION citext SCHEMA more")),
        )
    except psycopg.errors.FeatureNotSupported:
        pytest.skip("this server has no extension citext")
    run(bench, "CREATE TABLE t (id {id}, k more.citext UNIQUE, v TEXT)")
    module = offer(bench, "t")
    assert [f.data_type for f in module.fields] == ["bigint", "textarea", "textarea"]
    texts = ("Ann", "aNN", "BOB", "bob", "Cid")
    for outcome, records in outcomes(bench, rows_of(texts), "upsert", find_by="k"):
        assert outcome == ["ADDED", "UPDATED", "ADDED", "UPDATED", "ADDED", "UPDATED"]
        assert [k for k, _ in records] == ["Ann", "BOB", "Cid"]
