"""Step 1 of 4, read: cuts the text of the zip into numbered chunks.

In:   blocks of whole CSV records (formats/csv/blocks.py).
Out:  chunks: every needed column as text, rows numbered from 0 in file order.

Polars reads well-formed text. Text that it would reject or misread (stray quotes, lone carriage
returns) is read with Python's csv module, which is slower and accepts everything. No row is
dropped: a row that cannot become a record gets its error in the next step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from bulkwright.domain.limits import CHUNK_ROWS
from bulkwright.formats.csv import Block, Segment, parse_slowly


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive rows: one Arrow batch, written in one transaction."""

    number: int
    first_row: int
    cells: pl.DataFrame
    """One String column for each needed CSV column, named by its index; never null."""
    too_long: pl.Series
    """Mask of the rows with more cells than the header."""
    has_nul: bool
    has_bad_bytes: bool
    resume_text: int
    """The offset in the text from which the next chunk can be read again: the start of a block."""
    resume_row: int
    """The number of the row at that offset."""

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.cells.height


@dataclass(frozen=True, slots=True)
class Start:
    """Where to begin: the first chunk of a file, or the one after the last committed."""

    chunk: int = 0
    row: int = 0
    text: int = 0
    text_row: int = 0


def read_chunks(
    blocks: Iterable[Block],
    *,
    columns: tuple[int, ...],
    width: int,
    delimiter: str,
    start: Start = Start(),
    max_rows: Callable[[], int] = lambda: CHUNK_ROWS,
) -> Iterator[Chunk]:
    """Cut blocks into numbered chunks of at most `max_rows()` rows.

    `blocks` begin at `start.text`, `columns` are the needed CSV columns, `width` is the number of
    columns in the header. Rows before `start.row` are left out. A file without rows gives one
    chunk without rows.
    """
    number, block_row = start.chunk, start.text_row
    for block in blocks:
        cells, too_long = _parse(block, columns, width, delimiter)
        first = max(0, start.row - block_row)
        while first < cells.height:
            row = block_row + first
            size = min(max_rows(), cells.height - first)
            last = first + size == cells.height
            yield Chunk(
                number,
                row,
                cells.slice(first, size),
                too_long.slice(first, size),
                block.has_nul,
                block.has_bad_bytes,
                block.end if last else block.start,
                row + size if last else block_row,
            )
            number += 1
            first += size
        block_row += cells.height
    if number == 0:
        nothing = pl.DataFrame(schema={str(i): pl.String for i in columns})
        never = pl.Series(dtype=pl.Boolean)
        yield Chunk(0, 0, nothing, never, has_nul=False, has_bad_bytes=False,
                    resume_text=0, resume_row=0)  # fmt: skip


def _parse(
    block: Block, columns: tuple[int, ...], width: int, delimiter: str
) -> tuple[pl.DataFrame, pl.Series]:
    frames = [_parse_segment(s, columns, width, delimiter) for s in block.segments]
    frame = frames[0] if len(frames) == 1 else pl.concat(frames, rechunk=True)
    return frame.drop(str(width)), frame[str(width)] != ""


def _parse_segment(
    segment: Segment, columns: tuple[int, ...], width: int, delimiter: str
) -> pl.DataFrame:
    """The needed cells. A column named after `width` has text in rows that are too long."""
    if segment.well_formed:
        # This header is one column wider than the file's, so that it shows rows that are too long.
        header = delimiter.join(map(str, range(width + 1))).encode() + b"\n"
        try:
            return pl.read_csv(
                header + segment.data,
                columns=[*columns, width],
                separator=delimiter,
                infer_schema=False,
                empty_string_is_null=False,
            )
        except pl.exceptions.ComputeError:
            pass  # a row has even more cells, or its quoting is wrong after all: read it slowly
    rows = list(parse_slowly(segment.data, delimiter))
    cells = {
        str(i): pl.Series([row[i] if i < len(row) else "" for row in rows], dtype=pl.String)
        for i in columns
    }
    cells[str(width)] = pl.Series(["".join(row[width:]) for row in rows], dtype=pl.String)
    return pl.DataFrame(cells)
