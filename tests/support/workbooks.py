"""XLSX workbooks, made of their XML: no library that writes them is needed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships'
    '+xml"/><Default Extension="xml" ContentType="application/vnd.openxmlformats-officedocument.'
    'spreadsheetml.sheet.main+xml"/></Types>'
)
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><numFmts count="1"><numFmt numFmtId="200" '
    'formatCode="[h]:mm:ss"/></numFmts><cellXfs count="4"><xf numFmtId="0"/><xf numFmtId="14"/>'
    '<xf numFmtId="22"/><xf numFmtId="200"/></cellXfs></styleSheet>'
)
DATE, MOMENT, DURATION = 1, 2, 3
"""Styles of cells."""


def text(value: str, reference: str = "") -> str:
    """A cell with a text."""
    return f'<c t="inlineStr"{_at(reference)}><is><t xml:space="preserve">{value}</t></is></c>'


def number(value: str, style: int = 0, reference: str = "") -> str:
    """A cell with a number, as its digits stand in the file."""
    return f'<c s="{style}"{_at(reference)}><v>{value}</v></c>'


def raw(kind: str, value: str, more: str = "") -> str:
    """A cell of another type: b, e (an error), str (the value of a formula)."""
    return f'<c t="{kind}">{more}<v>{value}</v></c>'


def _at(reference: str) -> str:
    return f' r="{reference}"' if reference else ""


def rows(*lines: list[str]) -> str:
    """The data of a sheet."""
    return "".join(
        f'<row r="{n}">{"".join(cells)}</row>' for n, cells in enumerate(lines, 1) if cells
    )


def workbook(
    sheets: Mapping[str, str],
    *,
    before: str = "",
    hidden: tuple[str, ...] = (),
    method: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """A workbook with these sheets; `before` stands before the root of each."""
    listed, links = "", ""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for n, (name, data) in enumerate(sheets.items(), 1):
            state = ' state="hidden"' if name in hidden else ""
            listed += f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"{state}/>'
            links += (
                f'<Relationship Id="r{n}" Type="{_OFFICE}/worksheet" Target="worksheets/s{n}.xml"/>'
            )
            sheet = f'{before}<worksheet xmlns="{_MAIN}"><sheetData>{data}</sheetData></worksheet>'
            archive.writestr(f"xl/worksheets/s{n}.xml", sheet)
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("xl/styles.xml", _STYLES)
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="r1" '
            f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{_PACKAGE}">{links}<Relationship Id="r0" '
            f'Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
        )
    return buffer.getvalue()
