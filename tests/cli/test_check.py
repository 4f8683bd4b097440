"""`bulkwright check`: whatever is not as it was answered is named."""

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
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.cli.conftest import Run, refused
from tests.crash.watching import write_leads
from tests.retention.folder import HOUR, Change, Jobs, changing, grow_old, make_folder

from bulkwright.config import Settings
from bulkwright.domain.keeping import SERVICE
from bulkwright.service.findings import Fault, Finding
from bulkwright.wiring import open_check, open_services


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Jobs]:
    """A folder with jobs at every stage, made once."""
    data = tmp_path_factory.mktemp("checked") / "data"
    return data, make_folder(data)


@pytest.fixture
def jobs(made: tuple[Path, Jobs], tmp_path: Path) -> Jobs:
    """The jobs of a folder `d` of one's own."""
    shutil.copytree(made[0], tmp_path / "d")
    return made[1]


@pytest.fixture
def data(jobs: Jobs, tmp_path: Path) -> Path:
    """That folder."""
    return tmp_path / "d"


@pytest.fixture
def change(data: Path) -> Change:
    """Ask or change the folder's database by hand."""
    return changing(data)


def checked(data: Path) -> list[Finding]:
    """What a check finds."""
    with open_check(Settings(data)) as check:
        return list(check.run())


def faults(data: Path) -> list[str]:
    """The faults that a check finds, in one word each."""
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


def unsealed(change: Change) -> None:
    """Jobs that ended before results had checksums."""
    change("UPDATE jobs SET result_sha256 = NULL")


def test_a_sound_folder(data: Path) -> None:
    """Jobs that have ended, one half-way and one that waits."""
    with open_check(Settings(data)) as check:
        assert list(check.run()) == []
        assert (check.checked["jobs"], check.checked["uploads"]) == (4, 4)
        assert check.checked["lines"] == 6 + 6 + 2


# Files


@pytest.mark.parametrize("place", [0, 20, 45, 60, -1, -30])
@pytest.mark.parametrize("sealed", [True, False])
def test_a_flipped_bit_in_a_result(
    data: Path, jobs: Jobs, change: Change, place: int, sealed: bool
) -> None:
    """Wherever it is. A damaged zip tells nothing of its records: none is called untold."""
    if not sealed:
        unsealed(change)
        if place == -1:
            pytest.skip("the length of a comment that is not there")
    flip(result(data, jobs.done), place)
    found = checked(data)
    assert [f.fault for f in found if not f.fault.harmless] == [Fault.RESULT_DAMAGED]
    assert str(jobs.done) in found[0].where


