"""How a file is read: what decides, and what the job says of it."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from tests.support.bench import Bench

from bulkwright.domain import limits
from bulkwright.domain.errors import FileNotSupported
from bulkwright.domain.job import FieldMapping, Job, Operation
from bulkwright.domain.reading import FoundBy, Reading
from bulkwright.domain.request import JobRequest, ResourceRequest
from bulkwright.service.reports import failed_csv

NAME, CITY, STATE = (FieldMapping(n, i) for i, n in enumerate(("Last_Name", "City", "State")))
chunked = pytest.mark.parametrize("chunk_rows", [1, 2, 1000])


def stored(bench: Bench, *names: str) -> list[tuple[object, ...]]:
    """Fields of each record."""
    return [tuple(record[name] for name in names) for record in bench.records()]


def reading(job: Job) -> Reading:
    """How the only file of a job is read."""
    found = job.resources[0].reading
    assert found is not None
    return found


@pytest.mark.parametrize("mapped", [None, [NAME], [NAME, CITY]])
def test_a_header_with_colons_is_separated_by_its_comma(bench: Bench, mapped: Any) -> None:
    """A time in each row has as many colons as the header; the other delimiter is reported."""
    done = bench.run("Last_Name,Start (HH:MM:SS)\nBoyle,10:30:00\n", mappings=mapped)
    assert done.outcome == ["ADDED"]
    assert stored(bench, "Last_Name") == [("Boyle",)]
    assert (reading(done.job).delimiter, reading(done.job).also_fits) == (",", (":",))
    assert reading(done.job).delimiter_by is FoundBy.GUESS


def test_a_doubtful_delimiter_is_rejected_with_what_fits(bench: Bench) -> None:
    """Unless the header names fields under one, or a mapped column exists under one only."""
    text = "Name,x;Town,y\nBoyle,1;Bonn,2\n"
    assert bench.run(text, mappings=[FieldMapping("Last_Name", 2)]).outcome == ["ADDED"]
    with pytest.raises(FileNotSupported, match="comma and a semicolon"):
        bench.create("Name,x;Town\nBoyle,1;Bonn\n", mappings=[NAME])
    assert bench.run("Last_Name,x;Town\nBoyle,1;Bonn\n", mappings=[NAME]).outcome == ["ADDED"]


def test_tabs_are_named_or_read(bench: Bench) -> None:
    """They are no documented delimiter, but a caller can allow them."""
    text = "Last_Name\tCity\nBoyle\tBonn\n"
    with pytest.raises(FileNotSupported, match="separated by a tab; use a comma"):
        bench.create(text)
    wanted = ResourceRequest("Leads", str(bench.upload(text)))
    for delimiters in (",;|:\t", "\t"):
        request = JobRequest(Operation.INSERT, (wanted,), delimiters=delimiters)
        job = bench.services.jobs.create(bench.caller, request)
        assert bench.worker.run_one(job.id)
    assert stored(bench, "Last_Name", "City") == [("Boyle", "Bonn")] * 2


@chunked
def test_a_damaged_quote_loses_no_row(bench: Bench, chunk_rows: int) -> None:
    """Each line stands by itself; the job says which rows have stray quotes."""
    text = (
        'a,b,c\nfirst,1,2\nA,"Acme,x\nB,"Beta,y\nC,Gamma,z\n"say "hello" now",1,2\n'
        '"Smith, "Bob" J.",1\n"he said "hi"\nand left",1\n5" disk,1,2\nlast,1,2\n'
    )
    done = bench.run(text, mappings=[NAME, CITY, STATE], chunk_rows=chunk_rows)
    bad = "INVALID_DATA-c"
    assert done.outcome == [*["ADDED"] * 5, bad, bad, bad, "ADDED", "ADDED"]
    assert stored(bench, "Last_Name", "City", "State") == [
        ("first", "1", "2"),
        ("A", '"Acme', "x"),
        ("B", '"Beta', "y"),
        ("C", "Gamma", "z"),
        ('"say "hello" now"', "1", "2"),
        ('5" disk', "1", "2"),
        ("last", "1", "2"),
    ]
    assert (reading(done.job).stray_quotes, reading(done.job).first_stray_quote) == (3, 2)


@chunked
def test_the_whole_file_decides_on_its_encoding(bench: Bench, chunk_rows: int) -> None:
    """A letter behind more than a MiB of ASCII is read right."""
    plain = "Last_Name,Notes\n" + f"Ann,{'x' * 20_000}\n" * 60 + "Müller,y\n"
    assert len(plain) > limits.MiB
    done = bench.run(plain.encode("cp1252"), mappings=[NAME], chunk_rows=max(chunk_rows, 50))
    assert done.outcome == ["ADDED"] * 61
    assert stored(bench, "Last_Name")[-1] == ("Müller",)
    assert (reading(done.job).encoding, reading(done.job).encoding_by) == (
        "windows-1252",
        FoundBy.GUESS,
    )
    assert done.job.character_encoding == "windows-1252"


def test_a_text_of_another_language_is_read_right(bench: Bench) -> None:
    """Its letters are not those of windows-1252, and the job says that this is a guess."""
    names = ["Dvořák", "Kučera", "Němec", "Růžička", "Šimůnek", "Žák", "Říha", "Čermák"]
    done = bench.run("Last_Name\n" + "\n".join(names), mappings=[NAME])
    assert reading(done.job).encoding_by is FoundBy.CONTENT
    done = bench.run(("Last_Name\n" + "\n".join(names)).encode("cp1250"), mappings=[NAME])
    assert [name for (name,) in stored(bench, "Last_Name")] == names * 2
    assert (reading(done.job).encoding, reading(done.job).encoding_by) == (
        "windows-1250",
        FoundBy.GUESS,
    )


@pytest.mark.parametrize(("encoding", "codec"), [("windows-1250", "cp1250"), ("UTF-8", "utf-8")])
def test_a_named_encoding_is_no_guess(bench: Bench, encoding: str, codec: str) -> None:
    """Also where it is the one that the file is recognised in; another job may name none."""
    text = "Last_Name,City\nDvořák,Plzeň\nKučera,Jičín\nRůžička,Ústí\nNěmec,Žďár\n".encode(codec)
    named = reading(bench.run(text, encoding=encoding).job)
    assert (named.encoding, named.encoding_by) == (encoding, FoundBy.NAMED)
    assert reading(bench.run(text).job).encoding_by is not FoundBy.NAMED


def test_a_doubtful_encoding_is_rejected_with_what_to_name(bench: Bench) -> None:
    """The upload is acknowledged; the job is not created."""
    data = "Last_Name,City\nכהן,חיפה\nלוי,אשדוד\n".encode("cp1255")
    with pytest.raises(FileNotSupported, match=r"character_encoding.*windows-1255"):
        bench.create(data)
    assert bench.run(data, encoding="windows-1255").outcome == ["ADDED"] * 2
    assert stored(bench, "Last_Name", "City")[0] == ("כהן", "חיפה")


def test_the_job_names_the_columns_that_are_left_out(bench: Bench) -> None:
    """Those that no mapping reads, in file order."""
    text = "x,Last_Name,y,City\n1,Boyle,2,Bonn\n"
    assert reading(bench.run(text).job).left_out == ("x", "y")
    done = bench.run(text, mappings=[FieldMapping("Last_Name", 1)])
    assert reading(done.job).left_out == ("x", "y", "City")


@chunked
@pytest.mark.parametrize("end", ["\x1a", "\r\n\x1a", "\x1a\x1a\x1a"])
def test_a_control_z_at_the_end_is_no_row(bench: Bench, end: str, chunk_rows: int) -> None:
    """Programs of DOS end a file so. Elsewhere it is a character."""
    text = f"a,b,c\r\n1,x\x1ay,3\r\n4,5,6{end}"
    done = bench.run(text, mappings=[NAME, CITY, STATE], chunk_rows=chunk_rows)
    assert done.outcome == ["ADDED"] * 2
    assert stored(bench, "City", "State") == [("x\x1ay", "3"), ("5", "6")]


def test_a_control_z_in_a_quoted_cell_is_a_character(bench: Bench) -> None:
    """Also at the end of the file."""
    bench.run('a,b,c\r\n4,5,"6\x1a"', mappings=[NAME, CITY, STATE])
    assert stored(bench, "City", "State") == [("5", "6\x1a")]


def test_the_line_of_excel_is_no_header(bench: Bench) -> None:
    """It names the delimiter."""
    done = bench.run("sep=;\r\nLast_Name;City\r\nBoyle;Bonn, Nord\r\n")
    assert done.outcome == ["ADDED"] and stored(bench, "City") == [("Bonn, Nord",)]
    assert reading(done.job).delimiter_by is FoundBy.NAMED


def test_failed_rows_keep_what_is_behind_the_last_column(bench: Bench) -> None:
    """The file to correct has all cells of a row that is too long, and is not read as it is."""
    text = 'Last_Name,City\nBoyle,Bonn,Nord\nKay,Trier\n5" x,Bonn,Nord,"a ""b"""\n,Ulm\n'
    done = bench.run(text)
    assert done.statuses == ["SKIPPED", "ADDED", "SKIPPED", "SKIPPED"]
    with bench.services.job_rows.open(done.job, done.job.resources[0]) as rows:
        failed = "".join(failed_csv(rows, with_errors=True, quote_formulas=False))
    header, *lines = csv.reader(io.StringIO(failed))
    assert header == ["Last_Name", "City", "ERRORS", "MESSAGE"]
    assert [line[:3] + line[4:] for line in lines] == [
        ["Boyle", "Bonn", "INVALID_DATA-City", "Nord"],
        ['5" x', "Bonn", "INVALID_DATA-City", "Nord", 'a "b"'],
        ["", "Ulm", "MANDATORY_NOT_FOUND-Last_Name"],
    ]
    assert set(bench.run(failed).statuses) == {"SKIPPED"}


