"""Text becomes values: one reader for each kind of field (facts 8.1).

Each takes a text column, null where the cell was empty, and gives a column of values of the same
length: null where the cell was empty *or* where its text is no value of the field. What is null
only afterwards is a bad cell; nothing here raises for what a cell holds.

Readers look at the whole column first and take the careful road only for what is left over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import polars as pl

from bulkwright.domain import dateformat
from bulkwright.domain.module import Column, Field, Kind

_INTEGER_DIGITS = {"integer": 9}
_LONG_DIGITS = 18
_GROUPED = r"^[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?$"
_DECIMAL = r"^-?(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,9})?$"
_PERCENT = r"^-?(?:0|[1-9][0-9]{0,4})(?:\.[0-9]{1,9})?$"
_WHOLE = r"^-?[0-9]{1,19}$"
_EXACT = r"^-?[0-9]{1,1000}(?:\.[0-9]{1,1000})?$"
_FLOAT = r"^-?[0-9]{1,400}(?:\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,3})?$"
_FLOATS = ("real", "double precision")
_LARGEST = 1.7976931348623157e308
_UUID = r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_ISO_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_US_DATE = r"^[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}$"
_MOMENT = (
    r"^(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4})[T ]"
    r"(?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:\.[0-9]{1,9})?"
    r"(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?$"
)
_EMAIL = (
    r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}$"
)
_ANY_EMAIL = (
    r"^[\p{L}\p{M}\p{N}.!#$%&'*+/=?^_`{|}~-]+"
    r"@(?:[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?\.)+[\p{L}\p{M}]{2,}$"
)
_PHONE = r"^[+(]?[0-9][0-9 ().;+-]*$"
_WEBSITE = (
    r"^(?i:https?://|ftp://)?[\p{L}\p{N}][\p{L}\p{M}\p{N}-]*(?:\.[\p{L}\p{M}\p{N}-]+)+"
    r"(?::[0-9]{1,5})?(?:[/?#]\S*)?$"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """How the cells of one mapping are read."""

    field: Field
    format: str | None
    """The mapping's pattern, checked when the job was created."""
    time_zone: str
    """IANA zone of date-times that carry no offset."""


def read_values(cells: pl.Series, reading: Reading) -> pl.Series:
    """The cells as values of the field; dtype by its kind.

    TEXT and LIST (a JSON array) String, INTEGER and REFERENCE Int64, DECIMAL String of exact
    digits, BOOLEAN Boolean, DATE Date, DATETIME Datetime in UTC.
    """
    return _READERS[reading.field.kind](cells, reading)


def _text(cells: pl.Series, reading: Reading) -> pl.Series:
    field = reading.field
    if field.column is not None:
        cells = _of_column(cells, field)
    patterns = _PATTERNS.get(field.data_type)
    if patterns is not None:
        cells = _only(cells, _fits(cells.str.strip_chars(), patterns))
    elif field.folded:
        # Blanks make no key: stored, such a value would part from what its record is found by.
        cells = _only(cells, cells.str.contains(r"\S"))
    if field.length is not None and (cells.str.len_bytes() > field.length).any():
        cells = _only(cells, cells.str.len_chars() <= field.length)
    return cells


def _of_column(cells: pl.Series, field: Field) -> pl.Series:
    """The texts that a column of the user's own takes, in the form in which it compares them."""
    assert field.column is not None
    if field.pick_list_values:
        return _only(cells, cells.is_in(field.pick_list_values))
    if field.column.type == "uuid":
        plain = cells.str.strip_chars().str.to_lowercase()
        return _only(plain, plain.str.contains(_UUID))
    if field.column.type in ("json", "jsonb"):
        return _only(cells, cells.map_elements(_is_json, pl.Boolean))
    if field.column.type.startswith("character("):
        return cells.str.strip_chars_end(" ")
    return cells


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError:
        return False
    return True


def _whole_number(numbers: pl.Series, column: Column) -> pl.Series:
    """The whole numbers in the range of a column of the user's own."""
    least, most = column.bounds
    whole = _only(numbers, numbers.str.contains(_WHOLE)).cast(pl.Int64, strict=False)
    return _only(whole, whole.is_between(least, most))


