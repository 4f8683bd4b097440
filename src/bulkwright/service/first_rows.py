"""The first rows of an upload, to show them before a job exists."""

from __future__ import annotations

from itertools import islice

from bulkwright.domain.limits import SERVICE
from bulkwright.domain.upload import CsvFacts, Upload
from bulkwright.files import Area, Files
from bulkwright.formats.csv import FileRow, row_blocks, sniff, text_before_rows
from bulkwright.formats.stream import ByteStream
from bulkwright.formats.zip import open_archive

_INFLATED_BYTES = 64 * 1024


def first_rows(files: Files, upload: Upload, csv: CsvFacts, most: int) -> list[FileRow]:
    """Returns at most `most` rows of a CSV of an upload, read under the delimiter of `csv`.

    Raises FileNotFoundError if the upload has expired. Its checksum is not compared: the job does.
    """
    with files.open(Area.UPLOADS, upload.id, None) as file:
        archive = open_archive(file)
        member = archive.csv_named(csv.name)
        text = ByteStream(archive.stream(member, SERVICE.csv_bytes, _INFLATED_BYTES))
        dialect = sniff(text, csv.encoding, csv.delimiter)
        text_before_rows(text, dialect)
        rows = (row for block in row_blocks(text, dialect) for row in block)
        return list(islice(rows, most))