# Dates and numbers that fit two forms


@chunked
def test_an_assumed_form_of_dates_and_numbers_is_named(bench: Bench, chunk_rows: int) -> None:
    """If a cell fits another form too, and no format is given."""
    bench.things(
        {"api_name": "Day", "data_type": "date"},
        {"api_name": "At", "data_type": "datetime"},
        {"api_name": "Paid", "data_type": "date"},
        {"api_name": "Due", "data_type": "date"},
        {"api_name": "Sum", "data_type": "double"},
        {"api_name": "Count", "data_type": "integer"},
        {"api_name": "Rest", "data_type": "double"},
    )
    rows = (
        "Name,Day,At,Paid,Due,Sum,Count,Rest\n"
        "A,2024-03-04,12/24/2024 10:00:00,03/04/2024,12/24/2024,1.5,1234,-1.50\n"
        'B,3/4/2024,1/2/2024 10:00:00,,1024-03-04,"1,234","-1,234","1,234.5"\n'
        'C,2024-03-04,,,,,,"1,234,567"\n'
    )
    mappings = [
        FieldMapping(name, at, format="MM/dd/yyyy" if name == "Paid" else None)
        for at, name in enumerate(rows.partition("\n")[0].split(","))
    ]
    done = bench.run(rows, "Things", mappings=mappings, chunk_rows=chunk_rows)
    assert done.outcome == ["ADDED"] * 3
    assert reading(done.job).assumed == {
        "Day": "MM/dd/yyyy", "At": "MM/dd/yyyy", "Sum": "#,###.##", "Count": "#,###.##",
    }  # fmt: skip


