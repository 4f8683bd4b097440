"""`POST /api/v1/files` takes files of other formats than zip; the Zoho API does not."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import os
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.support import workbooks as xlsx
from tests.support.deployment import Deployment
from tests.support.uploads import LEADS, zipped
from tests.v1.test_jobs import problem
from tests.v1.test_new_jobs import FILES, created

from bulkwright.files import Area

pytestmark = pytest.mark.slow

Json = dict[str, Any]


def send(server: Deployment, data: bytes | str, name: str, query: str = "", **headers: str) -> Any:
    """POST a file with a name."""
    sent = server.auth() | {name.replace("_", "-"): v for name, v in headers.items()}
    body = data.encode() if isinstance(data, str) else data
    return server.http.post(FILES + query, headers=sent, files={"file": (name, body)})


def taken(server: Deployment, data: bytes | str, name: str, query: str = "") -> tuple[Json, str]:
    """What is said of a file, and the text of the CSV that is stored."""
    answer = send(server, data, name, query)
    assert answer.status_code == 201, answer.text
    body: Json = answer.json()
    with server.services.files.open(Area.UPLOADS, int(body["id"]), None) as file:
        archive = zipfile.ZipFile(file)
        (csv,) = body["csvs"]
        return body, archive.read(csv["name"]).decode()


def refused(server: Deployment, data: bytes | str, name: str, query: str = "") -> str:
    """Why a file is refused."""
    answer = send(server, data, name, query)
    detail: str = problem(answer, 400, "FILE_NOT_SUPPORTED")["detail"]
    return detail


def parquet(**columns: Any) -> bytes:
    """A Parquet file."""
    buffer = io.BytesIO()
    pl.DataFrame(columns).write_parquet(buffer)
    return buffer.getvalue()


def lines(*rows: object) -> str:
    """JSON lines."""
    return "".join(json.dumps(row) + "\n" for row in rows)


ROW = {"Last_Name": "Boyle", "Company": "Zylker", "Email": "p@zylker.example"}
TSV = "Last_Name\tCompany\nBoyle; Kay: sons\tZylker, Inc\n"


@pytest.mark.parametrize(
    ("data", "name", "format", "by", "packed"),
    [
        (zipped(), "x.csv", "zip", "content", False),
        (LEADS, "leads.csv", "csv", "file_name", False),
        (LEADS, "leads", "csv", "content", False),
        (TSV, "leads.tsv", "tsv", "file_name", False),
        (gzip.compress(LEADS.encode()), "leads.csv.gz", "csv", "file_name", True),
        (gzip.compress(TSV.encode()), "leads.TAB.GZ", "tsv", "file_name", True),
        (lines(ROW), "leads.txt", "jsonl", "content", False),
        (gzip.compress(lines(ROW).encode()), "leads", "jsonl", "content", True),
        (parquet(**{key: [text] for key, text in ROW.items()}), "x", "parquet", "content", False),
    ],
    ids=["zip", "csv", "csv by content", "tsv", "csv.gz", "tsv.gz", "jsonl", "jsonl.gz", "parquet"],
)  # fmt: skip
def test_a_job_runs_with_each_format(
    server: Deployment, data: str | bytes, name: str, format: str, by: str, packed: bool
) -> None:
    answer = send(server, data, name)
    assert answer.status_code == 201, answer.text
    file = answer.json()
    assert (file["format"], file["format_by"], file["gzip"]) == (format, by, packed)
    assert file["name"] == name
    (csv,) = file["csvs"]
    assert csv["name"].endswith(".csv") and csv["header"][:2] == ["Last_Name", "Company"]
    job = created(server, {"operation": "insert", "module": "Leads", "file_id": file["id"]})
    reading = job["resources"][0]["reading"]
    assert reading["delimiter"] == ("\t" if format == "tsv" else ",")
    assert reading["delimiter_by"] == ("content" if format in ("csv", "zip") else "named")
    assert reading["columns_left_out"] == []


def test_a_csv_keeps_its_bytes(any_server: Deployment) -> None:
    text = 'sep=;\r\nName;"a ""b"""\r\n5" disk;x\r\n'
    assert taken(any_server, text, "dir\\L e.CSV")[1] == text
    cp1252 = "Last_Name;Company\r\nBöyle;Zylker\r\n".encode("cp1252")
    (csv,) = send(any_server, cp1252, "leads.txt").json()["csvs"]
    assert (csv["encoding"], csv["delimiter"], csv["name"]) == ("windows-1252", ";", "leads.csv")


