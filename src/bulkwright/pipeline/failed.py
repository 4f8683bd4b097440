"""Rows that were not stored, as a CSV to mend and upload again."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path
from typing import BinaryIO

import polars as pl

from bulkwright.csvzip.archive import open_archive
from bulkwright.csvzip.text import blocks, sniff, take_head
from bulkwright.domain.job import Job
from bulkwright.domain.limits import SERVICE
from bulkwright.domain.outcome import Outcome
from bulkwright.pipeline.read import read_chunks
from bulkwright.pipeline.result import ERRORS, STATUS


def write_failed(job: Job, upload: BinaryIO, result: BinaryIO, target: Path) -> int:
    """Write the skipped and unprocessed rows of a job with all their columns, and count them.

    The columns are those of the upload, in its order, and a last one with the errors; the header
    is the upload's, so the file can go through the same job again.
    """
    failed = 0
    with zipfile.ZipFile(result) as archive:
        answers = pl.read_csv(
            archive.read(archive.namelist()[0]), infer_schema=False, columns=[STATUS, ERRORS]
        )
    with target.open("w", encoding="utf-8", newline="") as out:
        source = open_archive(upload)
        head, text = take_head(source.stream(source.the_csv(), SERVICE.csv_bytes))
        form = sniff(head, job.character_encoding)
        csv.writer(out, lineterminator="\n").writerow([*form.header, ERRORS])
        columns = tuple(range(len(form.header)))
        for chunk in read_chunks(
            blocks(text, form),
            columns=columns,
            width=len(form.header),
            delimiter=form.delimiter,
        ):
            answered = answers.slice(chunk.first_row, chunk.rows)
            lost = answered[STATUS].is_in([Outcome.SKIPPED.value, Outcome.UNPROCESSED.value])
            rows = chunk.cells.select(map(str, columns)).with_columns(answered[ERRORS])
            kept = rows.filter(lost).with_columns(pl.all().replace("", None))
            failed += kept.height
            text_out = io.StringIO()
            kept.write_csv(text_out, include_header=False)
            out.write(text_out.getvalue())
    return failed