def test_assumed_forms_of_all_parts_are_named(bench: Bench) -> None:
    """Parts that run by themselves add to one reading."""
    bench.things(
        {"api_name": "Code", "data_type": "text", "unique": True},
        *({"api_name": f"D{i}", "data_type": "date"} for i in range(4)),
    )
    rows = "".join(
        f"n{i},c{i}," + ",".join("1/2/2024" if i % 4 == c else "" for c in range(4)) + "\n"
        for i in range(200)
    )
    text = f"Name,Code,D0,D1,D2,D3\n{rows}"
    with bench.parts(3, at_once=2):
        done = bench.run(text, "Things", "upsert", find_by="Code", chunk_bytes=256)
    split = done.job.resources[0].split
    assert split is not None and split.is_divided
    assert reading(done.job).assumed == dict.fromkeys(("D0", "D1", "D2", "D3"), "MM/dd/yyyy")


@chunked
def test_a_default_fills_a_partial_column(bench: Bench, chunk_rows: int) -> None:
    """Where a row has an empty cell, and where it ends before the column; also in all rows."""
    default = FieldMapping("City", 1, default="Ulm", default_json={"value": "Ulm"})
    for rows, cities in (
        ("A,Bonn\nB,\nC\nD,Trier\n", ["Bonn", "Ulm", "Ulm", "Trier"]),
        ("A,\nB\n", ["Ulm", "Ulm"]),
    ):
        before = len(stored(bench, "City"))
        bench.run(f"Last_Name,City\n{rows}", mappings=[NAME, default], chunk_rows=chunk_rows)
        assert [city for (city,) in stored(bench, "City")][before:] == cities
