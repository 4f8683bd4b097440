"""A mapping's `format`: Java patterns for dates and numbers, translated for a parser.

The documentation shows patterns such as `yyyy/MM/dd`; their letters are those of Java's
SimpleDateFormat (facts 3.3). Pure text to text: `pipeline/values.py` reads cells with the result.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from bulkwright.domain.errors import InvalidFormat

_LONGEST = 100
_SHORT_YEAR = 2
"""Letters of a year without its century."""
_SHORT_YEARS_BACK = 80
LOOK_ALIKES = {" ": " \u00a0\u202f\u2009", "'": "'\u2019"}
"""Group separators that mean the same: blanks, also no-break and thin ones; apostrophes."""
_PLAIN = {ord(sign): plain for plain, signs in LOOK_ALIKES.items() for sign in signs}
_TOKEN = re.compile(r"'(?P<quoted>(?:[^']|'')*)'|(?P<run>([A-Za-z])\3*)|(?P<other>[^A-Za-z'])")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class DateFormat:
    """A date pattern as a parser of strftime directives needs it."""

    strptime: str
    """Directives of Rust's chrono, as Polars takes them."""
    regex: str
    """Anchored; a cell that it does not match is rejected, even if the parser would accept it."""
    has_time: bool
    has_zone: bool
    before_short_year: str | None = None
    """A regex, with one group, of all that precedes a year of two digits; None if it has four.

    The parser needs the century between that group and the year (`short_years`)."""


@lru_cache(maxsize=256)
def translate(pattern: str) -> DateFormat:
    """Translate a date pattern; letters y M d D E H k K h m s S a z Z X and quoted text.

    A single or double letter for day, month or time matches one or two digits, as in Java, but two
    digits if other digits precede or follow. Raises InvalidFormat for other letters, for a letter
    that comes twice, and for a pattern that does not name a whole date (and a whole time, if any).
    """
    tokens = _tokens(pattern)
    directives: list[str] = []
    regex: list[str] = []
    roles: set[str] = set()
    before_short_year = None
    for position, (letter, text) in enumerate(tokens):
        if not letter:
            directives.append(text.replace("%", "%%"))
            regex.append(re.escape(text))
            continue
        known = _LETTERS.get(letter)
        if known is None or known.role in roles:
            raise InvalidFormat(_message(pattern))
        roles.add(known.role)
        if letter == "y" and len(text) == _SHORT_YEAR:
            before_short_year = f"^({''.join(regex)})"
        if letter == "S" and directives and directives[-1].endswith("."):
            # The parser reads the point with the fraction.
            directives[-1] = directives[-1][:-1]
            directives.append("%.f")
            regex.append("[0-9]{1,9}")
            continue
        form = known.form(len(text))
        if form is None:
            raise InvalidFormat(_message(pattern))
        neighbours = (
            *tokens[max(position - 1, 0) : position],
            *tokens[position + 1 : position + 2],
        )
        directives.append(form.directive)
        regex.append(form.adjacent if any(map(_has_digits, neighbours)) else form.regex)
    if not _is_complete(roles):
        raise InvalidFormat(_message(pattern))
    has_time = "hour" in roles or "half-day hour" in roles
    return DateFormat(
        "".join(directives),
        f"^{''.join(regex)}$",
        has_time,
        "zone" in roles,
        before_short_year,
    )


def short_years(created: date) -> tuple[date, date]:
    """Return the first day that a year of two digits can mean, and the day after the last.

    As in SimpleDateFormat, they are the 80 years before the day on which the job was created, and
    the 20 years after it.
    """
    return _years_later(created, -_SHORT_YEARS_BACK), _years_later(created, 100 - _SHORT_YEARS_BACK)


def _years_later(day: date, years: int) -> date:
    year = day.year + years
    try:
        return day.replace(year=year)
    except ValueError:  # February 29, in a year that has none
        return day.replace(year=year, day=28)


def _is_complete(roles: set[str]) -> bool:
    """Whether the letters name one whole date, and one whole time or none."""
    if not ({"year", "month", "day"} <= roles or {"year", "day of year"} <= roles):
        return False
    time = {"hour", "minute"} <= roles or {"half-day hour", "minute", "half of day"} <= roles
    if not time and roles & _TIME_ROLES:
        return False
    # With a 24-hour letter, a half of the day would say the same again.
    if "hour" in roles and roles & {"half-day hour", "half of day"}:
        return False
    return "fraction" not in roles or "second" in roles