def _number(numbers: pl.Series, field: Field) -> pl.Series:
    """The numbers that a column of the user's own holds as they are, without rounding."""
    assert field.column is not None
    if field.column.type in _FLOATS:
        known = numbers.str.contains(_FLOAT)
        return _only(numbers, known & (numbers.cast(pl.Float64, strict=False).abs() <= _LARGEST))
    if field.length is None:
        return _only(numbers, numbers.str.contains(_EXACT))
    places = field.decimal_place or 0
    whole = field.length - places
    digits = f"0|[1-9][0-9]{{0,{whole - 1}}}" if whole else "0"
    return _only(numbers, numbers.str.contains(rf"^-?(?:{digits})(?:\.[0-9]{{0,{places}}}0*)?$"))


def _integer(cells: pl.Series, reading: Reading) -> pl.Series:
    if reading.field.column is not None:
        return _whole_number(_plain_number(cells, reading), reading.field.column)
    digits = _INTEGER_DIGITS.get(reading.field.data_type, _LONG_DIGITS)
    plain = _plain_number(cells, reading)
    return _only(plain, plain.str.contains(rf"^-?[0-9]{{1,{digits}}}$")).cast(pl.Int64)


def _decimal(cells: pl.Series, reading: Reading) -> pl.Series:
    pattern = _PERCENT if reading.field.data_type == "percent" else _DECIMAL
    own = reading.field.column is not None
    if not own and reading.format is None and _all(cells.str.contains(pattern)):
        return cells
    plain = _plain_number(cells, reading)
    plain = plain.str.replace(r"^(-?)\.", "${1}0.").str.replace(r"^(-?)0+([0-9])", "${1}${2}")
    if own:
        return _number(plain, reading.field)
    return _only(plain, plain.str.contains(pattern))


def _plain_number(cells: pl.Series, reading: Reading) -> pl.Series:
    """Numbers without sign `+`, blanks around them, and well-placed group separators."""
    numbers = cells.str.strip_chars()
    if reading.format is not None:
        point, group = dateformat.number_format(reading.format)
        if group:
            numbers = numbers.str.replace_all(group, "", literal=True)
        # A separator that the pattern does not name is none: it must not pass as another one.
        numbers = numbers.str.replace_all(".", "?", literal=True) if point != "." else numbers
        numbers = numbers.str.replace_all(point, ".", literal=True)
    elif numbers.str.contains(",", literal=True).any():
        grouped = numbers.str.contains(_GROUPED)
        bare = numbers.str.replace_all(",", "", literal=True)
        numbers = pl.select(pl.when(grouped).then(bare).otherwise(numbers)).to_series()
    return numbers.str.replace(r"^\+([0-9.])", "${1}")


def _boolean(cells: pl.Series, _reading: Reading) -> pl.Series:
    words = cells.str.strip_chars().str.to_lowercase()
    return words.replace_strict(
        ["true", "false"], [True, False], default=None, return_dtype=pl.Boolean
    )


def _date(cells: pl.Series, reading: Reading) -> pl.Series:
    days = cells.str.strip_chars()
    if reading.format is not None:
        pattern = dateformat.translate(reading.format)
        dates = _only(days, days.str.contains(pattern.regex)).str.to_date(
            pattern.strptime, strict=False
        )
    else:
        dates = _only(days, days.str.contains(_ISO_DATE)).str.to_date("%Y-%m-%d", strict=False)
        if dates.null_count() > days.null_count():
            american = _only(days, days.str.contains(_US_DATE))
            dates = _first(dates, american.str.to_date("%m/%d/%Y", strict=False))
    return _only(dates, dates.dt.year() >= 1)


