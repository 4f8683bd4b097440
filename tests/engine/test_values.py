"""Every type of field: which cells are valid, and which values are read back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.support.bench import EMAIL, Bench

from bulkwright.domain.job import FieldMapping

BAD = "INVALID_DATA-Value"


def as_csv(*rows: Iterable[object]) -> str:
    """Rows as a CSV."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue()


def values(
    bench: Bench, data_type: str, cells: Iterable[str], *, pattern: str | None = None, **traits: Any
) -> dict[str, object]:
    """The stored value of each cell in a field of this type, or its error."""
    bench.things({"api_name": "Value", "data_type": data_type, **traits})
    mappings = [FieldMapping("Name", 0), FieldMapping("Value", 1, format=pattern)]
    rows = [["x", cell] for cell in cells]
    done = bench.run(as_csv(["Name", "Value"], *rows), "Things", mappings=mappings)
    assert len(done.rows) == len(rows)
    stored = iter(bench.records("Things"))
    return {
        cell: error or next(stored)["Value"]
        for (_, cell), error in zip(rows, done.errors, strict=True)
    }


def check(
    bench: Bench, data_type: str, good: Mapping[str, object], bad: Iterable[str] = (), **more: Any
) -> None:
    """The good cells become these values, the bad ones are errors. All are in one column."""
    expected = {**good, **dict.fromkeys(bad, BAD)}
    assert values(bench, data_type, expected, **more) == expected


# Numbers


NO_NUMBERS = (
    "1_000", "１２", "٣", "nan", "NaN", "inf", "-inf", "Infinity", "1e3", "1E3", "0x10", "0b1", "½",
    "abc", "-", "+", ".", ",", "--1", "+-1", "-+1", "1-", "1,2", "1,23", "12,34", "1,2345", ",123",
    "1,,234", "1234,567", "1 000", "1 2", "$5", "5%", "(5)", "1/2", "true", "9" * 5000,
)  # fmt: skip


def test_integers(bench: Bench) -> None:
    """Nine digits, a sign, blanks around, commas at each thousand; nothing else."""
    good = {
        "7": 7, "-7": -7, "+7": 7, " 7 ": 7, "007": 7, "0": 0, "-0": 0, "999999999": 999999999,
        "-999999999": -999999999, "123,344": 123344, "-1,234,567": -1234567, "+1,234": 1234,
        "999,999,999": 999999999, "": None,
    }  # fmt: skip
    check(bench, "integer", good, [*NO_NUMBERS, "1000000000", "1,000,000,000", "1.5", "1.0"])


def test_long_integers(bench: Bench) -> None:
    """Eighteen digits are exact, because no float is used."""
    good = {str(n): n for n in (10**18 - 1, -(10**18) + 1, 2**53 + 1, 9_007_199_254_740_993)}
    check(bench, "bigint", {**good, "9,007,199,254,740,993": 2**53 + 1}, [*NO_NUMBERS, str(10**18)])


@pytest.mark.parametrize("data_type", ["double", "currency"])
def test_decimals(bench: Bench, data_type: str) -> None:
    """Sixteen digits before the point and nine after it; none is rounded."""
    verbatim = ["0", "1.50", "-1.5", "0.000000001", "9999999999999999.999999999", "0.1", "100"]
    good = {v: v for v in verbatim} | {
        "+1.5": "1.5", " 1.5 ": "1.5", ".5": "0.5", "-.5": "-0.5", "007.50": "7.50", "00": "0",
        "1,234.56": "1234.56", "-1,234,567": "-1234567", "": None,
        "-0": "0", "-0.00": "0.00", "-.0": "0.0", "-000": "0", "-0.10": "-0.10", "-00.5": "-0.5",
    }  # fmt: skip
    bad = [
        *NO_NUMBERS,
        "12345678901234567",
        "1.1234567891",
        "1.2.3",
        "1.234,5",
        "1,234.5.6",
        "1.,5",
    ]
    check(bench, data_type, good, bad)


def test_percents(bench: Bench) -> None:
    """Five digits (facts 8.1), otherwise as any decimal."""
    good = {
        "-0.0": "0.0",
        "-0.5": "-0.5",
        "12.5": "12.5",
        "99999": "99999",
        "-5": "-5",
        "100.125": "100.125",
    }
    check(bench, "percent", good, [*NO_NUMBERS, "100000", "5 %"])


