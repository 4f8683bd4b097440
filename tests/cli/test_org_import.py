"""`bulkwright modules import-zoho`: the fields of an org of Zoho, as its API answers them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.test_schema import module_changes
from tests.support.live import Live
from tests.support.program import Run, refused

from bulkwright.intercept.exchange import RecordedCall, as_har

DATA = ("--data", "d")
LIST = {
    "modules": [
        {"api_name": "Leads", "module_name": "Leads", "singular_label": "Prospect",
         "plural_label": "Prospects", "generated_type": "default", "api_supported": True},
        {"api_name": "Trees", "module_name": "CustomModule3", "singular_label": "Tree",
         "plural_label": "Trees", "generated_type": "custom", "api_supported": True},
        {"api_name": "Rings", "module_name": "LinkingModule1", "singular_label": "Ring",
         "plural_label": "Rings", "generated_type": "subform", "api_supported": True},
        {"api_name": "Visits", "module_name": "Visits", "generated_type": "web",
         "api_supported": True},
        {"api_name": "Feeds", "module_name": "Feeds", "api_supported": False},
    ]
}  # fmt: skip


def field(name: str, data_type: str, **more: Any) -> dict[str, Any]:
    """Returns a field with the keys that Zoho always has."""
    return {
        "api_name": name, "field_label": name.replace("_", " "), "data_type": data_type,
        "json_type": "string", "length": 120, "system_mandatory": False, "custom_field": True,
        "unique": {}, "lookup": {}, "pick_list_values": [], "read_only": False,
        "decimal_place": None, **more,
    }  # fmt: skip


LEADS = [
    field("id", "bigint", custom_field=False),
    field("Last_Name", "text", system_mandatory=True, custom_field=False, length=80),
    field("Company", "text", custom_field=False, length=200),
    field("Email", "email", unique={"casesensitive": "false"}, custom_field=False, length=100),
    field("Branch", "picklist", pick_list_values=[
        {"display_value": "-None-", "actual_value": "-None-", "type": "used"},
        {"display_value": "North", "actual_value": "north", "type": "used"},
        {"display_value": "South", "actual_value": "south", "type": "unused"}]),
    field("Tree", "lookup", lookup={"api_name": "Leads1", "module": "Trees", "id": "1"}),
    field("Any", "lookup", lookup={"api_name": "Any", "module": "se_module", "id": "2"}),
    field("Gone", "lookup", lookup={"module": {"api_name": "Nowhere", "id": "3"}}),
    field("Grade", "double", length=16, decimal_place=2, unique={"casesensitive": "false"}),
    field("Whole", "text", read_only=True, length=255),
    field("Total", "rollup_summary"),
    field("Proof", "fileupload"),
]  # fmt: skip
TREES = [
    field("Name", "text", system_mandatory=True, custom_field=False),
    field("Height", "double", length=9, decimal_place=1),
    field("Rings", "subform", subform={"module": {"api_name": "Rings", "id": "9"}}),
    {"api_name": "Odd", "data_type": "lookup", "json_type": "x", "lookup": 5},
]
RINGS = [
    field("Parent_Id", "lookup", lookup={"module": {"api_name": "Trees", "id": "8"}}),
    field("Year", "integer", length=9),
]
LAYOUTS = [
    {"name": "Standard", "status": "active", "sections": [{"fields": [
        {"api_name": "Last_Name", "required": True}, {"api_name": "Branch", "required": True},
        {"api_name": "Company", "required": False}]}]},
    {"name": "Second", "status": "active", "sections": [{"fields": [
        {"api_name": "Company", "required": True}]}]},
]  # fmt: skip


def answers(folder: Path) -> list[str]:
    """Writes the answers of an org; returns the names of the files."""
    documents = {
        "modules.json": LIST,
        "fields-Leads.json": {"fields": LEADS},
        "layouts-Leads.json": {"layouts": LAYOUTS},
        "Trees.json": {"fields": TREES},
        "Rings.fields.json": {"fields": RINGS},
    }
    for name, document in documents.items():
        (folder / name).write_text(json.dumps(document))
    return list(documents)


def traits(run: Run, module: str) -> dict[str, dict[str, Any]]:
    """Returns what `modules show` shows, by the name of the field."""
    shown = run("modules", "show", module, "--json", *DATA)
    return {one["api_name"]: one for one in json.loads(shown.stdout)}


@pytest.mark.usefixtures("org")
def test_modules_become_what_they_are_at_zoho(run: Run, tmp_path: Path) -> None:
    """Each thing that could not be taken has its name and its reason."""
    done = run("modules", "import-zoho", *answers(tmp_path), *DATA)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "Leads: replaced, 16 fields"
    assert [line.split(":")[1].split("(")[0].strip() for line in lines[1:4]] == [
        "Gone", "Grade is not unique", "Total",
    ]  # fmt: skip
    assert "unknown module Nowhere" in lines[1] and "rollup_summary" in lines[3]
    assert "Trees: added, 10 fields" in lines and "Rings: added, 9 fields" in lines
    assert "  not taken: Odd (it is not described as Zoho describes fields)" in lines
    assert lines[-1] == "not taken, because their fields are not known: Visits"
    leads = traits(run, "Leads")
    assert leads["Email"]["traits"] == ["unique"]
    assert leads["Tree"]["traits"] == ["→ Trees"] and leads["Any"]["traits"] == ["→ se_module"]
    assert leads["Whole"]["traits"] == ["read only"]
    assert "City" not in leads and leads["Last_Name"]["traits"] == ["mandatory"]
    assert {"Name", "Height", "Rings"} <= set(traits(run, "Trees"))
    again = run("modules", "import-zoho", *answers(tmp_path), *DATA)
    assert again.stdout.splitlines()[0] == "Leads: unchanged, 16 fields"
    (changed,) = module_changes(run)
    assert changed.startswith("Leads, ") and "Trees" in changed and "Visits" not in changed
    listed = json.loads(run("modules", "list", "--json", *DATA).stdout)
    assert {"api_name": "Leads", "label": "Prospects"}.items() <= listed[0].items()


@pytest.mark.usefixtures("org")
def test_imported_modules_can_be_written_to(run: Run, tmp_path: Path) -> None:
    """With unique fields, picklists and lookups. Records keep their fields at the next import."""
    assert run("modules", "import-zoho", *answers(tmp_path), *DATA).returncode == 0
    (tmp_path / "f.csv").write_text("Last_Name,Email,Branch\nA,a@x.example,north\nB,a@x.example,\n")
    done = run("write", "f.csv", "--module", "Leads", "--operation", "insert", *DATA)
    assert done.returncode == 3 and "added 1" in done.stdout
    changed = [field("Branch", "picklist", pick_list_values=[{"actual_value": "east"}]),
               field("Email", "email"), field("Late", "integer", length=9),
               field("company", "text")]  # fmt: skip
    (tmp_path / "Leads.json").write_text(json.dumps({"fields": changed}))
    later = run("modules", "import-zoho", "Leads.json", *DATA)
    assert later.returncode == 0, later.stderr
    assert later.stdout.splitlines()[0] == "Leads: changed, 17 fields"
    assert "Email stays unique email instead of email" in later.stdout
    assert "company (its name is taken, or differs by case only)" in later.stdout
    assert "Tree stays, because there are records" in later.stdout
    exported = run("records", "export", "--module", "Leads", *DATA).stdout
    (record,) = csv.DictReader(io.StringIO(exported))
    assert (record["Last_Name"], record["Branch"], record["Late"]) == ("A", "north", "")


@pytest.mark.usefixtures("org")
def test_a_har_is_imported(run: Run, tmp_path: Path) -> None:
    """Its calls name the modules; others, and those that failed, are left alone."""
    said = [
        ("modules", 200, LIST),
        ("fields?module=Leads", 200, {"fields": LEADS}),
        ("fields?module=Trees", 400, {"code": "INVALID_MODULE"}),
        ("roles", 200, {}),
    ]
    url = "https://www.zohoapis.com/crm/v8/settings/"
    calls = [
        RecordedCall("", 1.0, "GET", url + path, [], b"", status, [], json.dumps(body).encode())
        for path, status, body in said
    ]
    (tmp_path / "calls.har").write_text(json.dumps(as_har(calls)))
    done = run("modules", "import-zoho", "calls.har", *DATA)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "Leads: replaced, 15 fields"
    assert "Trees, Rings, Visits" in done.stdout.splitlines()[-1]


@pytest.mark.usefixtures("org")
@pytest.mark.parametrize(
    ("arguments", "text", "words"),
    [
        ((), "", "give either files or --from-org"),
        (("x.json",), "[]", "a list of modules, fields or layouts is expected"),
        (("modules.json",), '{"fields": []}', "does not name its module"),
        (("x.json",), '{"fields": [1]}', "a list of objects is expected"),
        (("Leads=x.json",), "{", "cannot be read"),
        (("x.json",), '{"log": 1}', "is no HAR file"),
        (("--from-org", "http://127.0.0.1:9"), "", "--from-org needs --token"),
        (("--from-org", "http://127.0.0.1:9", "--token", "x"), "", "does not answer"),
    ],
)
def test_what_cannot_be_read_changes_nothing(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], text: str, words: str
) -> None:
    """The message names the file and what to do."""
    for name in ("x.json", "modules.json"):
        (tmp_path / name).write_text(text)
    assert words in refused(run("modules", "import-zoho", *arguments, *DATA))


@pytest.fixture(scope="module")
def zoho(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server in the role of Zoho, with a custom module."""
    folder = tmp_path_factory.mktemp("zoho")
    with Live(folder / "data") as server:
        yield server


