"""`bulkwright write` without a server."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.processes import clean_environment
from tests.support.program import MIXED, Run, refused

from bulkwright.cli import report
from bulkwright.cli.input_file import as_regular_file
from bulkwright.cli.job_options import JobOptions
from bulkwright.cli.write_local import _report
from bulkwright.domain.job import Job, JobStatus, Operation, Person, Resource
from bulkwright.settings import OrgLocation, Settings
from bulkwright.wiring import open_services

INSERT = ("--module", "Leads", "--operation", "insert")
UPSERT = ("--module", "Leads", "--operation", "upsert", "--find-by", "Email")


def rows_of(path: Path) -> list[dict[str, str]]:
    """Returns the rows of a result zip."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_write_ends_with_0_when_every_row_was_stored(run: Run, good: Path, tmp_path: Path) -> None:
    """The output is one line; there is no progress bar without a terminal."""
    done = run("write", good, *INSERT, "--data", "d", "--result", "o.zip")
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    assert line.startswith("job ") and "COMPLETED" in line and "\x1b" not in line
    assert "added 2  updated 0  skipped 0  of 2 rows" in line
    assert [r["STATUS"] for r in rows_of(tmp_path / "o.zip")] == ["ADDED", "ADDED"]


def test_write_ends_with_3_when_rows_were_skipped(run: Run, mixed: Path, tmp_path: Path) -> None:
    """Why they were skipped is counted by code and column; the commands can be typed."""
    done = run("write", mixed, *INSERT, "--data", "d")
    assert (done.returncode, done.stderr) == (3, "")
    counts, *reasons, _, following, _, _ = done.stdout.splitlines()
    assert "added 2  updated 0  skipped 2  of 4 rows" in counts
    assert sorted(line.split() for line in reasons) == [
        ["1", "INVALID_DATA", "Email"],
        ["1", "MANDATORY_NOT_FOUND", "Last_Name"],
    ]
    program_name, *words = following.split()
    assert program_name == "bulkwright"
    assert "2 rows" in run(*words).stdout
    assert (tmp_path / "mixed-failed.csv").is_file()


def test_write_takes_a_zip_as_well(run: Run, mixed: Path, tmp_path: Path) -> None:
    """The name of the result comes from the CSV inside."""
    with zipfile.ZipFile(tmp_path / "leads.zip", "w") as archive:
        archive.write(mixed, "inside.csv")
    assert run("write", "leads.zip", *INSERT, "--data", "d", "--result", "o.zip").returncode == 3
    with zipfile.ZipFile(tmp_path / "o.zip") as archive:
        assert archive.namelist() == ["Leads-inside.csv"]


def test_write_again_updates(run: Run, good: Path) -> None:
    """A finished job is not continued: the same command again creates a new job."""
    for word in ("added 2  updated 0", "added 0  updated 0  unchanged 2"):
        done = run("write", good, *UPSERT, "--data", "d")
        assert done.returncode == 0 and word in done.stdout
        assert "continuing" not in done.stdout


def test_an_unreported_end_is_reported_by_the_same_command(
    run: Run, good: Path, tmp_path: Path
) -> None:
    """If a run stops between the end of its job and its own, no row is stored twice."""
    line = ("write", good, *INSERT, "--data", "d", "--result")
    failed = run(*line, "/dev/full")
    assert failed.returncode == 1 and "another --result" in failed.stderr
    again = run(*line, "o.zip")
    assert (again.returncode, again.stderr) == (0, "")
    assert "continuing job" in again.stdout and "added 2" in again.stdout
    assert [r["STATUS"] for r in rows_of(tmp_path / "o.zip")] == ["ADDED", "ADDED"]
    exported = run("records", "export", "--module", "Leads", "--data", "d").stdout
    assert len(exported.splitlines()) == 1 + 2
    third = run(*line, "o.zip")
    assert "continuing" not in third.stdout


