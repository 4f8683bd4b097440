"""`bulkwright jobs`: list, show and result."""

from __future__ import annotations

import csv
import errno
import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import NoReturn

import pytest
from tests.support.program import MIXED, Run, program, refused

from bulkwright.cli.job_options import JobOptions
from bulkwright.cli.jobs import result
from bulkwright.cli.schema import export
from bulkwright.cli.write import write
from bulkwright.domain import scope
from bulkwright.domain.account import Caller
from bulkwright.domain.read_job import ReadQuery, ReadRequest
from bulkwright.runtime.worker import open_worker
from bulkwright.settings import OrgLocation, Settings

INSERT = ("--module", "Leads", "--operation", "insert", "--data", "d")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A data folder with a finished job of four rows, two of which were skipped; the job's id."""
    folder = tmp_path_factory.mktemp("written")
    (folder / "mixed.csv").write_text(MIXED)
    done = program(folder, "write", "mixed.csv", *INSERT)
    found = re.search(r"job ([0-9]+)", done.stdout)
    assert found is not None, done.stderr
    return folder / "d", found[1]


@pytest.fixture
def job_id(written: tuple[Path, str], tmp_path: Path) -> str:
    """The id of that job, in a data folder `d` of its own."""
    shutil.copytree(written[0], tmp_path / "d")
    return written[1]


def test_list_shows_the_newest_first(run: Run, job_id: str, good: Path) -> None:
    """With their counts."""
    run("write", good, *INSERT)
    listed = run("jobs", "list", "--data", "d").stdout
    ids = re.findall(r"\b[0-9]{15,}\b", listed)
    assert len(ids) == 2 and ids[1] == job_id and ids == sorted(ids, reverse=True)
    assert "mixed.csv" in listed and "good.csv" in listed


def test_show_says_what_a_job_is(run: Run, job_id: str) -> None:
    """In two lines; with --watch too, because the job has ended."""
    for more in ((), ("--watch",)):
        shown = run("jobs", "show", job_id, "--data", "d", *more)
        assert shown.returncode == 0
        counts, facts = shown.stdout.splitlines()
        assert counts == f"job {job_id}  COMPLETED  added 2  updated 0  skipped 2  of 4 rows"
        assert re.fullmatch(
            r"insert into Leads from mixed\.csv, created [-0-9]+ [:0-9]+\+00:00 by .+", facts
        )


def test_show_as_json_equals_the_job_details(run: Run, job_id: str) -> None:
    """The job details of v2, and nothing else."""
    details = json.loads(run("jobs", "show", job_id, "--json", "--data", "d").stdout)
    assert (details["id"], details["status"], details["operation"]) == (
        job_id,
        "COMPLETED",
        "insert",
    )
    file = details["resource"][0]["file"]
    assert (file["name"], file["added_count"], file["skipped_count"], file["total_count"]) == (
        "mixed.csv", 2, 2, 4,
    )  # fmt: skip
    assert details["result"]["download_url"].endswith(f"/{job_id}.zip")


@pytest.fixture
def read_id(job_id: str, tmp_path: Path) -> str:
    """The id of a bulk read in that folder that has ended."""
    with open_worker(Settings(tmp_path / "d"), lambda _event: None) as (services, worker):
        (org,) = services.accounts.orgs()
        (user,) = services.accounts.users(org.id)
        caller = Caller(org.id, user.id, scope.normalise(scope.EVERY))
        job = services.reads.create(caller, ReadRequest("Leads", ReadQuery()))
        assert worker.run_one()
    return str(job.id)


def test_a_bulk_read_is_a_job_too(run: Run, job_id: str, read_id: str, tmp_path: Path) -> None:
    """It is listed with its records, shown, and its result saved; no row of it can fail."""
    read, write = json.loads(run("jobs", "list", "--json", "--data", "d").stdout)
    assert (read["job_id"], read["operation"], read["module"]) == (read_id, "read", "Leads")
    assert (read["read"], read["added"], read["file"]) == (2, None, None)
    assert (write["job_id"], write["read"], write["added"]) == (job_id, None, 2)
    assert read_id in run("jobs", "list", "--data", "d").stdout
    shown = run("jobs", "show", read_id, "--data", "d").stdout
    assert shown == f"job {read_id}  COMPLETED  bulk read of Leads  read 2\n"
    details = json.loads(run("jobs", "show", read_id, "--json", "--data", "d").stdout)
    assert details["data"][0]["result"]["count"] == 2
    assert run("jobs", "result", read_id, "--data", "d").stdout.strip() == f"{read_id}.zip"
    with zipfile.ZipFile(tmp_path / f"{read_id}.zip") as archive:
        assert archive.namelist() == [f"{read_id}.csv"]
    failed = run("jobs", "result", read_id, "--failed", "--data", "d")
    assert "only a bulk write has rows with outcomes" in refused(failed)


