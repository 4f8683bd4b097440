"""The criteria of a search (facts 10.9): text to a tree.

    criteria  = condition | "(" condition ")" | "(" criteria (("and" | "or") criteria)+ ")"
    condition = name ":" operator ":" value

Brackets around the whole may be missing. In a value a backslash escapes any character; a comma
separates the values of `in` and `between`.
"""

from __future__ import annotations

import re

from bulkwright.domain.criteria import Condition, Criteria, CriteriaGroup, Junction
from bulkwright.domain.limits import CRITERIA_CHARACTERS, CRITERIA_LEVELS
from bulkwright.domain.record_errors import InvalidQuery

_START = re.compile(r"\s*([A-Za-z_$][A-Za-z0-9_$.]*)\s*:\s*([a-z_]+)\s*:")
_JUNCTION = re.compile(r"\s*(and|or)\s*(?=\()", re.IGNORECASE)
_LISTED = ("in", "between")


def parse_criteria(text: str) -> Criteria:
    """Returns the tree of a text. Raises InvalidQuery for what the grammar does not have."""
    if len(text) > CRITERIA_CHARACTERS:
        raise InvalidQuery(details={"reason": "the criteria are too long"})
    parser = _Parser(text)
    found = parser.criteria(0)
    parser.skip()
    if parser.at < len(text):
        raise parser.error()
    return found


class _Parser:
    """Reads a text from left to right; `at` is the next character."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def error(self) -> InvalidQuery:
        return InvalidQuery(details={"reason": "invalid criteria", "position": self.at})

    def skip(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def criteria(self, level: int) -> Criteria:
        """Parts that are joined by words; without a word a part alone."""
        if level > CRITERIA_LEVELS:
            raise InvalidQuery(details={"reason": "the criteria have too many brackets"})
        found, words = [self._part(level)], []
        while word := _JUNCTION.match(self.text, self.at):
            self.at = word.end()
            words.append(Junction(word[1].lower()))
            found.append(self._part(level))
        if not words:
            return found[0]
        return _joined(found, words)

    def _part(self, level: int) -> Criteria:
        self.skip()
        if not self.text.startswith("(", self.at):
            return self._condition()
        self.at += 1
        found = self.criteria(level + 1)
        self.skip()
        if not self.text.startswith(")", self.at):
            raise self.error()
        self.at += 1
        return found

    def _condition(self) -> Condition:
        start = _START.match(self.text, self.at)
        if start is None:
            raise self.error()
        self.at = start.end()
        values = self._values(split=start[2] in _LISTED)
        return Condition(start[1], start[2], values)

    def _values(self, *, split: bool) -> tuple[str, ...]:
        values, piece = [], ""
        while self.at < len(self.text):
            character = self.text[self.at]
            if character == "\\" and self.at + 1 < len(self.text):
                self.at += 1
                piece += self.text[self.at]
            elif character == ")" or (character == "(" and not piece.strip()):
                break
            elif character == "," and split:
                values.append(piece.strip())
                piece = ""
            else:
                piece += character
            self.at += 1
        values.append(piece.strip())
        return tuple(values)


def _joined(parts: list[Criteria], words: list[Junction]) -> Criteria:
    """Joins parts; `and` binds more tightly than `or`."""
    groups: list[list[Criteria]] = [[parts[0]]]
    for part, word in zip(parts[1:], words, strict=True):
        if word is Junction.AND:
            groups[-1].append(part)
        else:
            groups.append([part])
    joined = [g[0] if len(g) == 1 else CriteriaGroup(Junction.AND, tuple(g)) for g in groups]
    return joined[0] if len(joined) == 1 else CriteriaGroup(Junction.OR, tuple(joined))
