"""`--formula-cells`: cells that a spreadsheet would run, in every CSV that a command saves."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.support.live import Live
from tests.support.program import Run, program

from bulkwright.domain.formula import as_text

CELLS = ["=1+1", "+1", "-2+3", "-5", "@A1", "\t=1", "\r=1", "Boyle", 'a,"b"']
HEADER = ["Last_Name", "=Mail"]
QUOTE = ("--formula-cells", "quote")
LEADS = ("--module", "Leads", "--operation", "insert", "--map", "=Mail=Email")
DATA = ("--data", "d")
Lines = list[list[str]]


def write_csv(path: Path) -> None:
    """A CSV with two rows for each cell: a sound one, and one that fails."""
    rows = [[cell, mail] for cell in CELLS for mail in ("", "bad")]
    with path.open("w", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([HEADER, *rows])


def lines_of(text: str) -> Lines:
    """The cells of a CSV."""
    return list(csv.reader(io.StringIO(text, newline="")))


def in_zip(path: Path) -> Lines:
    """The cells of a result, as they came from the upload."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        (name,) = archive.namelist()
        lines = lines_of(archive.read(name).decode())
    assert lines[0][2:] == ["STATUS", "RECORD_ID", "ERRORS"]
    assert [line[2] for line in lines[1:]] == ["ADDED", "SKIPPED"] * len(CELLS)
    return [line[:2] for line in lines]


def expected(rows: Sequence[Sequence[str]], *, quoted: bool) -> Lines:
    """Lines with or without apostrophes."""
    return [[as_text(cell) if quoted else cell for cell in row] for row in rows]


EVERY_ROW = [HEADER, *([cell, mail] for cell in CELLS for mail in ("", "bad"))]
FAILED = [[*HEADER, "ERRORS"], *([cell, "bad", "INVALID_DATA-=Mail"] for cell in CELLS)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a data folder `d`, whose one job was run without the option."""
    folder = tmp_path_factory.mktemp("formulas")
    write_csv(folder / "f.csv")
    done = program(folder, "write", "f.csv", *LEADS, *DATA, "--result", "kept.zip")
    assert done.returncode == 3, done.stderr
    found = re.search(r"job ([0-9]+)", done.stdout)
    assert found is not None
    (folder / "job").write_text(found[1])
    return folder


def test_a_result_is_kept_without_the_option(folder: Path) -> None:
    """Cell for cell."""
    assert in_zip(folder / "kept.zip") == EVERY_ROW


@pytest.mark.parametrize("options", [(), ("--formula-cells", "keep"), QUOTE], ids=str)
def test_saved_csvs(folder: Path, tmp_path: Path, options: Sequence[str]) -> None:
    """A result, its failed rows and exported records, of a job that was run without the option."""
    job, quoted = (folder / "job").read_text(), options == QUOTE
    result = ("jobs", "result", job, *DATA, *options)
    assert program(folder, *result, "-o", tmp_path / "r.zip").returncode == 0
    assert in_zip(tmp_path / "r.zip") == expected(EVERY_ROW, quoted=quoted)
    assert program(folder, *result, "--failed", "-o", tmp_path / "f.csv").returncode == 0
    failed = lines_of((tmp_path / "f.csv").read_bytes().decode())
    assert [line[:3] for line in failed] == expected(FAILED, quoted=quoted)
    assert not any(as_text(line[3]) != line[3] for line in failed)
    assert program(folder, *result, "--full", "-o", tmp_path / "a.csv").returncode == 0
    full = lines_of((tmp_path / "a.csv").read_bytes().decode())
    assert [line[9:] for line in full] == expected(EVERY_ROW, quoted=quoted)
    export = ("records", "export", "--module", "Leads", *DATA, *options, "-o", tmp_path / "e.csv")
    assert program(folder, *export).returncode == 0
    header, *records = lines_of((tmp_path / "e.csv").read_bytes().decode())
    at = header.index("Last_Name")
    wanted = [[cell] for cell in CELLS]
    assert [[line[at]] for line in records] == expected(wanted, quoted=quoted)


def test_a_variable_sets_it_for_every_command(folder: Path, tmp_path: Path) -> None:
    """Like any setting; another value is refused."""
    job, name = (folder / "job").read_text(), "BULKWRIGHT_FORMULA_CELLS"
    result = ("jobs", "result", job, "--failed", "-o", tmp_path / "f.csv", *DATA)
    assert program(folder, *result, **{name: "quote"}).returncode == 0
    failed = lines_of((tmp_path / "f.csv").read_bytes().decode())
    assert [line[:3] for line in failed] == expected(FAILED, quoted=True)
    wrong = program(folder, *result, **{name: "maybe"})
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert name in wrong.stderr and '"keep", "quote"' in wrong.stderr


def test_a_job_that_write_runs(run: Run, tmp_path: Path) -> None:
    """Its stored result and the saved one are quoted; the records are not."""
    write_csv(tmp_path / "f.csv")
    done = run("write", "f.csv", *LEADS, *DATA, *QUOTE, "--result", "r.zip")
    assert done.returncode == 3, done.stderr
    assert in_zip(tmp_path / "r.zip") == expected(EVERY_ROW, quoted=True)
    found = re.search(r"job ([0-9]+)", done.stdout)
    assert found is not None
    for options in ((), QUOTE):
        assert run("jobs", "result", found[1], *DATA, *options, "-o", "s.zip").returncode == 0
        assert in_zip(tmp_path / "s.zip") == expected(EVERY_ROW, quoted=True)
    exported = lines_of(run("records", "export", "--module", "Leads", *DATA).stdout)
    assert exported[1][exported[0].index("Last_Name")] == "=1+1"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server that quotes formulas."""
    with Live(tmp_path_factory.mktemp("quoting") / "data", *QUOTE) as running:
        yield running


@pytest.fixture(scope="module")
def keeping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server that keeps formulas."""
    with Live(tmp_path_factory.mktemp("keeping") / "data") as running:
        yield running


def test_the_workers_of_a_server_quote(run: Run, live: Live, tmp_path: Path) -> None:
    """Every client gets the quoted result."""
    write_csv(tmp_path / "f.csv")
    remote = ("--url", live.base_url, "--token", live.access_token)
    assert run("write", "f.csv", *LEADS, *remote, "--result", "r.zip").returncode == 3
    assert in_zip(tmp_path / "r.zip") == expected(EVERY_ROW, quoted=True)


@pytest.mark.parametrize("options", [(), QUOTE], ids=str)
def test_a_result_of_a_server_is_quoted_when_it_is_saved(
    run: Run, keeping: Live, tmp_path: Path, options: Sequence[str]
) -> None:
    """The option of the command holds for the file that the command saves."""
    write_csv(tmp_path / "f.csv")
    remote = ("--url", keeping.base_url, "--token", keeping.access_token)
    done = run("write", "f.csv", *LEADS, *remote, *options, "--result", "r.zip")
    assert done.returncode == 3, done.stderr
    assert in_zip(tmp_path / "r.zip") == expected(EVERY_ROW, quoted=options == QUOTE)
