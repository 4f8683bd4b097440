"""Values: numbers, dates and keys that a lenient parser reads as other values."""

from __future__ import annotations

import csv
import io
from typing import Any

from tests.hostile.case import Case, Done, Rejection
from tests.hostile.tables import Table

_TYPES = {
    "Whole": "integer", "Large": "bigint", "Real": "double", "Share": "percent", "Flag": "boolean",
    "Day": "date", "Moment": "datetime", "Mail": "email", "Call": "phone", "Site": "website",
    "Note": "text",
}  # fmt: skip
MODULE: dict[str, Any] = {
    "api_name": "Things",
    "singular_label": "Thing",
    "plural_label": "Things",
    "fields": [
        {"api_name": "Name", "data_type": "text", "system_mandatory": True},
        {"api_name": "Code", "data_type": "text", "unique": True},
        {"api_name": "Choice", "data_type": "picklist", "pick_list_values": ["Red", "Green"]},
        *({"api_name": name, "data_type": kind} for name, kind in _TYPES.items()),
    ],
}
"""A module with a field of every type, which the tested service has."""

_SOUND = {
    "Whole": "7", "Large": "7", "Real": "7.5", "Share": "7", "Flag": "true", "Day": "2024-02-29",
    "Moment": "2024-02-29T12:00:00Z", "Mail": "a@b.example", "Call": "1", "Site": "a.example",
}  # fmt: skip