@pytest.mark.parametrize("text", ["9999999999999999.999999999", "0.1", "123456789.10", "-0.05"])
def test_money_is_stored_exactly(bench: Bench, text: str) -> None:
    """The record API returns the exact decimal too."""
    done = bench.run(f"Last_Name,Annual_Revenue\nA,{text}\n")
    (record_id,) = done.ids
    assert record_id is not None
    shown = bench.shown(record_id)["Annual_Revenue"]
    assert shown == Decimal(text) and str(shown) == text


# Booleans


def test_booleans(bench: Bench) -> None:
    """The two words and their first letters, in any case."""
    good = {"true": 1, "false": 0, "TRUE": 1, "False": 0, " true ": 1, "t": 1, "F": 0, "": None}
    check(bench, "boolean", good, ["yes", "no", "1", "0", "on", "truee", "wahr", "ＴＲＵＥ"])


@pytest.mark.parametrize(
    ("pattern", "true", "false"),
    [("ja/nein", "JA", " nein"), ("oui/non", "Oui", "NON"), ("1/0", "1", "0"), ("X/-", "x", "-")],
)
def test_words_of_booleans(bench: Bench, pattern: str, true: str, false: str) -> None:
    """A format names the words for true and false; then no other word is read."""
    cells = {true: 1, false: 0, "true": BAD, "f": BAD, "yes": BAD, "": None}
    assert values(bench, "boolean", cells, pattern=pattern) == cells


# Dates and times


def test_dates(bench: Bench) -> None:
    """ISO 8601 and MM/dd/yyyy; only days that exist."""
    good = {
        "2024-02-29": "2024-02-29", "02/29/2024": "2024-02-29", "2/9/2024": "2024-02-09",
        "2000-02-29": "2000-02-29", " 2024-01-01 ": "2024-01-01", "0001-01-01": "0001-01-01",
        "9999-12-31": "9999-12-31", "12/31/1969": "1969-12-31", "": None, "20240228": "2024-02-28",
        "2024-060": "2024-02-29", "2024-W01-1": "2024-01-01", "2020-W53-7": "2021-01-03",
    }  # fmt: skip
    bad = [
        "2023-02-29", "1900-02-29", "0000-00-00", "0000-01-01", "2024-00-10", "2024-13-01",
        "2024-01-32", "2024-1-1", "20230229", "2024-W53-1", "2023-366", "29/02/2024", "02/30/2024",
        "2024-W01-8", "2024-W1-1", "2024060", "infinity", "0044-03-15 BC",
        "13/01/2024", "2024/02/29", "02-29-2024", "12/31/24", "10000-01-01", "-2024-01-01", "today",
        "２０２４-01-01", "2024-02-29x", "2024-02-29T00:00:00", "2024-02-29 00:00", "45000", "0",
    ]  # fmt: skip
    check(bench, "date", good, bad)


