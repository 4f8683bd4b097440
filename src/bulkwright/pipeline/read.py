"""Step 1 of 4, read: cuts the text of the zip into numbered chunks.

In:   blocks of whole CSV records (formats/csv/blocks.py).
Out:  chunks: every needed column as text, rows numbered from 0 in file order.

Polars reads well-formed text. Text that it would reject or misread (stray quotes, lone carriage
returns) is read with Python's csv module, which is slower and reads everything. No row is dropped:
a row that cannot become a record gets its error in the next step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from bulkwright.domain.limits import CHUNK_ROWS
from bulkwright.formats.csv import Block, Quoting, Segment, parse_slowly

_REST, _DAMAGED = "rest", "damaged"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive rows: one Arrow batch, written in one transaction."""

    number: int
    first_row: int
    cells: pl.DataFrame
    """One String column for each needed CSV column, named by its index; never null."""
    rest: pl.Series
    """The cells behind those of the header, joined by the delimiter; empty in most rows."""
    damaged: pl.Series
    """Mask of the rows whose cells may belong to other columns: there are more cells than the
    header has, or quotes are damaged (`TextRow.fits`)."""
    stray_quotes: tuple[int, ...]
    """Numbers of the other rows in which some quotes were read as ordinary characters."""
    has_nul: bool
    has_bad_bytes: bool
    resume_text: int
    """The offset in the text from which the next chunk can be read again: the start of a block."""
    resume_row: int
    """The number of the row at that offset."""
    rows_in_file: int
    """How many rows of the file the chunk spans. Those of other parts are left out."""
    at: pl.Series | None = None
    """The position of each row among them, UInt32; None if the chunk has all of them."""

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
        frame, stray = _parse(block, columns, width, delimiter)
        cells = frame.drop(_REST, _DAMAGED)
        first = max(0, start.row - block_row)
        while first < cells.height:
            row = block_row + first
            size = min(max_rows(), cells.height - first)
            last = first + size == cells.height
            yield Chunk(
                number,
                row,
                cells.slice(first, size),
                frame[_REST].slice(first, size),
                frame[_DAMAGED].slice(first, size),
                tuple(block_row + at for at in stray if first <= at < first + size),
                block.has_nul,
                block.has_bad_bytes,
                block.end if last else block.start,
                row + size if last else block_row,
                size,
            )
            number += 1
            first += size
        block_row += cells.height
    if number == 0:
        nothing = pl.DataFrame(schema={str(i): pl.String for i in columns})
        none, never = pl.Series(dtype=pl.String), pl.Series(dtype=pl.Boolean)
        yield Chunk(0, 0, nothing, none, never, (), has_nul=False, has_bad_bytes=False,
                    resume_text=0, resume_row=0, rows_in_file=0)  # fmt: skip


def _parse(
    block: Block, columns: tuple[int, ...], width: int, delimiter: str
) -> tuple[pl.DataFrame, list[int]]:
    """The needed cells, what stands behind them, and the numbers of rows with stray quotes."""
    frames: list[pl.DataFrame] = []
    stray: list[int] = []
    before = 0
    for segment in block.segments:
        frame, found = _parse_segment(segment, columns, width, delimiter)
        stray += [before + at for at in found]
        before += frame.height
        frames.append(frame)
    frame = frames[0] if len(frames) == 1 else pl.concat(frames, rechunk=True)
    return frame, stray


def _parse_segment(
    segment: Segment, columns: tuple[int, ...], width: int, delimiter: str
) -> tuple[pl.DataFrame, list[int]]:
    """The needed cells with _REST and _DAMAGED, and the numbers of rows with stray quotes."""
    if segment.well_formed:
        # This header is one column wider than the file's, so that it shows rows that are too long.
        header = delimiter.join(map(str, range(width + 1))).encode() + b"\n"
        try:
            frame = pl.read_csv(
                header + segment.data,
                columns=[*columns, width],
                separator=delimiter,
                infer_schema=False,
                empty_string_is_null=False,
            )
        except pl.exceptions.ComputeError:
            pass  # a row has even more cells, or its quoting is wrong after all: read it slowly
        else:
            last = pl.col(str(width))
            rest, damaged = last.alias(_REST), (last != "").alias(_DAMAGED)
            return frame.select(pl.exclude(str(width)), rest, damaged), []
    rows = list(parse_slowly(segment.data, delimiter))
    cells = {
        str(i): pl.Series([r.cells[i] if i < len(r.cells) else "" for r in rows], dtype=pl.String)
        for i in columns
    }
    fits = [row.fits(width) for row in rows]
    cells[_REST] = pl.Series([delimiter.join(r.cells[width:]) for r in rows], dtype=pl.String)
    cells[_DAMAGED] = ~pl.Series(fits, dtype=pl.Boolean)
    stray = (at for at, row in enumerate(rows) if row.quoting is Quoting.STRAY)
    return pl.DataFrame(cells), [at for at in stray if fits[at]]
