"""COQL: text to a query (facts 10.11).

    query     = "select" columns "from" MODULE "where" criteria
                ["group by" names] ["order by" sorts] ["limit" N ["offset" M] | "limit" M "," N]
    criteria  = operand [("and" | "or") operand]
    operand   = "(" criteria ")" | column operator value

Names that are words of the grammar stand in quotes. In quotes a doubled quote is one of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from bulkwright.domain.coql import AGGREGATES, CoqlQuery, SelectedColumn, Sort
from bulkwright.domain.criteria import Comparator, Condition, Criteria, CriteriaGroup, Junction
from bulkwright.domain.errors import InvalidData, LimitExceeded, MandatoryNotFound
from bulkwright.domain.limits import COQL_CHARACTERS, CRITERIA_LEVELS, RECORDS_PER_PAGE, CoqlLimits
from bulkwright.domain.record_errors import (
    DuplicateAlias,
    DuplicateColumn,
    InvalidAlias,
    InvalidQuery,
    QuerySyntaxError,
)
from bulkwright.domain.record_write import NotStored
from bulkwright.zoho.parse.coql_tokens import (
    NEAR_CHARACTERS,
    PATH,
    QueryToken,
    syntax_error,
    tokens,
)
from bulkwright.zoho.parse.document import parse_document

T = TypeVar("T")
_C = Comparator
_SIGNS: dict[str, tuple[Comparator, bool]] = {
    "=": (_C.EQUALS, False),
    "!=": (_C.EQUALS, True),
    ">": (_C.GREATER_THAN, False),
    ">=": (_C.GREATER_EQUAL, False),
    "<": (_C.LESS_THAN, False),
    "<=": (_C.LESS_EQUAL, False),
}
_DIGITS = 9


def coql_request(body: bytes) -> str:
    """Returns the query that a body holds.

    Raises InvalidData, MandatoryNotFound, and NotStored for `include_meta`.
    """
    root = parse_document(body)
    text, meta = root.get("select_query"), root.get("include_meta")
    if text is None:
        raise MandatoryNotFound("mandatory key not found", {"api_name": "select_query"})
    if not isinstance(text, str):
        raise _wrong_type("text", "select_query")
    if meta is not None and not isinstance(meta, list):
        raise _wrong_type("jsonarray", "include_meta")
    if meta:
        raise NotStored("include_meta")
    return text


def parse_coql(text: str, limits: CoqlLimits) -> CoqlQuery:
    """Returns the query of a text.

    Raises QuerySyntaxError, InvalidQuery, InvalidData, LimitExceeded, the errors of columns and
    aliases, and NotStored for what the grammar has and this server does not do.
    """
    if len(text) > COQL_CHARACTERS:
        raise LimitExceeded("limit exceeded", {"maximum_length": COQL_CHARACTERS})
    return _QueryParser(text, limits).query()


class _QueryParser:
    """Reads the tokens of a text from left to right, each when it is needed."""

    def __init__(self, text: str, limits: CoqlLimits) -> None:
        self.text = text
        self.limits = limits
        self.rest = tokens(text)
        self.next: QueryToken | None = None
        """The next token; None at the end."""
        self.last: QueryToken | None = None
        """The token before it."""
        self.conditions = 0

    def query(self) -> CoqlQuery:
        """The whole text."""
        first = re.match(r"\s*select\b", self.text, re.IGNORECASE | re.ASCII)
        if first is None:
            raise QuerySyntaxError("given coql query not supported")
        self._step()
        self._expect("select")
        columns = self._columns()
        self._clause("from")
        module = self._column()
        if self._took("#"):
            raise NotStored("cvid")
        self._clause("where")
        criteria = self._criteria(0)
        groups: tuple[str, ...] = ()
        sorts: tuple[Sort, ...] = ()
        if self._took("group"):
            self._expect("by")
            groups = self._listed(self._column, self.limits.groups)
        if self._took("order"):
            self._expect("by")
            sorts = self._listed(self._sort, self.limits.sorts)
        limit, offset = self._limit()
        if self.next is not None:
            raise self._error()
        return CoqlQuery(module, columns, criteria, groups, sorts, limit, offset)

    def _step(self) -> None:
        self.last, self.next = self.next, next(self.rest, None)

    def _took(self, word: str) -> bool:
        """Steps over a word or sign, if it is the next token."""
        token = self.next
        if token is None or word not in (token.word, token.text * (token.kind == "sign")):
            return False
        self._step()
        return True

    def _expect(self, word: str) -> None:
        if not self._took(word):
            raise self._error()

    def _clause(self, word: str) -> None:
        if self._took(word):
            return
        rest = "" if self.next is None else self.text[self.next.at :]
        if re.search(rf"\b{word}\b", rest, re.IGNORECASE | re.ASCII) is None:
            raise QuerySyntaxError("missing clause", {"clause": word})
        raise self._error()

    def _error(self) -> QuerySyntaxError:
        """At the next token; at the end of the text, the last one."""
        token = self.next or self.last
        assert token is not None
        return syntax_error(self.text, token.at, token.text)

    def _listed(
        self, read: Callable[[], T], most: int, message: str = "limit exceeded"
    ) -> tuple[T, ...]:
        found = [read()]
        while self._took(","):
            found.append(read())
            if len(found) > most:
                raise LimitExceeded(message, {"limit": most})
        return tuple(found)

    def _columns(self) -> tuple[SelectedColumn, ...]:
        columns = self._listed(self._selected, self.limits.columns, "select columns limit exceeded")
        if sum(column.aggregate is not None for column in columns) > self.limits.aggregates:
            raise LimitExceeded("limit exceeded", {"limit": self.limits.aggregates})
        written = set[str]()
        for column in columns:
            if column.written in written:
                what = "select column" if column.aggregate is None else "aggregate function"
                raise DuplicateColumn(f"duplicate {what}", {"column_name": column.written})
            written.add(column.written)
        keys = {"id"} | {column.written for column in columns if column.alias is None}
        for column in columns:
            if column.alias is not None and column.written != "id":
                if column.alias in keys:
                    raise DuplicateAlias(details={"alias": column.alias})
                keys.add(column.alias)
        return columns

    def _selected(self) -> SelectedColumn:
        column = self._value_column()
        if not self._took("as"):
            return column
        token = self.next
        if token is None or token.kind not in ("name", "quoted") or token.word:
            raise self._error()
        self._step()
        if not token.unquoted.strip():
            raise InvalidAlias(details={"alias": token.unquoted})
        return replace(column, alias=token.unquoted)

    def _value_column(self) -> SelectedColumn:
        """A column, or a function of one."""
        name = self._column()
        if not self._took("("):
            return SelectedColumn(name)
        path = self._column()
        self._expect(")")
        if name not in AGGREGATES:
            raise InvalidData(
                details={
                    "reason": "unsupported aggregate function",
                    "column": f"{name}({path})",
                }
            )
        return SelectedColumn(path, name)

    def _column(self) -> str:
        token = self.next
        if token is not None and token.text == "!":
            raise NotStored("a module before a column")
        if token is None or token.kind not in ("name", "quoted") or token.word:
            raise self._error()
        self._step()
        name = token.unquoted.strip()
        if "->" in name:
            raise NotStored("a lookup to several modules")
        if not PATH.match(name):
            raise InvalidQuery("column given seems to be invalid", {"column_name": name})
        return name

    def _sort(self) -> Sort:
        token = self.next
        if token is not None and token.kind == "quoted" and not PATH.match(token.unquoted):
            self._step()  # an alias may hold any character
            name = token.unquoted
        else:
            name = self._value_column().written
        descends = self._took("desc")
        if not descends:
            self._took("asc")
        return Sort(name, not descends)

    def _criteria(self, level: int) -> Criteria:
        """Two operands with a word, or one; more of them need brackets of their own."""
        first = self._operand(level)
        for junction in Junction:
            if self._took(junction.value):
                return CriteriaGroup(junction, (first, self._operand(level)))
        return first

    def _operand(self, level: int) -> Criteria:
        if not self._took("("):
            return self._condition()
        if level >= CRITERIA_LEVELS:
            raise LimitExceeded("limit exceeded", {"limit": CRITERIA_LEVELS})
        found = self._criteria(level + 1)
        self._expect(")")
        return found

    def _condition(self) -> Condition:
        self.conditions += 1
        if self.conditions > self.limits.conditions:
            raise LimitExceeded("limit exceeded", {"limit": self.limits.conditions})
        column = self._column()
        token = self.next
        if token is not None and token.kind == "sign" and token.text in (*_SIGNS, "<>"):
            self._step()
            if token.text == "<>":
                raise _wrong_operator(column, "<>")
            comparator, negated = _SIGNS[token.text]
            return Condition(column, comparator, (self._value(),), negated, token.text)
        if self._took("is"):
            negated = self._took("not")
            self._expect("null")
            return Condition(column, _C.EMPTY, (), negated, "is not null" if negated else "is null")
        negated = self._took("not")
        prefix = "not " if negated else ""
        if self._took("like"):
            return _like(column, self._value(), negated, f"{prefix}like")
        if self._took("between"):
            first = self._value()
            self._expect("and")
            values: tuple[str, ...] = (first, self._value())
            return Condition(column, _C.BETWEEN, values, negated, f"{prefix}between")
        self._expect("in")
        self._expect("(")
        values = self._listed(self._value, self.limits.values)
        self._expect(")")
        return Condition(column, _C.IN, values, negated, f"{prefix}in")

    def _value(self) -> str:
        token = self.next
        is_boolean = token is not None and token.text.lower() in ("true", "false")
        if token is None or not (token.kind in ("quoted", "value") or is_boolean):
            raise self._error()
        self._step()
        return token.unquoted

    def _limit(self) -> tuple[int, int]:
        limit, offset = RECORDS_PER_PAGE, 0
        if self._took("limit"):
            limit = self._number("limit")
            if self._took(","):
                limit, offset = self._number("limit"), limit
            elif self._took("offset"):
                offset = self._number("offset")
        if limit <= 0:
            raise InvalidData("limit should be greater than 0")
        if offset < 0:
            raise InvalidQuery("offset given seems to be invalid", {"offset": str(offset)})
        if limit > self.limits.rows:
            raise LimitExceeded("limit exceeded", {"limit": self.limits.rows})
        if limit + offset > self.limits.reached_rows:
            raise LimitExceeded("limit exceeded", {"limit": self.limits.reached_rows})
        return limit, offset

    def _number(self, clause: str) -> int:
        token = self.next
        if token is None or token.kind == "sign":
            raise self._error()
        self._step()
        if not re.fullmatch(r"-?[0-9]+", token.text) or token.kind != "value":
            raise InvalidQuery(
                f"{clause} given seems to be invalid", {clause: token.unquoted[:NEAR_CHARACTERS]}
            )
        return int(token.text) if len(token.text) <= _DIGITS else 10**_DIGITS


def _like(column: str, pattern: str, negated: bool, operator: str) -> Condition:  # noqa: FBT001
    """`%` at an end of a pattern stands for any text."""
    starts, ends = pattern.startswith("%"), pattern.endswith("%")
    text = pattern.strip("%")
    if "%" in text:
        raise InvalidQuery(
            "value given seems to be invalid for the column", {"column_name": column}
        )
    if not text and starts:
        return Condition(column, _C.EMPTY, (), not negated, operator)
    comparator = {
        (True, True): _C.CONTAINS,
        (False, True): _C.STARTS_WITH,
        (True, False): _C.ENDS_WITH,
        (False, False): _C.LIKE,
    }[starts, ends]
    return Condition(column, comparator, (text,), negated, operator)


def _wrong_type(kind: str, name: str) -> InvalidData:
    return InvalidData(details={"expected_data_type": kind, "api_name": name})


def _wrong_operator(column: str, operator: str) -> InvalidQuery:
    details = {"reason": "invalid operator found", "column_name": column, "operator": operator}
    return InvalidQuery("invalid query formed", details)