def test_moments(bench: Bench) -> None:
    """With an offset or in the user's zone (Los Angeles), ISO 8601 or American; stored in UTC."""
    good = {
        "2024-07-01T12:00:00": "2024-07-01T19:00:00Z",
        "2024-01-01T12:00:00": "2024-01-01T20:00:00Z",
        "2024-07-01 12:00:00": "2024-07-01T19:00:00Z",
        "2024-07-01T12:00": "2024-07-01T19:00:00Z",
        "07/01/2024 12:00:00": "2024-07-01T19:00:00Z",
        "7/1/2024 12:00:00": "2024-07-01T19:00:00Z",
        "2024-07-01T12:00:00Z": "2024-07-01T12:00:00Z",
        "2024-07-01T12:00:00+05:30": "2024-07-01T06:30:00Z",
        "2024-07-01T12:00:00-0800": "2024-07-01T20:00:00Z",
        "2024-07-01T12:00:00+14:00": "2024-06-30T22:00:00Z",
        "2024-07-01T12:00:00.987Z": "2024-07-01T12:00:00Z",
        "2024-02-29T23:59:59-01:00": "2024-03-01T00:59:59Z",
        " 2024-07-01T12:00:00Z ": "2024-07-01T12:00:00Z",
        "1900-01-01T00:00:00Z": "1900-01-01T00:00:00Z",
        "20240701T120000": "2024-07-01T19:00:00Z",
        "20240701T1200+02": "2024-07-01T10:00:00Z",
        "2024-07-01 12:00:00.5+00": "2024-07-01T12:00:00Z",
        "2024-07-01T12:00:00,5Z": "2024-07-01T12:00:00Z",
        "2024-07-01 12:00:00-07:52:58": "2024-07-01T19:52:58Z",
        "9999-12-31T23:59:59Z": "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z": "0001-01-01T00:00:00Z",
        # The clock shows it twice that night: the first time is used.
        "2024-11-03T01:30:00": "2024-11-03T08:30:00Z",
        # The clock of this zone skips it, others do not.
        "2024-03-10T02:30:00Z": "2024-03-10T02:30:00Z",
        "": None,
    }
    bad = [
        "2024-03-10T02:30:00", "2024-07-01T24:00:00", "2024-07-01T12:60:00", "2024-07-01T12:00:61",
        "2024-07-01T12:00:60", "2024-07-01T12:34:60Z", "2016-12-31T23:59:60Z", "20240701T120060Z",
        "2024-07-01T120000", "20240701 120000", "infinity", "2024-07-01T12:00:00+02:00:61",
        "2024-07-01T12:00:00+99:99", "2024-07-01T12:00:00+15:00", "2024-07-01T12:00:00+05:60",
        "2024-07-01T12:00:00 +05:30", "2024-07-01T12:00:00 PST", "2023-02-29T12:00:00",
        "0000-00-00T00:00:00", "0000-00-00 00:00:00", "2024-07-01T1:00:00", "20240701T12000",
        "01/07/2024T", "13/01/2024 12:00:00", "0001-01-01T00:00:00+14:00", "now", "1720000000",
        "9999-12-31T23:59:59-08:00", "2024-07-01T12:00:00ZZ", "2024-07-01T12:00:00.", "12:00:00",
    ]  # fmt: skip
    check(bench, "datetime", good, bad)


def test_a_moment_is_shown_in_the_users_zone(bench: Bench) -> None:
    """The record API returns the offset that applies on that day."""
    bench.things({"api_name": "At", "data_type": "datetime"})
    rows = "Name,At\nA,2024-07-01T12:00:00Z\nB,2024-01-01T12:00:00\n"
    ids = bench.run(rows, "Things").ids
    shown = [bench.shown(i, "Things")["At"] for i in ids if i]
    assert shown == ["2024-07-01T05:00:00-07:00", "2024-01-01T12:00:00-08:00"]


# Texts


def test_a_text_is_kept_verbatim(bench: Bench) -> None:
    """Any text: right to left, joined emoji, markup, formulas, line ends, COPY markers."""
    texts = [
        "عربى", "\u200eمرحبا", "\U0001f469\u200d\U0001f469\u200d\U0001f467", "a" + "\u0301" * 120,
        "\u202etxt", "<b>&amp;</b>", "{{7*7}}", "${jndi:x}", "%s", "'; DROP TABLE x; --",
        "=1+1", "+cmd", "-2+3", "@SUM(1)", " =1", "\t=1", "＝1", "\\.", "\\N", "NULL", "null", "\\",
        "two\nlines", "two\r\nlines", "cr\ronly", "\u2028\u2029\x0b\x0c\x85", "\x1a", "\x01\x02",
        '"', '""', ",", "  blanks  ", "\u00a0", "\ufeff", "\uffff", "0",
    ]  # fmt: skip
    check(bench, "text", {t: t for t in texts})


@pytest.mark.parametrize(
    ("data_type", "longest"), [("text", 255), ("textarea", 2000), ("picklist", 120)]
)
def test_lengths_are_counted_in_characters(bench: Bench, data_type: str, longest: int) -> None:
    """Lengths are characters: an emoji is one, and so is a combining mark."""
    letters = ("x", "é", "👍", "\u0301")
    check(
        bench,
        data_type,
        {c * longest: c * longest for c in letters},
        [c * (longest + 1) for c in letters],
    )


def test_a_field_may_have_a_length_of_its_own(bench: Bench) -> None:
    """The limit is that of the schema; 32,000 characters are accepted."""
    check(bench, "textarea", {"x" * 32_000: "x" * 32_000}, ["x" * 32_001], length=32_000)


