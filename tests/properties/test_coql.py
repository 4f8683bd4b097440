"""COQL finds what a search finds, and what a plain model finds, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.properties.test_searches_agree import both as both
from tests.properties.test_searches_agree import escaped
from tests.properties.test_stores_agree import CELLS, TYPES
from tests.support.bench import Bench
from tests.support.effort import tries
from tests.support.postgres import Server
from tests.support.stores import opened_on_both

from bulkwright.domain.errors import BulkwrightError
from bulkwright.domain.record_write import NotStored, RecordInput, WrittenRecord
from bulkwright.service.records import PageQuery, Wanted
from bulkwright.zoho.parse.coql import parse_coql
from bulkwright.zoho.parse.criteria import parse_criteria
from bulkwright.zoho.versions import VERSIONS

LIMITS = VERSIONS["v8"].coql
CODES = {
    "SYNTAX_ERROR", "INVALID_QUERY", "INVALID_DATA", "LIMIT_EXCEEDED", "DUPLICATE_DATA",
    "DUPLICATE_ALIAS", "INVALID_ALIAS", "INVALID_MODULE",
}  # fmt: skip
"""What a query can be rejected with (facts 10.11)."""


def quoted(text: str) -> str:
    """A text as a value of COQL."""
    return "'" + text.replace("'", "''") + "'"


def queried(bench: Bench, query: str) -> list[str] | str:
    """The names of the rows in their order, or the code of the error."""
    try:
        found = bench.services.coql.run(bench.caller, parse_coql(query, LIMITS), LIMITS)
    except BulkwrightError as error:
        return error.code
    return [str(row["Name"]) for row in found.rows]


# The same as a search.

SIGNS = {
    "equals": "= {0}", "not_equal": "!= {0}", "starts_with": "like {0}", "in": "in ({0})",
    "greater_than": "> {0}", "greater_equal": ">= {0}", "less_than": "< {0}",
    "less_equal": "<= {0}", "between": "between {0}",
}  # fmt: skip
SEARCHED = tuple(
    name
    for name in ("Name", "Key", *(f"F_{t}" for t in TYPES), "Created_Time", "id")
    if name not in ("F_textarea", "F_boolean")
)
VALUES = tuple(c for c in CELLS if "\0" not in c and len(c) < 100 and "%" not in c and c.strip())


@st.composite
def conditions(draw: st.DrawFn) -> tuple[str, str]:
    """One condition, as a search and as COQL write it."""
    field = draw(st.sampled_from(SEARCHED))
    comparator = draw(st.sampled_from(list(SIGNS)))
    count = 2 if comparator == "between" else 3 if comparator == "in" else 1
    values = draw(st.lists(st.sampled_from(VALUES), min_size=count, max_size=count))
    values = [value.strip() for value in values]
    if comparator == "between":
        right = " and ".join(map(quoted, values))
    elif comparator == "starts_with":
        right = quoted(f"{values[0]}%")
    else:
        right = ", ".join(map(quoted, values))
    listed = ",".join(map(escaped, values))
    return f"({field}:{comparator}:{listed})", f"{field} {SIGNS[comparator].format(right)}"


def trees() -> st.SearchStrategy[tuple[str, str]]:
    """Up to four conditions in both grammars."""
    return st.recursive(
        conditions(),
        lambda inner: st.builds(
            lambda a, word, b: (f"({a[0]}{word}{b[0]})", f"({a[1]} {word} {b[1]})"),
            inner,
            st.sampled_from(["and", "or"]),
            inner,
        ),
        max_leaves=4,
    )


@tries(150)
@given(tree=trees())
def test_a_query_finds_what_a_search_finds(
    both: tuple[Bench, Bench], tree: tuple[str, str]
) -> None:
    """The same records, or both are rejected; on both stores."""
    answers = []
    for bench in both:
        wanted = Wanted(parse_criteria(tree[0]))
        page = PageQuery(per_page=2_000, ascending=True)
        try:
            found = bench.services.records.search(
                bench.caller, "Things", wanted, page, contains=False
            )
            searched: list[str] | str = [str(record.values["Name"]) for record in found.records]
        except BulkwrightError as error:
            searched = error.code
        asked = queried(bench, f"select Name from Things where {tree[1]} limit 2000")
        # A picklist has no starts_with in a search, but has like in COQL.
        if not (searched == "INVALID_QUERY" and "F_picklist:starts_with" in tree[0]):
            assert asked == searched, tree
        answers.append(asked)
    assert answers[0] == answers[1]


# The same as a plain model.

RECORDS: tuple[dict[str, Any], ...] = tuple(
    {
        "Name": f"n{number}",
        "Text": (None, "Ab", "ab", "aB c", "x%y", "it's")[number % 6],
        "Whole": (None, -3, 0, 5, 7)[number % 5],
        "Money": (None, Decimal("-1.75"), Decimal("-0.5"), Decimal("0.5"), Decimal("10.25"))[
            number // 2 % 5
        ],
        "Day": (None, "2024-02-29", "2024-03-01", "2025-01-01")[number % 4],
        "Flag": (None, True, False)[number % 3],
    }
    for number in range(60)
)
POOL: dict[str, tuple[Any, ...]] = {
    "Text": ("Ab", "ab", "aB c", "x%y", "it's", "none"),
    "Whole": (-3, 0, 5, 7, 100),
    "Money": (Decimal("-1.75"), Decimal("-0.5"), Decimal("0"), Decimal("0.5"), Decimal("10.25")),
    "Day": ("2024-02-29", "2024-03-01", "2024-12-31"),
}
COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}
Test = Callable[[dict[str, Any]], bool]


def written(value: Any) -> str:
    """A value as COQL writes it."""
    return quoted(value) if isinstance(value, str) else str(value)


@st.composite
def met(draw: st.DrawFn) -> tuple[str, Test]:
    """One condition of COQL, and what it means."""
    field = draw(st.sampled_from([*POOL, "Flag"]))
    if field == "Flag":
        flag = draw(st.booleans())
        return f"Flag = {str(flag).lower()}", lambda record: record["Flag"] is flag
    negated = draw(st.booleans())
    word = "not " if negated else ""
    value = st.sampled_from(POOL[field])
    kinds = ["sign", "in", "null", "like" if field == "Text" else "between"]
    kind = draw(st.sampled_from(kinds))
    if kind == "sign":
        sign = draw(st.sampled_from(["=", "!="] if field == "Text" else list(COMPARED)))
        one = draw(value)
        return (
            f"{field} {sign} {written(one)}",
            lambda record: (
                sign == "!=" if record[field] is None else COMPARED[sign](record[field], one)
            ),
        )
    if kind == "null":
        return f"{field} is {word}null", lambda record: (record[field] is None) != negated
    if kind == "in":
        values = draw(st.lists(value, min_size=1, max_size=3))
        text = f"{field} {word}in ({', '.join(map(written, values))})"
        return text, lambda r: negated if r[field] is None else (r[field] in values) != negated
    if kind == "between":
        first, last = draw(value), draw(value)
        text = f"{field} {word}between {written(first)} and {written(last)}"
        return (
            text,
            lambda r: negated if r[field] is None else (first <= r[field] <= last) != negated,
        )
    starts, ends, bare = draw(st.booleans()), draw(st.booleans()), draw(st.sampled_from("ab cx'"))
    bare = draw(st.sampled_from([bare, "AB", "c", "it"]))
    pattern = f"{'%' * starts}{bare}{'%' * ends}"

    def like(text: str) -> bool:
        text, part = text.lower(), bare.lower()
        if starts and ends:
            return part in text
        if starts or ends:
            return text.endswith(part) if starts else text.startswith(part)
        return text == part

    return (
        f"{field} {word}like {quoted(pattern)}",
        lambda r: negated if r[field] is None else like(r[field]) != negated,
    )


def joined(a: tuple[str, Test], word: str, b: tuple[str, Test]) -> tuple[str, Test]:
    """Two conditions with a word between them."""
    join = all if word == "and" else any
    return f"({a[0]} {word} {b[0]})", lambda record: join([a[1](record), b[1](record)])


@pytest.fixture(scope="module")
def modelled(
    postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Bench, Bench]]:
    """The records of the model on each store."""
    with opened_on_both(postgres, tmp_path_factory.mktemp("modelled")) as benches:
        for bench in benches:
            bench.things(
                {"api_name": "Text", "data_type": "text"},
                {"api_name": "Whole", "data_type": "integer"},
                {"api_name": "Money", "data_type": "double"},
                {"api_name": "Day", "data_type": "date"},
                {"api_name": "Flag", "data_type": "boolean"},
            )
            bench.services.record_calls.insert(
                bench.caller, "Things", [RecordInput(dict(record)) for record in RECORDS]
            )
        yield benches


@tries(200)
@given(
    tree=st.recursive(
        met(),
        lambda inner: st.builds(joined, inner, st.sampled_from(["and", "or"]), inner),
        max_leaves=8,
    ),
    sorts=st.lists(
        st.tuples(st.sampled_from([*POOL, "id"]), st.booleans()),
        max_size=3,
        unique_by=lambda s: s[0],
    ),
    limit=st.integers(1, 70),
    offset=st.integers(0, 70),
)
def test_a_query_finds_what_the_model_finds(
    modelled: tuple[Bench, Bench],
    tree: tuple[str, Test],
    sorts: list[tuple[str, bool]],
    limit: int,
    offset: int,
) -> None:
    """Conditions, order, limit and offset."""
    found = [dict(record, id=number) for number, record in enumerate(RECORDS) if tree[1](record)]
    for name, descends in reversed(sorts):
        has = [record for record in found if record[name] is not None]
        has.sort(key=lambda record: record[name], reverse=descends)
        found = has + [record for record in found if record[name] is None]
    expected = [str(record["Name"]) for record in found[offset : offset + limit]]
    order = ", ".join(f"{name} {'desc' if descends else 'asc'}" for name, descends in sorts)
    query = f"select Name from Things where {tree[0]}"
    query += f" order by {order}" if order else ""
    for bench in modelled:
        assert queried(bench, f"{query} limit {limit} offset {offset}") == expected, query


AGGREGATES: dict[str, Callable[[list[Any]], Any]] = {
    "COUNT": len,
    "SUM": lambda found: sum(found) if found else None,
    "MIN": lambda found: min(found, default=None),
    "MAX": lambda found: max(found, default=None),
    "AVG": lambda found: float(Decimal(sum(found)) / len(found)) if found else None,
}


@tries(150)
@given(
    tree=met(),
    by=st.lists(st.sampled_from(["Text", "Whole", "Day", "Flag"]), max_size=3, unique=True),
    wanted=st.lists(
        st.tuples(st.sampled_from(list(AGGREGATES)), st.sampled_from(["Whole", "Money"]))
        | st.tuples(st.sampled_from(["COUNT", "MIN", "MAX"]), st.just("Day"))
        | st.just(("COUNT", "Text")),
        min_size=1,
        max_size=5,
        unique=True,
    ),
    limit=st.integers(1, 70),
    offset=st.integers(0, 3),
)
def test_groups_are_those_of_the_model(
    modelled: tuple[Bench, Bench],
    tree: tuple[str, Test],
    by: list[str],
    wanted: list[tuple[str, str]],
    limit: int,
    offset: int,
) -> None:
    """In the order of their fields, groups without a value last."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {} if by else {(): []}
    for record in filter(tree[1], RECORDS):
        groups.setdefault(tuple(record[name] for name in by), []).append(record)
    expected = []
    for key in sorted(groups, key=lambda key: [(p is None, 0 if p is None else p) for p in key]):
        row: dict[str, Any] = dict(zip(by, key, strict=True))
        for name, field in wanted:
            values = [one[field] for one in groups[key] if one[field] is not None]
            row[f"{name}({field})"] = AGGREGATES[name](values)
        expected.append(row)
    columns = ", ".join([*by, *(f"{name}({field})" for name, field in wanted)])
    query = f"select {columns} from Things where {tree[0]}"
    query += f" group by {', '.join(by)}" if by else ""
    for bench in modelled:
        parsed = parse_coql(f"{query} limit {limit} offset {offset}", LIMITS)
        found = bench.services.coql.run(bench.caller, parsed, LIMITS)
        assert list(found.rows) == expected[offset : offset + limit], query
        assert found.has_more == (len(expected) > offset + limit)


