"""Rows that were not stored, as a CSV to correct and upload again."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import IO, BinaryIO

import polars as pl

from bulkwright.domain.job import Job
from bulkwright.domain.limits import SERVICE
from bulkwright.domain.outcome import Outcome
from bulkwright.formats.csv import blocks, sniff
from bulkwright.formats.stream import ByteStream
from bulkwright.formats.zip import open_archive
from bulkwright.pipeline.read import read_chunks
from bulkwright.pipeline.result import ERRORS, STATUS


def write_failed(job: Job, upload: BinaryIO, result: BinaryIO, out: IO[bytes]) -> int:
    """Write the skipped and unprocessed rows of a job to `out` and return their number.

    The columns are those of the upload, in its order, and a last one with the errors. The header is
    that of the upload, so the same job can be run with the file.
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
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow([*dialect.header, ERRORS])
    out.write(header.getvalue().encode())
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
        failed_rows = rows.filter(is_failed).with_columns(pl.all().replace("", None))
        failed += failed_rows.height
        lines = io.BytesIO()
        failed_rows.write_csv(lines, include_header=False)
        out.write(lines.getvalue())
    return failed
