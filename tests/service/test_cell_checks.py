"""Cells are judged before a job as they are read by it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from bulkwright.domain.formatted import NotJudged, check_formatted
from bulkwright.domain.job import FieldMapping
from bulkwright.domain.module import Field
from bulkwright.domain.scalar import NotAValue
from bulkwright.pipeline.cells import ReadOptions
from bulkwright.pipeline.values import read_values
from bulkwright.service.cell_checks import CellCheck, CellState
from bulkwright.service.suggestions import suggest_formats

ZONE = ZoneInfo("Europe/Berlin")
CELLS = (
    "29.02.2024", "29.02.2023", "1.3.2024", "01.03.24", "31.12.1999", "13/01/2024", "01/13/2024",
    "2024-01-13", " 29.02.2024 ", "29.02.2024 13:45", "29.02.2024 01:45 PM", "29.02.2024 25:00",
    "3 Mar 2024", "03 mar 2024", "March 3, 2024", "20240229", "20240231", "1.234,50", "1234,5",
    "1,234.5", "1'234.50", "1 234,5", "-7,0", "+7,0", ",5", "1.2.3,4", "7", "abc", "yes", "NO",
    "ja", "Nein", "1", "0", "x", "-", "  ",
)  # fmt: skip
FORMATS = {
    "date": ("dd.MM.yyyy", "dd.MM.yy", "dd/MM/yyyy", "MM/dd/yyyy", "yyyyMMdd", "dd MMM yyyy",
             "MMMM d, yyyy", "yyyy-MM-dd"),
    "datetime": ("dd.MM.yyyy HH:mm", "dd.MM.yyyy hh:mm a", "dd.MM.yyyy"),
    "double": ("#.##0,00", "# ##0,00", "#'##0.00", "#,##0.00", "#0,00", "#"),
    "integer": ("#.##0", "#"),
    "boolean": ("yes/no", "ja/nein", "1/0", "x/-"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("data_type", "pattern"), [(kind, one) for kind, all_ in FORMATS.items() for one in all_]
)
def test_a_format_accepts_what_the_engine_accepts(data_type: str, pattern: str) -> None:
    """Every cell under every format; what only a job finds out is not judged."""
    field = Field(1, "Any", "Any", data_type)
    options = ReadOptions(
        field, pattern, "Europe/Berlin", datetime(2026, 11, 28, tzinfo=UTC).date()
    )
    read = read_values(pl.Series(CELLS), options)
    for cell, value in zip(CELLS, read, strict=True):
        try:
            check_formatted(cell, field, pattern, ZONE)
        except NotAValue:
            assert value is None, cell
        except NotJudged:
            continue
        else:
            assert value is not None, cell


def test_what_becomes_of_a_cell() -> None:
    """A default replaces an empty cell; lookups and existing tables are for a run."""
    email = Field(1, "Email", "Email", "email", length=100)

    def judge(
        cell: str, field: Field = email, *, mandatory: bool = False, **more: Any
    ) -> CellState:
        mapping = FieldMapping(field.api_name, 0, **more)
        users = {"7", "kay@zylker.example"}
        return CellCheck(mapping, field, users, ZONE, mandatory=mandatory).judge(cell).state

    assert judge("kay@zylker.example") is CellState.GOOD
    assert judge("none") is CellState.BAD
    assert judge("") is CellState.EMPTY
    assert judge(" ", mandatory=True) is judge("", mandatory=True) is CellState.BAD
    assert judge("", default="kay@zylker.example", mandatory=True) is CellState.DEFAULT
    assert judge("", default="none") is CellState.BAD
    owner = Field(2, "Owner", "Owner", "ownerlookup")
    assert judge("Kay@Zylker.example ", owner) is judge("7", owner) is CellState.GOOD
    assert judge("8", owner) is CellState.BAD
    lookup = Field(3, "Account_Name", "Account", "lookup", lookup_module="Accounts")
    assert judge("12", lookup, find_by="id") is CellState.LATER
    assert judge("x", lookup, find_by="id") is CellState.BAD
    assert judge("Zylker", lookup, find_by="Account_Name") is CellState.LATER


def test_formats_are_suggested_for_all_cells() -> None:
    """None if the cells can be read as they are; several if several fit."""
    day, number = Field(1, "Day", "Day", "date"), Field(2, "Sum", "Sum", "double")
    assert suggest_formats(["2024-02-29", ""], day, ZONE) == []
    assert suggest_formats(["29.02.2024", "03.04.2024"], day, ZONE)[0] == "dd.MM.yyyy"
    assert suggest_formats(["02-03-2024"], day, ZONE) == ["dd-MM-yyyy", "MM-dd-yyyy"]
    assert suggest_formats(["29.02.2024", "soon"], day, ZONE) == []
    assert suggest_formats(["1.234,5", "7,25"], number, ZONE) == ["#.##0,00"]
    assert suggest_formats(["", " "], day, ZONE) == []
