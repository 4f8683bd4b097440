"""Converts text to dates and date-times (facts 8.1).

Without a format, cells are read that ISO 8601, the documentation's own patterns or PostgreSQL
spell. A field of the service's tables gets typed values. A column of an existing table gets
texts in one form, which each store translates into the form that its column holds: such a column
may hold values that no type here has, such as infinity.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from bulkwright.domain import dateformat
from bulkwright.domain import value_rules as rules
from bulkwright.domain.dateformat import DateFormat
from bulkwright.pipeline.cells import ReadOptions, all_read, coalesced, has_no_false, keep_where
from bulkwright.store import tables

_BEYOND_DATE = r"^(?:-?infinity|[0-9]{5,6}-[0-9]{2}-[0-9]{2}|[0-9]{4,6}-[0-9]{2}-[0-9]{2} bc)$"
_BEYOND_MOMENT = (
    r"^(?:-?infinity|(?:[0-9]{5,6}-[0-9]{2}-[0-9]{2}CLOCK|[0-9]{4,6}-[0-9]{2}-[0-9]{2}CLOCK bc))$"
).replace(
    "CLOCK", r" [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:[+-][0-9]{2}(?::[0-9]{2}){0,2})?"
)
"""What PostgreSQL writes for values that no type here has; the server reads them again."""


def read_dates(cells: pl.Series, options: ReadOptions) -> pl.Series:
    """Return Date values; for a column of an existing table, texts such as `2024-02-29`."""
    days = cells.str.strip_chars()
    if options.format is not None:
        dates = _formatted(days, dateformat.translate(options.format), options.created)
        dates = dates.dt.date()
    else:
        dates = _spelled(days)
    dates = keep_where(dates, (dates.dt.year() >= 1) & (dates.dt.year() <= 9999))
    if options.field.column is None:
        return dates
    return _with_beyond(dates.dt.to_string("%Y-%m-%d"), days, _BEYOND_DATE, options)


def read_moments(cells: pl.Series, options: ReadOptions) -> pl.Series:
    """Return Datetime values in UTC; for existing tables, texts as `tables.MOMENT_TEXT`."""
    moments = cells.str.strip_chars()
    column = options.field.column
    # A column without a zone holds the time as it is written.
    zone = "UTC" if column is not None and column.lacks_zone else options.time_zone
    if options.format is not None:
        pattern = dateformat.translate(options.format)
        utc = _formatted(moments, pattern, options.created)
        utc = utc.dt.replace_time_zone("UTC") if pattern.has_zone else _in_zone(utc, zone)
    else:
        spelling = rules.WHOLE_SECONDS if column is None else rules.MICROSECONDS
        utc = _iso_moments(moments, spelling, zone)
        if not all_read(utc, moments):
            rest = keep_where(moments, utc.is_null())
            for basic, extended in rules.BASIC:
                rest = rest.str.replace(basic, extended)
            utc = coalesced(utc, _iso_moments(rest, spelling, zone))
    utc = keep_where(utc, (utc.dt.year() >= 1) & (utc.dt.year() <= 9999))
    if column is None:
        return utc
    unit = 10 ** (6 - column.second_digits)
    utc = keep_where(utc, utc.dt.microsecond() % unit == 0)
    return _with_beyond(utc.dt.to_string(tables.MOMENT_TEXT), moments, _BEYOND_MOMENT, options)


def _with_beyond(
    values: pl.Series, texts: pl.Series, pattern: str, options: ReadOptions
) -> pl.Series:
    """The values with PostgreSQL's own texts for what is beyond them, if the column holds it."""
    if not options.has_infinity or options.format is not None or all_read(values, texts):
        return values
    words = texts.str.to_lowercase()
    return coalesced(values, keep_where(words, words.str.contains(pattern)))


def _spelled(days: pl.Series) -> pl.Series:
    """The dates of texts in one of the spellings."""
    dates = _dates_of(days, *rules.DATES[0])
    for spelling in rules.DATES[1:]:
        if all_read(dates, days):
            break
        rest = keep_where(days, dates.is_null())
        dates = coalesced(dates, _dates_of(rest, *spelling))
    return dates


