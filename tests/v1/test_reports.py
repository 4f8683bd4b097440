"""The rows of ended jobs: the full result, the failed rows, grouped errors; on both stores."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import httpx2
import pytest
from tests.support.deployment import Deployment
from tests.support.served import Served
from tests.support.uploads import zipped
from tests.v1.conftest import Working
from tests.v1.test_jobs import JOBS, problem

Json = dict[str, Any]
Lines = list[list[str]]

ROWS = (
    "Last_Name;Colour;Email;Note\r\n"
    'Boyle;red;b@x.example;"two\r\nlines"\r\n'
    "\r\n"
    'Kay;=1+1;not an address;"a ""b"""\r\n'
    ";blue;k@x.example;\r\n"
    "Ng;green\r\n"
    "Ray;grey;r@x.example;x;y;z\r\n"
)
FIRST = ["row", "line", "outcome", "record_id", "code", "column", "field", "value", "message"]
HEADER = ["Last_Name", "Colour", "Email", "Note"]


def ran(served: Served, content: str | bytes = ROWS, **changes: object) -> str:
    """The id of an ended job on a new upload."""
    headers = {"feature": "bulk-write", "X-CRM-ORG": served.org}
    sent = served.http.post(
        "/crm/v2/upload", headers=headers, files={"file": ("rows.zip", zipped(content, "rows.csv"))}
    )
    mappings = [
        {"api_name": "Last_Name", "index": 0},
        {"api_name": "Email", "index": 2},
    ]
    asked: Json = {"field_mappings": mappings, **changes}
    made = served.ask(sent.json()["details"]["file_id"], **asked)
    assert made.status_code == 201, made.text
    job = str(made.json()["details"]["id"])
    served.ended(job, statuses=("COMPLETED", "FAILED"))
    return job


