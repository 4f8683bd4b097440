"""Converts text to values: one reader for each storage type (facts 8.1).

A reader takes a column of texts, null where the cell was empty, and returns a column of values of
the same length. It is null where the cell was empty *or* where the text is not a value of the
field. So a cell is bad if it is null only after the conversion. No cell raises an exception.

A reader tests the whole column with the fastest pattern first, and only the rest with the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import polars as pl

from bulkwright.domain import dateformat
from bulkwright.domain.module import Column, Field, StorageType

_INTEGER_DIGITS = {"integer": 9}
"""Most digits of an integer type; `_LONG_DIGITS` for the others."""
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
class ReadOptions:
    """How the cells of one mapping are converted."""

    field: Field
    format: str | None
    """The mapping's pattern, checked when the job was created."""
    time_zone: str
    """IANA zone of date-times without an offset."""


def read_values(cells: pl.Series, options: ReadOptions) -> pl.Series:
    """Return the cells as values of the field; null where a cell is empty or not a value.

    The dtype depends on the storage type: String for TEXT, LIST (a JSON array) and DECIMAL (exact
    digits), Int64 for INTEGER and REFERENCE, Boolean for BOOLEAN, Date for DATE, Datetime in UTC
    for DATETIME.
    """
    return _READERS[options.field.storage_type](cells, options)


def _text(cells: pl.Series, options: ReadOptions) -> pl.Series:
    field = options.field
    if field.column is not None:
        cells = _existing_text(cells, field)
    patterns = _PATTERNS.get(field.data_type)
    if patterns is not None:
        cells = _keep_where(cells, _matches(cells.str.strip_chars(), patterns))
    elif field.has_folded_key:
        # A value of blanks has no key, so its record could not be found by it.
        cells = _keep_where(cells, cells.str.contains(r"\S"))
    if field.length is not None and (cells.str.len_bytes() > field.length).any():
        cells = _keep_where(cells, cells.str.len_chars() <= field.length)
    return cells


def _existing_text(cells: pl.Series, field: Field) -> pl.Series:
    """The texts that a column of an existing table accepts, in the form that it compares."""
    assert field.column is not None
    if field.pick_list_values:
        return _keep_where(cells, cells.is_in(field.pick_list_values))
    if field.column.type == "uuid":
        uuids = cells.str.strip_chars().str.to_lowercase()
        return _keep_where(uuids, uuids.str.contains(_UUID))
    if field.column.type in ("json", "jsonb"):
        return _keep_where(cells, cells.map_elements(_is_json, pl.Boolean))
    if field.column.type.startswith("character("):
        return cells.str.strip_chars_end(" ")
    return cells


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError:
        return False
    return True


def _existing_integer(numbers: pl.Series, column: Column) -> pl.Series:
    """The whole numbers in the range of a column of an existing table."""
    least, most = column.bounds
    whole = _keep_where(numbers, numbers.str.contains(_WHOLE)).cast(pl.Int64, strict=False)
    return _keep_where(whole, whole.is_between(least, most))


def _existing_decimal(numbers: pl.Series, field: Field) -> pl.Series:
    """The numbers that a column of an existing table can hold without rounding."""
    assert field.column is not None
    if field.column.type in _FLOATS:
        is_float = numbers.str.contains(_FLOAT)
        return _keep_where(
            numbers, is_float & (numbers.cast(pl.Float64, strict=False).abs() <= _LARGEST)
        )
    if field.length is None:
        return _keep_where(numbers, numbers.str.contains(_EXACT))
    places = field.decimal_place or 0
    whole = field.length - places
    digits = f"0|[1-9][0-9]{{0,{whole - 1}}}" if whole else "0"
    return _keep_where(
        numbers, numbers.str.contains(rf"^-?(?:{digits})(?:\.[0-9]{{0,{places}}}0*)?$")
    )


def _integer(cells: pl.Series, options: ReadOptions) -> pl.Series:
    if options.field.column is not None:
        return _existing_integer(_plain_number(cells, options), options.field.column)
    digits = _INTEGER_DIGITS.get(options.field.data_type, _LONG_DIGITS)
    plain = _plain_number(cells, options)
    return _keep_where(plain, plain.str.contains(rf"^-?[0-9]{{1,{digits}}}$")).cast(pl.Int64)


