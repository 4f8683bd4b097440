"""The result: one line for each row, in file order, in a zip that any program opens."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import replace

import pytest
from tests.support.bench import Bench, Done

from bulkwright.domain.errors import LinkNotValid
from bulkwright.domain.formula import as_text
from bulkwright.domain.job import FieldMapping, JobStatus
from bulkwright.domain.outcome import Counts
from bulkwright.files import OWNER, Area
from bulkwright.files.local import LocalFiles
from bulkwright.service.reports import failed_csv

LEADS = "Company,Phone,Email,Last_Name,City\nZylker,1,a@x.example,Boyle,Trier\nAcme,2,,,Bonn\n"


def test_the_first_three_mapped_columns_come_first(bench: Bench) -> None:
    """Columns are in file order, not in that of the mappings; then STATUS, RECORD_ID, ERRORS."""
    mappings = [
        FieldMapping("City", 4), FieldMapping("Last_Name", 3), FieldMapping("Email", 2),
        FieldMapping("Company", 0),
        FieldMapping("Website", default="x.example"),
    ]  # fmt: skip
    done = bench.run(LEADS, mappings=mappings)
    assert done.header == ["Company", "Email", "Last_Name", "STATUS", "RECORD_ID", "ERRORS"]
    first, second = done.ids
    assert done.text == (
        "Company,Email,Last_Name,STATUS,RECORD_ID,ERRORS\n"
        f"Zylker,a@x.example,Boyle,ADDED,{first},\n"
        "Acme,,,SKIPPED,,MANDATORY_NOT_FOUND-Last_Name\n"
    )
    assert second is None


def test_fewer_than_three_mapped_columns(bench: Bench) -> None:
    """The result has the mapped columns; a column that is mapped twice is in it once."""
    mappings = [FieldMapping("Last_Name", 1), FieldMapping("Company", 1)]
    done = bench.run("a,b,c\n1,Boyle,3\n", mappings=mappings)
    assert done.header == ["b", "STATUS", "RECORD_ID", "ERRORS"]
    mappings = [FieldMapping("Last_Name", default="Only")]
    for rows in ("1,2,3\n4,5,6\n", '5" disk,2,3\n4,5,6\n'):
        done = bench.run(f"a,b,c\n{rows}", mappings=mappings)
        assert (done.header, done.statuses) == (["STATUS", "RECORD_ID", "ERRORS"], ["ADDED"] * 2)


@pytest.mark.parametrize(
    "name",
    [
        " Last Name ",
        "Nach,name",
        'the "last" name',
        "two\nlines",
        "=cmd()",
        "<b>",
        "STATUS",
        "",
        "é",
    ],
)
def test_header_texts_are_repeated_verbatim(bench: Bench, name: str) -> None:
    """Also if they need quotes or equal a column of the service; errors name them stripped."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([[name, "Other"], ["Boyle", "x"], ["", "y"]])
    done = bench.run(
        out.getvalue(), mappings=[FieldMapping("Last_Name", 0), FieldMapping("City", 1)]
    )
    assert done.header == [name, "Other", "STATUS", "RECORD_ID", "ERRORS"]
    assert done.errors == ["", f"MANDATORY_NOT_FOUND-{name.strip() or 'Last_Name'}"]