GREAT = tuple(
    Decimal(text)
    for text in (
        "9999999999999999.999999999", "-9999999999999999.999999999", "9999999999999999", "0.1",
        "-0.000000001", "0.000000001", "-1", "-1.000000001", "-0.999999999", "1234567890.5",
    )
)  # fmt: skip


def test_sums_of_great_numbers_are_exact(modelled: tuple[Bench, Bench]) -> None:
    """No sum overflows, and none is rounded."""
    for bench in modelled:
        bench.things(
            {"api_name": "Money", "data_type": "double"},
            {"api_name": "Long", "data_type": "bigint"},
            name="Great",
        )
        long = 10**18 - 1
        records = [
            RecordInput({"Name": "x", "Money": f"{money:f}", "Long": str(long)})
            for money in GREAT
            for _ in range(9)
        ]
        outcomes = bench.services.record_calls.insert(bench.caller, "Great", records)
        assert [o for o in outcomes if not isinstance(o, WrittenRecord)] == []
        columns = "SUM(Money), MIN(Money), MAX(Money), SUM(Long), AVG(Long)"
        query = parse_coql(f"select {columns} from Great where id is not null", LIMITS)
        assert bench.services.coql.run(bench.caller, query, LIMITS).rows == (
            {
                "SUM(Money)": sum(GREAT) * 9,
                "MIN(Money)": min(GREAT),
                "MAX(Money)": max(GREAT),
                "SUM(Long)": long * len(records),
                "AVG(Long)": float(long),
            },
        )
        for money in GREAT:
            query = parse_coql(
                f"select MIN(Money), MAX(Money), AVG(Money) from Great where Money = {money:f}",
                LIMITS,
            )
            (row,) = bench.services.coql.run(bench.caller, query, LIMITS).rows
            assert list(row.values()) == [money, money, float(money)]