def test_emails(bench: Bench) -> None:
    """Letters of any script, at most 100 characters; one address and nothing around it."""
    hundred = "x" * 88 + "@exämple.de"
    good = [
        "a@b.co", "first.last+tag@sub.example.com", "o'neil@x.example", "üser@exämple.de",
        "用户@例子.广告", "a@b-c.example", "1@2.example", "x_y@z.museum", "a@my_host.example",
        "_a@x.example", "+a@x.example", f"a@b.{'c' * 22}", f"x{hundred}",
    ]  # fmt: skip
    assert len(good[-1]) == 100
    bad = [
        "a@b", "a b@c.de", "a@@b.de", "@b.de", "a@", "a@b..de", "a@-b.de", "a@b-.de", "a@b.d",
        "a@b.de,c@d.de", "a@b.de c@d.de", "<a@b.de>", "A <a@b.de>", "mailto:a@b.de", "a@b.de\nc",
        "plain", "a@[127.0.0.1]", "a@_b.de", "a@b_.de", ".a@b.de", "!a@b.de", f"a@b.{'c' * 23}",
        f"xx{hundred}",
    ]  # fmt: skip
    check(bench, "email", {**{g: g for g in good}, "": None}, bad)


def test_phones(bench: Bench) -> None:
    """The documented pattern: digits and letters, one separator between them; 30 characters."""
    good = [
        "+1 202-555-0141", "(089) 123.456", "030;12", "1", "1" * 30, "12a", "555-1234 ext. 12",
        "+1-800-FLOWERS", "+49 (0)89 12345", "555-1234;12#3", "555-1234,,12", "12345#", "call me",
    ]  # fmt: skip
    bad = [
        "+", "1" * 31, "１２３", "-1", ".5", "1--2", "1  2", "555 - 1234", "(1", "1)", "()", "1/2",
        "(1).2", "1#2", "1,", "*31#", "1\n2", "+-1", "1_2",
    ]  # fmt: skip
    check(bench, "phone", {g: g for g in good}, bad)


def test_websites(bench: Bench) -> None:
    """With or without a scheme, letters of any script."""
    good = [
        "zylker.example", "https://www.zylker.example/a?b=c#d", "HTTP://x.de", "exämple.de",
        "https://x.de:8080/", "a.b.c.d", "http://my_host.example/",
    ]  # fmt: skip
    bad = ["nowhere", "http://", "http:// x.de", "javascript:alert(1)", "x .de", "https://x"]
    check(bench, "website", {g: g for g in good}, bad)


# Picklists


def test_a_new_picklist_value_joins_the_picklist(bench: Bench) -> None:
    """Only values of stored rows are added, each once, in file order (facts 3.4)."""
    before = bench.module("Leads").field("Lead_Source")
    assert before is not None
    rows = "Last_Name,Lead_Source\nA,Zoo\nB,Advertisement\nC,Aquarium\nD,Zoo\n,Prison\nE,\n"
    for chunk_rows in (1, 1000):
        bench.run(rows, chunk_rows=chunk_rows)
        after = bench.module("Leads").field("Lead_Source")
        assert after is not None
        assert after.pick_list_values == (*before.pick_list_values, "Zoo", "Aquarium")


@pytest.mark.slow
@pytest.mark.parametrize("data_type", ["picklist", "multiselectpicklist"])
def test_blanks_around_a_picklist_value_are_no_part_of_it(bench: Bench, data_type: str) -> None:
    """A value that differs by blanks or line ends joins no picklist; blanks alone are no value."""
    got = values(bench, data_type, ["Red", "Red\n", " Red", "\tRed\r\n", " ", "\n"])
    assert set(list(got.values())[:4]) == {'["Red"]' if data_type.startswith("multi") else "Red"}
    assert list(got.values())[4:] == [BAD, BAD]
    field = bench.module("Things").field("Value")
    assert field is not None and field.pick_list_values == ("Red",)