@pytest.mark.parametrize(
    "cell",
    ["a,b", 'say "hi"', "two\nlines", "two\r\nlines", "cr\ronly", '"', " x ", "=1+1", "\x1a", "é"],
)
def test_cells_are_quoted_where_necessary(bench: Bench, cell: str) -> None:
    """A client that reads the result with a CSV parser gets the same cell."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["Last_Name", "City"], [cell, "x"], ["Next", "y"]])
    done = bench.run(out.getvalue())
    assert [row["Last_Name"] for row in done.rows] == [cell, "Next"]
    assert done.statuses == ["ADDED", "ADDED"]


def test_several_errors_are_in_one_cell(bench: Bench) -> None:
    """Codes in a fixed order, joined by colons; the columns of one code in order, by commas."""
    bench.run("Last_Name,Email\nBoyle,p@x.example\n")
    header = ["Rev", "Mail", "Name", "Employees", "Out"]
    mappings = [
        FieldMapping("Annual_Revenue", 0), FieldMapping("Email", 1), FieldMapping("Last_Name", 2),
        FieldMapping("No_of_Employees", 3), FieldMapping("Email_Opt_Out", 4),
    ]  # fmt: skip
    rows = "much,nomail,,many,maybe\n1,p@x.example,,2,true\nx,p@x.example,A,3,no\n"
    done = bench.run(f"{','.join(header)}\n{rows}", mappings=mappings, find_by="Email")
    assert done.errors == [
        "MANDATORY_NOT_FOUND-Name:INVALID_DATA-Rev,Mail,Employees,Out",
        "MANDATORY_NOT_FOUND-Name",
        "INVALID_DATA-Rev,Out",
    ]


def test_a_member_is_named_after_module_and_file(bench: Bench) -> None:
    """`<Module>-<file name>.csv`, with the ending once."""
    for name, member in [
        ("bulkwrite.csv", "Leads-bulkwrite.csv"),
        ("Bulk.CSV", "Leads-Bulk.csv"),
        ("dir/tief/ü.csv", "Leads-ü.csv"),
    ]:
        done = bench.run(LEADS, name=name)
        assert done.member == member
        assert done.job.resources[0].file_name == name.rpartition("/")[2]


def test_a_file_with_a_header_only_is_a_finished_job(bench: Bench) -> None:
    """COMPLETED with a total of 0, and a result that holds the header."""
    for text in ("Last_Name,Email\n", "Last_Name,Email", "Last_Name,Email\r\n\r\n\n"):
        done = bench.run(text)
        assert done.job.status is JobStatus.COMPLETED and done.job.counts == Counts()
        assert done.text == "Last_Name,Email,STATUS,RECORD_ID,ERRORS\n"


def test_counts_are_those_of_the_result(bench: Bench) -> None:
    """Added, updated and skipped add up to the rows of the file, and each row has a line."""
    bench.run("Last_Name,Email\nA,a@x.example\n")
    rows = "Last_Name,Email\nA,a@x.example\nB,b@x.example\nC,bad\nD,\nB,b@x.example\n"
    done = bench.run(rows, operation="upsert", find_by="Email", chunk_rows=2)
    assert done.statuses == ["UPDATED", "ADDED", "SKIPPED", "SKIPPED", "UPDATED"]
    assert done.job.counts == Counts(1, 2, 2, unchanged=2) and done.job.counts.total == 5


def test_a_job_in_which_every_row_is_skipped_is_completed(bench: Bench) -> None:
    """As in Zoho's documentation. FAILED is a status of jobs, not of rows."""
    done = bench.run("Last_Name\n\n" + "   \n" * 100)
    assert done.job.status is JobStatus.COMPLETED
    assert done.job.counts == Counts(skipped=100)


@pytest.mark.slow
def test_many_chunks_make_one_valid_csv(bench: Bench) -> None:
    """Hundreds of parts, each deflated on its own: zipfile reads them as one file."""
    rows = "".join(f"Name {i},City {i}\n" for i in range(300))
    done = bench.run(f"Last_Name,City\n{rows}", chunk_rows=1)
    assert [row["Last_Name"] for row in done.rows] == [f"Name {i}" for i in range(300)]
    result = bench.services.jobs.open_result(bench.org.id, done.job.id)
    with result, zipfile.ZipFile(result) as archive:
        (info,) = archive.infolist()
        assert info.file_size == len(done.text.encode())


def test_the_result_is_in_utf8_for_every_encoding_of_the_upload(bench: Bench) -> None:
    """Comma separated, without a byte order mark."""
    done = bench.run("Last_Name;City\nMüller;Köln\n".encode("utf-16"))
    assert done.text.startswith("Last_Name,City,STATUS") and "Müller,Köln,ADDED" in done.text


def test_a_job_has_no_result_before_it_ends(bench: Bench) -> None:
    """A job that is ADDED has no result."""
    job = bench.create("Last_Name\nA\n")
    with pytest.raises(LinkNotValid):
        bench.services.jobs.open_result(bench.org.id, job.id)


def test_no_working_file_is_left_behind(bench: Bench) -> None:
    """Parts are deleted when the result is complete; no temporary file stays."""
    bench.run("Last_Name\nA\nB\n", chunk_rows=1)
    files = bench.services.files
    assert isinstance(files, LocalFiles)
    root = files.path(Area.UPLOADS, 1).parents[1]
    left = sorted(p.parent.name for p in root.rglob("*") if p.is_file() and p.name != OWNER)
    assert left == ["results", "uploads"]


