"""Reads single values and makes single keys, by the rules of `value_rules.py`.

`pipeline/values.py`, `pipeline/moments.py` and `pipeline/keys.py` do the same for columns, and both
must give the same values (tests/properties/test_record_calls.py). The API process must not load
them, because it starts without Polars. Fields of existing tables are not read here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from bulkwright.domain import value_rules as rules
from bulkwright.domain.module import Field, StorageType

Stored = str | int | bool
"""A value in the form in which both stores take it: exact decimals, dates, times (UTC, ending in Z)
and lists (a JSON array) are texts."""


class NotAValue(ValueError):
    """A text is no value of its field; `details` says what the field takes (facts 10.3)."""

    def __init__(self, details: Mapping[str, object]) -> None:
        self.details = dict(details)
        super().__init__("not a value of the field")


def read_value(text: str, field: Field, zone: ZoneInfo) -> Stored:
    """Returns the value of a text that is not empty. Raises NotAValue.

    `zone` is that of date-times without an offset.
    """
    if "\0" in text or rules.BAD_BYTE in text:
        raise NotAValue(expected(field))
    try:
        if field.storage_type is StorageType.DATETIME:
            return _moment(text, zone)
        return _READERS[field.storage_type](text, field)
    except NotAValue:
        raise
    except (ArithmeticError, ValueError):
        raise NotAValue(expected(field)) from None


def expected(field: Field) -> dict[str, object]:
    """Returns the detail that names the type of a field (facts 10.3)."""
    by_data_type = _TYPE_NAMES.get(field.data_type)
    return {"expected_data_type": by_data_type or _STORAGE_NAMES[field.storage_type]}


def key_of(text: str) -> str | None:
    """Returns the key of a text; None if it has nothing but blanks."""
    key = text.strip(rules.BLANKS).lower()
    if not key.isascii():
        composed = unicodedata.normalize("NFC", key)
        # Letters whose lower case is not their case folding, such as ß and ss.
        folded = "".join(c.casefold() if c.lower() == c else c for c in composed)
        key = unicodedata.normalize("NFC", folded)
    return key or None


def is_email(text: str) -> bool:
    """Returns whether a text, with no blanks around it, is an e-mail."""
    return bool(_pattern(rules.PATTERNS["email"][-1]).match(_classed(text)))


def _text(text: str, field: Field) -> str:
    bare = text.strip(rules.BLANKS)
    if field.accepts_new_values:
        text = bare
        if not text:
            raise ValueError
    patterns = rules.PATTERNS.get(field.data_type)
    if patterns is not None:
        text = bare
        if not _pattern(patterns[-1]).match(_classed(text)):
            raise ValueError
    elif field.has_folded_key and not bare:
        # A value of blanks has no key, so its record could not be found by it.
        raise ValueError
    if field.length is not None and len(text) > field.length:
        raise NotAValue({"maximum_length": field.length})
    return text


def _integer(text: str, field: Field) -> int:
    digits = rules.INTEGER_DIGITS.get(field.data_type, rules.LONG_DIGITS)
    plain = _plain_number(text)
    if not re.fullmatch(rf"-?[0-9]{{1,{digits}}}", plain):
        raise ValueError
    return int(plain)


def _decimal(text: str, field: Field) -> str:
    pattern = rules.PERCENT if field.data_type == "percent" else rules.DECIMAL
    plain = re.sub(r"^(-?)\.", r"\g<1>0.", _plain_number(text))
    plain = re.sub(r"^(-?)0+([0-9])", r"\1\2", plain)
    plain = re.sub(r"^-(0(?:\.0*)?)\Z", r"\1", plain)
    if not (_pattern(pattern).match(plain) or _pattern(rules.FRACTION).match(plain)):
        raise ValueError
    return plain


def _plain_number(text: str) -> str:
    number = text.strip(rules.BLANKS)
    if _pattern(rules.GROUPED).match(number):
        number = number.replace(",", "")
    return re.sub(r"^\+([0-9.])", r"\1", number)


def _boolean(text: str, _field: Field) -> bool:
    word = text.strip(rules.BLANKS).lower()
    if word not in rules.BOOLEANS:
        raise ValueError
    return rules.BOOLEANS[word]


def _list(text: str, field: Field) -> str:
    stripped = (value.strip(rules.BLANKS) for value in text.split(";"))
    values = [value for value in dict.fromkeys(stripped) if value]
    most = field.length or rules.LIST_VALUE_CHARS
    if not values:
        raise ValueError
    if any(len(value) > most for value in values):
        raise NotAValue({"maximum_length": most})
    escaped = (value.translate(_ESCAPES) for value in values)
    return '["' + '","'.join(escaped) + '"]'


def _reference(text: str, _field: Field) -> int:
    number = text.strip(rules.BLANKS)
    if not re.fullmatch("[0-9]{1,18}", number):
        raise ValueError
    return int(number)


def _date(text: str, _field: Field) -> str:
    return _day(text.strip(rules.BLANKS)).isoformat()


def _day(text: str) -> date:
    for pattern, directives in rules.DATES:
        if _pattern(pattern).match(text):
            return _PARSERS[directives](text)
    raise ValueError


def _moment(text: str, zone: ZoneInfo) -> str:
    moment = text.strip(rules.BLANKS)
    parts = _pattern(rules.WHOLE_SECONDS).match(moment)
    if parts is None:
        for basic, extended in rules.BASIC:
            found = _pattern(basic).match(moment)
            moment = moment if found is None else _filled(extended, found)
        parts = _pattern(rules.WHOLE_SECONDS).match(moment)
    if parts is None:
        raise ValueError
    local = datetime.combine(_day(parts["date"]), time.fromisoformat(parts["time"]))
    utc = _in_zone(local, zone) if parts["zone"] is None else local - _offset(parts["zone"])
    return f"{utc.date().isoformat()}T{utc:%H:%M:%S}Z"


def _in_zone(local: datetime, zone: ZoneInfo) -> datetime:
    """A local time in UTC, without a zone. A repeated time is the first one."""
    utc = local.replace(tzinfo=zone).astimezone(UTC)
    if utc.astimezone(zone).replace(tzinfo=None) != local:
        raise ValueError  # the clock skips it
    return utc.replace(tzinfo=None)


def _offset(zone: str) -> timedelta:
    """The offset of `Z`, `+02`, `+02:00`, `-0530`."""
    digits = zone.replace(":", "")[1:]
    hours, minutes, seconds = (int(digits[at : at + 2] or 0) for at in (0, 2, 4))
    if hours > rules.MOST_OFFSET_HOURS or minutes > 59 or seconds > 59:
        raise ValueError
    offset = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return -offset if zone[0] == "-" else offset


def _filled(form: str, match: re.Match[str]) -> str:
    return re.sub(r"\$\{([0-9])\}", lambda group: match[int(group[1])] or "", form)


def _us_day(text: str) -> date:
    month, day, year = map(int, text.split("/"))
    return date(year, month, day)


def _day_of_year(text: str) -> date:
    year, number = int(text[:4]), int(text[5:])
    found = date(year, 1, 1) + timedelta(days=number - 1)
    if found.year != year:
        raise ValueError
    return found


_PARSERS: Mapping[str, Callable[[str], date]] = {
    "%Y-%m-%d": lambda text: date(int(text[:4]), int(text[5:7]), int(text[8:])),
    "%m/%d/%Y": _us_day,
    "%Y%m%d": lambda text: date(int(text[:4]), int(text[4:6]), int(text[6:])),
    "%Y-%j": _day_of_year,
    "%G-W%V-%u": lambda text: date.fromisocalendar(int(text[:4]), int(text[6:8]), int(text[9])),
}
"""A parser for each of the directives of `value_rules.DATES`."""

_READERS: Mapping[StorageType, Callable[[str, Field], Stored]] = {
    StorageType.TEXT: _text,
    StorageType.INTEGER: _integer,
    StorageType.DECIMAL: _decimal,
    StorageType.BOOLEAN: _boolean,
    StorageType.DATE: _date,
    StorageType.LIST: _list,
    StorageType.REFERENCE: _reference,
}
_ESCAPES = str.maketrans(rules.JSON_ESCAPES)

_TYPE_NAMES = {
    "integer": "integer", "bigint": "bigint", "long": "bigint", "email": "email",
    "phone": "phone", "website": "website",
}  # fmt: skip
_STORAGE_NAMES = {
    StorageType.TEXT: "text",
    StorageType.INTEGER: "integer",
    StorageType.DECIMAL: "double",
    StorageType.BOOLEAN: "boolean",
    StorageType.DATE: "date",
    StorageType.DATETIME: "datetime",
    StorageType.LIST: "jsonarray",
    StorageType.REFERENCE: "jsonobject",
}

_LETTER, _MARK, _NUMBER, _OTHER = "\u00e4", "\u0301", "\u00b2", "\u20ac"
"""A letter, a mark, a number and another character, each for all of its kind beyond ASCII."""
_CLASSES = {"L": _LETTER, "M": _MARK, "N": _NUMBER, "Z": "\u00a0"}


def _classed(text: str) -> str:
    """Returns a text in which each character beyond ASCII is the one that stands for its kind."""
    if text.isascii():
        return text
    return "".join(c if c.isascii() else _class(c) for c in text)


def _class(character: str) -> str:
    if character in rules.BLANKS:
        return _CLASSES["Z"]
    return _CLASSES.get(unicodedata.category(character)[0], _OTHER)


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    """Returns a pattern of `value_rules.py` for texts of `_classed`."""
    plain = (
        pattern.replace(r"\p{L}", f"A-Za-z{_LETTER}")
        .replace(r"\p{M}", _MARK)
        .replace(r"\p{N}", f"0-9{_NUMBER}")
        .replace(r"\S", f"[^{rules.BLANKS}]")
    )
    return re.compile(re.sub(r"\$$", r"\\Z", plain))
