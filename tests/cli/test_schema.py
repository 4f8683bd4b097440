"""`bulkwright modules` and `bulkwright records`."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.program import Run, refused

DATA = ("--data", "d")

pytestmark = pytest.mark.usefixtures("org")


def applied(run: Run, tmp_path: Path, *modules: dict[str, Any]) -> str:
    """Applies modules; returns the output."""
    (tmp_path / "schema.json").write_text(json.dumps({"modules": modules}))
    done = run("modules", "apply", "schema.json", *DATA)
    assert done.returncode == 0, done.stderr
    return done.stdout


PART = {
    "api_name": "Parts",
    "singular_label": "Part",
    "plural_label": "Parts",
    "fields": [
        {"api_name": "Name", "data_type": "text", "system_mandatory": True},
        {"api_name": "Serial", "data_type": "integer", "unique": True},
    ],
}


def test_modules_are_listed_and_shown(run: Run) -> None:
    """Eighteen standard modules; the fields of a module with their traits."""
    listed = run("modules", "list", *DATA).stdout
    assert all(name in listed for name in ("Leads", "Deals", "Notes", "Price_Books"))
    shown = run("modules", "show", "Deals", *DATA).stdout
    (line,) = [x for x in shown.splitlines() if "Deal_Name" in x]
    assert "mandatory" in line and "find_by" in line
    assert "→ Accounts" in shown
    assert "There is no module Nope" in refused(run("modules", "show", "Nope", *DATA))


def test_a_new_module_can_be_written_to(run: Run, tmp_path: Path) -> None:
    """Applying it again changes nothing."""
    assert "Parts" in applied(run, tmp_path, PART)
    assert "nothing to change" in applied(run, tmp_path, PART)
    assert module_changes(run) == ["Parts"]
    (tmp_path / "f.csv").write_text("Name,Serial\nA,7\nB,007\n")
    done = run("write", "f.csv", "--module", "Parts", "--operation", "insert", *DATA)
    assert done.returncode == 3 and "added 1" in done.stdout
    exported = run("records", "export", "--module", "Parts", *DATA).stdout
    (record,) = csv.DictReader(io.StringIO(exported))
    assert (record["Name"], record["Serial"]) == ("A", "7")


def module_changes(run: Run) -> list[str]:
    """What the audit log says of modules that were changed, newest first."""
    listed = run("audit", "--action", "org-modules-changed", "--json", *DATA)
    return [entry["detail"] for entry in json.loads(listed.stdout)]


def test_a_field_can_be_added(run: Run, tmp_path: Path) -> None:
    """Existing records have no value in it."""
    (tmp_path / "f.csv").write_text("Last_Name,Shoe_Size\nA,42\n")
    write = ("write", "f.csv", "--module", "Leads", "--operation", "insert", *DATA)
    assert run(*write, "--ignore-columns").returncode == 0
    applied(
        run,
        tmp_path,
        {"api_name": "Leads", "fields": [{"api_name": "Shoe_Size", "data_type": "integer"}]},
    )
    assert run(*write).returncode == 0
    exported = run("records", "export", "--module", "Leads", *DATA).stdout
    assert [r["Shoe_Size"] for r in csv.DictReader(io.StringIO(exported))] == ["", "42"]


def field_document(name: str, data_type: str) -> str:
    """Returns a schema that adds a field to Leads."""
    field = {"api_name": name, "data_type": data_type}
    return json.dumps({"modules": [{"api_name": "Leads", "fields": [field]}]})


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{", "cannot be read"),
        ("", "cannot be read"),
        ('{"modules": 1}', "$.modules"),
        ('{"modules": [{"api_name": "x y", "fields": []}]}', "$.modules[0].api_name"),
        (field_document("A", "nope"), "data_type"),
        (field_document("city", "text"), "differs by case"),
    ],
)  # fmt: skip
def test_an_invalid_schema_is_rejected(run: Run, tmp_path: Path, text: str, word: str) -> None:
    """The message has the path of the error."""
    (tmp_path / "schema.json").write_text(text)
    assert word in refused(run("modules", "apply", "schema.json", *DATA))


def test_records_are_exported_in_order(run: Run, tmp_path: Path) -> None:
    """The same to stdout and to a file; values as they are stored."""
    rows = "".join(f'Name {i},"a,b ""c""\nd",é\n' for i in range(30))
    (tmp_path / "f.csv").write_text(f"Last_Name,Description,City\n{rows}")
    run("write", "f.csv", "--module", "Leads", "--operation", "insert", *DATA)
    out = run("records", "export", "--module", "Leads", *DATA)
    assert run("records", "export", "--module", "Leads", "-o", "o.csv", *DATA).returncode == 0
    assert (tmp_path / "o.csv").read_text("utf-8") == out.stdout
    records = list(csv.DictReader(io.StringIO(out.stdout, newline="")))
    assert [r["Last_Name"] for r in records] == [f"Name {i}" for i in range(30)]
    assert {r["Description"] for r in records} == {'a,b "c"\nd'}
    assert [int(r["id"]) for r in records] == sorted(int(r["id"]) for r in records)
    assert "no module" in refused(run("records", "export", "--module", "Nope", *DATA))


def test_an_export_is_utf8_in_every_locale(run: Run, tmp_path: Path) -> None:
    """As `write` reads it. Other output has escapes for what the terminal cannot show."""
    (tmp_path / "f.csv").write_text("Last_Name\nDvořák\n", "utf-8")
    run("write", "f.csv", "--module", "Leads", "--operation", "insert", *DATA)
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    line = ("records", "export", "--module", "Leads", *DATA)
    saved = run(*line, "-o", "o.csv", **ascii_only)
    assert (saved.returncode, saved.stderr) == (0, "")
    shown = run(*line, **ascii_only)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout == (tmp_path / "o.csv").read_text("utf-8")
    assert "Dvořák" in shown.stdout
    listed = run("modules", "show", "Deals", *DATA, **ascii_only)
    assert (listed.returncode, listed.stderr) == (0, "") and "\\u2192 Accounts" in listed.stdout


def test_fields_as_zoho_describes_them(run: Run, tmp_path: Path) -> None:
    """The answer of /settings/fields: new fields are added, known ones left, others named."""
    fields = [
        {"api_name": "Email", "data_type": "text", "json_type": "string", "unique": {"x": "y"}},
        {
            "api_name": "Branch", "field_label": "Branch of it", "data_type": "picklist",
            "json_type": "string", "length": 120, "unique": {}, "lookup": {}, "custom_field": True,
            "pick_list_values": [
                {"display_value": "-None-", "actual_value": "-None-"},
                {"display_value": "North", "actual_value": "north"},
            ],
        },
        {
            "api_name": "Partner", "data_type": "lookup", "json_type": "jsonobject", "length": 0,
            "lookup": {"module": {"api_name": "Accounts", "id": "1"}},
        },
        {"api_name": "Sum", "data_type": "rollup_summary", "json_type": "double"},
    ]  # fmt: skip
    (tmp_path / "fields.json").write_text(json.dumps({"fields": fields}))
    assert "give --module" in refused(run("modules", "apply", "fields.json", *DATA))
    done = run("modules", "apply", "fields.json", "--module", "Leads", *DATA)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "left out because of their types: Sum (rollup_summary)"
    listed = json.loads(run("modules", "show", "Leads", "--json", *DATA).stdout)
    shown = {field["api_name"]: field for field in listed}
    assert shown["Branch"]["label"] == "Branch of it"
    assert shown["Partner"]["traits"] == ["→ Accounts"]
    assert shown["Email"]["data_type"] == "email"
    again = run("modules", "apply", "fields.json", "--module", "Leads", *DATA)
    assert "nothing to change" in again.stdout
    new = run("modules", "apply", "fields.json", "--module", "Branches", *DATA)
    assert new.returncode == 0, new.stderr
