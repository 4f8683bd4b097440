"""A sheet of an XLSX workbook. Only the process of a conversion may import this module.

calamine reads the workbook; it is installed with `bulkwright[xlsx]`. It holds the whole sheet in
memory, which the process limits.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import BinaryIO

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from bulkwright.domain.errors import FileNotSupported, FileTooLarge
from bulkwright.formats.cells import cell_text
from bulkwright.formats.csv import CsvWriter

_PIECE_CHARACTERS = 256 * 1024
_SHOWN_SHEETS = 20


def csv_of_xlsx(file: BinaryIO, sheet: str | None, max_bytes: int) -> Iterator[bytes]:
    """Yields a CSV of a sheet, in UTF-8; its first row with a cell is the header.

    Raises FileTooLarge if the workbook inflates to more than `max_bytes`, FileNotSupported if it
    cannot be read, has no such sheet, or has several and none is named.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > max_bytes:
            raise FileTooLarge
        file.seek(0)
        found = _sheet(CalamineWorkbook.from_filelike(file), sheet)
    except (CalamineError, zipfile.BadZipFile, OSError, ValueError) as error:
        raise FileNotSupported(f"The workbook cannot be read: {str(error)[:200]}") from error
    buffer = io.StringIO()
    writer = CsvWriter(buffer, quote_formulas=False)
    has_header = False
    for row in found.iter_rows():
        cells = [cell_text(_rounded(value)) for value in row]
        if any(cells):
            writer.write(cells)
            has_header = True
        elif has_header:
            buffer.write("\n")  # no row, but the next ones keep the numbers of their lines
        if buffer.tell() > _PIECE_CHARACTERS:  # codespell:ignore tell
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _rounded(value: object) -> object:
    """Rounds a moment to seconds: Excel stores days as floats, which are a little off."""
    if isinstance(value, datetime):
        return (value + timedelta(microseconds=500_000)).replace(microsecond=0)
    return value


def _sheet(book: CalamineWorkbook, name: str | None) -> CalamineSheet:
    sheets = [s for s in book.sheets_metadata if s.typ == SheetTypeEnum.WorkSheet]
    shown = [s.name for s in sheets if s.visible == SheetVisibleEnum.Visible]
    names = ", ".join(shown[:_SHOWN_SHEETS])
    if name is None:
        if len(shown) != 1:
            raise FileNotSupported(
                f"The workbook has {len(shown)} sheets; name the sheet to read: {names}"
            )
        name = shown[0]
    elif name not in [s.name for s in sheets]:
        raise FileNotSupported(f"The workbook has no sheet {name[:60]}; it has {names}")
    return book.get_sheet_by_name(name)
