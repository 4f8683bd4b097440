"""Rows that were not stored, as a CSV to correct and upload again."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import IO, BinaryIO

import polars as pl

from bulkwright.domain.job import Job
from bulkwright.domain.limits import SERVICE
from bulkwright.domain.outcome import Outcome
from bulkwright.formats.csv import blocks, sniff
from bulkwright.formats.stream import ByteStream
from bulkwright.formats.zip import open_archive
from bulkwright.pipeline.csv_lines import write_line, write_lines
from bulkwright.pipeline.read import read_chunks
from bulkwright.pipeline.result import ERRORS, STATUS


def write_failed(
    job: Job,
    upload: BinaryIO,
    result: BinaryIO,
    out: IO[bytes],
    *,
    quote_formulas: bool = False,
) -> int:
    """Write the skipped and unprocessed rows of a job to `out` and return their number.

    The columns are those of the upload, in its order, and a last one with the errors. The header is
    that of the upload, so the same job can be run with the file. What a row has behind the columns
    of the header stands behind its errors: it is not lost, and the row is not read uncorrected.

    With `quote_formulas`, no cell is a formula, and the file is not meant to be uploaded again.
    """
    failed = 0
    with zipfile.ZipFile(result) as archive:
        results = pl.read_csv(
            archive.read(archive.namelist()[0]), infer_schema=False, columns=[STATUS, ERRORS]
        )
    source = open_archive(upload)
    text = ByteStream(source.stream(source.single_csv(), SERVICE.csv_bytes))
    reading = job.resources[0].reading
    if reading is None:
        dialect = sniff(text, job.character_encoding)
    else:
        dialect = sniff(text, reading.encoding, reading.delimiter)
    write_line([*dialect.header, ERRORS], out, quote_formulas=quote_formulas)
    columns = tuple(range(len(dialect.header)))
    for chunk in read_chunks(
        blocks(text, dialect),
        columns=columns,
        width=len(dialect.header),
        delimiter=dialect.delimiter,
    ):
        result_rows = results.slice(chunk.first_row, chunk.rows)
        status = result_rows[STATUS]
        is_failed = status.is_in([Outcome.SKIPPED.value, Outcome.UNPROCESSED.value])
        rows = chunk.cells.select(map(str, columns)).with_columns(result_rows[ERRORS])
        failed_rows = rows.filter(is_failed)
        failed += failed_rows.height
        longer = chunk.rest.filter(is_failed).replace("", None)
        for part in _runs(failed_rows, longer):
            write_lines(part, out, quote_formulas=quote_formulas)
    return failed


def _runs(rows: pl.DataFrame, rest: pl.Series) -> Iterator[pl.DataFrame]:
    """The rows, those with a rest one cell longer; in order."""
    ids = rest.is_not_null().rle_id()
    for (_,), run in rows.with_columns(rest.alias("rest"), ids.alias("run")).group_by(
        "run", maintain_order=True
    ):
        has_rest = run["rest"].null_count() == 0
        yield run.drop("run") if has_rest else run.drop("run", "rest")
