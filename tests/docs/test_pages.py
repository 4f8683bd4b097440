"""Every command of README and of the pages runs, from an empty folder."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import psycopg
import pytest
from tests.docs.commands_page import commands, example
from tests.docs.shell import ROOT, blocks, run
from tests.support.live import Live
from tests.support.postgres import Server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl"),
]
DOCS = ROOT / "docs"
NOT_RUN = {
    "CONTRIBUTING.md": "it runs these tests",
    "tests/README.md": "it runs these tests",
    "tests/hostile/README.md": "its folder runs it",
    "tests/sdk/README.md": "it builds the environments of SDKs",
    "docs/deploy.md": "it needs root and several machines; test_deploy.py reads its commands",
    "deploy/README.md": "the same",
    "benchmarks/README.md": "tests/benchmarks runs the scripts",
    "requirements/README.md": "it resolves versions from the network",
    "docs/commands.md": "its examples run below",
    "docs/intercept.md": "it runs programs of the reader; tests/intercept and tests/sdk run such",
    "docs/test-your-integration.md": "its programs and their tests run in tests/sdk",
    "docs/sdk.md": "its server and its programs run below, and in tests/sdk",
}
"""Pages whose commands are not run as they stand, each with the reason."""
RUN = {
    "README.md", "docs/accounts.md", "docs/api.md", "docs/bulk-read.md", "docs/existing-tables.md",
    "docs/messy-csv.md", "docs/modules.md", "docs/tutorial.md", "docs/undo-an-import.md",
    "docs/write.md",
}  # fmt: skip


def text_of(name: str) -> str:
    """The text of a page."""
    return (ROOT / name).read_text("utf-8")


def block(name: str, start: str) -> str:
    """The block of a page that has a line with this start."""
    (found,) = [b for b in blocks(text_of(name)) if re.search(f"^{re.escape(start)}", b, re.M)]
    return found


def fenced(text: str) -> list[str]:
    """The blocks of a page that are marked as shell."""
    return re.findall(r"^```(?:sh|bash|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_every_page_with_commands_is_run_or_says_why_not() -> None:
    """A new page is added above."""
    tracked = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    typed = re.compile(r"^(bulkwright|python3? |curl |pip |uv |git |console )", re.MULTILINE)
    shown = {name: blocks(text_of(name)) + fenced(text_of(name)) for name in tracked}
    found = {name for name in tracked if any(typed.search(b) for b in shown[name])}
    assert found - RUN - set(NOT_RUN) == set()


@pytest.mark.parametrize("name", ["docs/write.md", "docs/modules.md", "docs/bulk-read.md"])
def test_a_page_runs_from_its_first_command_to_its_last(name: str, tmp_path: Path) -> None:
    """In one folder, as the page says."""
    run("\n".join(blocks(text_of(name))), tmp_path)


def test_the_tutorial(tmp_path: Path) -> None:
    """What it says about the rows is true: three are stored at first, in the end all five."""
    text = text_of("docs/tutorial.md")
    output = run("\n".join([*blocks(text), *fenced(text)]), tmp_path)
    assert "added 3  updated 0  skipped 2" in output
    assert "added 2  updated 0  skipped 0" in output
    stored = (tmp_path / "leads.csv").read_text()
    assert output.count("unchanged 3") == 1 and '"added_count":1' in output, output
    assert "Köln" not in stored  # the file of the second part


def test_a_messy_csv(tmp_path: Path) -> None:
    """The numbers and the text of the page's file are stored as they were meant."""
    run("\n".join(blocks(text_of("docs/messy-csv.md"))), tmp_path)
    stored = (tmp_path / "leads.csv").read_text()
    assert "Müller" in stored and "1234.5" in stored and "ruft an;\nheute" in stored


def test_an_import_is_undone(tmp_path: Path) -> None:
    """The wrong values and the record of the second file are gone."""
    lines = "\n".join(blocks(text_of("docs/undo-an-import.md"))).replace("JOB_ID", "$second")
    first_undo = "bulkwright jobs undo $second --dry-run"
    output = run(lines.replace(first_undo, f"second=$(newest)\n{first_undo}"), tmp_path)
    stored = (tmp_path / "leads.csv").read_text()
    assert "Oops" not in stored and "Hill" not in stored and stored.count("Bonn") == 2
    assert stored in output


def test_the_readme_loads_data_without_a_server(tmp_path: Path) -> None:
    """The lines of `write`, and what they leave."""
    run(block("README.md", "bulkwright write"), tmp_path)
    assert "p.boyle@zylker.example" in (tmp_path / "stored.csv").read_text()
    assert "not an address" in (tmp_path / "failed.csv").read_text()


def test_the_readme_serves_from_postgresql(tmp_path: Path, postgres: Server) -> None:
    """With a database and a folder of this machine."""
    lines = block("README.md", "bulkwright worker")
    assert "postgresql://bulkwright@db.example/bulkwright" in lines
    lines = lines.replace("postgresql://bulkwright@db.example/bulkwright", postgres.database())
    run(lines.replace("s3://my-bucket/bulkwright", "files"), tmp_path, BULKWRIGHT_PORT="0")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl")