@pytest.mark.parametrize(
    ("data_type", "value"),
    [("email", "kay@zylker.example"), ("phone", "+1 555 1234"), ("website", "zylker.example/a")],
)
def test_blanks_around_an_address_are_no_part_of_it(
    bench: Bench, data_type: str, value: str
) -> None:
    """Nor are line ends and other control characters that count as blanks; inside they are bad."""
    around = [
        f"{value}\n",
        f"\t{value}\r\n",
        f"\x0b{value}\x0c",
        f"\x85{value}\u2028",
        f" {value} ",
    ]
    inside = [f"{value[:2]}{sign}{value[2:]}" for sign in "\n\x0b\x01\x1f\x7f\x85"]
    got = values(bench, data_type, [*around, *inside])
    assert list(got.values()) == [value] * len(around) + [BAD] * len(inside)


def test_multiselect_values_are_joined_by_semicolons(bench: Bench) -> None:
    """Stored as a JSON array: each value once, stripped; new values join the picklist."""
    cells = {
        "Analytics": ["Analytics"], "Analytics;Bigdata": ["Analytics", "Bigdata"],
        " a ; b ;; a": ["a", "b"], 'say "hi";back\\slash': ['say "hi"', "back\\slash"],
        "tab\there;two\nlines": ["tab\there", "two\nlines"], "é;👍": ["é", "👍"],
        "x" * 120: ["x" * 120], '"' * 120: ['"' * 120],
    }  # fmt: skip
    good = {cell: json.dumps(value) for cell, value in cells.items()}
    got = values(bench, "multiselectpicklist", [*good, ";", " ; ", "x" * 121, "a;" + "x" * 121])
    *bad, = list(got)[len(good):]  # fmt: skip
    assert [got[cell] for cell in bad] == [BAD] * 4
    for cell, value in cells.items():
        assert json.loads(str(got[cell])) == value
    field = bench.module("Things").field("Value")
    assert field is not None
    assert field.pick_list_values == tuple(dict.fromkeys(v for vs in cells.values() for v in vs))


# References


def test_an_owner_is_named_by_id_or_email(bench: Bench) -> None:
    """Only users of the org are valid; an empty owner is the job's creator."""
    other = bench.services.setup.create_user(bench.org, "Kim", "Lee", "Kim.Lee@zylker.example")
    rows = (
        f"Last_Name,Owner\nA,{other.id}\nB,kim.lee@ZYLKER.example\nC,{EMAIL}\nD,\n"
        "E,nobody@zylker.example\nF,123\nG,Kim Lee\n"
    )
    bad = "INVALID_DATA-Owner"
    for find_by in (None, "email", "id"):
        mappings = [FieldMapping("Last_Name", 0), FieldMapping("Owner", 1, find_by=find_by)]
        done = bench.run(rows, mappings=mappings)
        assert done.outcome == ["ADDED"] * 4 + [bad] * 3
        owners = [bench.stored(i)["Owner"] for i in done.ids if i]
        assert owners == [other.id, other.id, bench.user.id, bench.user.id]
    assert bench.shown(done.ids[0] or 0)["Owner"] == {
        "name": "Kim Lee", "id": str(other.id), "email": "Kim.Lee@zylker.example",
    }  # fmt: skip


def test_a_lookup_by_id_needs_an_existing_record(bench: Bench) -> None:
    """An id of the lookup's module; an id of another module is an error."""
    (account,) = bench.run("Account_Name\nZylker\n", "Accounts").ids
    (lead,) = bench.run("Last_Name\nA\n").ids
    rows = f"Deal_Name,Stage,Account_Name\nA,S,{account}\nB,S,{lead}\nC,S,123\nD,S,Zylker\nE,S,\n"
    mappings = [
        FieldMapping("Deal_Name", 0),
        FieldMapping("Stage", 1),
        FieldMapping("Account_Name", 2, find_by="id"),
    ]
    done = bench.run(rows, "Deals", mappings=mappings)
    bad = "INVALID_DATA-Account_Name"
    assert done.outcome == ["ADDED", bad, bad, bad, "ADDED"]
    shown = bench.shown(done.ids[0] or 0, "Deals")["Account_Name"]
    assert shown == {"name": "Zylker", "id": str(account)}


