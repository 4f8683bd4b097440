"""Frames and series as text that PostgreSQL reads in one go."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import polars as pl

_PIECE_ROWS = 4096
"""Rows written in one go: the server reads the ones before meanwhile."""


def copied(rows: pl.DataFrame, constants: Sequence[str] = ()) -> Iterator[bytes]:
    """Rows for COPY ... FROM STDIN (FORMAT csv): a null is nothing, an empty text two quotes.

    The `constants` stand behind each row, as further columns; they are written with its end.
    """
    end = "".join(f",{value}" for value in constants) + "\n"
    for piece in rows.iter_slices(_PIECE_ROWS):
        buffer = io.BytesIO()
        piece.write_csv(
            buffer,
            include_header=False,
            datetime_format="%Y-%m-%dT%H:%M:%SZ",
            line_terminator=end,
        )
        yield buffer.getvalue()


def as_array(values: pl.Series) -> str:
    """Integers or texts, none of them null, as the text of an array."""
    if values.dtype != pl.String:
        return "{" + (values.cast(pl.String).str.join(",").item() or "") + "}"
    if values.str.contains(r'["\\]').any():
        values = values.str.replace_many(["\\", '"'], ["\\\\", '\\"'])
    return '{"' + values.str.join('","').item() + '"}' if values.len() else "{}"