@pytest.mark.parametrize("change_it", [Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_result_that_is_gone(data: Path, jobs: Jobs, change_it: Callable[[Path], object]) -> None:
    """Or of which nothing is left."""
    path = result(data, jobs.twice)
    change_it(path)
    (found, _) = checked(data)
    wanted = Fault.RESULT_DAMAGED if path.exists() else Fault.RESULT_MISSING
    assert (found.fault, found.where) == (wanted, f"job {jobs.twice}")


def test_the_result_of_another_job(data: Path, jobs: Jobs, change: Change) -> None:
    """Sound in itself, but not what was committed."""
    unsealed(change)
    shutil.copy(result(data, jobs.twice), result(data, jobs.done))
    assert set(faults(data)) == {"lines-differ", "not-told"}


def rewritten(path: Path, old: bytes, new: bytes) -> None:
    """Make the result anew, a sound zip of other lines."""
    with zipfile.ZipFile(path) as archive:
        (name,) = archive.namelist()
        text = archive.read(name)
    assert old in text
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text.replace(old, new))


def test_a_result_with_another_cell(data: Path, jobs: Jobs, change: Change) -> None:
    """As long as it was, and a sound zip: the ledger knows the very lines."""
    unsealed(change)
    rewritten(result(data, jobs.done), b"Name 4", b"Nome 4")
    found, untold = checked(data)
    assert (found.fault, untold.fault) == (Fault.LINES_DIFFER, Fault.NOT_TOLD)
    assert found.where == f"job {jobs.done}, Leads, chunk 2"


def test_a_result_that_no_client_can_unzip(data: Path, jobs: Jobs, change: Change) -> None:
    """All lines are there, but under a checksum that is not theirs."""
    unsealed(change)
    path = result(data, jobs.done)
    with zipfile.ZipFile(path) as archive:
        crc = archive.infolist()[0].CRC.to_bytes(4, "little")
    content = path.read_bytes()
    assert content.count(crc) == 2  # before the member, and in the directory
    path.write_bytes(content.replace(crc, b"abcd"))
    assert faults(data)[0] == "result-damaged"


def test_a_result_that_was_forgotten(data: Path, jobs: Jobs, change: Change) -> None:
    """The job says that it has none, and yet rows were answered."""
    change("UPDATE jobs SET has_result = 0 WHERE id = ?", jobs.done)
    assert faults(data) == ["result-missing", "not-told"]


@pytest.mark.parametrize("job", ["done", "half"])
@pytest.mark.parametrize("gone", [True, False])
def test_an_upload_that_is_not_what_was_acknowledged(
    data: Path, jobs: Jobs, job: str, gone: bool
) -> None:
    """Whether a job still needs it is told."""
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
    """Its chunk is committed: without it there can be no result."""
    (part,) = (data / "files" / "parts" / str(jobs.half)).iterdir()
    if how == "gone":
        part.unlink()
    elif how == "flipped":
        flip(part, 5)
    else:
        part.write_bytes(part.read_bytes()[:10])
    found, untold = checked(data)
    assert found.fault is (Fault.PART_MISSING if how == "gone" else Fault.PART_DAMAGED)
    assert found.where == f"job {jobs.half}, Leads, part {part.name}"
    assert untold.fault is Fault.NOT_TOLD


def test_what_crashes_left_is_harmless(data: Path, jobs: Jobs, run: Run) -> None:
    """It is named, and the exit status is that of a sound folder."""
    stray = data / "files" / "uploads" / "77.zip"
    stray.write_bytes(b"123")
    assert faults(data) == []  # it may be on its way
    grow_old(stray, hours=1)
    (data / "files" / "parts" / str(jobs.done)).mkdir()
    grow_old(data / "files" / "parts" / str(jobs.done), hours=1)
    assert faults(data) == ["stray", "stray"]
    done = run("check", "--data", "d")
    assert done.returncode == 0, done.stderr
    assert "files/uploads/77.zip" in done.stdout and "all is well" in done.stdout


# Ledger and counters


@pytest.mark.parametrize("chunk", [0, 1, 2])
def test_a_lost_ledger_row(data: Path, jobs: Jobs, change: Change, chunk: int) -> None:
    """First, middle or last: the counters and the result know better."""
    change("DELETE FROM ledger WHERE job_id = ? AND chunk = ?", jobs.done, chunk)
    found = set(faults(data))
    assert {"counters-differ", "lines-differ"} <= found
    assert ("ledger-gap" in found) == (chunk < 2)


@pytest.mark.parametrize("column", ["added", "updated", "skipped"])
@pytest.mark.parametrize("job", ["twice", "half", "waiting"])
def test_a_wrong_counter(data: Path, jobs: Jobs, change: Change, column: str, job: str) -> None:
    """Of a job that has ended, runs or waits."""
    where = getattr(jobs, job)
    change(f"UPDATE resources SET {column} = {column} + 1 WHERE job_id = ?", where)
    (found,) = checked(data)
    assert (found.fault, found.where) == (Fault.COUNTERS_DIFFER, f"job {where}, Leads")


def test_a_chunk_that_says_something_else(data: Path, jobs: Jobs, change: Change) -> None:
    """The sum is right, the chunks are not."""
    move = "UPDATE ledger SET added = added + ? WHERE job_id = ? AND chunk = ?"
    change(move, 1, jobs.done, 0)
    change(move, -1, jobs.done, 1)
    assert faults(data) == ["lines-differ", "lines-differ"]


def test_fewer_rows_than_the_file_has(data: Path, jobs: Jobs, change: Change) -> None:
    """Where the rows were counted when the file was uploaded."""
    plant = "UPDATE uploads SET csv = replace(csv, '\"rows\": null', '\"rows\": ?') WHERE id = ?"
    change(plant.replace("?", "6", 1), jobs.uploads[jobs.twice])
    assert faults(data) == []
    change(plant.replace("?", "7", 1), jobs.uploads[jobs.done])
    (found,) = checked(data)
    assert found.fault is Fault.ROWS_DIFFER and "has 7 rows; 6 were answered" in found.problem


# Records


@pytest.mark.parametrize(("email", "named_by"), [("n1@", 1), ("n0@", 2), ("m3@", 1), ("h0@", 1)])
def test_a_lost_record(data: Path, change: Change, email: str, named_by: int) -> None:
    """Each line that says that it added or updated it is named; one was updated by a second job."""
    table = leads(change)
    ((record,),) = change(f"SELECT id FROM {table} WHERE Email LIKE ?", f"{email}%")
    change(f"DELETE FROM {table} WHERE id = ?", record)
    found = checked(data)
    assert [f.fault for f in found] == [Fault.RECORD_MISSING] * named_by
    assert all(str(record) in f.problem and "chunk" in f.where for f in found)


def test_a_record_that_no_line_tells_of(data: Path, change: Change) -> None:
    """Somebody wrote it, and it was no job."""
    change(f"INSERT INTO {leads(change)} (id, Last_Name) VALUES (5, 'Ghost')")
    (found,) = checked(data)
    assert found.fault is Fault.RECORD_UNTOLD
    assert "1 record" in found.problem and found.problem.endswith("first 5")


def test_a_record_that_two_lines_have_added(data: Path, jobs: Jobs, change: Change) -> None:
    """A job that is there twice, with its result."""
    for table, key in (("jobs", "id"), ("resources", "job_id"), ("ledger", "job_id")):
        columns = [str(row[1]) for row in change(f"PRAGMA table_info({table})")]
        values = ", ".join("?" if name == key else name for name in columns)
        change(f"INSERT INTO {table} SELECT {values} FROM {table} WHERE {key} = ?", 99, jobs.done)
    shutil.copy(result(data, jobs.done), result(data, 99))
    assert faults(data) == ["record-doubled"] * 3


# After sweeps


def test_what_was_swept_is_not_missed(data: Path, change: Change) -> None:
    """Neither results nor jobs; and what came later can still be told."""
    change("UPDATE jobs SET finished_time = finished_time - ?", 3 * HOUR)
    table = leads(change)
    change(f"UPDATE {table} SET Created_Time = '2020-01-01T00:00:00Z' WHERE Email NOT LIKE 'h%'")
    keeping = replace(SERVICE, results=timedelta(hours=1), jobs=timedelta(hours=9))
    with open_services(Settings(data, kept=keeping)) as services:
        assert services.retention.sweep().results == 2
    assert faults(data) == []
    keeping = replace(keeping, jobs=timedelta(hours=2))
    with open_services(Settings(data, kept=keeping)) as services:
        assert services.retention.sweep().jobs == 2
    assert faults(data) == []
    add = f"INSERT INTO {table} (id, Last_Name, Created_Time) VALUES (?, 'Ghost', ?)"
    change(add, 5, "2020-01-01T00:00:00Z")
    assert faults(data) == []  # a swept job may have written it
    change(add, 6, "2999-01-01T00:00:00Z")
    assert faults(data) == ["record-untold"]


# The database itself


def test_a_database_that_is_none(data: Path, run: Run) -> None:
    """A file of something else."""
    (data / "bulkwright.sqlite").write_bytes(b"This is no database.\n" * 1000)
    assert faults(data) == ["database-damaged"]
    done = run("check", "--data", "d")
    assert done.returncode == 1 and "Traceback" not in done.stderr


def test_a_page_of_noise(data: Path) -> None:
    """In the middle of the file."""
    path = data / "bulkwright.sqlite"
    content = bytearray(path.read_bytes())
    content[40_960:45_056] = b"\xa5" * 4096
    path.write_bytes(content)
    assert set(faults(data)) == {"database-damaged"}


def test_a_row_that_refers_to_nothing(data: Path, jobs: Jobs, change: Change) -> None:
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
    """Older, newer, or made with other migrations: nothing else is looked at then."""
    change(sql)
    assert faults(data) == [fault]


# How it goes about it


def digest(data: Path) -> dict[str, str]:
    """The content of every file, but for what SQLite keeps beside its own."""
    return {
        str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in data.rglob("*")
        if path.is_file() and path.name[-4:] not in ("-shm", "-wal")
    }


def test_nothing_is_written(data: Path) -> None:
    """Not one file, and none is made where a folder is missing."""
    shutil.rmtree(data / "files" / "incoming")
    before = digest(data)
    assert faults(data) == []
    assert digest(data) == before
    assert not (data / "files" / "incoming").exists()


def test_what_only_the_log_holds_is_seen(data: Path, change: Change, tmp_path: Path) -> None:
    """A server that was killed leaves its last commits in the write-ahead log."""
    path = data / "bulkwright.sqlite"
    with closing(sqlite3.connect(path)) as server:
        server.execute("PRAGMA wal_autocheckpoint = 0")
        server.execute(f"INSERT INTO {leads(change)} (id, Last_Name) VALUES (5, 'Ghost')")
        server.commit()
        killed = tmp_path / "killed"
        shutil.copytree(data, killed, ignore=shutil.ignore_patterns("*-shm"))
    assert (killed / "bulkwright.sqlite-wal").stat().st_size
    before = digest(killed)
    assert faults(killed) == ["record-untold"]
    assert digest(killed) == before  # to put it into the database is for who serves it


def test_no_false_alarm_while_jobs_run(data: Path, tmp_path: Path) -> None:
    """Jobs begin, commit and end under its eyes."""
    write_leads(tmp_path / "leads.csv", 60_000)
    at_work = subprocess.Popen(
        [sys.executable, "-m", "bulkwright", "write", "leads.csv", "--module", "Contacts",
         "--operation", "insert", "--data", "d"],
        cwd=tmp_path, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    rounds = 0
    while at_work.poll() is None:
        assert checked(data) == []
        rounds += 1
    at_work.communicate()
    assert at_work.returncode == 0
    assert rounds > 2
    with open_check(Settings(data)) as check:
        assert list(check.run()) == []
        assert check.checked["lines"] == 6 + 6 + 2 + 60_000


def test_a_job_that_ends_between_two_looks(
    data: Path, jobs: Jobs, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its parts are gone, for its result is there: it is looked at again."""
    asked: list[int] = []

    def part(_: object, job_id: int, name: str, size: int) -> bytes:
        asked.append(job_id)
        shutil.rmtree(data / "files" / "parts" / str(job_id))
        change("DELETE FROM ledger WHERE job_id = ?", job_id)
        change("UPDATE resources SET added = 0 WHERE job_id = ?", job_id)
        change(f"DELETE FROM {leads(change)} WHERE Email LIKE 'h%'")
        change("UPDATE jobs SET status = 'FAILED', finished_time = 5 WHERE id = ?", job_id)
        raise FileNotFoundError(2, "gone")

    monkeypatch.setattr("bulkwright.files.local.LocalFiles.part", part)
    assert checked(data) == []
    assert asked == [jobs.half]


# The command


def test_the_command_says_what_to_do(data: Path, jobs: Jobs, run: Run) -> None:
    """Status 1, one line for each finding, and the next step."""
    result(data, jobs.done).unlink()
    done = run("check", "--data", "d")
    assert done.returncode == 1
    assert "result-missing" in done.stdout and "restore the file" in done.stdout
    assert "1 found" in done.stdout.splitlines()[-1]


def test_the_command_in_json(data: Path, jobs: Jobs, run: Run) -> None:
    """For programs."""
    done = run("check", "--data", "d", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == {
        "clean": True,
        "checked": {"jobs": 4, "lines": 14, "modules": 18, "uploads": 4},
        "findings": [],
    }
    (data / "files" / "uploads" / f"{jobs.uploads[jobs.done]}.zip").unlink()
    done = run("check", "--data", "d", "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["clean"] is False
    (found,) = told["findings"]
    assert (found["code"], found["harmless"]) == ("upload-missing", False)
    assert found["next"] == Fault.UPLOAD_MISSING.remedy


def test_the_command_without_a_data_folder(run: Run) -> None:
    """There is nothing to check."""
    assert "no Bulkwright data folder" in refused(run("check", "--data", "nothing"))