def test_a_lookup_by_a_key_field(bench: Bench) -> None:
    """By name, folded; several records of one name are CANNOT_PROCESS, none is INVALID_DATA."""
    accounts = bench.run("Account_Name\nZylker\nTwin\ntwin\nÄpfel GmbH\n", "Accounts").ids
    rows = (
        "Deal_Name,Stage,Account_Name.Account_Name\n"
        "A,S, zylker \nB,S,TWIN\nC,S,Unknown\nD,S,ÄPFEL gmbh\nE,S,\nF,S,A\u0308pfel GmbH\n"
    )
    done = bench.run(rows, "Deals")
    column = "Account_Name.Account_Name"
    assert done.outcome == [
        "ADDED", f"CANNOT_PROCESS-{column}", f"INVALID_DATA-{column}", "ADDED", "ADDED", "ADDED",
    ]  # fmt: skip
    linked = [r["Account_Name"] for r in bench.records("Deals")]
    assert linked == [accounts[0], accounts[3], None, accounts[3]]


def test_a_lookup_by_the_display_field(bench: Bench) -> None:
    """The display field of a module can be used too, although it is not a key."""
    (contact, _) = bench.run("Last_Name\nBoyle\nKay\n", "Contacts").ids
    rows = "Deal_Name,Stage,Contact_Name.Last_Name\nA,S,Boyle\nB,S,Unknown\n"
    done = bench.run(rows, "Deals")
    assert done.outcome == ["ADDED", "INVALID_DATA-Contact_Name.Last_Name"]
    assert bench.records("Deals")[0]["Contact_Name"] == contact


def test_a_lookup_by_a_unique_number(bench: Bench) -> None:
    """The cell is converted as a value of the field that it names, signs and commas included."""
    bench.things({"api_name": "Serial", "data_type": "integer", "unique": True}, name="Parts")
    parts = bench.run("Name,Serial\nA,-5\nB,1234\n", "Parts").ids
    bench.things({"api_name": "Part", "data_type": "lookup", "lookup_module": "Parts"})
    rows = 'Name,Part.Serial\nX,-5\nY,"1,234"\nZ,6\nW,many\n'
    done = bench.run(rows, "Things")
    assert done.outcome == ["ADDED", "ADDED"] + ["INVALID_DATA-Part.Serial"] * 2
    assert [r["Part"] for r in bench.records("Things")] == parts


def test_a_lookup_into_the_module_of_the_job_finds_earlier_chunks(bench: Bench) -> None:
    """A row that names a record of the same file must be in a later chunk."""
    rows = (
        "Last_Name,Email,Reporting_To.Email\nBoss,boss@x.example,\nKay,k@x.example,boss@x.example\n"
    )
    done = bench.run(rows, "Contacts", chunk_rows=1)
    assert done.outcome == ["ADDED", "ADDED"]
    assert bench.records("Contacts")[1]["Reporting_To"] == done.ids[0]


def test_an_unknown_layout_is_the_default_layout(bench: Bench) -> None:
    """No cell of a layout is bad (facts 3.3)."""
    layout = bench.module("Leads").layout_id
    done = bench.run(f"Last_Name,Layout\nA,{layout}\nB,Standard\nC,\nD,123\n")
    assert done.outcome == ["ADDED"] * 4
    assert [record["Layout"] for record in bench.records()] == [layout] * 4


# Formats


@pytest.mark.parametrize(
    ("pattern", "cell", "stored"),
    [
        ("yyyy/MM/dd", "2024/02/29", "2024-02-29"),
        ("dd.MM.yyyy", "29.02.2024", "2024-02-29"),
        ("d.M.yyyy", "1.2.2024", "2024-02-01"),
        ("d.M.yyyy", "01.02.2024", "2024-02-01"),
        ("dd/MM/yyyy", "03/04/2024", "2024-04-03"),
        ("yyyyMMdd", "20240229", "2024-02-29"),
        ("dd-MMM-yyyy", "29-Feb-2024", "2024-02-29"),
        ("MMMM d, yyyy", "february 9, 2024", "2024-02-09"),
        ("EEE, d MMM yyyy", "Thu, 29 Feb 2024", "2024-02-29"),
        ("dd.MM.yy", "29.02.24", "2024-02-29"),
        ("dd.MM.yy", "29.02.00", "2000-02-29"),
        ("dd.MM.yy", "29.02.48", "1948-02-29"),
        ("dd.MM.yy", "29.02.47", BAD),
        ("EEE dd.MM.yy", "Wed 15.03.50", "1950-03-15"),
        ("EEE dd.MM.yy", "Tue 15.03.50", BAD),
        ("yyyy-DDD", "2024-060", "2024-02-29"),
        ("'on' yyyy-MM-dd", "on 2024-02-29", "2024-02-29"),
        ("dd/MM/yyyy", "13/13/2024", BAD),
        ("dd/MM/yyyy", "2024-02-29", BAD),
        ("yyyy/MM/dd", "2023/02/29", BAD),
        ("yyyy/MM/dd", "2024/02/29 ", "2024-02-29"),
        ("yyyy/MM/dd", "2024/02/29x", BAD),
        ("EEE, d MMM yyyy", "Fri, 29 Feb 2024", BAD),
    ],
)
def test_date_patterns(bench: Bench, pattern: str, cell: str, stored: str) -> None:
    """With a format no other spelling is accepted, not even ISO 8601."""
    assert values(bench, "date", [cell], pattern=pattern) == {cell: stored}


