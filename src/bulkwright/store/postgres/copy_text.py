"""Frames and series as the text of one COPY or one array."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import polars as pl

_PIECE_ROWS = 4096
"""Rows of one piece. The server reads a piece while the next one is written."""


def as_csv(rows: pl.DataFrame, constants: Sequence[str] = ()) -> Iterator[bytes]:
    """Yield rows for COPY ... FROM STDIN (FORMAT csv).

    A null is an empty cell, an empty text is two quotes. The `constants` follow each row as further
    columns; the line terminator holds them.
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
    """Return integers or texts, none of them null, as the text of an array."""
    if values.dtype != pl.String:
        return "{" + (values.cast(pl.String).str.join(",").item() or "") + "}"
    if values.str.contains(r'["\\]').any():
        values = values.str.replace_many(["\\", '"'], ["\\\\", '\\"'])
    return '{"' + values.str.join('","').item() + '"}' if values.len() else "{}"