def test_map_and_default_options(run: Run, tmp_path: Path) -> None:
    """Columns by their headers, a default for empty cells and for fields without a column."""
    (tmp_path / "f.csv").write_text("Nachname,Ort,Mail\nBoyle,,p@x.example\nKay,Bonn,\n")
    done = run(
        "write", "f.csv", *INSERT, "--data", "d",
        *("--map", "Nachname=Last_Name", "--map", "Ort=City", "--map", "Mail="),
        *("--default", "City=Trier", "--default", "Website=x.example"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    exported = run("records", "export", "--module", "Leads", "--data", "d").stdout
    records = list(csv.DictReader(io.StringIO(exported)))
    assert [(r["Last_Name"], r["City"], r["Website"], r["Email"]) for r in records] == [
        ("Boyle", "Trier", "x.example", ""),
        ("Kay", "Bonn", "x.example", ""),
    ]


def test_ignore_empty_leaves_fields_unchanged(run: Run, good: Path, tmp_path: Path) -> None:
    """Without it, empty cells clear the fields."""
    run("write", good, *INSERT, "--data", "d")
    (tmp_path / "f.csv").write_text("Last_Name,Email,City\nBoyle,p@x.example,\n")
    for more, city in ((("--ignore-empty",), "Trier"), ((), "")):
        assert run("write", "f.csv", *UPSERT, "--data", "d", *more).returncode == 0
        exported = run("records", "export", "--module", "Leads", "--data", "d").stdout
        assert next(csv.DictReader(io.StringIO(exported)))["City"] == city


def test_an_encoding_can_be_given(run: Run, tmp_path: Path) -> None:
    """Then it is not detected."""
    (tmp_path / "f.csv").write_bytes("Last_Name\nMüller\n".encode("cp1252"))
    done = run("write", "f.csv", *INSERT, "--data", "d", "--encoding", "cp1252")
    assert done.returncode == 0
    assert "Müller" in run("records", "export", "--module", "Leads", "--data", "d").stdout


def test_a_dry_run_stores_nothing_and_answers_the_same(
    run: Run, mixed: Path, tmp_path: Path
) -> None:
    """The result of the real run, except for the ids of added records."""
    run("write", mixed, *INSERT, "--data", "d")
    more = mixed.read_text() + "New,n@x.example,Ulm\n"
    (tmp_path / "f.csv").write_text(more)
    dry = run("write", "f.csv", *UPSERT, "--data", "d", "--dry-run", "--result", "dry.zip")
    assert dry.returncode == 3 and "dry run" in dry.stdout
    assert run("jobs", "list", "--data", "d").stdout.count("COMPLETED") == 1
    assert run("write", "f.csv", *UPSERT, "--data", "d", "--result", "o.zip").returncode == 3
    dry_rows, real = rows_of(tmp_path / "dry.zip"), rows_of(tmp_path / "o.zip")
    for row in real:
        if row["STATUS"] == "ADDED":
            row["RECORD_ID"] = ""
    assert dry_rows == real and {r["STATUS"] for r in real} == {"ADDED", "UPDATED", "SKIPPED"}


def test_rows_of_a_failed_job_need_no_correction(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is wrong with the rows that it did not process."""
    leads = Resource("Leads", 1, 5, "leads.csv", ())
    job = Job(
        7, 1, Operation.INSERT, Person(1, "Ann"), datetime(2026, 1, 1, tzinfo=UTC), "UTC", (leads,),
        JobStatus.FAILED, "INTERNAL_ERROR", has_result=True,
    )  # fmt: skip
    with open_services(Settings(tmp_path / "d")) as services:
        _report(job, services, report.ReasonCounter(), OrgLocation(), dry_run=False)
    first, *rest = capsys.readouterr().out.splitlines()
    assert "FAILED INTERNAL_ERROR" in first
    assert rest == [
        "the job failed before its last row; save the rows that it did not store:",
        "  bulkwright jobs result 7 --failed -o leads-failed.csv",
    ]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("missing.csv", *INSERT), "missing.csv"),
        (("good.csv", "--module", "Nope", "--operation", "insert"), "MODULE_NOT_AVAILABLE"),
        (("good.csv", "--module", "Leads", "--operation", "update"), "--find-by"),
        (("good.csv", "--module", "Deals", "--operation", "insert"), "INVALID_FIELD"),
        (("good.csv", *INSERT, "--map", "Nope=Last_Name"), "'Nope'"),
        (("good.csv", *INSERT, "--map", "Citi=City"), "did you mean City?"),
        (("good.csv", *INSERT, "--map", "City"), "--map City: give COLUMN=FIELD"),
        (("good.csv", *INSERT, "--default", "City"), "--default City: give FIELD=VALUE"),
        (("good.csv", *INSERT, "--format", "City"), "--format City: give COLUMN=PATTERN"),
        (("good.csv", *INSERT, "--format", "City="), "--format City=: give COLUMN=PATTERN"),
        (("good.csv", *INSERT, "--format", "Citi=dd"), "'Citi' takes no format"),
        (("good.csv", *INSERT, "--url", "ftp://x", "--token", "x"), "--url takes http://"),
        (("good.csv", *INSERT, "--find-by", "Emial"), "did you mean Email?"),
        (("good.csv", *INSERT, "--find-by", "City"), "give one of id, Email"),
        (("good.csv", "--module", "Leeds", "--operation", "insert"), "did you mean Leads?"),
        (("good.csv", *INSERT, "--mapping", "missing.toml"), "missing.toml"),
        (("good.csv", *INSERT, "--map", "City=Last_Nam"), "INVALID_FIELD"),
        (("good.csv", *INSERT, "--encoding", "klingon"), "--encoding klingon"),
        (("good.csv", *INSERT, "--encoding", "windows-1253x"), "did you mean windows-125"),
        (("empty.csv", *INSERT), "FILE_NOT_SUPPORTED"),
        (("folder", *INSERT), "is a folder"),
        (("good.csv", *INSERT, "--delimiter", "bar"), "no vertical bar"),
        (("good.csv", *INSERT, "--max-errors", "2 %"), "--max-errors 2 %: give a number of rows"),
        (("good.csv", *INSERT, "--max-errors", "100%"), "--max-errors 100%"),
        (("good.csv", *INSERT, "--max-errors", "-1"), "--max-errors"),
        (("good.csv", *INSERT, "--url", "http://127.0.0.1:9"), "--token"),
        (("good.csv", *INSERT, "--url", "http://127.0.0.1:9", "--token", "x"), "does not answer"),
    ],
)  # fmt: skip
def test_failures_are_one_line(
    run: Run, good: Path, tmp_path: Path, arguments: tuple[str, ...], word: str
) -> None:
    """On stderr, with the code, without a traceback; status 1."""
    assert good.is_file()
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "folder").mkdir()
    assert word in refused(run("write", *arguments, "--data", "d"))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("m.json", "[]", "it has the sections map, default, format"),
        ("m.json", "{", "cannot be read"),
        ("m.toml", "[maps]\n", "unknown section maps"),
        ("m.toml", "map = 1\n", "the section map has texts"),
        ("m.toml", "[default]\nCity = 1\n", "the section default has texts"),
        ("m.toml", None, "No such file"),
        ("m.json", '{"map": {"City": "A", "City": "B"}}', "the key 'City' is there twice"),
        ("m.json", "\x89PNG\r\n\x1a\n", "is not a text in UTF-8; give a file of JSON or TOML"),
        ("m.toml", "\x00\xff", "is not a text in UTF-8; give a file of JSON or TOML"),
        ("m.json", "[" * 100_000, "too many brackets"),
    ],
)
def test_a_mapping_file_that_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str | None, words: str
) -> None:
    """The message names the file and what is wrong."""
    path = tmp_path / name
    if text is not None:
        path.write_text(text, "latin-1")
    with pytest.raises(SystemExit):
        JobOptions(module="Leads", operation="insert", mapping=path).stated()
    assert f"--mapping {path}" in (line := capsys.readouterr().err) and words in line


@pytest.mark.parametrize(
    ("option", "texts"),
    [
        ("map", ["City=A", "City=B"]),
        ("map", ["City=A", " City="]),
        ("default", ["City=A", "City=A"]),
        ("format", ["Day=dd.MM.yyyy", "Day=MM/dd/yyyy"]),
    ],
)
def test_what_is_stated_twice(
    capsys: pytest.CaptureFixture[str], option: str, texts: list[str]
) -> None:
    """The last one would hide the first."""
    name = "map_" if option == "map" else option
    options = JobOptions(module="Leads", operation="insert", **{name: texts})  # type: ignore[arg-type]
    with pytest.raises(SystemExit):
        options.stated()
    assert f"--{option} names {texts[0].partition('=')[0]} twice" in capsys.readouterr().err


def test_a_word_too_many_is_named(run: Run) -> None:
    done = run("write", "a.csv", "b.csv", *INSERT)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "bulkwright: `write` does not take b.csv (--help shows the usage)\n"


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("there-is-none/o.zip", "there is no folder there-is-none"),
        ("a-file/o.zip", "there is no folder a-file"),
        (".", "--result . is a folder"),
    ],
)
def test_no_job_is_run_whose_result_cannot_be_saved(
    run: Run, mixed: Path, tmp_path: Path, target: str, words: str
) -> None:
    (tmp_path / "a-file").write_text("")
    assert words in refused(run("write", mixed, *INSERT, "--data", "d", "--result", target))
    assert not (tmp_path / "d").exists()


def test_a_result_that_cannot_be_saved_is_saved_by_the_same_command(
    run: Run, mixed: Path, tmp_path: Path
) -> None:
    """The job has ended, and no row is written twice."""
    failed = run("write", mixed, *INSERT, "--data", "d", "--result", "/dev/full")
    assert failed.returncode == 1 and "its result cannot be saved as /dev/full" in failed.stderr
    (job_id,) = re.findall(r"job ([0-9]+) has ended", failed.stderr)
    again = run("write", mixed, *INSERT, "--data", "d", "--result", "o.zip")
    assert again.returncode == 3 and f"continuing job {job_id}" in again.stdout
    assert "1  INVALID_DATA         Email" in again.stdout
    assert len(rows_of(tmp_path / "o.zip")) == 4
    exported = run("records", "export", "--module", "Leads", "--data", "d").stdout
    assert len(exported.splitlines()) == 1 + 2


def test_the_most_frequent_reasons_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Twenty of them, and how many there are beside; a column may have a comma in its name."""
    names = ["First, Last", *(f"C{i}" for i in range(24))]
    cells = ["INVALID_DATA-First, Last,C0", *(f"INVALID_DATA-{name}" for name in names)]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        text = io.StringIO()
        csv.writer(text).writerows([["ERRORS"], *([cell] for cell in cells)])
        archive.writestr("f.csv", text.getvalue())
    reasons = report.reasons_of(packed, names)
    assert reasons["INVALID_DATA", "First, Last"] == reasons["INVALID_DATA", "C0"] == 2
    report.print_reasons(reasons)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "  2  INVALID_DATA  First, Last"
    assert (len(lines), lines[-1]) == (21, "  and 5 further reasons")


def test_a_job_with_too_many_errors_fails(run: Run, mixed: Path, good: Path) -> None:
    """What is stored stays; a limit that is not passed makes no difference."""
    done = run("write", mixed, *INSERT, "--data", "d", "--max-errors", "1")
    assert done.returncode == 1, done.stdout
    assert "FAILED TOO_MANY_ERRORS  added 2" in done.stdout
    assert "more rows were skipped than --max-errors 1 allows" in done.stdout
    assert "--failed -o mixed-failed.csv" in done.stdout
    dry = run("write", mixed, *INSERT, "--data", "d", "--max-errors", "49.9%", "--dry-run")
    assert dry.returncode == 1 and "nothing was stored" in dry.stdout
    for limit in ("2", "50%"):
        within = run("write", mixed, *INSERT, "--data", "d", "--max-errors", limit)
        assert within.returncode == 3 and "COMPLETED" in within.stdout
    assert run("write", good, *INSERT, "--data", "d", "--max-errors", "0").returncode == 0


def test_an_unknown_option_causes_no_traceback(run: Run, good: Path) -> None:
    """Nor does a wrong choice; the message names the option."""
    for wrong in (("--nope", *INSERT), ("--operation", "delete", "--module", "Leads")):
        done = run("write", good, *wrong, "--data", "d")
        assert done.returncode != 0 and "Traceback" not in done.stderr
        assert wrong[0] in done.stderr + done.stdout


def test_data_may_come_from_the_environment(run: Run, good: Path, tmp_path: Path) -> None:
    """BULKWRIGHT_DATA names the folder for every command; an option has priority."""
    assert run("write", good, *INSERT, BULKWRIGHT_DATA="elsewhere").returncode == 0
    assert (tmp_path / "elsewhere" / "bulkwright.sqlite").is_file()
    assert "COMPLETED" in run("jobs", "list", BULKWRIGHT_DATA="elsewhere").stdout
    refused(run("jobs", "list", "--data", "d", BULKWRIGHT_DATA="elsewhere"))


def test_data_may_come_from_bulkwright_toml(run: Run, good: Path, tmp_path: Path) -> None:
    """Its keys are the options; a variable has priority over them, an option over both."""
    (tmp_path / "bulkwright.toml").write_text('data = "from-file"\n')
    assert run("write", good, *INSERT).returncode == 0
    assert (tmp_path / "from-file" / "bulkwright.sqlite").is_file()
    assert run("write", good, *INSERT, BULKWRIGHT_DATA="from-env").returncode == 0
    assert (tmp_path / "from-env" / "bulkwright.sqlite").is_file()
    assert "COMPLETED" in run("jobs", "list").stdout


def test_the_default_folder(run: Run, good: Path, tmp_path: Path) -> None:
    """`./bulkwright-data`, readable by its owner only."""
    assert run("write", good, *INSERT).returncode == 0
    folder = tmp_path / "bulkwright-data"
    assert folder.is_dir() and folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["f.txt", "f", "f.csv.gz", "f.gz", "f.tsv"])
def test_a_file_of_another_name_is_read(run: Run, tmp_path: Path, name: str) -> None:
    """Plain text of any name, and a gzip of it; columns may be separated by tabs."""
    sign = "\t" if name == "f.tsv" else ","
    data = f"Last_Name{sign}City\nBoyle{sign}Bonn\n".encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    done = run("write", name, *INSERT, "--data", "d", "--result", "o.zip")
    assert (done.returncode, done.stderr) == (0, "")
    assert [row["STATUS"] for row in rows_of(tmp_path / "o.zip")] == ["ADDED"]
    assert ("separated by a tab" in done.stdout) == (sign == "\t")


@pytest.mark.parametrize("kind", ["csv", "zip"])
def test_a_file_whose_name_is_not_utf8_is_written(run: Run, tmp_path: Path, kind: str) -> None:
    """As files of other systems may have it; outputs have such names too."""
    name, out = (os.fsdecode(b"caf\xe9.") + ending for ending in (kind, "out"))
    with zipfile.ZipFile(tmp_path / "leads.zip", "w") as archive:
        archive.writestr("leads.csv", MIXED)
    (tmp_path / "leads.csv").write_text(MIXED)
    (tmp_path / f"leads.{kind}").rename(tmp_path / name)
    for more in ((), ("--dry-run",)):
        done = run("write", name, *INSERT, "--data", "d", *more)
        assert (done.returncode, done.stderr) == (3, "")
    job_id = run("jobs", "list", "--data", "d").stdout.splitlines()[1].split()[0]
    saved = run("jobs", "result", job_id, "-o", out, "--data", "d")
    assert (saved.returncode, saved.stdout) == (0, "caf\\udce9.out\n")
    assert len(rows_of(tmp_path / out)) == 4


@pytest.mark.parametrize(
    "line",
    [
        ("write", "good.csv", *INSERT, "--default", "City="),
        ("init", "--email", "p@x.example", "--company", ""),
    ],
)
def test_text_that_is_not_utf8_is_rejected(run: Run, good: Path, line: tuple[str, ...]) -> None:
    """It could not be stored."""
    assert good.is_file()
    *words, last = line
    done = run(*words, last + os.fsdecode(b"K\xf6ln"), "--data", "d")
    assert r"K\udcf6ln' is not text in utf-8" in refused(done)


def test_a_damaged_gzip_is_named(run: Run, tmp_path: Path) -> None:
    """In one line."""
    (tmp_path / "f.csv.gz").write_bytes(gzip.compress(b"Last_Name\nBoyle\n" * 99)[:-20])
    failed = run("write", "f.csv.gz", *INSERT, "--data", "d")
    assert failed.returncode == 1 and "f.csv.gz is a damaged gzip" in failed.stderr


def test_a_pipe_is_read(run: Run, tmp_path: Path) -> None:
    """The standard input, and a named pipe."""
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["sh", "-c", "printf 'Last_Name\\nBoyle\\n' > pipe"], cwd=tmp_path):
        done = run("write", "pipe", *INSERT, "--data", "d")
    assert (done.returncode, done.stderr) == (0, "") and "added 1" in done.stdout
    line = [sys.executable, "-m", "bulkwright", "write", "-", *INSERT, "--data", "d"]
    done = subprocess.run(
        line, cwd=tmp_path, input="Last_Name\nKay\n", capture_output=True, text=True, check=False,
        timeout=300, env=clean_environment(),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "") and "added 1" in done.stdout


def test_the_encoding_is_used_for_the_header_of_map(run: Run, tmp_path: Path) -> None:
    """The names of the options are those of the file."""
    (tmp_path / "f.csv").write_bytes("Größe,Straße\nBoyle,Hauptstraße\n".encode("mac_roman"))
    done = run(
        "write", "f.csv", *INSERT, "--data", "d", "--encoding", "macintosh",
        *("--map", "Größe=Last_Name", "--map", "Straße=City"),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "Hauptstraße" in run("records", "export", "--module", "Leads", "--data", "d").stdout


def test_the_columns_of_map_decide_on_the_delimiter(run: Run, tmp_path: Path) -> None:
    """Or an option names it."""
    (tmp_path / "f.csv").write_text("Name,x;Town\nBoyle,1;Bonn\n")
    for more, name in (
        (("--map", "Name=Last_Name"), "Boyle"),
        (("--map", "Name,x=Last_Name"), "Boyle,1"),
        (("--map", "Town=Last_Name"), "Bonn"),
    ):
        line = ("write", "f.csv", *INSERT, "--data", "d", "--ignore-columns")
        assert run(*line, *more).returncode == 0
        exported = run("records", "export", "--module", "Leads", "--data", "d").stdout
        assert list(csv.DictReader(io.StringIO(exported)))[-1]["Last_Name"] == name
    (tmp_path / "g.csv").write_text("x,Last_Name;Last_Name,x\n1,Boyle;Bonn,2\n")
    doubtful = run("write", "g.csv", *INSERT, "--data", "d")
    assert doubtful.returncode == 1 and "in doubt" in doubtful.stderr
    (tmp_path / "g.csv").write_text("Last_Name|x;Last_Name\nBoyle|1;Bonn\n")
    for sign, shown in (("bar", "separated by a vertical bar"), ("semicolon", "added 1")):
        line = ("write", "g.csv", *INSERT, "--data", "d", "--ignore-columns")
        named = run(*line, "--delimiter", sign)
        assert named.returncode == 0 and shown in named.stdout


def test_what_was_guessed_is_shown(run: Run, tmp_path: Path) -> None:
    """By `write`, and later by `jobs show`, for people and for programs."""
    names = ["Dvořák", "Kučera", "Němec", "Růžička", "Šimůnek", "Žák", "Říha", '"Čermák "x"']
    rows = "".join(f"{name},1\n" for name in names)
    text = f"Last_Name,Comment,Date of Birth\n{rows}".replace(",1", ",1,03/04/2000")
    (tmp_path / "f.csv").write_bytes(text.encode("cp1250"))
    insert = ("--module", "Contacts", "--operation", "insert", "--ignore-columns")
    done = run("write", "f.csv", *insert, "--data", "d")
    omitted, *lines = done.stdout.splitlines()
    assert omitted == "left out: Comment (no such field)"
    assert lines[1:] == [
        "encoding windows-1250: a guess; --encoding names another one",
        "rows with stray quotes: 1, the first is row 8; the quotes were read as characters",
        "Date of Birth: read as MM/dd/yyyy, a guess; --format 'Date of Birth=PATTERN' names "
        "another form",
    ]
    job_id = lines[0].split()[1]
    shown = run("jobs", "show", job_id, "--data", "d").stdout.splitlines()
    assert shown[1].startswith("insert into Contacts from f.csv, created ")
    assert [shown[0], *shown[2:]] == [*lines, "columns left out: Comment"]
    details = json.loads(run("jobs", "show", job_id, "--json", "--data", "d").stdout)
    (reading,) = details["reading"]
    assert (reading["encoding"], reading["encoding_by"]) == ("windows-1250", "guess")
    assert (reading["stray_quotes"], reading["left_out"]) == (1, ["Comment"])
    assert reading["assumed"] == {"Date of Birth": "MM/dd/yyyy"}


def test_a_zip_of_several_files_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names some of them."""
    with zipfile.ZipFile(tmp_path / "f.zip", "w") as archive:
        for name in "abc":
            archive.writestr(f"{name}.csv", "Last_Name\nx\n")
    with pytest.raises(SystemExit), as_regular_file(tmp_path / "f.zip"):
        pass
    said = capsys.readouterr().err
    assert "f.zip: The zip holds 3 CSV files, such as a.csv, b.csv; a bulk write takes" in said


def test_a_damaged_workbook_is_named(run: Run, tmp_path: Path) -> None:
    """It is a zip, but no zip of a CSV."""
    with zipfile.ZipFile(tmp_path / "f.xlsx", "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("xl/workbook.xml", "<x/>")
    failed = run("write", "f.xlsx", *INSERT, "--data", "d")
    assert failed.returncode == 1 and "f.xlsx: The workbook" in failed.stderr


def test_all_columns_of_a_type_have_a_format(run: Run, tmp_path: Path) -> None:
    """A format of a column counts more."""
    path = tmp_path / "people.csv"
    path.write_text("Last_Name,Date_of_Birth\nMay,31.12.1990\n")
    options = ("--module", "Contacts", "--operation", "insert", "--data", "d")
    done = run("write", path, *options, "--date-format", "dd.MM.yyyy")
    assert done.returncode == 0, done.stdout
    other = ("--date-format", "yyyy", "--format", "Date_of_Birth=dd.MM.yyyy")
    assert run("write", path, *options, *other).returncode == 0
    assert "INVALID_FORMAT" in refused(run("write", path, *options, "--date-format", "what"))