# Nothing breaks it.

PIECES = (
    "select", "from", "where", "group", "by", "order", "limit", "offset", "and", "or", "not", "in",
    "like", "between", "is", "null", "as", "asc", "desc", "Name", "Whole", "Money", "Day", "Flag",
    "Owner", "Owner.id", "Owner.last_name", "Owner.x.y", "Name.id", "Things", "Leads", "id",
    "Bogus", "SUM", "COUNT", "Max", "(", ")", "((", "))", ",", "=", "!=", "<>", ">=", "<", "*",
    "!", "#", ".", "..", ";", "--", "/*", "'", '"', "''", "'a'", "'%'", "'%%'", "'a%b'", "''''",
    "1", "-1", "1.5", "0", "99999999999999999999", "2024-02-29", "2024-13-45T99:99", "true",
    "\u00a0", "\n", "'A->B.C'", "\U0001f600", "\\",
)  # fmt: skip
VALID = (
    "select Name from Things where id is not null",
    "select Name, Whole as W from Things where ( Whole = 5 and Money > 0 ) order by W desc",
    "select SUM ( Whole ) from Things where Name like 'a%' group by Name limit 1 , 2",
    "select Owner.last_name from Things where Day not between '2024-01-01' and 2024-12-31",
    "select 'Name' from Things where Text not in ( 'a' , 'b' ) limit 5 offset 2",
)


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
"""JSON documents with other texts are rejected before they are read."""


@st.composite
def near(draw: st.DrawFn) -> str:
    """A valid query in which some words were removed, doubled or replaced."""
    words = draw(st.sampled_from(VALID)).split()
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(words)))
        end = min(len(words), at + draw(st.integers(0, 2)))
        words[at:end] = draw(st.lists(st.sampled_from(PIECES), max_size=3))
    return draw(st.sampled_from([" ", "  \n", "\t"])).join(words)


@tries(300)
@given(text=near() | st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | TEXTS)
def test_any_text_is_a_query_or_a_documented_error(
    modelled: tuple[Bench, Bench], text: str
) -> None:
    """Rows or one error, the same on both stores; no other exception."""
    outcomes = []
    for bench in modelled:
        try:
            query = parse_coql(text, LIMITS)
            found = bench.services.coql.run(bench.caller, query, LIMITS)
            outcomes.append(str([sorted(row) for row in found.rows]))
        except NotStored as gap:
            outcomes.append(gap.api_name)
        except BulkwrightError as error:
            assert error.code in CODES, (text, error.code)
            outcomes.append(f"{error.code} {error.message} {error.details}")
    assert outcomes[0] == outcomes[1]
