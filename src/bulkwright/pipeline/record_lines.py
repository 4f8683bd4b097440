"""Writes stored records as lines of a CSV, as bulk reads return them.

In:   what a `RecordReader` returns.
Out:  lines with date-times in the zone of the caller, and lists joined by semicolons: the cells
      from which a bulk write reads the same values.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

import polars as pl

from bulkwright.domain.module import Field, StorageType
from bulkwright.pipeline.csv_lines import write_line, write_lines
from bulkwright.ports import ReadRecords

_STORED = "%Y-%m-%dT%H:%M:%SZ"
_LOCAL = "%Y-%m-%dT%H:%M:%S"
_WRITTEN_HERE = (StorageType.DATETIME, StorageType.LIST)
"""The types of which the cells of a CSV are not those that a store returns."""


def render_records(
    records: ReadRecords,
    fields: Sequence[Field],
    zone: str,
    *,
    header: bool,
    quote_formulas: bool = False,
) -> bytes:
    """Return records as CSV; with `header` the names of the fields come first."""
    out = io.BytesIO()
    if header:
        write_line([f.api_name for f in fields], out, quote_formulas=quote_formulas)
    if isinstance(records, pl.DataFrame):
        columns = records
    elif quote_formulas or any(f.storage_type in _WRITTEN_HERE for f in fields):
        columns = _parsed(records, fields)
    else:
        out.write(b"".join(records))
        return out.getvalue()
    cells = [_cells(columns[f.api_name], f, zone) for f in fields]
    write_lines(pl.DataFrame(cells), out, quote_formulas=quote_formulas)
    return out.getvalue()


def last_id_of(records: ReadRecords) -> int:
    """Return the id of the last record; there is at least one, and `id` is the first field."""
    if isinstance(records, pl.DataFrame):
        return int(records["id"][-1])
    return int(records[-1].partition(b",")[0])


def _parsed(lines: Sequence[bytes], fields: Sequence[Field]) -> pl.DataFrame:
    schema = dict.fromkeys((f.api_name for f in fields), pl.String())
    if not lines:
        return pl.DataFrame(schema=schema)
    return pl.read_csv(b"".join(lines), has_header=False, schema=schema)


def _cells(values: pl.Series, field: Field, zone: str) -> pl.Series:
    if field.storage_type is StorageType.DATETIME:
        return _local_moments(values.cast(pl.String), zone)
    if field.storage_type is StorageType.LIST:
        return _joined_lists(values.cast(pl.String))
    return values


def _local_moments(texts: pl.Series, zone: str) -> pl.Series:
    """The moments with the offset of a zone: `2019-01-30T02:18:15-12:00`.

    Records of one chunk of a bulk write have one time, so each moment is converted once.
    """
    known = texts.unique()
    utc = known.str.to_datetime(_STORED, time_unit="us", strict=False)
    minutes = _offsets(utc, zone)
    frame = pl.DataFrame({"utc": utc, "minutes": minutes})
    local = pl.col("utc") + pl.duration(minutes=pl.col("minutes"))
    hours, rest = pl.col("minutes").abs() // 60, pl.col("minutes").abs() % 60
    sign = pl.when(pl.col("minutes") < 0).then(pl.lit("-")).otherwise(pl.lit("+"))
    offset = pl.format("{}{}:{}", sign, _two_digits(hours), _two_digits(rest))
    written = frame.select(local.dt.to_string(_LOCAL) + offset).to_series()
    return texts.replace_strict(known, written, return_dtype=pl.String)


def _offsets(utc: pl.Series, zone: str) -> pl.Series:
    """The offset of a zone at each moment in minutes, Int64.

    Python's database of time zones is asked, as it is for a list of records: that of Polars differs
    from it before 1970. It is asked twice for a day, and for each moment of the few days on which
    the offset changes.
    """
    days = utc.dt.date()
    begins, ends = {}, {}
    for day in days.drop_nulls().unique():
        begins[day] = _offset(zone, datetime.combine(day, time.min, UTC))
        ends[day] = _offset(zone, datetime.combine(day, time(23, 59, 59), UTC))
    known = {day: begins[day] for day in begins if begins[day] == ends[day]}
    offsets = days.replace_strict(
        list(known), list(known.values()), default=None, return_dtype=pl.Int64
    )
    rest = utc.filter(offsets.is_null() & utc.is_not_null())
    if rest.is_empty():
        return offsets
    each = [_offset(zone, moment.replace(tzinfo=UTC)) for moment in rest]
    found = utc.replace_strict(rest, each, default=None, return_dtype=pl.Int64)
    return pl.select(pl.coalesce(offsets, found)).to_series()


@lru_cache(100_000)
def _offset(zone: str, moment: datetime) -> int:
    """The offset in whole minutes: until about 1900 clocks had offsets with seconds.

    It is 0 if it would lead before year 1 or beyond year 9999.
    """
    try:
        offset = moment.astimezone(ZoneInfo(zone)).utcoffset()
    except OverflowError:
        return 0
    return 0 if offset is None else int(offset.total_seconds() / 60)


def _two_digits(number: pl.Expr) -> pl.Expr:
    return number.cast(pl.String).str.zfill(2)


def _joined_lists(texts: pl.Series) -> pl.Series:
    """The values of JSON arrays, joined as a multi-select picklist is written in a CSV."""
    known = texts.unique()
    lists = known.to_frame("t").select(pl.when(pl.col("t") != "").then(pl.col("t"))).to_series()
    joined = lists.str.json_decode(pl.List(pl.String)).list.join(";")
    return texts.replace_strict(known, joined, return_dtype=pl.String)
