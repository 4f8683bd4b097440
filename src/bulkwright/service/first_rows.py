"""The first rows of an upload, to show them before a job exists."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from bulkwright.domain.limits import SERVICE
from bulkwright.domain.upload import CsvFacts, Upload
from bulkwright.files import Area, Files
from bulkwright.formats.csv import FileRow, row_blocks, sniff
from bulkwright.formats.stream import ByteStream
from bulkwright.formats.zip import open_archive

_INFLATED_BYTES = 64 * 1024
_COUNTED_BYTES = 256 * 1024
"""Text whose rows are counted whenever its first rows are shown."""


@dataclass(frozen=True, slots=True)
class FirstRows:
    """The first rows of a CSV."""

    rows: list[FileRow]
    total: int | None
    """How many rows the CSV has; None for a large one, which is not read to its end."""


def first_rows(files: Files, upload: Upload, csv: CsvFacts, most: int) -> FirstRows:
    """Returns at most `most` rows of a CSV of an upload, read under the delimiter of `csv`.

    Raises FileNotFoundError if the upload has expired. Its checksum is not compared: the job does.
    """
    rows: list[FileRow] = []
    total = 0
    with files.open(Area.UPLOADS, upload.id, None) as file:
        archive = open_archive(file)
        member = archive.csv_named(csv.name)
        text = ByteStream(archive.stream(member, SERVICE.csv_bytes, _INFLATED_BYTES))
        for block in row_blocks(text, sniff(text, csv.encoding, csv.delimiter)):
            rows += islice(block, most - len(rows))
            if len(rows) == most and member.size > _COUNTED_BYTES:
                return FirstRows(rows, csv.rows)
            total += block.count
    return FirstRows(rows, total)
