"""A mapping's `format`: Java patterns for dates and numbers, put into terms a parser knows.

The documentation shows patterns such as `yyyy/MM/dd`; their letters are those of Java's
SimpleDateFormat (facts 3.3). Pure text to text: who reads cells with it is another matter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from bulkwright.domain.errors import InvalidFormat

_LONGEST = 100
_TOKEN = re.compile(r"'(?P<quoted>(?:[^']|'')*)'|(?P<run>([A-Za-z])\3*)|(?P<other>[^A-Za-z'])")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ZONE = r"(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)"


@dataclass(frozen=True, slots=True)
class DateFormat:
    """A date pattern as a parser of strftime directives needs it."""

    strptime: str
    """Directives of Rust's chrono, as Polars takes them."""
    regex: str
    """Anchored; what does not match is no value, however the parser would read it."""
    has_time: bool
    has_zone: bool
    has_date: bool = True


@lru_cache(maxsize=256)
def translate(pattern: str) -> DateFormat:
    """Translate a date pattern; letters y M d D E H k K h m s S a z Z X and quoted text.

    A single or double letter for day, month or time takes one or two digits, as Java does when it
    reads, unless digits follow at once. Raises InvalidFormat for other letters, for a letter that
    comes twice, and for a pattern that does not name a whole date (and a whole time, if any).
    """
    tokens = _tokens(pattern)
    directives: list[str] = []
    regex: list[str] = []
    seen: set[str] = set()
    for position, (letter, text) in enumerate(tokens):
        if not letter:
            directives.append(text.replace("%", "%%"))
            regex.append(re.escape(text))
            continue
        if _ROLES.get(letter, "") in seen or letter not in _ROLES:
            raise InvalidFormat(_message(pattern))
        seen.add(_ROLES[letter])
        follows = tokens[position + 1] if position + 1 < len(tokens) else ("", "")
        before = tokens[position - 1] if position else ("", "")
        tight = _numeric(*follows) or _numeric(*before)
        if letter == "S" and directives and directives[-1].endswith("."):
            directives[-1] = directives[-1][:-1]
            directives.append("%.f")
            regex.append("[0-9]{1,9}")
            continue
        directive, shape = _field(letter, len(text), tight=tight)
        if not directive:
            raise InvalidFormat(_message(pattern))
        directives.append(directive)
        regex.append(shape)
    date = {"year", "month", "day"} <= seen or {"year", "day of year"} <= seen
    time = {"hour", "minute"} <= seen or {"half hour", "minute", "half"} <= seen
    # With a 24-hour letter there is nothing that a half of the day could say.
    doubled = "hour" in seen and seen & {"half hour", "half"}
    if not date or (not time and seen & _TIME_ROLES) or doubled:
        raise InvalidFormat(_message(pattern))
    if "fraction" in seen and "second" not in seen:
        raise InvalidFormat(_message(pattern))
    return DateFormat("".join(directives), f"^{''.join(regex)}$", time, "zone" in seen)


def number_format(pattern: str) -> tuple[str, str]:
    """The decimal point and the group separator ("" if none) of a pattern like `#,##0.00`.

    With one kind of separator only, `.` is the point, and `,` separates groups unless something
    else than three digits follows it. Raises InvalidFormat for anything that is no such pattern.
    """
    if len(pattern) > _LONGEST or not re.fullmatch(r"[#0]+(?:[., '][#0]+)*", pattern):
        raise InvalidFormat(_message(pattern))
    marks = [c for c in pattern if c in "., '"]
    if not marks:
        return ".", ""
    *groups, last = marks
    kinds = set(groups)
    if len(kinds) > 1:
        raise InvalidFormat(_message(pattern))
    tail = len(pattern) - pattern.rindex(last) - 1
    if kinds and last not in kinds:
        if last not in ".,":
            raise InvalidFormat(_message(pattern))
        return last, groups[0]
    if kinds or last in " '" or (last == "," and tail == 3):
        if tail != 3:
            raise InvalidFormat(_message(pattern))
        return ("," if last == "." else "."), last
    return last, ""


_ROLES = {
    "y": "year",
    "M": "month",
    "d": "day",
    "D": "day of year",
    "E": "weekday",
    "H": "hour",
    "k": "hour",
    "K": "half hour",
    "h": "half hour",
    "m": "minute",
    "s": "second",
    "S": "fraction",
    "a": "half",
    "z": "zone",
    "Z": "zone",
    "X": "zone",
}
_TIME_ROLES = {"hour", "half hour", "minute", "second", "fraction", "half", "zone"}

_TWO_DIGITS = {"M": "%m", "d": "%d", "H": "%H", "h": "%I", "m": "%M", "s": "%S"}


def _field(letter: str, count: int, *, tight: bool) -> tuple[str, str]:
    """Directive and regular expression of one run of letters; ("", "") when there is none."""
    digits = "[0-9]{2}" if tight else "[0-9]{1,2}"
    match letter:
        case "y":
            return ("%y", "[0-9]{2}") if count == 2 else ("%Y", "[0-9]{4}")
        case "M" if count > 2:
            return "%B" if count > 3 else "%b", _words(_MONTHS)
        case "D":
            return "%j", "[0-9]{3}" if tight else "[0-9]{1,3}"
        case "E":
            return "%A" if count > 3 else "%a", _words(_DAYS)
        case "a":
            return "%p", "(?i:am|pm)"
        case "S":
            return (f"%{count}f", f"[0-9]{{{count}}}") if count in (3, 6, 9) else ("", "")
        case "z" | "Z" | "X":
            return "%#z", _ZONE
        # Java counts k from 1 to 24 and K from 0 to 11, where only the ends differ from H and h;
        # the parser has no such hours, so cells that hold an end are no values.
        case "k":
            return "%H", "(?:0?[1-9]|1[0-9]|2[0-3])"
        case "K":
            return "%I", "(?:0?[1-9]|1[01])"
    return _TWO_DIGITS[letter], digits


def _words(names: Sequence[str]) -> str:
    return f"(?i:{'|'.join(names)}|{'|'.join(n[:3] for n in names)})"


def _numeric(letter: str, text: str) -> bool:
    if not letter:
        return text[:1].isdigit()
    return letter not in "EazZX" and not (letter == "M" and len(text) > 2)


def _tokens(pattern: str) -> list[tuple[str, str]]:
    """Runs of one letter as (letter, run), everything else as ("", text)."""
    if len(pattern) > _LONGEST:
        raise InvalidFormat(_message(pattern[:_LONGEST]))
    tokens: list[tuple[str, str]] = []
    end = 0
    for match in _TOKEN.finditer(pattern):
        if match.start() != end:
            break
        end = match.end()
        if match["run"]:
            tokens.append((match["run"][0], match["run"]))
        elif match["quoted"] is not None:
            # Two quotes are one, inside of quoted text as outside.
            tokens.append(("", match["quoted"].replace("''", "'") or "'"))
        else:
            tokens.append(("", match["other"]))
    if end != len(pattern):
        raise InvalidFormat(_message(pattern))
    return tokens


def _message(pattern: str) -> str:
    return f"invalid format {pattern}"