def test_years_of_two_digits_are_those_around_the_creation_of_the_job(bench: Bench) -> None:
    """80 years before and 20 after that day; a worker that runs it later reads the same years."""
    bench.things(
        {"api_name": "Day", "data_type": "date"}, {"api_name": "At", "data_type": "datetime"}
    )
    mappings = [
        FieldMapping("Name", 0),
        FieldMapping("Day", 1, format="dd/MM/yy"),
        FieldMapping("At", 1, format="dd/MM/yy"),
    ]
    created = bench.services.jobs.clock.now()
    job = bench.create(
        "n,d\n" + "".join(f"x,{cell}\n" for cell in _short_days(created.date())),
        "Things",
        mappings=mappings,
    )
    with bench.chunks(1):
        assert bench.worker.run_one(job.id)
    shown = [(r["Day"], r["At"][:10]) for r in bench.records("Things")]
    year = job.created_time.year
    years = [int(day[:4]) - year for day, _ in shown]
    assert years == [-80, -79, -1, 0, 1, 19, 20]
    assert all(day == at for day, at in shown)


def _short_days(today: date) -> list[str]:
    """The first of January, but for the 80 years back: the last of December."""
    years = [(today.year + by) % 100 for by in (-80, -79, -1, 0, 1, 19, 20)]
    return [f"31/12/{years[0]:02}", *(f"02/01/{y:02}" for y in years[1:])]


@pytest.mark.parametrize(
    ("pattern", "cell", "stored"),
    [
        ("yyyy/MM/dd HH:mm", "2024/07/01 12:00", "2024-07-01T19:00:00Z"),
        ("dd.MM.yyyy HH:mm:ss", "01.07.2024 12:00:05", "2024-07-01T19:00:05Z"),
        ("MM/dd/yyyy hh:mm a", "07/01/2024 12:00 PM", "2024-07-01T19:00:00Z"),
        ("MM/dd/yyyy hh:mm a", "07/01/2024 12:00 am", "2024-07-01T07:00:00Z"),
        ("MM/dd/yyyy h:mm a", "07/01/2024 1:05 pm", "2024-07-01T20:05:00Z"),
        ("yyyy-MM-dd'T'HH:mm:ssXXX", "2024-07-01T12:00:00+05:30", "2024-07-01T06:30:00Z"),
        ("yyyy-MM-dd'T'HH:mm:ssZ", "2024-07-01T12:00:00-0800", "2024-07-01T20:00:00Z"),
        ("yyyy-MM-dd'T'HH:mm:ssX", "2024-07-01T12:00:00Z", "2024-07-01T12:00:00Z"),
        ("yyyy-MM-dd HH:mm:ss.SSS", "2024-07-01 12:00:00.123", "2024-07-01T19:00:00Z"),
        ("yyyy-MM-dd", "2024-07-01", "2024-07-01T07:00:00Z"),
        ("yyyyMMddHHmmss", "20240701120000", "2024-07-01T19:00:00Z"),
        ("dd.MM.yyyy HH:mm", "10.03.2024 02:30", BAD),
        ("dd.MM.yyyy HH:mm", "01.07.2024 24:00", BAD),
        ("dd.MM.yyyy HH:mm:ss", "01.07.2024 12:00:60", BAD),
        ("yyyyMMddHHmmss", "20240701120060", BAD),
        ("dd.MM.yyyy HH:mm", "2024-07-01T12:00:00Z", BAD),
        ("yyyy-MM-dd'T'HH:mm:ssZ", "2024-07-01T12:00:00+99:99", BAD),
    ],
)
def test_moment_patterns(bench: Bench, pattern: str, cell: str, stored: str) -> None:
    """Without a zone the user's zone applies; without a time it is midnight there."""
    assert values(bench, "datetime", [cell], pattern=pattern) == {cell: stored}


