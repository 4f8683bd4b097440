"""`bulkwright write --url`: the same rules as on a data folder."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.support.live import Live
from tests.support.program import MIXED, Run, refused

INSERT = ("--module", "Leads", "--operation", "insert")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server."""
    with Live(tmp_path_factory.mktemp("remote") / "data") as running:
        yield running


def test_a_file_is_written_through_a_server(run: Run, live: Live, tmp_path: Path) -> None:
    """With its labels as headers, a default and a format; the reasons are counted."""
    text = MIXED.replace("Last_Name", "Last Name").replace("City", "Birthday")
    text = text.replace("Trier", "31.12.1990").replace("Bonn", "").replace("Köln", "")
    (tmp_path / "f.csv").write_text(text.replace("Mainz", ""))
    options = ("--map", "Birthday=Date_of_Birth", "--format", "Birthday=dd.MM.yyyy")
    done = run(
        "write", "f.csv", "--module", "Contacts", "--operation", "insert", *options,
        *("--default", "Mailing_City=Ulm", "--result", "o.zip"),
        *("--url", live.base_url, "--token", live.access_token),
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    first, *reasons = done.stdout.splitlines()
    assert "COMPLETED  added 2  updated 0  skipped 2  of 4 rows" in first
    assert sorted(line.split()[1:] for line in reasons) == [
        ["INVALID_DATA", "Email"],
        ["MANDATORY_NOT_FOUND", "Last", "Name"],
    ]
    with zipfile.ZipFile(tmp_path / "o.zip") as archive:
        assert archive.testzip() is None


def test_a_limit_of_errors_holds_on_a_server(run: Run, live: Live, tmp_path: Path) -> None:
    """The job is created over the service's own API, with the same columns."""
    (tmp_path / "f.csv").write_text(MIXED.replace("City", "Birthday").replace("Köln", ""))
    command = (
        "write", "f.csv", "--module", "Contacts", "--operation", "insert", "--map",
        "Birthday=Mailing_City", "--default", "Mailing_City=Ulm", "--url", live.base_url,
        "--token", live.access_token, "--max-errors",
    )  # fmt: skip
    done = run(*command, "1")
    assert done.returncode == 1, done.stderr
    assert "FAILED  added 2  updated 0  skipped 2" in done.stdout
    assert "TOO_MANY_ERRORS: what is stored stays; 0 rows were not reached" in done.stdout
    assert run(*command, "50%").returncode == 3


def test_columns_are_compared_with_the_fields_of_the_server(
    run: Run, live: Live, tmp_path: Path
) -> None:
    """Before anything is uploaded; a token that may not read them is refused with the scope."""
    (tmp_path / "f.csv").write_text("Last_Name,Frist_Name\nBoyle,Pat\n")
    remote = ("--url", live.base_url, "--token", live.access_token)
    line = refused(run("write", "f.csv", *INSERT, *remote))
    assert "Frist_Name (no such field; did you mean First_Name?)" in line
    assert run("write", "f.csv", *INSERT, *remote, "--ignore-columns").returncode == 0
    (tmp_path / "c.csv").write_text("Last_Name,Firm\nBoyle,Zylker\n")
    contacts = ("write", "c.csv", "--module", "Contacts", "--operation", "insert", *remote)
    line = refused(run(*contacts, "--map", "Firm=Account_Name:Acount_Name"))
    assert "Accounts has no field 'Acount_Name'; did you mean Account_Name?" in line
    done = run(*contacts, "--map", "Firm=Account_Name:account name")
    assert done.returncode == 3 and "INVALID_DATA  Firm" in done.stdout
    narrow = live.token("ZohoCRM.bulk.ALL,ZohoCRM.modules.ALL,ZohoFiles.files.ALL")
    wrong = ("--url", live.base_url, "--token", narrow)
    assert "ZohoCRM.settings.fields.READ" in refused(run("write", "f.csv", *INSERT, *wrong))
    unknown = run("write", "f.csv", "--module", "Nope", "--operation", "insert", *remote)
    assert "INVALID_MODULE" in refused(unknown)


def test_what_was_a_guess_is_shown(run: Run, live: Live, tmp_path: Path) -> None:
    """As on a data folder; a token without the scope is shown which scope it lacks."""
    rows = ("Dvořák|1,5", "Kučera|x", 'Růžička|"a" b', "Němec|Žďár", "Šimůnek|Plzeň")
    text = "Last_Name|City, State\n" + "\n".join(rows)
    (tmp_path / "f.csv").write_bytes(text.encode("cp1250"))
    command = ("write", "f.csv", *INSERT, "--ignore-columns", "--url", live.base_url, "--token")
    done = run(*command, live.access_token)
    assert done.returncode == 0, done.stderr
    local = run("write", "f.csv", *INSERT, "--ignore-columns", "--data", "d")
    guesses = done.stdout.splitlines()[2:]
    assert guesses == local.stdout.splitlines()[2:]
    assert guesses == [
        "encoding windows-1250: a guess; --encoding names another one",
        "separated by a vertical bar",
        "rows with stray quotes: 1, the first is row 3; the quotes were read as characters",
    ]
    scopes = ("bulk", "modules", "settings", "org")
    narrow = live.token("".join(f"ZohoCRM.{s}.ALL," for s in scopes) + "ZohoFiles.files.ALL")
    done = run(*command, narrow)
    assert done.stdout.splitlines()[2:] == [
        "encoding windows-1250: found by the server; --encoding names it",
        "other guesses about the file are not shown: the token lacks the scope "
        "bulkwright.jobs.READ",
    ]


def test_a_dry_run_on_a_server_stores_nothing(run: Run, live: Live, tmp_path: Path) -> None:
    """Its result is that of the real run, apart from the ids of new records."""
    (tmp_path / "f.csv").write_text("Last Name,E-Mail,Age\nDry,dry@x.example,1\nRun,none,2\n")
    upsert = ("--module", "Leads", "--operation", "upsert", "--find-by", "Email")
    more = ("--map", "E-Mail=Email", "--map", "Age=", "--default", "City=Ulm", "--result", "o.zip")
    command = ("write", "f.csv", *upsert, *more, "--url", live.base_url, "--token")
    found = []
    for dry in (("--dry-run",), ("--dry-run",), ()):
        done = run(*command, live.access_token, *dry)
        assert done.returncode == 3, done.stderr
        assert ("nothing was stored" in done.stdout) is bool(dry)
        assert done.stdout.startswith("columns left out: Age") or "Age (as stated)" in done.stdout
        line = next(one for one in done.stdout.splitlines() if "COMPLETED" in one)
        assert line.startswith("dry run job ") is bool(dry)
        assert line.endswith("added 1  updated 0  skipped 1  of 2 rows")
        with zipfile.ZipFile(tmp_path / "o.zip") as archive:
            found.append(archive.read(archive.namelist()[0]).decode().splitlines())
    first, second, real = found
    assert first == second
    assert [line.rsplit(",", 2)[0] for line in first] == [line.rsplit(",", 2)[0] for line in real]


def test_a_dry_run_that_a_server_does_not_do(run: Run, live: Live, tmp_path: Path) -> None:
    """The message names the scope; and a file that the real job would not take is refused."""
    (tmp_path / "f.csv").write_text("Last_Name\nBoyle\n")
    narrow = live.token(
        "ZohoCRM.bulk.ALL,ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.org.ALL,"
        "ZohoFiles.files.ALL"
    )
    command = ("write", "f.csv", *INSERT, "--dry-run", "--url", live.base_url, "--token")
    assert "bulkwright.jobs.CREATE" in refused(run(*command, narrow))
    (tmp_path / "f.csv").write_text("Last_Name\tEmail\nBoyle\tp@x.example\n")
    assert "separated by tabs" in refused(run(*command, live.access_token))


def test_a_named_delimiter_holds_on_the_server_too(run: Run, live: Live, tmp_path: Path) -> None:
    """Even where another one would fit better; a token that may not state it is refused."""
    (tmp_path / "f.csv").write_text("Last_Name|City,Email\n" + "a|b,x@x.example\n" * 3)
    options = ("--delimiter", "comma", "--map", "Last_Name|City=Last_Name", "--default", "City=Ulm")
    command = ("write", "f.csv", *INSERT, *options)
    local = run(*command, "--data", "d")
    done = run(*command, "--url", live.base_url, "--token", live.access_token)
    assert (done.returncode, local.returncode) == (0, 0), done.stderr + local.stderr
    assert "added 3" in done.stdout
    assert done.stdout.splitlines()[1:] == local.stdout.splitlines()[1:]
    piped = run(*command[:4], "--operation", "insert", "--delimiter", "bar", "--ignore-columns",
                *("--url", live.base_url, "--token", live.access_token))  # fmt: skip
    assert "left out: City,Email" in piped.stdout, piped.stdout + piped.stderr
    narrow = live.token("ZohoCRM.bulk.ALL,ZohoCRM.modules.ALL,ZohoFiles.files.ALL,"
                        "ZohoCRM.settings.ALL,ZohoCRM.org.ALL")  # fmt: skip
    line = refused(run(*command, "--url", live.base_url, "--token", narrow))
    assert "bulkwright.jobs.CREATE" in line


def test_other_programs_read_json(run: Run, live: Live, tmp_path: Path) -> None:
    """Counts and reasons have the keys that they have without a server."""
    (tmp_path / "leads.csv").write_text("Last_Name,Email\nBoyle,b@json.example\nKay,none\n")
    done = run(
        "write", "leads.csv", "--module", "Leads", "--operation", "insert", "--json",
        "--url", live.base_url, "--token", live.credentials["access_token"],
    )  # fmt: skip
    assert done.returncode == 3 and "added 1" in done.stderr
    job = json.loads(done.stdout)
    assert (job["status"], job["added"], job["skipped"]) == ("COMPLETED", 1, 1)
    assert job["reasons"] == [{"code": "INVALID_DATA", "column": "Email", "rows": 1}]


def test_the_mapping_of_an_import_template_is_a_mapping_file(
    run: Run, live: Live, tmp_path: Path
) -> None:
    """As it is downloaded, for a server and for a data folder."""
    columns = {"Nachname": "Last_Name", "Geburtstag": "Date_of_Birth", "Notiz": ""}
    mapping = {
        "map": columns,
        "default": {"Lead_Source": "Trade Show"},
        "format": {"Geburtstag": "dd.MM.yyyy"},
    }
    body = {"module": "Contacts", "operation": "insert", "mapping": mapping}
    headers = {"Authorization": f"Bearer {live.access_token}"}
    url = f"{live.base_url}/api/v1/import-templates/kunden"
    with httpx2.Client(headers=headers, verify=False) as http:
        assert http.put(url, json=body).status_code == 200
        (tmp_path / "kunden.json").write_bytes(http.get(f"{url}/mapping").content)
    (tmp_path / "kunden.csv").write_text("Nachname;Geburtstag;Notiz\nMay;31.12.1990;neu\n")
    command = (
        "write", "kunden.csv", "--module", "Contacts", "--operation", "insert",
        "--mapping", "kunden.json",
    )  # fmt: skip
    for place in (("--url", live.base_url, "--token", live.access_token), ("--data", "local")):
        done = run(*command, *place)
        assert done.returncode == 0, done.stderr
        assert "Notiz (as stated)" in done.stdout and "added 1" in done.stdout