def test_failed_rows_are_a_csv_to_correct(bench: Bench) -> None:
    """The file has the rows that were not stored, with errors; corrected, they are stored."""
    text = (
        'Name,"Note, long",Email,Staff\n'
        'A,"x\ny",a@x.example,1\nB,"q ""r""",b@x.example,many\n,,,2\n'
    )
    mappings = [
        FieldMapping("Last_Name", 0),
        FieldMapping("Description", 1),
        FieldMapping("No_of_Employees", 3),
    ]
    for chunk_rows in (1, 1000):
        done = bench.run(text, mappings=mappings, chunk_rows=chunk_rows)
        failed = failed_text(bench, done)
        header, *rows = csv.reader(io.StringIO(failed))
        assert header == ["Name", "Note, long", "Email", "Staff", "ERRORS", "MESSAGE"]
        assert rows == [
            ["B", 'q "r"', "b@x.example", "many", "INVALID_DATA-Staff",
             "Column Staff: “many” is not a whole number of up to 9 digits."],
            ["", "", "", "2", "MANDATORY_NOT_FOUND-Name",
             "Column Name: the cell is empty, and the field must have a value."],
        ]  # fmt: skip
        mended = failed.replace("many,", "3,").replace(",,,2", "C,,,2")
        assert bench.run(mended, mappings=mappings).outcome == ["ADDED", "ADDED"]


def failed_text(bench: Bench, done: Done, *, quote_formulas: bool = False) -> str:
    """The failed rows of a job as a CSV."""
    with bench.services.job_rows.open(done.job, done.job.resources[0]) as rows:
        return "".join(failed_csv(rows, with_errors=True, quote_formulas=quote_formulas))


def read(text: str) -> list[list[str]]:
    """The cells of a CSV."""
    return list(csv.reader(io.StringIO(text, newline="")))


FORMULAS = [
    "=1+1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x.example","y")', "-",
]  # fmt: skip
TEXTS = ["Boyle", "-5", "-2.50", "a=1", "x;=1+1", "'=1", 'say "=1"', ""]
HEADER = ["=Name", "+Mail", "@City", "-Note"]
FILLED = ["Last_Name", "Email", "City", "Description"]


def formulas() -> tuple[str, list[FieldMapping]]:
    """A CSV whose header and cells are formulas and texts like them, and its mappings."""
    rows = [[cell or "x", "bad", cell, f"{cell} "] for cell in (*FORMULAS, *TEXTS)]
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([HEADER, *rows, ["=x", "bad", "", "", "=y"]])
    return out.getvalue(), [FieldMapping(name, i) for i, name in enumerate(FILLED)]


def test_a_result_keeps_formulas(bench: Bench) -> None:
    """Byte for byte, so that it can be uploaded again, the failed rows too."""
    text, mappings = formulas()
    done = bench.run(text, mappings=mappings)
    sent = [line[:3] for line in read(text)]
    assert [line[:3] for line in read(done.text)] == sent
    failed = failed_text(bench, done)
    assert [line[:4] for line in read(failed)] == [line[:4] for line in read(text)]
    again = bench.run(failed.replace("bad", "p@x.example"), mappings=mappings)
    assert again.statuses.count("ADDED") == len(FORMULAS + TEXTS)


@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_a_result_quotes_formulas_on_request(
    bench: Bench, chunk_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all columns, of the header and behind the last column; the stored record is unchanged."""
    monkeypatch.setattr(bench.worker, "_ctx", replace(bench.worker._ctx, quote_formulas=True))
    text, mappings = formulas()
    done = bench.run(text, mappings=mappings, chunk_rows=chunk_rows)
    failed = failed_text(bench, done, quote_formulas=True)
    wanted = [[as_text(cell) for cell in line] for line in read(text)]
    assert [line[:3] for line in read(done.text)] == [line[:3] for line in wanted]
    assert [line[:4] for line in read(failed)] == [line[:4] for line in wanted]
    assert read(failed)[-1][6] == "'=y"
    sound = bench.run("Last_Name,City\n=1+1,-2+3\n", chunk_rows=chunk_rows)
    stored = bench.stored(sound.ids[0])
    assert (stored["Last_Name"], stored["City"]) == ("=1+1", "-2+3")
    assert sound.rows[0]["Last_Name"] == "'=1+1"


def test_a_line_end_in_a_header_stays_in_its_cell(bench: Bench) -> None:
    """The failed rows have the header of the upload, also where it has a lone CR."""
    done = bench.run('"Last\rName",Email\nA,bad\n', mappings=[
        FieldMapping("Last_Name", 0), FieldMapping("Email", 1)])  # fmt: skip
    assert [line[:3] for line in read(failed_text(bench, done))] == [
        ["Last\rName", "Email", "ERRORS"], ["A", "bad", "INVALID_DATA-Email"],
    ]  # fmt: skip
