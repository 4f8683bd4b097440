"""Named queries: what is a parameter, and what only looks like one (store/queries)."""

from __future__ import annotations

import pytest

from bulkwright.store.database import Database
from bulkwright.store.postgres.parameters import marked
from bulkwright.store.queries import load, parse


@pytest.mark.parametrize(
    ("text", "sql", "parameters"),
    [
        ("SELECT :a, :b_2, :a", "SELECT ?, ?, ?", ("a", "b_2", "a")),
        ("SELECT :a::bigint, b::text", "SELECT ?::bigint, b::text", ("a",)),
        ("SELECT 'a :b c', :d", "SELECT 'a :b c', ?", ("d",)),
        ("SELECT 'it''s :b', :d", "SELECT 'it''s :b', ?", ("d",)),
        ('SELECT "a :b ""c""", :d', 'SELECT "a :b ""c""", ?', ("d",)),
        ("SELECT :a -- not :b, nor what isn't\n, :c", "SELECT ? \n, ?", ("a", "c")),
        ("SELECT :a /* not :b;\n it's */, :c", "SELECT ? , ?", ("a", "c")),
        ("DO $$ :a '$$; SELECT $x$ :b $$ $x$, :c", "DO $$ :a '$$; SELECT $x$ :b $$ $x$, ?", ("c",)),
        ("SELECT a[1:2], '10:30'", "SELECT a[1:2], '10:30'", ()),
    ],
)
def test_parameters_are_found(text: str, sql: str, parameters: tuple[str, ...]) -> None:
    """Not in casts, strings, quoted names, comments and dollar quotes."""
    query = parse("some_query", text)
    assert (query.sql, query.parameters) == (sql, parameters)


def test_values_bind_in_order() -> None:
    """A value for each question mark; a missing one is an error."""
    query = parse("some_query", "SELECT :b, :a, :b")
    assert query.bind({"a": 1, "b": 2, "c": 3}) == (2, 1, 2)
    with pytest.raises(KeyError):
        query.bind({"a": 1})


def test_signs_of_psycopg_in_strings_and_names() -> None:
    """A question mark is a parameter, except where it is quoted; a percent sign never is one."""
    assert marked("SELECT ? || '100 % ?'") == "SELECT %s || '100 %% ?'"
    assert marked('SELECT "a%?" WHERE b = ?') == 'SELECT "a%%?" WHERE b = %s'


def test_a_cast_and_a_string_reach_the_server(empty_database: Database) -> None:
    """As they are written."""
    if empty_database.dialect != "postgres":
        pytest.skip("SQLite knows no `::`")
    query = parse("some_query", "SELECT :a::text || ' :b 100 %?' AS text")
    assert empty_database.sql(query.sql, query.bind({"a": 7})) == [{"text": "7 :b 100 %?"}]


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_no_comment_is_sent(dialect: str) -> None:
    """Comments are for readers."""
    assert not any("--" in query.sql for query in load(dialect).values())
