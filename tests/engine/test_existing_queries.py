"""COQL queries over existing tables."""

from __future__ import annotations

import pytest
from tests.engine.existing import offer, run
from tests.support.bench import Bench

from bulkwright.domain.record_write import NotStored
from bulkwright.zoho.parse.coql import parse_coql
from bulkwright.zoho.versions import VERSIONS

LIMITS = VERSIONS["v8"].coql


def rows(bench: Bench, query: str) -> list[dict[str, object]]:
    """The rows of a query."""
    found = bench.services.coql.run(bench.caller, parse_coql(query, LIMITS), LIMITS)
    return [dict(row) for row in found.rows]


@pytest.fixture
def kids(bench: Bench) -> Bench:
    """Two tables, of which one refers to the other."""
    run(
        bench,
        'CREATE TABLE elders (no {id}, name VARCHAR(20) NOT NULL, "a b" TEXT, paid NUMERIC(6,2))',
        "CREATE TABLE kids (no {id}, name TEXT, size INTEGER, parent INTEGER REFERENCES elders)",
        "INSERT INTO elders (name, \"a b\", paid) VALUES ('Ann', 'x', 1.25), ('Bob', NULL, NULL)",
        "INSERT INTO kids (name, size, parent) VALUES ('Cid', 7, 1), ('Dan', NULL, 2), "
        "(NULL, 9, NULL)",
    )
    offer(bench, "elders")
    offer(bench, "kids")
    return bench


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("name = 'Cid'", ["1"]),
        ("name = 'cid'", []),
        ("name like 'c%'", ["1"]),
        ("name not like '%a%'", ["1", "3"]),
        ("name is null", ["3"]),
        ("size > 7", ["3"]),
        ("size not in (7)", ["2", "3"]),
        ("parent = 2", ["2"]),
        ("parent.name = 'Ann'", ["1"]),
        ("parent.a_b is null", ["2", "3"]),
        ("parent.a_b != 'x'", ["2", "3"]),
        ("id in (1, 3)", ["1", "3"]),
    ],
)
def test_conditions(kids: Bench, condition: str, found: list[str]) -> None:
    """By the names of columns, through a foreign key too."""
    query = f"select id from kids where {condition}"
    assert [row["id"] for row in rows(kids, query)] == found


def test_columns_and_order(kids: Bench) -> None:
    """A column of the other table; what is not compared there is a 501."""
    query = "select name, parent.name, parent.paid from kids where id is not null "
    assert [list(row.values()) for row in rows(kids, f"{query} order by size desc limit 2")] == [
        list(row.values()) for row in (rows(kids, query)[2], rows(kids, query)[0])
    ]
    (first, *_) = rows(kids, query)
    assert (first["name"], first["parent.name"], str(first["parent.paid"])) == (
        "Cid",
        "Ann",
        "1.25",
    )
    for refused in (
        "select name from elders where paid > 1",
        "select COUNT(id) from elders where id is not null",
    ):
        with pytest.raises(NotStored):
            rows(kids, refused)
