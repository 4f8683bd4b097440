"""The columns of a file that `write` would leave out."""

from __future__ import annotations

import csv
import io
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.program import Run, refused

INSERT = ("--module", "Leads", "--operation", "insert", "--data", "d")


def stored(run: Run, module: str = "Leads") -> list[dict[str, str]]:
    """The records of a module."""
    exported = run("records", "export", "--module", module, "--data", "d").stdout
    return list(csv.DictReader(io.StringIO(exported)))


@pytest.mark.usefixtures("org")
@pytest.mark.parametrize(
    "options",
    [(), ("--map", "Nachname=Last_Name"), ("--default", "City=Bonn"), ("--dry-run",)],
    ids=lambda o: o[0] if o else "header",
)
def test_a_header_that_is_no_field_is_refused(
    run: Run, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """One rule, whatever the options; nothing is stored, and the line says what to do."""
    (tmp_path / "f.csv").write_text("Nachname,Last_Name,Frist_Name\n,Boyle,Pat\n")
    line = refused(run("write", "f.csv", *INSERT, *options))
    assert "Frist_Name (no such field; did you mean First_Name?)" in line
    assert "--map" in line and "--ignore-columns" in line
    assert stored(run) == []


def test_what_is_left_out_is_named(run: Run, tmp_path: Path) -> None:
    """With --ignore-columns; and columns that the service fills, without it."""
    (tmp_path / "f.csv").write_text("Last_Name,Frist_Name,\nBoyle,Pat,\n")
    done = run("write", "f.csv", *INSERT, "--ignore-columns")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "left out: Frist_Name, column 3 (no such field)"
    job_id = done.stdout.split("job ")[1].split()[0]
    shown = run("jobs", "show", job_id, "--data", "d").stdout.splitlines()
    assert shown[2].startswith("columns left out: Frist_Name")
    (tmp_path / "f.csv").write_text("Last_Name,Created_Time\nKay,2026-01-01\n")
    done = run("write", "f.csv", *INSERT)
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "left out: Created_Time (it cannot be written)"


def test_a_column_without_a_name_has_that_of_its_place(run: Run, tmp_path: Path) -> None:
    """The name that the message gives it is one for --map."""
    (tmp_path / "f.csv").write_text("Last_Name,,Name,Name\nBoyle,p@x.example,Kay,Zylker\n")
    line = refused(run("write", "f.csv", *INSERT))
    assert "column 2 (no such field)" in line
    maps = ("--map", "column 2=Email", "--map", "column 3=", "--map")
    line = refused(run("write", "f.csv", *INSERT, *maps, "Name=Company"))
    assert "the file has 2 columns 'Name'; write 'column 3' or 'column 4'" in line
    done = run("write", "f.csv", *INSERT, *maps, "column 4=Company")
    assert done.returncode == 0, done.stderr
    (record,) = stored(run)
    assert (record["Email"], record["Company"]) == ("p@x.example", "Zylker")


def test_an_existing_table_knows_its_columns_by_their_names(
    run: Run, org: None, tmp_path: Path
) -> None:
    """Blanks, dashes, umlauts, dots; ids of the file are kept."""
    with closing(sqlite3.connect(tmp_path / "d" / "bulkwright.sqlite")) as database:
        database.execute(
            'CREATE TABLE people (no INTEGER PRIMARY KEY, "First Name" TEXT, "Größe" INTEGER, '
            '"e-mail" TEXT, "unit.price" DECIMAL(6,2))'
        )
    made = run("modules", "from-table", "people", "--data", "d")
    assert made.returncode == 0, made.stderr
    (tmp_path / "p.csv").write_text(
        "no,First Name,Größe,e-mail,unit.price\n500,Ann,170,a@x.example,1.5\n700,Bob,180,b,2\n"
    )
    people = ("--module", "people", "--operation", "insert", "--data", "d")
    done = run("write", "p.csv", *people)
    assert (done.returncode, done.stderr) == (0, "")
    with closing(sqlite3.connect(tmp_path / "d" / "bulkwright.sqlite")) as database:
        rows = database.execute("SELECT * FROM people").fetchall()
    assert rows == [(500, "Ann", 170, "a@x.example", 1.5), (700, "Bob", 180, "b", 2)]
    again = run("write", "p.csv", *people)
    assert again.returncode == 3 and "DUPLICATE_DATA" in again.stdout
    assert "an equal file was written into people before" in again.stdout


def test_ids_that_cannot_be_kept_are_refused(run: Run, tmp_path: Path) -> None:
    """The service's own modules give ids themselves."""
    (tmp_path / "f.csv").write_text("id,Last_Name\n500,Boyle\n")
    assert "id (new records get new ids)" in refused(run("write", "f.csv", *INSERT))
    assert run("write", "f.csv", *INSERT, "--ignore-columns").returncode == 0
    assert stored(run)[0]["id"] != "500"


def test_a_mapping_file_and_formats(run: Run, tmp_path: Path) -> None:
    """A German file: the same in the file and by options; an option has priority."""
    (tmp_path / "deals.csv").write_text(
        "Name;Phase;Abschluss;Betrag;Notiz\nA;Qualification;31.12.2026;1.234,50;x\n"
    )
    (tmp_path / "german.toml").write_text(
        '[map]\nName = "Deal_Name"\nPhase = "Stage"\nAbschluss = "Closing_Date"\n'
        'Betrag = "Amount"\nNotiz = ""\n[default]\nNext_Step = "call"\n'
        '[format]\nAbschluss = "dd.MM.yyyy"\nBetrag = "#.###,##"\n'
    )
    deals = ("--module", "Deals", "--operation", "insert", "--data", "d")
    done = run(
        "write", "deals.csv", *deals, "--mapping", "german.toml", "--default", "Next_Step=go"
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    (record,) = stored(run, "Deals")
    assert (record["Closing_Date"], record["Next_Step"]) == ("2026-12-31", "go")
    assert float(record["Amount"]) == 1234.5