def test_a_server_with_https(tmp_path: Path) -> None:
    """With the certificate that the page makes."""
    (lines,) = [b for b in fenced(text_of("docs/sdk.md")) if "openssl req" in b]
    run(lines, tmp_path)


def test_an_existing_table_of_sqlite(tmp_path: Path) -> None:
    """One row breaks a CHECK, the other is stored."""
    output = run(block("docs/existing-tables.md", "cat > shop.sql"), tmp_path)
    assert "INVALID_DATA  age" in output and "Ann,a@zylker.example,30" in output


def test_an_existing_table_of_postgresql(tmp_path: Path, postgres: Server) -> None:
    """The table of the page, in a schema beside that of the service."""
    url = postgres.database()
    (tables,) = re.findall(r"```sql\n(.*?)```", text_of("docs/existing-tables.md"), re.DOTALL)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA shop")
        connection.execute(tables)
    lines = block("docs/existing-tables.md", "export BULKWRIGHT_DATABASE")
    run(lines.replace("postgresql://USER@HOST/NAME", f"'{url}'"), tmp_path)
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT email, name, age, maker FROM shop.customers").fetchall()
    assert rows == [("a@zylker.example", "Ann", 30, 1)]


def test_the_page_of_the_own_api(tmp_path: Path) -> None:
    """The job that was created is followed to its end; then it is in the list, and alone."""
    (lines,) = fenced(text_of("docs/api.md"))
    output = run(lines, tmp_path)
    assert output.count('"columns_left_out":["Colour"]') >= 3
    assert output.count('"status":"COMPLETED"') == 7
    assert '"records":{"removed":1,"restored":0,"kept":0}' in output
    assert ",ADDED,Email,,p.boyle@zylker.example," in output
    assert '"action":"job-created"' in output
    assert "event: job" in output
    assert '"column":"Email","field":"Email","rows":1' in output
    assert (tmp_path / "leads-failed.csv").read_text() == "Last Name,Email,Colour\nKay,none,blue\n"


ACCOUNTS = ("org", "user", "client", "token", "audit")
"""Commands whose examples name users, clients and orgs; their own tests run them."""


_PICK = """
pick() { python3 -c "import json, sys; print(json.load(sys.stdin)[$1]['$2'])"; }
"""


def test_the_page_of_accounts(tmp_path: Path) -> None:
    """Its variables are the newest token, client and org."""
    (lines,) = fenced(text_of("docs/accounts.md"))
    for name, command in (
        ("$TOKEN", "bulkwright token list --json | pick 0 token_id"),
        ("$CLIENT", "bulkwright client list --json | pick 0 client_id"),
        ("$ORG", "bulkwright org list --json | pick -1 org_id"),
    ):
        assert name in lines
        lines = lines.replace(name, f"$({command})")
    run(_PICK + lines, tmp_path)


def test_the_examples_of_commands(tmp_path: Path) -> None:
    """In one folder; `demo` has its own tests, and so has what needs a job of another kind."""
    first = ("init", "serve", "worker")
    found = dict(commands())
    others = [
        name
        for name in found
        if name not in (*first, "demo", "jobs abort", "jobs delete", "callbacks replay")
    ]
    elsewhere = (*ACCOUNTS, "emulator")  # needs a server that runs: tests/emulator
    words = [*first, *(name for name in others if name.split()[0] not in elsewhere)]
    (tmp_path / "leads.csv").write_text("Last_Name,Email\nBoyle,p@zylker.example\nKay,none\n")
    (tmp_path / "parts.json").write_text('{"modules": [{"api_name": "Parts"}]}')
    (tmp_path / "zoho").mkdir()
    (tmp_path / "zoho" / "Trees.json").write_text('{"fields": []}')
    (tmp_path / "calls.har").write_text('{"log": {"entries": []}}')
    (tmp_path / "my_program.py").touch()
    prepared = """
python3 -c "import sqlite3; sqlite3.connect('bulkwright-data/bulkwright.sqlite').executescript(
'CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT)')"
bulkwright write leads.csv --module Leads --operation insert
"""
    lines = [example(name, found[name]) for name in words]
    run("\n".join([lines[0], prepared, *lines[1:]]), tmp_path, BULKWRIGHT_PORT="0")


def test_the_page_of_the_client(tmp_path: Path) -> None:
    """Its program prints what the page says; the other one needs an account at Zoho."""
    code, zoho = re.findall(r"```python\n(.*?)```", text_of("docs/client.md"), re.DOTALL)
    (expected,) = re.findall(r"```text\n(.*?)```", text_of("docs/client.md"), re.DOTALL)
    with zipfile.ZipFile(tmp_path / "leads.zip", "w") as archive:
        archive.writestr("leads.csv", "Last_Name\nBoyle\n")
    with Live(tmp_path / "D"):
        done = subprocess.run(
            [sys.executable, "-c", code + zoho],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert (done.stdout, done.stderr) == (expected, "")