def test_the_caller_can_name_the_format(any_server: Deployment) -> None:
    file, _ = taken(any_server, '{"a";b}\n1;2\n', "x.jsonl", "?format=csv")
    assert (file["format"], file["format_by"]) == ("csv", "named")
    assert file["csvs"][0]["delimiter"] == ";"
    file, _ = taken(any_server, "a,b\tc\n1\t2\n", "x.csv", "?format=tsv")
    assert (file["format_by"], file["csvs"][0]["header"]) == ("named", ["a,b", "c"])
    assert "is a Parquet file, not a CSV" in refused(any_server, parquet(a=[1]), "x", "?format=csv")
    assert "damaged" in refused(any_server, LEADS, "x.csv", "?format=parquet")
    for query in ("?format=gzip", "?format=", "?kind=csv"):
        problem(send(any_server, LEADS, "x.csv", query), 400, "INVALID_PARAMETER")
    assert "no sheets" in refused(any_server, LEADS, "x.csv", "?sheet=a")


def test_a_repeated_upload_returns_the_first_file(server: Deployment) -> None:
    first = send(server, lines(ROW), "a.jsonl", idempotency_key="inputs-1")
    again = send(server, lines(ROW), "a.jsonl", idempotency_key="inputs-1")
    assert first.json() == again.json() and first.json()["format"] == "jsonl"
    other = send(server, lines(ROW, ROW), "a.jsonl", idempotency_key="inputs-1")
    problem(other, 409, "IDEMPOTENCY_KEY_REUSED")


def test_json_lines_become_rows(any_server: Deployment) -> None:
    rows = (
        '\ufeff{"a": 1.50, "b": null, "c": true}\r\n\n'
        '{"b": "x,\\"y\\"\\nz\\r", "a": 12345678901234567890123.0, "d": ["p", 2, false]}\n'
        '{"a": 1e3, "c": "", "d": []}\n{"a": -1.5E-3}'
    )
    file, text = taken(any_server, rows, "x.ndjson")
    assert text == (
        'a,b,c,d\n1.50,,true,\n"12345678901234567890123","x,""y""\nz\r","","p;2;false"\n'
        "1000,,,\n-0.0015,,,\n"
    )
    assert file["csvs"][0]["encoding"] == "UTF-8"
    assert taken(any_server, '{"a": null}\n{}\n', "x.jsonl")[1] == 'a\n""\n""\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1}\n\n{"a": {"b": 1}}\n', 'Line 3 has an object under the key "a"'),
        ('{"a": [[1]]}\n', "Line 1 has lists or objects in the list"),
        ('{"a": ["p;q"]}\n', "Line 1 cannot be a row"),
        ('{"a": 1}\n{"a": 1\n', "Line 2 is no JSON"),
        ('{"a": 1, "a": 2}\n', "Line 1 has a key twice"),
        ('{"a": NaN}\n', "Line 1 has NaN"),
        ('{"a": "\\ud800"}\n', "surrogate"),
        ("[1]\n", "Line 1 is no JSON object; write each object"),
        ('{"a": 1}\n7\n', "Line 2 is no JSON object"),
        ("{}\n", "no JSON object with a key"),
        ("", "no JSON object with a key"),
        ('{"a": ' + "[" * 100_000 + "\n", "values within values"),
        ('{"a": 1}\n' * 1_000 + '{"a": 1, "new": 2}\n', 'Line 1001 has the key "new"'),
        ('{"a": "' + "x" * 9_000_000 + '"}\n', "Line 1 is longer"),
    ],
)
def test_a_line_that_is_no_row_is_named(any_server: Deployment, text: str, said: str) -> None:
    assert said in refused(any_server, text, "x.jsonl")


def test_bytes_that_are_no_utf8_are_refused(any_server: Deployment) -> None:
    assert "Line 2 is not UTF-8" in refused(any_server, b'{"a":1}\n{"a":"\xff"}\n', "x.jsonl")
    file = send(any_server, lines(ROW), "x.jsonl").json()
    body = {"operation": "insert", "module": "Leads", "file_id": file["id"]}
    answer = any_server.http.post(
        "/api/v1/jobs", headers=any_server.auth(), json=body | {"encoding": "windows-1252"}
    )
    assert "without an encoding" in problem(answer, 400, "FILE_NOT_SUPPORTED")["detail"]