def _dates_of(days: pl.Series, regex: str, directives: str) -> pl.Series:
    return keep_where(days, days.str.contains(regex)).str.to_date(directives, strict=False)


def _formatted(texts: pl.Series, pattern: DateFormat, created: date) -> pl.Series:
    """The local times of texts that match a mapping's pattern; in UTC if the pattern has a zone."""
    matching = keep_where(texts, texts.str.contains(pattern.regex))
    if pattern.before_short_year is None:
        return _parsed(matching, pattern)
    first, after = dateformat.short_years(created)
    earlier, later = (
        _parsed(matching.str.replace(pattern.before_short_year, f"${{1}}{century:02}"), pattern)
        for century in (first.year // 100, after.year // 100)
    )
    # A date that is null in one century may exist in the other: February 29, or a weekday.
    return coalesced(
        keep_where(earlier, earlier.dt.date() >= first), keep_where(later, later.dt.date() < after)
    )


def _parsed(texts: pl.Series, pattern: DateFormat) -> pl.Series:
    """Datetime values without a zone; in UTC if the pattern has a zone."""
    if pattern.has_zone:
        utc = texts.str.to_datetime(pattern.strptime, strict=False, time_zone="UTC", time_unit="us")
        return utc.dt.replace_time_zone(None)
    if not pattern.has_time:
        return texts.str.to_date(pattern.strptime, strict=False).cast(pl.Datetime("us"))
    return texts.str.to_datetime(pattern.strptime, strict=False, time_unit="us")


def _iso_moments(moments: pl.Series, spelling: str, time_zone: str) -> pl.Series:
    """The moments in UTC; those without an offset are in the time zone."""
    parts = moments.str.extract_groups(spelling).struct.unnest()
    local, zone = _local_time(parts), parts["zone"]
    if zone.null_count() == zone.len():
        return _in_zone(local, time_zone)
    utc = _without_offset(local, zone)
    if zone.null_count():
        without_zone = _in_zone(keep_where(local, zone.is_null()), time_zone)
        utc = coalesced(keep_where(utc, zone.is_not_null()), without_zone)
    return utc


def _local_time(parts: pl.DataFrame) -> pl.Series:
    """The date and the time of a moment, as they are written: without a zone."""
    time = pl.when(pl.col("time").str.len_bytes() == 5).then(pl.col("time") + ":00")
    texts = parts.select(pl.col("date") + "T" + time.otherwise(pl.col("time"))).to_series()
    local = texts.str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False, time_unit="us")
    is_american = parts["date"].str.contains("/", literal=True)
    if is_american.any():
        american = keep_where(texts, is_american)
        local = coalesced(
            local, american.str.to_datetime("%m/%d/%YT%H:%M:%S", strict=False, time_unit="us")
        )
    if "fraction" not in parts.columns or parts["fraction"].null_count() == parts.height:
        return local
    micros = parts["fraction"].str.pad_end(6, "0").cast(pl.Int64).fill_null(0)
    return pl.select(local + pl.duration(microseconds=pl.lit(micros))).to_series()


def _without_offset(local: pl.Series, zone: pl.Series) -> pl.Series:
    """The moments in UTC of local times with an offset: `Z`, `+02`, `+02:00`, `-0530`."""
    if has_no_false(zone == "Z"):
        return local.dt.replace_time_zone("UTC")
    sign = zone.str.slice(0, 1).replace_strict({"+": 1, "-": -1}, default=0, return_dtype=pl.Int64)
    digits = zone.str.replace_all(":", "", literal=True)
    hours, minutes, seconds = (
        digits.str.slice(at, 2).cast(pl.Int64, strict=False).fill_null(0) for at in (1, 3, 5)
    )
    valid = (hours <= rules.MOST_OFFSET_HOURS) & (minutes < 60) & (seconds < 60)
    offset = pl.duration(seconds=pl.lit(sign * (hours * 3600 + minutes * 60 + seconds)))
    return pl.select((keep_where(local, valid) - offset).dt.replace_time_zone("UTC")).to_series()


def _in_zone(local: pl.Series, zone: str) -> pl.Series:
    # In the hour that the clock repeats, a time means the first pass. A time in the hour that the
    # clock skips does not exist.
    placed = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return placed.dt.convert_time_zone("UTC")
