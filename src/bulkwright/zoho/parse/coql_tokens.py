"""The tokens of COQL: words, names, texts, values and signs (facts 10.11)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from bulkwright.domain.record_errors import QuerySyntaxError

NEAR_CHARACTERS = 50
"""Characters of a query that an error repeats."""
_BLANKS = " \t\r\n"
_NAME = r"[A-Za-z_$][A-Za-z0-9_$]*"
_TOKEN = re.compile(
    rf"""[ \t\r\n]*(?:(?P<quoted>'[^']*(?:''[^']*)*'|"[^"]*(?:""[^"]*)*")
    |(?P<value>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:T[0-9:.]+(?:Z|[+-][0-9:]+)?)?
      |[+-]?(?:[0-9]+(?:\.[0-9]+)?))(?![A-Za-z0-9_$])
    |(?P<name>{_NAME}(?:\.{_NAME})*)
    |(?P<sign>!=|<>|>=|<=|[=<>(),*!\#]))""",
    re.VERBOSE,
)
PATH = re.compile(rf"{_NAME}(?:\.{_NAME})*\Z")
"""A name of a field, or several, joined by points."""
_WORDS = frozenset(
    {
        "select", "from", "where", "group", "order", "by", "limit", "offset", "and", "or", "not",
        "in", "like", "between", "is", "null", "as", "asc", "desc",
    }
)  # fmt: skip


class QueryToken(NamedTuple):
    """A part of a query: its kind, its text, and where it begins."""

    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        """The word of the grammar that it is; empty if it is none."""
        word = self.text.lower() if self.kind == "name" else ""
        return word if word in _WORDS else ""

    @property
    def unquoted(self) -> str:
        """Its text; of a text in quotes what they hold."""
        if self.kind != "quoted":
            return self.text
        quote = self.text[0]
        return self.text[1:-1].replace(quote * 2, quote)


def tokens(text: str) -> Iterator[QueryToken]:
    """Yields the tokens of a text. Raises QuerySyntaxError where no token begins."""
    at, end = 0, len(text.rstrip(_BLANKS))
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            begin = end - len(text[at:end].lstrip(_BLANKS))
            raise syntax_error(text, begin, text[begin])
        kind = match.lastgroup or ""
        yield QueryToken(kind, match[kind], match.start(kind))
        at = match.end()


def syntax_error(text: str, at: int, near: str) -> QuerySyntaxError:
    """Returns the error of a text that is no query because of what stands there."""
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    return QuerySyntaxError(
        details={"near": near[:NEAR_CHARACTERS], "line": line, "column": column}
    )