def table(*rows: tuple[str, ...]) -> str:
    """Rows as a CSV."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def none(field: str, name: str, wrong: str, *cells: str) -> Case:
    """Cells that are not values of this field; a valid row follows."""
    rows = [("Name", field), *(("x", cell) for cell in cells), ("x", _SOUND[field])]
    bad = f"INVALID_DATA-{field}"
    outcome = Done((*[bad] * len(cells), "ADDED"), name="leads.csv")
    return Case(
        "values", f"{field.lower()}_{name}", wrong,
        Table(table(*rows), ("Name", field), "Things"), outcome,
    )  # fmt: skip


def kept(field: str, name: str, wrong: str, pairs: dict[str, object]) -> Case:
    """Cells that are these values."""
    rows = [("Name", field), *(("x", cell) for cell in pairs)]
    outcome = Done(("ADDED",) * len(pairs), tuple(pairs.values()), "leads.csv")
    return Case(
        "values", f"{field.lower()}_{name}", wrong,
        Table(table(*rows), ("Name", field), "Things", keep=field), outcome,
    )  # fmt: skip


NUMBERS = [
    none("Whole", "underscores", "Python reads underscores within numbers.", "1_000", "1__0"),
    none("Whole", "other_digits", "Python reads the digits of every script.", "１２", "٣", "४"),
    none("Whole", "fraction", "A fraction in a field of whole numbers.", "1.5", "1.0", "½"),
    none("Whole", "exponent", "An exponent.", "1e3", "1E3", "1e999"),
    none("Whole", "other_bases", "Other bases than ten.", "0x10", "0b1", "0o7", "10h"),
    none("Whole", "not_a_number", "What floats can be.", "NaN", "nan", "inf", "-Infinity"),
    none("Whole", "5000_digits", "More digits than Python converts.", "9" * 5000),
    none("Whole", "ten_digits", "One digit too many.", "1000000000", "-1000000000"),
    none("Whole", "signs", "Signs without a number, or too many.", "-", "+", "--1", "+-1", "1-"),
    none("Whole", "misplaced_commas", "Commas where no thousands end.", "1,23", ",123", "1,,234",
         "12,34"),
    none("Whole", "currency_signs", "Signs of money, accounts and shares.", "$5", "5%", "(5)"),
    none("Whole", "blanks_within", "Blanks within a number.", "1 000", "1\u00a0000", "1\n0"),
    none("Whole", "words", "Words.", "true", "seven", "null", "None"),
    kept("Whole", "odd_but_sound", "Signs, zeros, blanks and commas as people write them.",
         {"+7": 7, " 7 ": 7, "007": 7, "-0": 0, "123,344": 123344}),
    none("Large", "beyond_64_bits", "A number that no column holds.", str(2**63), str(2**64),
         "1" + "0" * 18),
    kept("Large", "beyond_floats", "A number that a float would change.",
         {str(2**53 + 1): 2**53 + 1, str(10**18 - 1): 10**18 - 1}),
    none("Real", "not_a_number", "What floats can be.", "NaN", "inf", "-inf", "Infinity"),
    none("Real", "exponent", "An exponent, as spreadsheets write long numbers.", "1.2E+15", "1e-9"),
    none("Real", "too_long", "More digits than the field keeps.", "12345678901234567",
         "1.1234567891", "9" * 5000),
    none("Real", "two_points", "Two decimal points.", "1.2.3", "1.234,5"),
    none("Share", "too_large", "Six digits of percent.", "100000", "5 %"),
    none("Flag", "near_booleans", "What other programs take for true.", "yes", "1", "0", "on", "y",
         "ＴＲＵＥ"),
    kept("Flag", "any_case", "True in any case.", {"TRUE": True, "False": False}),
]  # fmt: skip

DATES = [
    none("Day", "not_in_calendar", "Days that there are not.", "2023-02-29", "1900-02-29",
         "2024-13-01", "2024-01-32", "02/30/2024"),
    none("Day", "zeros", "The zero date of databases.", "0000-00-00", "0000-01-01", "2024-00-10"),
    none("Day", "near_iso_forms", "What is nearly a form of ISO 8601.", "2024060", "2024-W1-1",
         "2024-W54-1", "2023-366", "2024-0229"),
    kept("Day", "other_iso_forms", "Days without separators, of a week and of the year.",
         {"20240229": "2024-02-29", "2024-W01-1": "2024-01-01", "2024-060": "2024-02-29"}),
    none("Day", "day_first", "The day before the month.", "29/02/2024", "31.12.2024"),
    none("Day", "two_digit_year", "A year of two digits.", "12/31/24"),
    none("Day", "far_years", "Years beyond the calendar.", "10000-01-01", "-2024-01-01"),
    none("Day", "with_time", "A time behind the day.", "2024-02-29T00:00:00", "2024-02-29 00:00"),
    none("Day", "serial", "A day as spreadsheets count them.", "45000", "0"),
    none("Day", "other_digits", "A day in digits of another script.", "２０２４-01-01"),
    kept("Day", "leap_days", "Leap days that there are.",
         {"2024-02-29": "2024-02-29", "2000-02-29": "2000-02-29", "2/9/2024": "2024-02-09"}),
    kept("Day", "far_but_sound", "The first and the last day.",
         {"0001-01-01": "0001-01-01", "9999-12-31": "9999-12-31"}),
    none("Moment", "left_out_by_clocks", "An hour that the clocks left out in Los Angeles.",
         "2024-03-10T02:30:00"),
    none("Moment", "absurd_offset", "Offsets that no place has.", "2024-07-01T12:00:00+99:99",
         "2024-07-01T12:00:00+15:00"),
    none("Moment", "absurd_times", "Hours, minutes and seconds that there are not.",
         "2024-07-01T24:00:00", "2024-07-01T12:60:00", "2024-07-01T12:00:61",
         "2024-07-01T12:00:60"),
    none("Moment", "no_time", "A day without a time.", "2024-02-29", "02/29/2024"),
    none("Moment", "over_the_edge", "Moments that leave the calendar in UTC.",
         "9999-12-31T23:59:59-08:00", "0001-01-01T00:00:00+14:00"),
    none("Moment", "words", "Words and counts.", "now", "1720000000", "12:00:00"),
]  # fmt: skip

TEXTS = [
    none("Mail", "headers", "Line ends, as a mail's header would begin with.",
         "a@b.example\nBcc: c@d.example", "a@b.example\r\n\r\nHello"),
    kept("Mail", "blanks_around", "Blanks and a line end around an address are no part of it.",
         {" a@b.example ": "a@b.example", "a@b.example\r\n": "a@b.example"}),
    none("Mail", "almost", "What is nearly an address.", "a@b", "a@@b.example", "@b.example",
         "a b@c.example", "a@b..example", "mailto:a@b.example"),
    none("Mail", "several", "More than one address.", "a@b.example,c@d.example",
         "A <a@b.example>"),
    none("Mail", "too_long", "One character too many.", "x" * 91 + "@b.example"),
    none("Call", "words", "No number to call.", "+", "１２３", "1" * 31, "1;drop table", "<1>"),
    none("Site", "scripts", "Schemes that are no site.", "javascript:alert(1)", "data:text/html,x",
         "file:///etc/passwd"),
    none("Site", "almost", "What is nearly a site.", "nowhere", "http://", "x .example"),
    Case("values", "note_256", "A text one character too long, counted in characters.",
         Table(table(("Name", "Note"), ("x", "👍" * 255), ("x", "👍" * 256)), ("Name", "Note"),
               "Things"), Done(("ADDED", "INVALID_DATA-Note"), name="leads.csv")),
    Case("values", "name_blank", "The mandatory field is blank.",
         Table("Name,Note\n,a\n   ,b\n\u00a0,c\nx,d\n", ("Name", "Note"), "Things"),
         Done((*["MANDATORY_NOT_FOUND-Name"] * 3, "ADDED"), name="leads.csv")),
    kept("Choice", "new_values", "Values that the picklist does not have: they join it.",
         {"Blue": "Blue", "'; DROP TABLE x": "'; DROP TABLE x", "Red": "Red"}),
    Case("values", "choice_too_long", "A picklist value one character too long.",
         Table(table(("Name", "Choice"), ("x", "y" * 121), ("x", "Red")), ("Name", "Choice"),
               "Things"), Done(("INVALID_DATA-Choice", "ADDED"), name="leads.csv")),
]  # fmt: skip


def keyed(
    name: str,
    wrong: str,
    text: str,
    *outcome: str,
    before: str | None = None,
    operation: str = "upsert",
    find_by: str | None = "Code",
    columns: tuple[str, ...] = ("Name", "Code"),
) -> Case:
    """A case of records that are found by a key, or not."""
    attempt = Table(text, columns, "Things", operation, find_by, before=before)
    return Case("keys", name, wrong, attempt, Done(outcome, name="leads.csv"))


LOOKUP = [
    {"api_name": "Last_Name", "index": 0},
    {"api_name": "Account_Name", "index": 1, "find_by": "Account_Name"},
]

KEYS = [
    keyed("dup_key_in_file_upsert", "One key three times in a file.",
          "Name,Code\nx,dup-1\ny,dup-1\nz,DUP-1\n", "ADDED", "UPDATED", "UPDATED"),
    keyed("dup_key_in_file_insert", "One unique value twice in a file of new records.",
          "Name,Code\nx,dup-2\ny,dup-2\nz,dup-3\n", "ADDED", "DUPLICATE_DATA-Code", "ADDED",
          operation="insert", find_by=None),
    keyed("dup_key_in_store", "A unique value that a record has already.",
          "Name,Code\nx,dup-4\ny,dup-5\n", "DUPLICATE_DATA-Code", "ADDED",
          before="Name,Code\nx,dup-4\n", operation="insert", find_by=None),
    keyed("unicode_forms", "One key composed, decomposed, in capitals and with blanks around.",
          "Name,Code\nx,caf\u00e9\ny,cafe\u0301\nz,CAF\u00c9\nw,\" caf\u00e9 \"\n",
          "ADDED", "UPDATED", "UPDATED", "UPDATED"),
    keyed("case_folding", "Keys that are equal only when folded.",
          "Name,Code\nx,Straße-1\ny,STRASSE-1\nz,ﬁsh\nw,FISH\n",
          "ADDED", "UPDATED", "ADDED", "UPDATED"),
    keyed("empty_key", "Rows without a key.",
          "Name,Code\nx,\ny,   \nz,k-1\n", "MANDATORY_NOT_FOUND-Code", "MANDATORY_NOT_FOUND-Code",
          "ADDED"),
    keyed("update_nothing_matches", "An update of records that are not there.",
          "Name,Code\nx,missing-1\ny,k-2\n", "RESOURCE_NOT_FOUND-Code", "UPDATED",
          before="Name,Code\nx,k-2\n", operation="update"),
    keyed("update_bad_ids", "Updates of ids that are none.",
          table(("Name", "Id"), *(("x", i) for i in (
              "0", "-1", "abc", "1 OR 1=1", "1'--", str(2**63), "9" * 400, "1.0", "1e3", "٣", "0x1",
          ))),
          *["RESOURCE_NOT_FOUND-Id"] * 2, *["INVALID_DATA-Id"] * 9,
          operation="update", find_by="id", columns=("Name", "id")),
    keyed("like_wildcards", "Keys that are patterns of LIKE.",
          "Name,Code\nx,%\ny,_\nz,k-_\n", *["RESOURCE_NOT_FOUND-Code"] * 3,
          before="Name,Code\nx,k-3\n", operation="update"),
    keyed("key_is_sql", "Keys that are SQL.",
          "Name,Code\nx,' OR '1'='1\ny,\"x\"\"; DROP TABLE jobs; --\"\n",
          *["RESOURCE_NOT_FOUND-Code"] * 2, operation="update"),
    keyed("long_key", "A key one character longer than its field.",
          f"Name,Code\nx,{'k' * 256}\ny,k-4\n", "INVALID_DATA-Code", "ADDED"),
    Case("keys", "lookup_without_account", "A lookup to an account that is not there.",
         Table("Name,Account\nAda,Missing Ltd\nBo,\n", module="Contacts",
               changes={"field_mappings": LOOKUP}),
         Done(("INVALID_DATA-Account", "ADDED"), name="leads.csv")),
    Case("keys", "lookup_of_another_module", "A lookup by the id of a record of another module.",
         Table("Name,Account\nAda,111111000000000001\nBo,0\nCem,x\n", module="Contacts",
               changes={"field_mappings": [LOOKUP[0], LOOKUP[1] | {"find_by": "id"}]}),
         Done(("INVALID_DATA-Account",) * 3, name="leads.csv")),
]  # fmt: skip

READ_ONLY = Rejection("create", 400, "INVALID_FIELD", "$.resource[0].field_mappings[1].api_name")
PROTECTED = [
    Case("keys", f"insert_{name.lower()}", f"An insert that wants to set {name} itself.",
         Table("Name,Text\nAda,1\n", ("Last_Name", name)), READ_ONLY)
    for name in ("id", "Created_By", "Created_Time", "Modified_Time", "Tag", "Record_Image",
                 "Converted__s", "org_id", "rowid")
]  # fmt: skip

CASES = [*NUMBERS, *DATES, *TEXTS, *KEYS, *PROTECTED]
