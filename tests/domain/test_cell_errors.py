"""ERRORS cells as a person reads them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bulkwright.domain.cell_errors import CellError, ErrorReader
from bulkwright.domain.job import FieldMapping, Resource
from bulkwright.domain.module import Field, Module
from bulkwright.domain.result_file import split_errors

HEADER = ("Name", "Mail, private", " ", "Account", "Day", "Note")
FIELDS = (
    Field(1, "Last_Name", "Last Name", "text", length=80, system_mandatory=True),
    Field(2, "Email", "Email", "email"),
    Field(3, "Rating", "Rating", "picklist"),
    Field(4, "Account_Name", "Account Name", "lookup", lookup_module="Accounts"),
    Field(5, "Birth", "Birth", "date"),
    Field(6, "Source", "Source", "text", length=10),
)
MODULE = Module(
    org_id=1, id=1, api_name="Leads", module_name="Leads", singular_label="Lead",
    plural_label="Leads", generated_type="default", layout_id=1, bulk_write=True, fields=FIELDS,
)  # fmt: skip
RESOURCE = Resource(
    "Leads", 1, 5, "leads.csv",
    (
        FieldMapping("Last_Name", 0), FieldMapping("Email", 1), FieldMapping("Rating", 2),
        FieldMapping("Account_Name", 3, find_by="Phone"), FieldMapping("Birth", 4, "dd.MM.yyyy"),
        FieldMapping("Source", default="web"),
    ),
)  # fmt: skip
READER = ErrorReader(RESOURCE, MODULE, HEADER)
CELLS = ["", "nobody", "cold", "Zylker", "1.1.", "n"]


def one(cell: str, *, fits: bool = True) -> CellError:
    """The only error of a cell."""
    (error,) = READER.read(cell, CELLS, fits=fits)
    return error


@pytest.mark.parametrize(
    "cell, field, value, words",
    [
        ("MANDATORY_NOT_FOUND-Name", "Last_Name", "", "must have a value"),
        ("INVALID_DATA-Mail, private", "Email", "nobody", "“nobody” is not an e-mail address"),
        ("INVALID_DATA-Rating", "Rating", "cold", "“cold” is not a value of the picklist"),
        ("INVALID_DATA-Account", "Account_Name", "Zylker", "no record of Accounts has “Zylker” as"),
        ("INVALID_DATA-Day", "Birth", "1.1.", "does not have the format dd.MM.yyyy"),
        ("INVALID_DATA-Source", "Source", "web", "longer than 10 characters"),
        ("DUPLICATE_DATA-Mail, private", "Email", "nobody", "has “nobody” already"),
        ("CANNOT_PROCESS-Mail, private", "Email", "nobody", "several records have “nobody”"),
        ("RESOURCE_NOT_FOUND-Name", "Last_Name", "", "no record of Leads has “”"),
        ("LIMIT_EXCEEDED-Record", None, None, "Column Record: LIMIT_EXCEEDED."),
    ],
)
def test_an_error_names_its_field_and_value(
    cell: str, field: str | None, value: str | None, words: str
) -> None:
    error = one(cell)
    assert cell == f"{error.code}-{error.column}"
    assert (error.field, error.value) == (field, value)
    assert words in error.message and error.message.startswith("Column ")
    assert error.message.endswith(".")


def test_a_damaged_row_has_no_value() -> None:
    """Its label is that of the last column."""
    error = one("INVALID_DATA-Note", fits=False)
    assert (error.field, error.value) == (None, None)
    assert "more cells than the 6 columns" in error.message


def test_a_long_value_is_cut_in_the_sentence_alone() -> None:
    (error,) = READER.read("INVALID_DATA-Mail, private", ["", "x" * 500], fits=True)
    assert error.value == "x" * 500 and len(error.message) < 200


def test_a_module_that_is_gone_has_no_types() -> None:
    reader = ErrorReader(replace(RESOURCE), None, HEADER)
    (error,) = reader.read("INVALID_DATA-Mail, private", CELLS, fits=True)
    assert (error.field, error.message) == (
        "Email",
        "Column Mail, private: “nobody” cannot be stored.",
    )


@pytest.mark.parametrize(
    "cell, found",
    [
        ("", []),
        ("INVALID_DATA-A", [("INVALID_DATA", "A")]),
        ("MANDATORY_NOT_FOUND-A:INVALID_DATA-A,A,B,C",
         [("MANDATORY_NOT_FOUND", "A"), ("INVALID_DATA", "A"), ("INVALID_DATA", "A,B"),
          ("INVALID_DATA", "C")]),
        ("INVALID_DATA-x,y", [("INVALID_DATA", "x"), ("INVALID_DATA", "y")]),
    ],
)  # fmt: skip
def test_a_cell_is_split_by_the_names_of_columns(cell: str, found: list[tuple[str, str]]) -> None:
    """Which may have commas; an unknown name ends at the next one."""
    assert split_errors(cell, ["A", "A,B", "C", ""]) == found