def test_result_is_saved_as_a_zip(run: Run, job_id: str, tmp_path: Path) -> None:
    """Its name is the job's id, or that of -o."""
    assert run("jobs", "result", job_id, "--data", "d").stdout.strip() == f"{job_id}.zip"
    assert run("jobs", "result", job_id, "-o", "here.zip", "--data", "d").returncode == 0
    for name in (f"{job_id}.zip", "here.zip"):
        with zipfile.ZipFile(tmp_path / name) as archive:
            assert archive.testzip() is None and archive.namelist() == ["Leads-mixed.csv"]


def test_errors_are_shown_in_groups(run: Run, job_id: str) -> None:
    """With the first row of each; as JSON with all that are known."""
    shown = run("jobs", "errors", job_id, "--data", "d").stdout
    assert "INVALID_DATA" in shown and "Email" in shown
    groups = json.loads(run("jobs", "errors", job_id, "--json", "--data", "d").stdout)
    assert sum(group["rows"] for group in groups) == 2
    assert {sample["line"] - sample["row"] for g in groups for sample in g["samples"]} == {1}


def test_the_full_result_has_all_columns(run: Run, job_id: str, tmp_path: Path) -> None:
    """And every row."""
    saved = run("jobs", "result", job_id, "--full", "--data", "d")
    assert saved.stdout == f"{job_id}-full.csv: 4 rows\n"
    with (tmp_path / f"{job_id}-full.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["line"] for row in rows] == ["2", "3", "4", "5"]
    assert [row["outcome"] for row in rows].count("SKIPPED") == 2
    assert list(rows[0])[9:] == MIXED.splitlines()[0].split(",")
    other = run("jobs", "result", job_id, "--full", "--module", "Deals", "--data", "d")
    assert "name one with --module" in refused(other)


@pytest.mark.parametrize("command", ["result", "result --failed", "write --result", "export"])
def test_a_result_that_cannot_be_written_changes_no_file(
    job_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """The file of an earlier run stays as it was, and no partial file is left beside it."""

    def full(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    monkeypatch.setattr("bulkwright.service.job_rows.row_blocks", full)
    monkeypatch.setattr("bulkwright.cli.schema.as_cell", full)
    location = OrgLocation(tmp_path / "d")
    saved = tmp_path / "out" / "saved"
    saved.parent.mkdir()
    saved.write_text("earlier")
    with pytest.raises((OSError, SystemExit)):
        if command == "write --result":
            (tmp_path / "f.csv").write_text(MIXED)
            options = JobOptions(module="Leads", operation="insert")
            other = OrgLocation(tmp_path / "other")
            write(tmp_path / "f.csv", options=options, result=saved, location=other)
        elif command == "export":
            export(module="Leads", out=saved, location=location)
        else:
            failed = command == "result --failed"
            result(job_id, failed=failed, out=saved, location=location)
    assert [p.read_text() for p in saved.parent.iterdir()] == ["earlier"]


def test_failed_rows_can_be_corrected_and_written_again(
    run: Run, job_id: str, tmp_path: Path
) -> None:
    """All columns and the errors; the next job ignores the ERRORS column."""
    saved = run("jobs", "result", job_id, "--failed", "--data", "d")
    assert saved.stdout.strip() == f"{job_id}-failed.csv: 2 rows"
    path = tmp_path / f"{job_id}-failed.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["ERRORS"] for r in rows] == ["INVALID_DATA-Email", "MANDATORY_NOT_FOUND-Last_Name"]
    assert [r["City"] for r in rows] == ["Köln", "Mainz"]
    text = path.read_text("utf-8").replace("nonsense", "l@x.example").replace("\n,m@", "\nMay,m@")
    path.write_text(text, "utf-8")
    again = run("write", path, *INSERT)
    assert again.returncode == 0, (again.stdout, again.stderr)
    assert "added 2" in again.stdout


def test_unknown_jobs_and_folders(run: Run, job_id: str) -> None:
    """One line each."""
    assert job_id
    for wrong in ("1", "9" * 30):
        result = run("jobs", "show", "--data", "d", "--", wrong)
        assert "There is no job" in refused(result)
    assert "not a Bulkwright data folder" in refused(run("jobs", "list", "--data", "nowhere"))


@pytest.mark.parametrize("columns", ["80", "20", ""])
def test_ids_are_never_cut(run: Run, job_id: str, columns: str) -> None:
    """In a pipe of any width, each job is one line; `--json` has every value."""
    listed = run("jobs", "list", "--data", "d", COLUMNS=columns).stdout.splitlines()
    (line,) = [line for line in listed if job_id in line]
    assert line.split()[1:4] == ["COMPLETED", "insert", "Leads"] and "mixed.csv" in line
    (job,) = json.loads(run("jobs", "list", "--json", "--data", "d").stdout)
    assert (job["job_id"], job["skipped"], job["file"]) == (job_id, 2, "mixed.csv")