def number_format(pattern: str) -> tuple[str, str]:
    """Returns the decimal point and the group separator ("" if none) of a pattern: `#,##0.00`.

    If there is only one kind of separator, `.` is the point; `,` separates groups if three digits
    follow it, and is the point otherwise. A separator with others that look like it (`LOOK_ALIKES`)
    is the first of them. Raises InvalidFormat for any other text.
    """
    plain = pattern.translate(_PLAIN)
    if len(pattern) > _LONGEST or not re.fullmatch(r"[#0]+(?:[., '][#0]+)*", plain):
        raise InvalidFormat(_message(pattern))
    marks = [c for c in plain if c in "., '"]
    if not marks:
        return ".", ""
    *groups, last = marks
    kinds = set(groups)
    if len(kinds) > 1:
        raise InvalidFormat(_message(pattern))
    tail = len(plain) - plain.rindex(last) - 1
    if kinds and last not in kinds:
        if last not in ".,":
            raise InvalidFormat(_message(pattern))
        return last, groups[0]
    if kinds or last in " '" or (last == "," and tail == 3):
        if tail != 3:
            raise InvalidFormat(_message(pattern))
        return ("," if last == "." else "."), last
    return last, ""


def boolean_words(pattern: str) -> tuple[str, str]:
    """Returns the words for true and false, in lower case, of a pattern such as `ja/nein`.

    Raises InvalidFormat if the pattern does not consist of two different words.
    """
    words = [word.strip() for word in pattern.lower().split("/")]
    if len(pattern) > _LONGEST or len(words) != 2 or "" in words or words[0] == words[1]:
        raise InvalidFormat(_message(pattern))
    return words[0], words[1]


@dataclass(frozen=True, slots=True)
class _Form:
    """How a run of letters is read."""

    directive: str
    regex: str
    adjacent: str
    """The regular expression if other digits precede or follow."""
    digits: bool = True
    """Whether its text consists of digits."""


@dataclass(frozen=True, slots=True)
class _Letter:
    """The role of a letter, and the forms of its runs by the number of letters."""

    role: str
    otherwise: _Form | None
    """For every number of letters that is not in `by_count`; None if that is not a format."""
    by_count: Mapping[int, _Form] = field(default_factory=dict)

    def form(self, count: int) -> _Form | None:
        return self.by_count.get(count, self.otherwise)


def _exactly(directive: str, digits: int) -> _Form:
    return _Form(directive, f"[0-9]{{{digits}}}", f"[0-9]{{{digits}}}")


def _up_to(directive: str, digits: int) -> _Form:
    return _Form(directive, f"[0-9]{{1,{digits}}}", f"[0-9]{{{digits}}}")


def _up_to_59(directive: str) -> _Form:
    # The parser takes 60 for a leap second, in any minute.
    return _Form(directive, "[0-5]?[0-9]", "[0-5][0-9]")


def _matching(directive: str, regex: str, *, digits: bool = False) -> _Form:
    return _Form(directive, regex, regex, digits)


def _named(directive: str, names: Sequence[str]) -> _Form:
    return _matching(directive, f"(?i:{'|'.join(names)}|{'|'.join(n[:3] for n in names)})")


_MONTH_NUMBER = _up_to("%m", 2)
_SHORT_DAY = _named("%a", _DAYS)
_ZONE = _Letter("zone", _matching("%#z", r"(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)"))

_LETTERS = {
    "y": _Letter("year", _exactly("%Y", 4), {_SHORT_YEAR: _exactly("%Y", 2)}),
    "M": _Letter(
        "month",
        _named("%B", _MONTHS),
        {1: _MONTH_NUMBER, 2: _MONTH_NUMBER, 3: _named("%b", _MONTHS)},
    ),
    "d": _Letter("day", _up_to("%d", 2)),
    "D": _Letter("day of year", _up_to("%j", 3)),
    "E": _Letter("weekday", _named("%A", _DAYS), {1: _SHORT_DAY, 2: _SHORT_DAY, 3: _SHORT_DAY}),
    "H": _Letter("hour", _up_to("%H", 2)),
    "h": _Letter("half-day hour", _up_to("%I", 2)),
    # Java counts k from 1 to 24 and K from 0 to 11, where only the ends differ from H and h. The
    # parser has no such hours, so a cell that holds an end is rejected.
    "k": _Letter("hour", _matching("%H", "(?:0?[1-9]|1[0-9]|2[0-3])", digits=True)),
    "K": _Letter("half-day hour", _matching("%I", "(?:0?[1-9]|1[01])", digits=True)),
    "m": _Letter("minute", _up_to_59("%M")),
    "s": _Letter("second", _up_to_59("%S")),
    "S": _Letter("fraction", None, {n: _exactly(f"%{n}f", n) for n in (3, 6, 9)}),
    "a": _Letter("half of day", _matching("%p", "(?i:am|pm)")),
    "z": _ZONE,
    "Z": _ZONE,
    "X": _ZONE,
}
_TIME_ROLES = {
    "hour", "half-day hour", "minute", "second", "fraction", "half of day", "zone",
}  # fmt: skip


def _has_digits(token: tuple[str, str]) -> bool:
    """Whether a token's text in a cell may be digits where it meets another token."""
    letter, text = token
    if not letter:
        return text[:1].isdigit()
    known = _LETTERS.get(letter)
    form = known.form(len(text)) if known else None
    return form is None or form.digits


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