@pytest.mark.parametrize(
    ("pattern", "cell", "stored"),
    [
        ("#,##0.00", "1,234.50", "1234.50"),
        ("#.##0,00", "1.234,50", "1234.50"),
        ("#.##0,00", "-1.234.567,5", "-1234567.5"),
        ("# ##0,00", "1 234,50", "1234.50"),
        ("#'##0.00", "1'234.50", "1234.50"),
        ("#'##0.00", "1\u2019234.50", "1234.50"),
        ("# ##0,00", "1\u00a0234,50", "1234.50"),
        ("# ##0,00", "1\u202f234\u2009567,5", "1234567.5"),
        ("#\u202f##0,00", "1 234,50", "1234.50"),
        ("0,00", "3,14", "3.14"),
        ("0.00", "3.14", "3.14"),
        ("#.##0,00", "abc", BAD),
        ("0,00", "3.14", BAD),
        ("0,00", "1.234,5", BAD),
        ("#,##0.00", "1e3", BAD),
    ],
)
def test_number_patterns(bench: Bench, pattern: str, cell: str, stored: str) -> None:
    """The pattern defines the decimal point and the group separator."""
    assert values(bench, "double", [cell], pattern=pattern) == {cell: stored}


def test_number_patterns_of_integers(bench: Bench) -> None:
    """Grouped digits are accepted, a fraction is not."""
    cells = {"1 234": 1234, "1234": 1234, "-12 345 678": -12345678, "1,5": BAD, "1.5": BAD}
    assert values(bench, "integer", cells, pattern="# ##0") == cells


# Defaults


def test_a_default_fills_empty_cells(bench: Bench) -> None:
    """Only the zero-length cell is empty; the default satisfies a mandatory field too."""
    mappings = [
        FieldMapping("Last_Name", 0, default="Unknown"),
        FieldMapping("City", 1, default="X"),
    ]
    done = bench.run('n,c\n,Trier\nA,\nB," "\n', mappings=mappings)
    assert done.outcome == ["ADDED"] * 3
    stored = [(r["Last_Name"], r["City"]) for r in bench.records()]
    assert stored == [("Unknown", "Trier"), ("A", "X"), ("B", " ")]


def test_a_default_without_an_index_fills_every_row(bench: Bench) -> None:
    """The field needs no CSV column; ignore_empty makes no difference."""
    mappings = [FieldMapping("Last_Name", 0), FieldMapping("Website", default="www.zylker.example")]
    for ignore_empty in (False, True):
        done = bench.run("n\nA\nB\n", mappings=mappings, ignore_empty=ignore_empty)
        assert done.outcome == ["ADDED", "ADDED"]
    assert {r["Website"] for r in bench.records()} == {"www.zylker.example"}


def test_a_default_wins_over_ignore_empty(bench: Bench) -> None:
    """A cell with a default is not empty: an update overwrites the value."""
    bench.run("Last_Name,Email,City\nA,a@x.example,Trier\n")
    mappings = [FieldMapping("Email", 0), FieldMapping("City", 1, default="Bonn")]
    bench.run(
        "e,c\na@x.example,\n",
        operation="update",
        find_by="Email",
        mappings=mappings,
        ignore_empty=True,
    )
    assert bench.records()[0]["City"] == "Bonn"


def test_a_bad_default_is_an_error_in_its_rows(bench: Bench) -> None:
    """The error has the field's API name if there is no CSV column."""
    mappings = [FieldMapping("Last_Name", 0), FieldMapping("No_of_Employees", default="many")]
    assert bench.run("n\nA\n", mappings=mappings).outcome == ["INVALID_DATA-No_of_Employees"]