def _decimal(cells: pl.Series, options: ReadOptions) -> pl.Series:
    pattern = _PERCENT if options.field.data_type == "percent" else _DECIMAL
    existing = options.field.column is not None
    if not existing and options.format is None and _has_no_false(cells.str.contains(pattern)):
        return cells
    plain = _plain_number(cells, options)
    plain = plain.str.replace(r"^(-?)\.", "${1}0.").str.replace(r"^(-?)0+([0-9])", "${1}${2}")
    if existing:
        return _existing_decimal(plain, options.field)
    return _keep_where(plain, plain.str.contains(pattern))


def _plain_number(cells: pl.Series, options: ReadOptions) -> pl.Series:
    """Numbers without the sign `+`, surrounding blanks, and group separators in correct places."""
    numbers = cells.str.strip_chars()
    if options.format is not None:
        point, group = dateformat.number_format(options.format)
        if group:
            numbers = numbers.str.replace_all(group, "", literal=True)
        # A separator that the pattern does not name is invalid: it must not pass as another one.
        numbers = numbers.str.replace_all(".", "?", literal=True) if point != "." else numbers
        numbers = numbers.str.replace_all(point, ".", literal=True)
    elif numbers.str.contains(",", literal=True).any():
        grouped = numbers.str.contains(_GROUPED)
        bare = numbers.str.replace_all(",", "", literal=True)
        numbers = pl.select(pl.when(grouped).then(bare).otherwise(numbers)).to_series()
    return numbers.str.replace(r"^\+([0-9.])", "${1}")


def _boolean(cells: pl.Series, _options: ReadOptions) -> pl.Series:
    words = cells.str.strip_chars().str.to_lowercase()
    return words.replace_strict(
        ["true", "false"], [True, False], default=None, return_dtype=pl.Boolean
    )


def _date(cells: pl.Series, options: ReadOptions) -> pl.Series:
    days = cells.str.strip_chars()
    if options.format is not None:
        pattern = dateformat.translate(options.format)
        dates = _keep_where(days, days.str.contains(pattern.regex)).str.to_date(
            pattern.strptime, strict=False
        )
    else:
        dates = _keep_where(days, days.str.contains(_ISO_DATE)).str.to_date(
            "%Y-%m-%d", strict=False
        )
        if dates.null_count() > days.null_count():
            american = _keep_where(days, days.str.contains(_US_DATE))
            dates = _coalesce(dates, american.str.to_date("%m/%d/%Y", strict=False))
    return _keep_where(dates, dates.dt.year() >= 1)


def _datetime(cells: pl.Series, options: ReadOptions) -> pl.Series:
    moments = cells.str.strip_chars()
    if options.format is not None:
        return _in_range(_formatted_datetime(moments, options.format, options.time_zone))
    parts = moments.str.extract_groups(_MOMENT).struct.unnest()
    local, zone = _local_time(parts), parts["zone"]
    if zone.null_count() == zone.len():
        return _in_range(_in_zone(local, options.time_zone))
    utc = _without_offset(local, zone)
    if zone.null_count():
        without_zone = _in_zone(_keep_where(local, zone.is_null()), options.time_zone)
        utc = _coalesce(_keep_where(utc, zone.is_not_null()), without_zone)
    return _in_range(utc)


def _formatted_datetime(moments: pl.Series, format_: str, time_zone: str) -> pl.Series:
    """The moments of texts that match the mapping's pattern."""
    pattern = dateformat.translate(format_)
    matching = _keep_where(moments, moments.str.contains(pattern.regex))
    if pattern.has_zone:
        return matching.str.to_datetime(
            pattern.strptime, strict=False, time_zone="UTC", time_unit="us"
        )
    if not pattern.has_time:
        days = matching.str.to_date(pattern.strptime, strict=False)
        return _in_zone(days.cast(pl.Datetime("us")), time_zone)
    local = matching.str.to_datetime(pattern.strptime, strict=False, time_unit="us")
    return _in_zone(local, time_zone)