@pytest.mark.usefixtures("org")
def test_an_org_is_queried(run: Run, tmp_path: Path, zoho: Live) -> None:
    """Its answers can be saved, and imported again as files."""
    given = ("--from-org", zoho.base_url, "--token", zoho.access_token)
    one = run("modules", "import-zoho", *given, "--only", "Deals", "--save", "s", *DATA)
    assert one.returncode == 0, one.stderr
    assert one.stdout.splitlines() == ["Deals: unchanged, 26 fields"] or "Deals:" in one.stdout
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == [
        "fields-Deals.json", "layouts-Deals.json", "modules.json",
    ]  # fmt: skip
    all_of_it = run("modules", "import-zoho", *given, *DATA)
    assert all_of_it.returncode == 0, all_of_it.stderr
    assert len(all_of_it.stdout.splitlines()) == 18
    again = run("modules", "import-zoho", "s/modules.json", "s/fields-Deals.json", *DATA)
    assert "Deals: unchanged" in again.stdout
    unknown = run("modules", "import-zoho", *given, "--only", "Nowhere", "--json", *DATA)
    assert json.loads(unknown.stdout)["modules"] == []
    assert unknown.stderr.startswith("Nowhere: its fields cannot be read (")
    wrong = run("modules", "import-zoho", "--from-org", zoho.base_url, "--token", "x.y", *DATA)
    assert "INVALID_TOKEN" in refused(wrong) and "--token" in wrong.stderr
