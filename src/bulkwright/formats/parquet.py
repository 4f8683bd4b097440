"""A Parquet file, read by Polars. Only the process of a conversion may import this module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, cast

import polars as pl

from bulkwright.domain.errors import FileNotSupported
from bulkwright.formats.cells import LIST_SIGN, plain_number

_ROWS_AT_ONCE = 16_384
_MESSAGE_CHARACTERS = 200


def csv_of_parquet(file: BinaryIO) -> Iterator[bytes]:
    """Yields a CSV of the rows, in UTF-8.

    Raises FileNotSupported if the file is damaged, or if a column has a type that no cell can hold.
    """
    try:
        frame = pl.scan_parquet(file)
        schema = frame.collect_schema()
        if not schema:
            raise FileNotSupported("The Parquet file has no columns")
        texts = [_text(name, kind) for name, kind in schema.items()]
        yield pl.DataFrame(schema=dict.fromkeys(schema, pl.String)).write_csv().encode()
        for batch in frame.collect_batches(chunk_size=_ROWS_AT_ONCE, maintain_order=True):
            _check_lists(batch)
            # An empty cell is quoted: a line without any cell would be no row.
            cells = batch.select(texts).fill_null("")
            yield cells.write_csv(include_header=False).encode()
    except (
        pl.exceptions.PolarsError,
        OSError,
        UnicodeError,
        pl.exceptions.PanicException,
    ) as error:
        reason = (str(error).splitlines() or [""])[0][:_MESSAGE_CHARACTERS]
        raise FileNotSupported(f"The Parquet file cannot be read: {reason}") from error


def _text(name: str, kind: pl.DataType) -> pl.Expr:
    """Returns the expression for the texts of a column."""
    if isinstance(kind, pl.List | pl.Array):
        inner = _scalar(name, cast(pl.DataType, kind.inner), pl.element()).fill_null("")
        lists = pl.col(name) if isinstance(kind, pl.List) else pl.col(name).arr.to_list()
        return lists.list.eval(inner).list.join(LIST_SIGN)
    return _scalar(name, kind, pl.col(name))


def _scalar(name: str, kind: pl.DataType, column: pl.Expr) -> pl.Expr:
    if isinstance(kind, pl.Datetime):
        return column.dt.to_string("%Y-%m-%dT%H:%M:%S" + ("%:z" if kind.time_zone else ""))
    if isinstance(kind, pl.Time):
        return column.dt.to_string("%H:%M:%S")
    if kind.is_float():
        text = column.fill_nan(None).cast(pl.String).str.strip_suffix(".0")
        return text.map_batches(_plain_numbers, return_dtype=pl.String)
    if isinstance(kind, _AS_THEY_ARE) or kind.is_integer() or kind.is_decimal():
        return column.cast(pl.String)
    raise FileNotSupported(
        f"The column {name} of the Parquet file has the type {kind}, which no cell can hold; "
        "leave it out, or make its values plain columns"
    )


_AS_THEY_ARE = (pl.String, pl.Boolean, pl.Date, pl.Categorical, pl.Enum, pl.Null)


def _plain_numbers(texts: pl.Series) -> pl.Series:
    """Writes the few numbers with an exponent without it."""
    with_exponent = texts.filter(texts.str.contains("e", literal=True)).unique()
    if with_exponent.is_empty():
        return texts
    plain = [plain_number(text) for text in with_exponent]
    return texts.replace(with_exponent, pl.Series(plain, dtype=pl.String))


def _check_lists(batch: pl.DataFrame) -> None:
    for column in batch:
        if isinstance(column.dtype, pl.List | pl.Array):
            values = column.explode()
            if values.dtype.is_numeric():
                continue
            if values.cast(pl.String).str.contains(LIST_SIGN, literal=True).any():
                raise FileNotSupported(
                    f"A list of the column {column.name} has a value with a `{LIST_SIGN}`, which "
                    "separates the values"
                )