@pytest.mark.parametrize("size", [1, 3_000])
def test_xlsx_without_its_extra_is_refused(
    any_server: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """The process that would convert the file ends before it has read any of it."""
    (tmp_path / "python_calamine.py").write_text("raise ModuleNotFoundError")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    sheet = xlsx.rows([xlsx.text("Last Name")], *([xlsx.text(f"L{n}")] for n in range(size)))
    said = refused(any_server, xlsx.workbook({"Leads": sheet}), "leads.xlsx")
    assert "bulkwright[xlsx] is not installed; save the sheet as CSV" in said


def test_parquet_becomes_rows(any_server: Deployment) -> None:
    berlin = dt.datetime(2024, 7, 2, 3, 4, 5, 678901, tzinfo=dt.UTC)
    data = parquet(
        big=pl.Series([2**64 - 1, None], dtype=pl.UInt64),
        money=pl.Series([Decimal("12345678901234567890.10"), None], dtype=pl.Decimal(38, 2)),
        real=[1e22, float("nan")],
        small=pl.Series([0.1, 1e-7], dtype=pl.Float32),
        whole=[3.0, -0.0],
        day=[dt.date(2024, 1, 2), None],
        moment=[dt.datetime(2024, 1, 2, 3, 4, 5), None],
        zoned=pl.Series([berlin, None]).dt.convert_time_zone("Europe/Berlin"),
        yes=[True, None],
        values=[["p", None, "q"], []],
        numbers=[[1.0, 2.5], None],
        text=['a\r"b"', ""],
        kind=pl.Series(["u", None], dtype=pl.Categorical),
    )
    file, text = taken(any_server, data, "x.parquet")
    assert file["format"] == "parquet"
    header, rest = text.split("\n", 1)
    assert header == "big,money,real,small,whole,day,moment,zoned,yes,values,numbers,text,kind"
    assert rest.replace('""', "", 0).startswith(
        "18446744073709551615,12345678901234567890.10,10000000000000000000000,0.1,3,2024-01-02,"
        '2024-01-02T03:04:05,2024-07-02T05:04:05+02:00,true,p;;q,1;2.5,"a\r""b""",u\n'
    )
    assert rest.split("\n")[1] == '"","","",0.0000001,-0,"","","","","","","",""'
    assert taken(any_server, parquet(only=[None, "x"]), "x")[1] == 'only\n""\nx\n'


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ([{"b": 1}], "The column a of the Parquet file has the type Struct"),
        ([b"\x00"], "Binary"),
        ([[[1]]], "List"),
        ([dt.timedelta(1)], "Duration"),
        ([["p;q"]], "separates the values"),
    ],
)
def test_a_parquet_column_that_no_cell_holds_is_named(
    any_server: Deployment, column: list[Any], said: str
) -> None:
    assert said in refused(any_server, parquet(a=column), "x.parquet")


def test_damaged_files_are_refused(any_server: Deployment) -> None:
    whole = parquet(a=list(range(1000)))
    assert "cannot be read" in refused(any_server, whole[:-100], "x.parquet")
    assert "cannot be read" in refused(any_server, b"PAR1" + bytes(50) + b"PAR1", "x.parquet")
    assert "encrypted" in refused(any_server, b"PARE" + bytes(50), "x.parquet")
    assert "PDF" in refused(any_server, b"%PDF-1.7\n", "x.csv")
    assert "unpack the gzip" in refused(any_server, gzip.compress(whole), "x.parquet.gz")
    packed = gzip.compress(LEADS.encode() * 1000)
    for damaged in (packed[:-9], packed[:40] + b"!!!!" + packed[44:], b"\x1f\x8b!!", packed + b"x"):
        answer = send(any_server, damaged, "x.csv.gz")
        assert "gzip" in problem(answer, 400, "INVALID_FILE_FORMAT")["detail"]
    problem(send(any_server, LEADS, "leads.zip"), 400, "INVALID_FILE_FORMAT")
    assert "empty" in refused(any_server, "", "x.csv")


def test_gzips_in_a_row_and_padding_are_one_file(any_server: Deployment) -> None:
    head, rest = LEADS[:20].encode(), LEADS[20:].encode()
    packed = gzip.compress(head) + gzip.compress(b"") + gzip.compress(rest) + bytes(1000)
    assert taken(any_server, packed, "x.csv.gz")[1] == LEADS