def _local_time(parts: pl.DataFrame) -> pl.Series:
    """The date and the time of `_MOMENT`, as they are written: without a zone."""
    time = pl.when(pl.col("time").str.len_bytes() == 5).then(pl.col("time") + ":00")
    texts = parts.select(pl.col("date") + "T" + time.otherwise(pl.col("time"))).to_series()
    local = texts.str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False, time_unit="us")
    is_american = parts["date"].str.contains("/", literal=True)
    if is_american.any():
        american = _keep_where(texts, is_american)
        local = _coalesce(
            local, american.str.to_datetime("%m/%d/%YT%H:%M:%S", strict=False, time_unit="us")
        )
    return local


def _without_offset(local: pl.Series, zone: pl.Series) -> pl.Series:
    """The moments in UTC of local times with an offset such as `Z`, `+02:00` or `-0530`."""
    sign = zone.str.slice(0, 1).replace_strict({"+": 1, "-": -1}, default=0, return_dtype=pl.Int64)
    hours = zone.str.slice(1, 2).cast(pl.Int64, strict=False).fill_null(0)
    minutes = zone.str.slice(-2, 2).cast(pl.Int64, strict=False).fill_null(0)
    valid = (hours <= 14) & (minutes < 60)
    offset = pl.duration(minutes=pl.lit((sign * (hours * 60 + minutes)).cast(pl.Int64)))
    utc = (_keep_where(local, valid) - offset).dt.replace_time_zone("UTC")
    return pl.select(utc).to_series()


def _list(cells: pl.Series, options: ReadOptions) -> pl.Series:
    """`a;b` as the JSON array `["a","b"]` (facts 8.1: values are joined by semicolons)."""
    escaped = cells.str.replace_many(_JSON_ESCAPES)
    values = escaped.str.split(";").list.eval(pl.element().str.strip_chars())
    values = values.list.eval(pl.element().filter(pl.element() != "").unique(maintain_order=True))
    fits = values.list.eval(pl.element().str.len_chars().max() <= (options.field.length or 120))
    joined = '["' + values.list.join('","') + '"]'
    return _keep_where(joined, (values.list.len() > 0) & fits.list.all())


def _reference(cells: pl.Series, options: ReadOptions) -> pl.Series:
    ids = cells.str.strip_chars()
    if options.field.column is not None:
        return _existing_integer(ids, options.field.column)
    return _keep_where(ids, ids.str.contains(r"^[0-9]{1,18}$")).cast(pl.Int64)


_READERS: dict[StorageType, Callable[[pl.Series, ReadOptions], pl.Series]] = {
    StorageType.TEXT: _text,
    StorageType.INTEGER: _integer,
    StorageType.DECIMAL: _decimal,
    StorageType.BOOLEAN: _boolean,
    StorageType.DATE: _date,
    StorageType.DATETIME: _datetime,
    StorageType.LIST: _list,
    StorageType.REFERENCE: _reference,
}

_JSON_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    **{chr(c): f"\\u{c:04x}" for c in range(0x20)},
}


_PATTERNS = {"email": (_EMAIL, _ANY_EMAIL), "phone": (_PHONE,), "website": (_WEBSITE,)}
"""A value must match one of these patterns. The fastest pattern is the first."""


def _matches(cells: pl.Series, patterns: tuple[str, ...]) -> pl.Series:
    first, *others = patterns
    matches = cells.str.contains(first)
    for pattern in others:
        if not _has_no_false(matches):
            rest = _keep_where(cells, ~matches)
            matches = matches | rest.str.contains(pattern).fill_null(value=False)
    return matches


def _keep_where(values: pl.Series, valid: pl.Series) -> pl.Series:
    """The values where the mask is true, null elsewhere."""
    if _has_no_false(valid):
        return values
    return pl.select(pl.when(valid).then(values)).to_series().alias(values.name)


def _coalesce(values: pl.Series, others: pl.Series) -> pl.Series:
    return pl.select(pl.coalesce(values, others)).to_series()


def _has_no_false(mask: pl.Series) -> bool:
    """Whether the mask is false nowhere; it is null for an empty cell, which is not bad."""
    return bool(mask.all(ignore_nulls=True))


def _in_zone(local: pl.Series, zone: str) -> pl.Series:
    # In the hour that the clock repeats, a time means the first pass. A time in the hour that the
    # clock skips does not exist.
    placed = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return placed.dt.convert_time_zone("UTC")


def _in_range(moments: pl.Series) -> pl.Series:
    return _keep_where(moments, (moments.dt.year() >= 1) & (moments.dt.year() <= 9999))