def lines(answer: httpx2.Response, delimiter: str = ",") -> Lines:
    """The lines of a CSV that is sent."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    text = answer.content.decode()
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def test_every_row_with_its_outcome_and_all_columns(working: Working) -> None:
    """With the line of the file, through line ends in cells and blank lines."""
    job = ran(working.served)
    header, *rows = lines(working.served.http.get(f"{JOBS}/{job}/result"))
    assert header == [*FIRST, *HEADER]
    ids = [row[3] for row in rows]
    assert [bool(i) for i in ids] == [True, False, False, True, False]
    assert rows[0] == [
        "1", "2", "ADDED", ids[0], "", "", "", "", "", "Boyle", "red", "b@x.example",
        "two\r\nlines",
    ]  # fmt: skip
    assert rows[1] == [
        "2", "5", "SKIPPED", "", "INVALID_DATA", "Email", "Email", "not an address",
        "Column Email: “not an address” is not an e-mail address.",
        "Kay", "=1+1", "not an address", 'a "b"',
    ]  # fmt: skip
    assert rows[2][:8] == ["3", "6", "SKIPPED", "", "MANDATORY_NOT_FOUND", "Last_Name",
                           "Last_Name", ""]  # fmt: skip
    assert rows[3] == ["4", "7", "ADDED", ids[3], *[""] * 5, "Ng", "green", "", ""]
    assert rows[4][4:8] == ["INVALID_DATA", "Note", "", ""]
    assert "more cells than the 4 columns" in rows[4][8]
    assert rows[4][9:] == ["Ray", "grey", "r@x.example", "x", "y", "z"]


def test_json_lines_by_format_or_accept(working: Working) -> None:
    """The errors are a list there, and the columns have their names."""
    http = working.served.http
    job = ran(working.served, "Last_Name,Email,Email,\n,bad,x,y\nA,a@x.example\n",
              field_mappings=[{"api_name": "Last_Name", "index": 0},
                              {"api_name": "Email", "index": 1}])  # fmt: skip
    path = f"{JOBS}/{job}/result"
    by_format = http.get(path, params={"format": "jsonl"})
    by_accept = http.get(path, headers={"Accept": "application/x-ndjson, text/csv;q=0.1"})
    assert by_format.headers["content-type"] == "application/x-ndjson"
    assert by_format.content == by_accept.content
    found = [json.loads(line) for line in by_format.text.splitlines()]
    assert [(e["code"], e["column"], e["value"]) for e in found[0]["errors"]] == [
        ("MANDATORY_NOT_FOUND", "Last_Name", ""),
        ("INVALID_DATA", "Email", "bad"),
    ]
    assert found[0]["cells"] == {"Last_Name": "", "Email": "bad", "Email#3": "x", "#4": "y"}
    assert (found[0]["record_id"], found[0]["more_cells"]) == (None, [])
    assert (found[1]["outcome"], found[1]["errors"], found[1]["message"]) == ("ADDED", [], "")
    assert found[1]["cells"] == {"Last_Name": "A", "Email": "a@x.example", "Email#3": "", "#4": ""}
    assert http.get(path, params={"format": "csv"}, headers={"Accept": "application/x-ndjson"}
                    ).headers["content-type"].startswith("text/csv")  # fmt: skip


def test_failed_rows_are_the_records_of_the_upload(working: Working) -> None:
    """Their quotes and line ends too."""
    http = working.served.http
    job = ran(working.served)
    answer = http.get(f"{JOBS}/{job}/failed-rows")
    kept = ROWS.split("\r\n")
    assert answer.text.split("\r\n") == [kept[0], *kept[4:6], kept[7], ""]
    header, *rows = lines(http.get(f"{JOBS}/{job}/failed-rows?errors=true"), ";")
    assert header == [*HEADER, "ERRORS", "MESSAGE"]
    assert [row[4] for row in rows] == [
        "INVALID_DATA-Email", "MANDATORY_NOT_FOUND-Last_Name", "INVALID_DATA-Note",
    ]  # fmt: skip
    assert rows[2][6:] == ["y", "z"]


@pytest.mark.parametrize("errors", ["false", "true"])
def test_corrected_rows_can_be_uploaded_again(working: Working, errors: str) -> None:
    """With the same mappings; rows that are not corrected fail in the same way."""
    served = working.served
    job = ran(served)
    failed = served.http.get(f"{JOBS}/{job}/failed-rows", params={"errors": errors}).text
    again = ran(served, failed)
    rows = lines(served.http.get(f"{JOBS}/{again}/result"))[1:]
    assert [row[4] for row in rows] == ["INVALID_DATA", "MANDATORY_NOT_FOUND", "INVALID_DATA"]
    mended = failed.replace("not an address", "m@x.example").replace("\r\n;b", "\r\nMy;b")
    mended = mended.replace("\n;b", "\nMy;b").replace(";y;z", "")
    mended = "\n".join(line.removesuffix(";y;z") for line in mended.splitlines())
    last = ran(served, mended)
    rows = lines(served.http.get(f"{JOBS}/{last}/result"))[1:]
    assert [row[2] for row in rows] == ["ADDED"] * 3
    assert served.http.get(f"{JOBS}/{last}/failed-rows").text.splitlines()[1:] == []


@pytest.mark.parametrize("errors", ["false", "true"])
def test_a_row_with_damaged_quotes_stays_damaged(working: Working, errors: str) -> None:
    """It is not stored uncorrected: its quotes are as they were, or it has a cell too many."""
    served = working.served
    text = 'Last_Name,City,Email\n"A, B,Bonn\nC,"Ulm"x,bad\n'
    mappings = [{"api_name": "Last_Name", "index": 0}, {"api_name": "Email", "index": 2}]
    job = ran(served, text, field_mappings=mappings)
    failed = served.http.get(f"{JOBS}/{job}/failed-rows", params={"errors": errors}).text
    if errors == "false":
        assert failed == text
    again = ran(served, failed, field_mappings=mappings)
    rows = lines(served.http.get(f"{JOBS}/{again}/result"))[1:]
    assert [row[2] for row in rows] == ["SKIPPED", "SKIPPED"]
    assert rows[1][4:6] == ["INVALID_DATA", "Email"]


def test_failed_rows_in_another_encoding(working: Working) -> None:
    """They are sent in UTF-8, and as UTF-8 they are read again."""
    text = "Last_Name,City\nMüller,Köln\n,Düsseldorf\n"
    for encoding in ("utf-16", "cp1252"):
        job = ran(working.served, text.encode(encoding), field_mappings=[
            {"api_name": "Last_Name", "index": 0}, {"api_name": "City", "index": 1}])  # fmt: skip
        failed = working.served.http.get(f"{JOBS}/{job}/failed-rows").content
        assert failed.decode("utf-8-sig") == "Last_Name,City\n,Düsseldorf\n"


def test_errors_in_groups(working: Working) -> None:
    """The most frequent group first, with the first five rows of each."""
    text = "Last_Name,Email\n" + "".join(
        f"n{i},bad {i}\n" if i % 3 else f"{'' if i % 2 else 'm'},g{i}@x.example\n"
        for i in range(600)
    )
    job = ran(working.served, text, field_mappings=[
        {"api_name": "Last_Name", "index": 0}, {"api_name": "Email", "index": 1}])  # fmt: skip
    answer = working.served.http.get(f"{JOBS}/{job}/errors")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["module"], found["skipped"], found["unprocessed"]) == ("Leads", 500, 0)
    first, second = found["groups"]
    assert (first["code"], first["column"], first["field"], first["rows"]) == (
        "INVALID_DATA", "Email", "Email", 400,
    )  # fmt: skip
    assert [(s["row"], s["line"], s["value"]) for s in first["samples"]] == [
        (2, 3, "bad 1"), (3, 4, "bad 2"), (5, 6, "bad 4"), (6, 7, "bad 5"), (8, 9, "bad 7"),
    ]  # fmt: skip
    assert (second["code"], second["rows"], len(second["samples"])) == (
        "MANDATORY_NOT_FOUND", 100, 5,
    )  # fmt: skip


def test_a_job_without_errors(working: Working) -> None:
    job = ran(working.served, "Last_Name,x,Email\nA\nB\n")
    found = working.served.http.get(f"{JOBS}/{job}/errors").json()
    assert found == {"module": "Leads", "skipped": 0, "unprocessed": 0, "groups": []}
    assert working.served.http.get(f"{JOBS}/{job}/failed-rows").text == "Last_Name,x,Email\n"


PATHS = ("result", "failed-rows", "errors")


def test_a_file_that_is_gone_is_named(working: Working) -> None:
    """The groups of errors are in the result, so they are there without the upload."""
    served, http = working.served, working.served.http
    job = ran(served)
    file_id = http.get(f"{JOBS}/{job}").json()["resources"][0]["file_id"]
    upload = served.data / "files" / "uploads" / f"{file_id}.zip"
    result = served.data / "files" / "results" / f"{job}.zip"

    def answers(status: int, code: str, *paths: str) -> None:
        for path in paths:
            assert "job" in problem(http.get(f"{JOBS}/{job}/{path}"), status, code)["detail"] or (
                "bulkwright check" in http.get(f"{JOBS}/{job}/{path}").json()["detail"]
            )

    whole = upload.read_bytes()
    upload.write_bytes(whole[:-1])
    answers(410, "UPLOAD_DAMAGED", *PATHS[:2])
    upload.unlink()
    answers(410, "UPLOAD_DAMAGED", *PATHS[:2])
    groups = http.get(f"{JOBS}/{job}/errors").json()["groups"]
    assert [(g["column"], g["rows"], g["samples"]) for g in groups] == [
        ("Email", 1, []), ("Note", 1, []), ("Last_Name", 1, []),
    ]  # fmt: skip
    working.change(f"DELETE FROM uploads WHERE id = {file_id}")
    answers(410, "UPLOAD_EXPIRED", *PATHS[:2])
    result.write_bytes(result.read_bytes()[:-1])
    answers(410, "RESULT_DAMAGED", *PATHS)
    working.change(f"UPDATE jobs SET result_swept = 1 WHERE id = {job}")
    answers(410, "RESULT_EXPIRED", *PATHS)


def test_a_job_without_a_result(server: Deployment) -> None:
    """It has not ended; another org does not see it, and a parameter that is wrong is named."""
    job = server.job_id()
    for path in PATHS:
        found = problem(server.get(f"{JOBS}/{job}/{path}"), 404, "NO_RESULT")
        assert "ADDED" in found["detail"]
        problem(server.get(f"{JOBS}/{job}/{path}", server.other.token), 404, "NO_SUCH_JOB")
        problem(server.http.get(f"{JOBS}/{job}/{path}"), 401, "AUTHENTICATION_FAILURE")
        for wrong in ("colour=red", "module=Contacts"):
            problem(server.get(f"{JOBS}/{job}/{path}?{wrong}"), 400, "INVALID_PARAMETER")
    problem(server.get(f"{JOBS}/{job}/result?format=xml"), 400, "INVALID_PARAMETER")
    problem(server.get(f"{JOBS}/{job}/failed-rows?errors=yes"), 400, "INVALID_PARAMETER")