def test_zohos_side_takes_zips_alone(any_server: Deployment) -> None:
    for data in (
        LEADS.encode(),
        gzip.compress(LEADS.encode()),
        parquet(a=[1]),
        lines(ROW).encode(),
    ):
        answer = any_server.upload(data)
        assert (answer.status_code, answer.json()["code"]) == (200, "INVALID_FILE_FORMAT")


book = xlsx.workbook
"""Short, because most lines of the tests below have one."""


def test_a_sheet_becomes_rows(any_server: Deployment) -> None:
    cells = xlsx.rows(
        [],
        [xlsx.text("name"), xlsx.text("n"), xlsx.text("d"), xlsx.text("b"), xlsx.text("f")],
        [xlsx.text("a &amp; b\nc"), xlsx.number("12"), xlsx.number("45293", xlsx.DATE),
         xlsx.raw("b", "1"), xlsx.raw("str", "sum", "<f>A1</f>")],
        [],
        [xlsx.text(" x "), xlsx.number("0.1"), xlsx.number("45293.499999999", xlsx.MOMENT),
         xlsx.raw("b", "0"), xlsx.number("1.5", xlsx.DURATION)],
        [xlsx.text("y"), xlsx.number("1E+20"), xlsx.number("123456789012345680")],
    )  # fmt: skip
    file, text = taken(any_server, book({"S": cells}), "x")
    assert (file["format"], file["format_by"], file["csvs"][0]["name"]) == (
        "xlsx", "content", "x.csv",
    )  # fmt: skip
    assert text == (
        'name,n,d,b,f\n"a & b\nc",12,2024-01-02,true,sum\n\n'
        " x ,0.1,2024-01-02T12:00:00,false,36:00:00\ny,100000000000000000000,123456789012345680,,\n"
    )


def test_one_of_several_sheets_is_named(any_server: Deployment) -> None:
    one = xlsx.rows([xlsx.text("Last_Name")], [xlsx.text("Boyle")])
    two = book({"One": one, "Two": one.replace("Boyle", "Kay"), "H": one}, hidden=("H",))
    said = refused(any_server, two, "x.xlsx")
    assert "2 sheets" in said and "One, Two" in said
    assert taken(any_server, two, "x.xlsx", "?sheet=Two")[1] == "Last_Name\nKay\n"
    assert taken(any_server, two, "x.xlsx", "?sheet=H")[1] == "Last_Name\nBoyle\n"
    assert "no sheet Three" in refused(any_server, two, "x.xlsx", "?sheet=Three")
    hidden = book({"One": one, "H": one}, hidden=("H",))
    assert taken(any_server, hidden, "x.xlsx")[1] == "Last_Name\nBoyle\n"


def test_hostile_workbooks_are_refused(any_server: Deployment) -> None:
    entity = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    rows = xlsx.rows([xlsx.text("Last_Name")], [xlsx.text("a&e;b")])
    answer = send(any_server, book({"S": rows}, before=entity), "x.xlsx")
    assert "root:" not in answer.text
    if answer.status_code == 201:
        assert "root:" not in taken(any_server, book({"S": rows}, before=entity), "x.xlsx")[1]
    assert "password" in refused(
        any_server, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "x.xlsx"
    )
    assert "damaged" in refused(any_server, "<html><table></table></html>", "x.xlsx")
    whole = book({"S": xlsx.rows([xlsx.text("a")])})
    answer = send(any_server, whole[:-40], "x.xlsx")
    problem(answer, 400, "INVALID_FILE_FORMAT")
    assert "cannot be read" in refused(any_server, book({"S": "<row><c><v>"}), "x.xlsx")
    # Two cells far from each other: a reader with a rectangle in memory needs terabytes.
    far = xlsx.rows([xlsx.number("1", reference="A1"), xlsx.number("1", reference="XFD1048576")])
    assert "too much" in refused(any_server, book({"S": far}), "x.xlsx")
    empty = refused(any_server, book({"S": ""}), "x.xlsx")
    assert "empty" in empty


def test_a_workbook_that_inflates_to_gigabytes_is_refused(any_server: Deployment) -> None:
    cell = xlsx.text("x" * 30_000)
    rows = f"<row>{cell * 20}</row>" * 1_000
    answer = send(any_server, book({"S": rows}), "x.xlsx")
    assert problem(answer, 413, "FILE_TOO_LARGE")