def _datetime(cells: pl.Series, reading: Reading) -> pl.Series:
    moments = cells.str.strip_chars()
    if reading.format is not None:
        pattern = dateformat.translate(reading.format)
        fitting = _only(moments, moments.str.contains(pattern.regex))
        if pattern.has_zone:
            zoned = fitting.str.to_datetime(
                pattern.strptime, strict=False, time_zone="UTC", time_unit="us"
            )
            return _in_range(zoned)
        if not pattern.has_time:
            days = fitting.str.to_date(pattern.strptime, strict=False)
            return _in_range(_in_zone(days.cast(pl.Datetime("us")), reading.time_zone))
        local = fitting.str.to_datetime(pattern.strptime, strict=False, time_unit="us")
        return _in_range(_in_zone(local, reading.time_zone))
    parts = moments.str.extract_groups(_MOMENT).struct.unnest()
    american = parts["date"].str.contains("/", literal=True)
    time = pl.when(pl.col("time").str.len_bytes() == 5).then(pl.col("time") + ":00")
    stamp = parts.select(pl.col("date") + "T" + time.otherwise(pl.col("time"))).to_series()
    local = stamp.str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False, time_unit="us")
    if american.any():
        other = _only(stamp, american)
        local = _first(
            local, other.str.to_datetime("%m/%d/%YT%H:%M:%S", strict=False, time_unit="us")
        )
    zone = parts["zone"]
    if zone.null_count() == zone.len():
        return _in_range(_in_zone(local, reading.time_zone))
    sign = zone.str.slice(0, 1).replace_strict({"+": 1, "-": -1}, default=0, return_dtype=pl.Int64)
    hours = zone.str.slice(1, 2).cast(pl.Int64, strict=False).fill_null(0)
    minutes = zone.str.slice(-2, 2).cast(pl.Int64, strict=False).fill_null(0)
    sound = (hours <= 14) & (minutes < 60)
    offset = (sign * (hours * 60 + minutes)).cast(pl.Int64)
    utc = pl.select(
        (_only(local, sound) - pl.duration(minutes=pl.lit(offset))).dt.replace_time_zone("UTC")
    ).to_series()
    if zone.null_count():
        here = _in_zone(_only(local, zone.is_null()), reading.time_zone)
        utc = _first(_only(utc, zone.is_not_null()), here)
    return _in_range(utc)


def _list(cells: pl.Series, reading: Reading) -> pl.Series:
    """`a;b` as the JSON array `["a","b"]` (facts 8.1: values are joined by semicolons)."""
    escaped = cells.str.replace_many(_JSON_ESCAPES)
    values = escaped.str.split(";").list.eval(pl.element().str.strip_chars())
    values = values.list.eval(pl.element().filter(pl.element() != "").unique(maintain_order=True))
    fits = values.list.eval(pl.element().str.len_chars().max() <= (reading.field.length or 120))
    joined = '["' + values.list.join('","') + '"]'
    return _only(joined, (values.list.len() > 0) & fits.list.all())


def _reference(cells: pl.Series, reading: Reading) -> pl.Series:
    ids = cells.str.strip_chars()
    if reading.field.column is not None:
        return _whole_number(ids, reading.field.column)
    return _only(ids, ids.str.contains(r"^[0-9]{1,18}$")).cast(pl.Int64)


_READERS: dict[Kind, Callable[[pl.Series, Reading], pl.Series]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _date,
    Kind.DATETIME: _datetime,
    Kind.LIST: _list,
    Kind.REFERENCE: _reference,
}

_JSON_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    **{chr(c): f"\\u{c:04x}" for c in range(0x20)},
}


_PATTERNS = {"email": (_EMAIL, _ANY_EMAIL), "phone": (_PHONE,), "website": (_WEBSITE,)}
"""Patterns of which one must fit; the quickest first."""


def _fits(cells: pl.Series, patterns: tuple[str, ...]) -> pl.Series:
    first, *others = patterns
    fits = cells.str.contains(first)
    for pattern in others:
        if not _all(fits):
            left = _only(cells, ~fits)
            fits = fits | left.str.contains(pattern).fill_null(value=False)
    return fits


def _only(values: pl.Series, fits: pl.Series) -> pl.Series:
    """The values where the mask is true, null elsewhere."""
    if _all(fits):
        return values
    return pl.select(pl.when(fits).then(values)).to_series().alias(values.name)


def _first(values: pl.Series, others: pl.Series) -> pl.Series:
    return pl.select(pl.coalesce(values, others)).to_series()


def _all(mask: pl.Series) -> bool:
    """Whether nothing in the mask is false; an empty cell is no objection."""
    return bool(mask.all(ignore_nulls=True))


def _in_zone(local: pl.Series, zone: str) -> pl.Series:
    # The hour that the clocks repeat is its first pass; the hour that they leave out is no time.
    placed = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return placed.dt.convert_time_zone("UTC")


def _in_range(moments: pl.Series) -> pl.Series:
    return _only(moments, (moments.dt.year() >= 1) & (moments.dt.year() <= 9999))
