"""Converts text to values: one reader for each storage type (facts 8.1).

A reader takes a column of texts, null where the cell was empty, and returns a column of values of
the same length. It is null where the cell was empty *or* where the text is not a value of the
field. So a cell is bad if it is null only after the conversion. No cell raises an exception.

A reader tests the whole column with the fastest pattern first, and only the rest with the others.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import polars as pl

from bulkwright.domain import dateformat
from bulkwright.domain import value_rules as rules
from bulkwright.domain.module import Column, Field, StorageType
from bulkwright.pipeline.cells import ReadOptions, all_read, coalesced, has_no_false, keep_where
from bulkwright.pipeline.moments import read_dates, read_moments

_WHOLE = r"^-?[0-9]{1,19}$"
_EXACT = r"^-?[0-9]{1,1000}(?:\.[0-9]{1,1000})?$"
_FLOAT = r"^-?[0-9]{1,400}(?:\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,3})?$"
_FLOATS = ("real", "double precision")
_NOT_A_NUMBER = r"^nan$"
_NOT_FINITE = r"^(?:nan|-?infinity)$"
"""What PostgreSQL writes for numbers that are not finite, in lower case."""
_LARGEST = 1.7976931348623157e308
_UUID = r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


def read_values(cells: pl.Series, options: ReadOptions) -> pl.Series:
    """Return the cells as values of the field; null where a cell is empty or not a value.

    The dtype depends on the storage type: String for TEXT, LIST (a JSON array) and DECIMAL (exact
    digits), Int64 for INTEGER and REFERENCE, Boolean for BOOLEAN, Date for DATE, Datetime in UTC
    for DATETIME. DATE and DATETIME of an existing table are String (moments.py).
    """
    try:
        return _READERS[options.field.storage_type](cells, options)
    except _UNREADABLE:
        # A parser fails at a cell instead of reporting it: only the rows of such cells are bad.
        if cells.null_count() == cells.len():
            raise
        if cells.len() == 1:
            return read_values(cells.clear(n=1), options)
        half = cells.len() // 2
        halves = (cells.head(half), cells.tail(cells.len() - half))
        return pl.concat([read_values(part, options) for part in halves])


_UNREADABLE = (
    ArithmeticError, RecursionError, ValueError,
    pl.exceptions.PolarsError, pl.exceptions.PanicException,
)  # fmt: skip
"""What a parser may raise for one cell (a number or a text that is too large or too deep)."""


def _text(cells: pl.Series, options: ReadOptions) -> pl.Series:
    field = options.field
    if field.column is not None:
        cells = _existing_text(cells, field)
    if field.accepts_new_values:
        cells = cells.str.strip_chars()
        cells = keep_where(cells, cells != "")
    patterns = rules.PATTERNS.get(field.data_type)
    if patterns is not None:
        cells = cells.str.strip_chars()
        cells = keep_where(cells, _matches(cells, patterns))
    elif field.has_folded_key:
        # A value of blanks has no key, so its record could not be found by it.
        cells = keep_where(cells, cells.str.contains(r"\S"))
    if field.length is not None and _may_exceed(cells, field.length):
        cells = keep_where(cells, cells.str.len_chars() <= field.length)
    return cells


def _may_exceed(cells: pl.Series, length: int) -> bool:
    """Whether a cell may have more characters: one has more bytes."""
    # The size of the whole column needs no query, and is an answer for small files.
    return cells.estimated_size() > length and bool((cells.str.len_bytes() > length).any())


def _existing_text(cells: pl.Series, field: Field) -> pl.Series:
    """The texts that a column of an existing table accepts, in the form that it compares."""
    assert field.column is not None
    if field.pick_list_values:
        return keep_where(cells, cells.is_in(field.pick_list_values))
    if field.column.type == "uuid":
        uuids = cells.str.strip_chars().str.to_lowercase()
        return keep_where(uuids, uuids.str.contains(_UUID))
    if field.column.type in ("json", "jsonb"):
        return keep_where(cells, cells.map_elements(_is_json, pl.Boolean))
    if field.column.type.startswith("character("):
        return cells.str.strip_chars_end(" ")
    return cells


def _is_json(text: str) -> bool:
    try:
        _JSON.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


_JSON = msgspec.json.Decoder(msgspec.Raw)
"""Checks the grammar and converts nothing: a number may have any size."""


def _existing_integer(numbers: pl.Series, column: Column) -> pl.Series:
    """The whole numbers in the range of a column of an existing table."""
    least, most = column.bounds
    whole = keep_where(numbers, numbers.str.contains(_WHOLE)).cast(pl.Int64, strict=False)
    return keep_where(whole, whole.is_between(least, most))


def _existing_decimal(numbers: pl.Series, options: ReadOptions) -> pl.Series:
    """The numbers that a column of an existing table can hold without rounding."""
    finite = _finite_decimal(numbers, options.field)
    if not options.has_infinity or all_read(finite, numbers):
        return finite
    words = numbers.str.to_lowercase()
    has_scale = options.field.length is not None
    is_word = words.str.contains(_NOT_A_NUMBER if has_scale else _NOT_FINITE)
    return coalesced(finite, keep_where(words, is_word))


def _finite_decimal(numbers: pl.Series, field: Field) -> pl.Series:
    assert field.column is not None
    if field.column.type in _FLOATS:
        is_float = numbers.str.contains(_FLOAT)
        return keep_where(
            numbers, is_float & (numbers.cast(pl.Float64, strict=False).abs() <= _LARGEST)
        )
    if field.length is None:
        return keep_where(numbers, numbers.str.contains(_EXACT))
    places = field.decimal_place or 0
    whole = field.length - places
    digits = f"0|[1-9][0-9]{{0,{whole - 1}}}" if whole else "0"
    return keep_where(
        numbers, numbers.str.contains(rf"^-?(?:{digits})(?:\.[0-9]{{0,{places}}}0*)?$")
    )


def _integer(cells: pl.Series, options: ReadOptions) -> pl.Series:
    if options.field.column is not None:
        return _existing_integer(_plain_number(cells, options), options.field.column)
    digits = rules.INTEGER_DIGITS.get(options.field.data_type, rules.LONG_DIGITS)
    pattern = rf"^-?[0-9]{{1,{digits}}}$"
    if options.format is None and has_no_false(cells.str.contains(pattern)):
        return cells.cast(pl.Int64)
    plain = _plain_number(cells, options)
    return keep_where(plain, plain.str.contains(pattern)).cast(pl.Int64)


def _decimal(cells: pl.Series, options: ReadOptions) -> pl.Series:
    pattern = rules.PERCENT if options.field.data_type == "percent" else rules.DECIMAL
    existing = options.field.column is not None
    if not existing and options.format is None and has_no_false(cells.str.contains(pattern)):
        return cells
    plain = _plain_number(cells, options)
    plain = plain.str.replace(r"^(-?)\.", "${1}0.").str.replace(r"^(-?)0+([0-9])", "${1}${2}")
    plain = plain.str.replace(r"^-(0(?:\.0*)?)$", "${1}")
    if existing:
        return _existing_decimal(plain, options)
    return keep_where(plain, plain.str.contains(pattern) | plain.str.contains(rules.FRACTION))


def _plain_number(cells: pl.Series, options: ReadOptions) -> pl.Series:
    """Numbers without the sign `+`, surrounding blanks, and group separators in correct places."""
    numbers = cells.str.strip_chars()
    if options.format is not None:
        point, group = dateformat.number_format(options.format)
        for sign in dateformat.LOOK_ALIKES.get(group, group):
            numbers = numbers.str.replace_all(sign, "", literal=True)
        # A separator that the pattern does not name is invalid: it must not pass as another one.
        numbers = numbers.str.replace_all(".", "?", literal=True) if point != "." else numbers
        numbers = numbers.str.replace_all(point, ".", literal=True)
    elif numbers.str.contains(",", literal=True).any():
        grouped = numbers.str.contains(rules.GROUPED)
        bare = numbers.str.replace_all(",", "", literal=True)
        numbers = pl.select(pl.when(grouped).then(bare).otherwise(numbers)).to_series()
    return numbers.str.replace(r"^\+([0-9.])", "${1}")


def _boolean(cells: pl.Series, options: ReadOptions) -> pl.Series:
    words = _EXISTING_BOOLEANS if options.field.in_existing_table else rules.BOOLEANS
    if options.format is not None:
        true, false = dateformat.boolean_words(options.format)
        words = {true: True, false: False}
    word = pl.first().str.strip_chars().str.to_lowercase()
    value = word.replace_strict(words, default=None, return_dtype=pl.Boolean)
    return cells.to_frame().select(value).to_series()


def _list(cells: pl.Series, options: ReadOptions) -> pl.Series:
    """`a;b` as the JSON array `["a","b"]` (facts 8.1: values are joined by semicolons)."""
    values = cells.str.split(";").list.eval(pl.element().str.strip_chars())
    values = values.list.eval(pl.element().filter(pl.element() != "").unique(maintain_order=True))
    most = options.field.length or rules.LIST_VALUE_CHARS
    fits = values.list.eval(pl.element().str.len_chars().max() <= most)
    if cells.str.contains(r'["\\\x00-\x1f]').any():
        values = values.list.eval(pl.element().str.replace_many(rules.JSON_ESCAPES))
    joined = '["' + values.list.join('","') + '"]'
    return keep_where(joined, (values.list.len() > 0) & fits.list.all())


def _reference(cells: pl.Series, options: ReadOptions) -> pl.Series:
    ids = cells.str.strip_chars()
    if options.field.column is not None:
        return _existing_integer(ids, options.field.column)
    return keep_where(ids, ids.str.contains(r"^[0-9]{1,18}$")).cast(pl.Int64)


_READERS: dict[StorageType, Callable[[pl.Series, ReadOptions], pl.Series]] = {
    StorageType.TEXT: _text,
    StorageType.INTEGER: _integer,
    StorageType.DECIMAL: _decimal,
    StorageType.BOOLEAN: _boolean,
    StorageType.DATE: read_dates,
    StorageType.DATETIME: read_moments,
    StorageType.LIST: _list,
    StorageType.REFERENCE: _reference,
}
_EXISTING_BOOLEANS = {**rules.BOOLEANS, "1": True, "0": False}
"""Other databases write 1 and 0."""


def _matches(cells: pl.Series, patterns: tuple[str, ...]) -> pl.Series:
    """A mask of the cells that match one of the patterns."""
    first, *others = patterns
    matches = cells.str.contains(first)
    for pattern in others:
        if not has_no_false(matches):
            rest = keep_where(cells, ~matches)
            matches = matches | rest.str.contains(pattern).fill_null(value=False)
    return matches
