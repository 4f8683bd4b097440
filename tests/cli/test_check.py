"""`bulkwright check` names everything that differs from the results of the jobs."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.finished_jobs import HOUR, Change, Jobs, grow_old
from tests.support.program import Run, refused
from tests.support.uploads import zipped
from tests.support.watch import write_leads

from bulkwright.service.findings import Fault, Finding
from bulkwright.settings import Settings
from bulkwright.wiring import open_check, open_services


def checked(data: Path) -> list[Finding]:
    """The findings of a check."""
    with open_check(Settings(data)) as check:
        return list(check.run())


def faults(data: Path) -> list[str]:
    """The codes of the faults that a check finds."""
    return [finding.fault.value for finding in checked(data)]


def leads(change: Change) -> str:
    """The table of the leads."""
    ((org,),) = change("SELECT id FROM orgs")
    return f'"org{org}_Leads"'


def flip(path: Path, place: int) -> None:
    """Change one bit of a file."""
    content = bytearray(path.read_bytes())
    content[place] ^= 0x40
    path.write_bytes(content)


def result(data: Path, job_id: int) -> Path:
    """The result of a job."""
    return data / "files" / "results" / f"{job_id}.zip"


def without_checksums(change: Change) -> None:
    """Make all jobs like those that ended before results had checksums."""
    change("UPDATE jobs SET result_sha256 = NULL")


def test_a_sound_folder(data: Path) -> None:
    """It has ended jobs, one half-way and one that is waiting."""
    with open_check(Settings(data)) as check:
        assert list(check.run()) == []
        assert (check.checked["jobs"], check.checked["uploads"]) == (4, 4)
        assert check.checked["lines"] == 6 + 6 + 2


def test_the_files_of_another_database_are_refused(data: Path, run: Run, tmp_path: Path) -> None:
    """As every other command refuses them; they are not compared with this database."""
    other = tmp_path / "other"
    assert (
        run("init", "--company", "A", "--email", "a@x.example", "--data", str(other)).returncode
        == 0
    )
    files = data / "files"
    line = refused(run("check", "--data", str(other), "--files", str(files)))
    assert f"the files in {files} belong to another database" in line


# Files


@pytest.mark.parametrize("place", [0, 20, 45, 60, -1, -30])
@pytest.mark.parametrize("has_checksum", [True, False])
def test_a_flipped_bit_in_a_result(
    data: Path, jobs: Jobs, change: Change, place: int, has_checksum: bool
) -> None:
    """At any place. The records of a damaged zip are not compared, so none is reported."""
    if not has_checksum:
        without_checksums(change)
        if place == -1:
            pytest.skip("the length of an absent comment")
    flip(result(data, jobs.done), place)
    found = checked(data)
    assert [f.fault for f in found if not f.fault.harmless] == [Fault.RESULT_DAMAGED]
    assert str(jobs.done) in found[0].where


@pytest.mark.parametrize("change_it", [Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_result_that_is_gone(data: Path, jobs: Jobs, change_it: Callable[[Path], object]) -> None:
    """Or an empty file."""
    path = result(data, jobs.twice)
    change_it(path)
    (found, _) = checked(data)
    wanted = Fault.RESULT_DAMAGED if path.exists() else Fault.RESULT_MISSING
    assert (found.fault, found.where) == (wanted, f"job {jobs.twice}")


def test_the_result_of_another_job(data: Path, jobs: Jobs, change: Change) -> None:
    """It is a valid zip, but not the committed one."""
    without_checksums(change)
    shutil.copy(result(data, jobs.twice), result(data, jobs.done))
    assert set(faults(data)) == {"lines-differ", Fault.NOT_COMPARED.value}


def rewritten(path: Path, old: bytes, new: bytes) -> None:
    """Replace the result by a valid zip of other lines."""
    with zipfile.ZipFile(path) as archive:
        (name,) = archive.namelist()
        text = archive.read(name)
    assert old in text
    path.write_bytes(zipped(text.replace(old, new), name))


def test_a_result_with_another_cell(data: Path, jobs: Jobs, change: Change) -> None:
    """A valid zip of the same size: the ledger has the checksum of the lines."""
    without_checksums(change)
    rewritten(result(data, jobs.done), b"Name 4", b"Nome 4")
    found, harmless = checked(data)
    assert (found.fault, harmless.fault) == (Fault.LINES_DIFFER, Fault.NOT_COMPARED)
    assert found.where == f"job {jobs.done}, Leads, chunk 2"


def test_a_result_that_no_client_can_unzip(data: Path, jobs: Jobs, change: Change) -> None:
    """All lines exist, but with a wrong checksum."""
    without_checksums(change)
    path = result(data, jobs.done)
    with zipfile.ZipFile(path) as archive:
        crc = archive.infolist()[0].CRC.to_bytes(4, "little")
    content = path.read_bytes()
    assert content.count(crc) == 2  # before the member, and in the directory
    path.write_bytes(content.replace(crc, b"abcd"))
    assert faults(data)[0] == "result-damaged"


def test_a_job_that_lost_its_result(data: Path, jobs: Jobs, change: Change) -> None:
    """The job has a ledger, but its row has no result."""
    change("UPDATE jobs SET has_result = 0 WHERE id = ?", jobs.done)
    result(data, jobs.done).touch()  # too young to be a stray, however slow the tests are
    assert faults(data) == ["result-missing", Fault.NOT_COMPARED.value]


@pytest.mark.parametrize("job", ["done", "half"])
@pytest.mark.parametrize("gone", [True, False])
def test_an_upload_that_differs_from_the_acknowledged_one(
    data: Path, jobs: Jobs, job: str, gone: bool
) -> None:
    """The finding says whether a job still needs it."""
    upload = jobs.uploads[getattr(jobs, job)]
    path = data / "files" / "uploads" / f"{upload}.zip"
    if gone:
        path.unlink()
    else:
        flip(path, 50)
    (found,) = checked(data)
    assert found.fault is (Fault.UPLOAD_MISSING if gone else Fault.UPLOAD_DAMAGED)
    assert found.where == f"upload {upload}"
    assert ("an unfinished job needs it" in found.problem) == (job == "half")


@pytest.mark.parametrize("how", ["gone", "flipped", "cut"])
def test_a_part_that_an_unfinished_job_needs(data: Path, jobs: Jobs, how: str) -> None:
    """Its chunk is committed, and the result needs it."""
    (piece,) = (data / "files" / "parts" / str(jobs.half)).iterdir()
    if how == "gone":
        piece.unlink()
    elif how == "flipped":
        flip(piece, 5)
    else:
        piece.write_bytes(piece.read_bytes()[:10])
    found, harmless = checked(data)
    assert found.fault is (Fault.PIECE_MISSING if how == "gone" else Fault.PIECE_DAMAGED)
    assert found.where == f"job {jobs.half}, Leads, piece {piece.name}"
    assert harmless.fault is Fault.NOT_COMPARED


def test_strays_of_crashes_are_harmless(data: Path, jobs: Jobs, run: Run) -> None:
    """They are named, but the exit status is that of a sound folder."""
    stray = data / "files" / "uploads" / "77.zip"
    stray.write_bytes(b"123")
    assert faults(data) == []  # a request may be writing it
    grow_old(stray, hours=1)
    (data / "files" / "parts" / str(jobs.done)).mkdir()
    grow_old(data / "files" / "parts" / str(jobs.done), hours=1)
    assert faults(data) == ["stray", "stray"]
    done = run("check", "--data", "data")
    assert done.returncode == 0, done.stderr
    assert "files/uploads/77.zip" in done.stdout and "nothing is wrong" in done.stdout


# Ledger and counters


@pytest.mark.parametrize("chunk", [0, 1, 2])
def test_a_lost_ledger_row(data: Path, jobs: Jobs, change: Change, chunk: int) -> None:
    """First, middle or last: it differs from the counters and the result."""
    change("DELETE FROM ledger WHERE job_id = ? AND chunk = ?", jobs.done, chunk)
    found = set(faults(data))
    assert {"counters-differ", "lines-differ"} <= found
    assert ("ledger-gap" in found) == (chunk < 2)


@pytest.mark.parametrize("column", ["added", "updated", "skipped"])
@pytest.mark.parametrize("job", ["twice", "half", "waiting"])
def test_a_wrong_counter(data: Path, jobs: Jobs, change: Change, column: str, job: str) -> None:
    """Of a job that has ended, is running or is waiting."""
    where = getattr(jobs, job)
    change(f"UPDATE resources SET {column} = {column} + 1 WHERE job_id = ?", where)
    (found,) = checked(data)
    assert (found.fault, found.where) == (Fault.COUNTERS_DIFFER, f"job {where}, Leads")


def test_wrong_counts_of_two_chunks(data: Path, jobs: Jobs, change: Change) -> None:
    """Their sum is right, but each chunk differs from its lines."""
    move = "UPDATE ledger SET added = added + ? WHERE job_id = ? AND chunk = ?"
    change(move, 1, jobs.done, 0)
    change(move, -1, jobs.done, 1)
    assert faults(data) == ["lines-differ", "lines-differ"]


def test_fewer_rows_than_the_file_has(data: Path, jobs: Jobs, change: Change) -> None:
    """If the rows were counted when the file was uploaded."""
    plant = "UPDATE uploads SET csv = replace(csv, '\"rows\": null', '\"rows\": ?') WHERE id = ?"
    change(plant.replace("?", "6", 1), jobs.uploads[jobs.twice])
    assert faults(data) == []
    change(plant.replace("?", "7", 1), jobs.uploads[jobs.done])
    (found,) = checked(data)
    assert found.fault is Fault.ROWS_DIFFER and "has 7 rows; 6 have a result line" in found.problem


# Records


@pytest.mark.parametrize(("email", "named_by"), [("n1@", 1), ("n0@", 2), ("m3@", 1), ("h0@", 1)])
def test_a_lost_record(data: Path, change: Change, email: str, named_by: int) -> None:
    """Each line that added or updated it is named; one record was updated by a second job."""
    table = leads(change)
    ((record,),) = change(f"SELECT id FROM {table} WHERE Email LIKE ?", f"{email}%")
    change(f"DELETE FROM {table} WHERE id = ?", record)
    found = checked(data)
    assert [f.fault for f in found] == [Fault.RECORD_MISSING] * named_by
    assert all(str(record) in f.problem and "chunk" in f.where for f in found)


def test_a_record_that_no_line_reports(data: Path, change: Change) -> None:
    """It was written by hand."""
    change(f"INSERT INTO {leads(change)} (id, Last_Name) VALUES (5, 'Ghost')")
    (found,) = checked(data)
    assert found.fault is Fault.RECORD_UNREPORTED
    assert "1 record" in found.problem and found.problem.endswith("first 5")


def test_a_record_that_two_lines_have_added(data: Path, jobs: Jobs, change: Change) -> None:
    """A copied job with a copied result."""
    for table, key in (
        ("jobs", "id"),
        ("resources", "job_id"),
        ("parts", "job_id"),
        ("ledger", "job_id"),
    ):
        columns = [str(row[1]) for row in change(f"PRAGMA table_info({table})")]
        values = ", ".join("?" if name == key else name for name in columns)
        change(f"INSERT INTO {table} SELECT {values} FROM {table} WHERE {key} = ?", 99, jobs.done)
    shutil.copy(result(data, jobs.done), result(data, 99))
    assert faults(data) == ["record-doubled"] * 3


# After sweeps


def test_swept_results_and_jobs_are_not_missing(data: Path, change: Change) -> None:
    """And the records of later jobs are still compared."""
    change("UPDATE jobs SET finished_time = finished_time - ?", 3 * HOUR)
    table = leads(change)
    change(f"UPDATE {table} SET Created_Time = '2020-01-01T00:00:00Z' WHERE Email NOT LIKE 'h%'")
    with open_services(Settings(data, keep_results="1h", keep_jobs="9h")) as services:
        assert services.retention.sweep().results == 2
    assert faults(data) == []
    with open_services(Settings(data, keep_results="1h", keep_jobs="2h")) as services:
        assert services.retention.sweep().jobs == 2
    assert faults(data) == []
    add = f"INSERT INTO {table} (id, Last_Name, Created_Time) VALUES (?, 'Ghost', ?)"
    change(add, 5, "2020-01-01T00:00:00Z")
    assert faults(data) == []  # a swept job may have written it
    change(add, 6, "2999-01-01T00:00:00Z")
    assert faults(data) == [Fault.RECORD_UNREPORTED.value]


# The database itself


def test_a_file_that_is_no_database(data: Path, run: Run) -> None:
    """It has another content."""
    (data / "bulkwright.sqlite").write_bytes(b"This is no database.\n" * 1000)
    assert faults(data) == ["database-damaged"]
    done = run("check", "--data", "data")
    assert done.returncode == 1 and "Traceback" not in done.stderr


def test_a_page_of_noise(data: Path) -> None:
    """In the middle of the file."""
    path = data / "bulkwright.sqlite"
    content = bytearray(path.read_bytes())
    content[40_960:45_056] = b"\xa5" * 4096
    path.write_bytes(content)
    assert set(faults(data)) == {"database-damaged"}


def test_a_dangling_foreign_key(data: Path, jobs: Jobs, change: Change) -> None:
    """A ledger without its job."""
    change("UPDATE ledger SET job_id = 7 WHERE job_id = ?", jobs.done)
    assert set(faults(data)) == {"database-damaged"}


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("UPDATE migrations SET sha256 = 'x' WHERE number = 2", "migration-changed"),
        ("DELETE FROM migrations WHERE number = (SELECT max(number) FROM migrations)",
         "store-older"),
        ("INSERT INTO migrations VALUES (999, '999_new.sql', 'x', 0)", "store-newer"),
    ],
)  # fmt: skip
def test_a_store_of_another_program(data: Path, change: Change, sql: str, fault: str) -> None:
    """Older, newer, or with other migrations: no other check is made then."""
    change(sql)
    assert faults(data) == [fault]


# Side effects and concurrency


def digest(data: Path) -> dict[str, str]:
    """The content of every file, without the -shm and -wal files of SQLite."""
    return {
        str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in data.rglob("*")
        if path.is_file() and path.name[-4:] not in ("-shm", "-wal")
    }


def test_nothing_is_written(data: Path) -> None:
    """No file is written, and no missing folder is created."""
    shutil.rmtree(data / "files" / "incoming")
    before = digest(data)
    assert faults(data) == []
    assert digest(data) == before
    assert not (data / "files" / "incoming").exists()


def test_commits_in_the_write_ahead_log_are_read(
    data: Path, change: Change, tmp_path: Path
) -> None:
    """A killed server leaves its last commits there."""
    path = data / "bulkwright.sqlite"
    with closing(sqlite3.connect(path)) as server:
        server.execute("PRAGMA wal_autocheckpoint = 0")
        server.execute(f"INSERT INTO {leads(change)} (id, Last_Name) VALUES (5, 'Ghost')")
        server.commit()
        killed = tmp_path / "killed"
        shutil.copytree(data, killed, ignore=shutil.ignore_patterns("*-shm"))
    assert (killed / "bulkwright.sqlite-wal").stat().st_size
    before = digest(killed)
    assert faults(killed) == [Fault.RECORD_UNREPORTED.value]
    assert digest(killed) == before  # the next server writes it into the database


def test_no_false_alarm_while_jobs_run(data: Path, tmp_path: Path) -> None:
    """Jobs begin, commit and end during the check."""
    write_leads(tmp_path / "leads.csv", 60_000)
    writer = subprocess.Popen(
        [sys.executable, "-m", "bulkwright", "write", "leads.csv", "--module", "Contacts",
         "--operation", "insert", "--data", "data"],
        cwd=tmp_path, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    rounds = 0
    while writer.poll() is None:
        assert checked(data) == []
        rounds += 1
    writer.communicate()
    assert writer.returncode == 0
    assert rounds > 2
    with open_check(Settings(data)) as check:
        assert list(check.run()) == []
        assert check.checked["lines"] == 6 + 6 + 2 + 60_000


def test_a_job_that_ends_during_its_check(
    data: Path, jobs: Jobs, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its parts are deleted, because its result exists: the job is checked again."""
    read: list[int] = []

    def read_piece(_: object, job_id: int, name: str, size: int) -> bytes:
        read.append(job_id)
        shutil.rmtree(data / "files" / "parts" / str(job_id))
        change("DELETE FROM ledger WHERE job_id = ?", job_id)
        change("UPDATE parts SET added = 0 WHERE job_id = ?", job_id)
        change(f"DELETE FROM {leads(change)} WHERE Email LIKE 'h%'")
        change("UPDATE jobs SET status = 'FAILED', finished_time = 5 WHERE id = ?", job_id)
        raise FileNotFoundError(2, "gone")

    monkeypatch.setattr("bulkwright.files.local.LocalFiles.read_piece", read_piece)
    assert checked(data) == []
    assert read == [jobs.half]


# The command


def test_the_command_prints_the_next_step(data: Path, jobs: Jobs, run: Run) -> None:
    """Status 1, with one line for each finding."""
    result(data, jobs.done).unlink()
    done = run("check", "--data", "data")
    assert done.returncode == 1
    assert "result-missing" in done.stdout and "restore the file" in done.stdout
    assert "1 found" in done.stdout.splitlines()[-1]


def test_the_command_in_json(data: Path, jobs: Jobs, run: Run) -> None:
    """For programs."""
    done = run("check", "--data", "data", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == {
        "clean": True,
        "checked": {"jobs": 4, "lines": 14, "modules": 18, "uploads": 4},
        "findings": [],
    }
    (data / "files" / "uploads" / f"{jobs.uploads[jobs.done]}.zip").unlink()
    done = run("check", "--data", "data", "--json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["clean"] is False
    (found,) = report["findings"]
    assert (found["code"], found["harmless"]) == ("upload-missing", False)
    assert found["next"] == Fault.UPLOAD_MISSING.remedy


def test_the_command_without_a_data_folder(run: Run) -> None:
    """There is nothing to check."""
    assert "not a Bulkwright data folder" in refused(run("check", "--data", "nothing"))
