"""`bulkwright org`, `user`, `client` and `token create`: credentials for a real deployment."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Run, refused

from bulkwright.config import Settings
from bulkwright.domain.account import OAuthClient
from bulkwright.wiring import open_services

PASSWORD = "Füße im Wasser, 12"
DATA = ("--data", "d")

pytestmark = pytest.mark.usefixtures("org")


def given(folder: Path, text: str, *line: str) -> subprocess.CompletedProcess[str]:
    """Run a command that reads standard input."""
    command = [sys.executable, "-m", "bulkwright", *line, *DATA]
    return subprocess.run(
        command, cwd=folder, input=text, capture_output=True, text=True, timeout=60, check=False
    )


def right(folder: Path, email: str, password: str) -> bool:
    """Whether somebody can sign in so."""
    with open_services(Settings(folder / "d")) as services:
        (org,) = services.accounts.orgs()
        return services.signin.sign_in(org.id, email, password, "") is not None


def told(text: str) -> dict[str, str]:
    """Names and values, a line each."""
    return dict(re.findall(r"(?m)^(\S+) +(.*)$", text))


def test_the_org_is_shown(run: Run) -> None:
    """With the number that clients send."""
    shown = told(run("org", *DATA).stdout)
    assert re.fullmatch(r"[0-9]{8,9}", shown["org_id"])
    assert (shown["company"], shown["users"], shown["currency"]) == ("Zylker", "1", "USD")


def test_an_org_is_given_a_priority(run: Run) -> None:
    """It is shown from then on; an org that is not there is refused."""
    assert told(run("org", *DATA).stdout)["priority"] == "0"
    assert told(run("org", "--priority", "3", *DATA).stdout)["priority"] == "3"
    number = told(run("org", *DATA).stdout)["org_id"]
    assert told(run("org", number, "--priority", "-1", *DATA).stdout)["priority"] == "-1"
    refused = run("org", "1", *DATA)
    assert (refused.returncode, refused.stderr) == (1, "bulkwright: There is no org 1.\n")


def test_a_user_is_added_with_a_profile(run: Run) -> None:
    """And listed; the e-mail is new in the org, however it is spelled."""
    added = run("user", "add", "kay@x.example", "--last-name", "Kay [b]", "--profile", "Standard",
                "--time-zone", "Asia/Tokyo", *DATA)  # fmt: skip
    assert re.fullmatch(r"user_id +[0-9]{18}\n", added.stdout)
    listed = run("user", "list", *DATA).stdout
    (line,) = (line for line in listed.splitlines() if "kay@x.example" in line)
    for word in ("Kay [b]", "Standard", " no ", "Asia/Tokyo"):
        assert word in line
    again = run("user", "add", "KAY@x.example", "--last-name", "Kay", *DATA)
    assert "already" in refused(again)
    zone = run("user", "add", "z@x.example", "--last-name", "Z", "--time-zone", "Mars", *DATA)
    assert "time zone" in refused(zone)
    assert run("user", "add", "z@x.example", "--last-name", "Z", *DATA).returncode == 0


def test_a_password_comes_from_standard_input(run: Run, tmp_path: Path) -> None:
    """Its first line; it replaces the one before, and is in no file."""
    assert given(tmp_path, f"{PASSWORD}\nmore\n", "user", "password", "P@x.example").stdout == ""
    assert right(tmp_path, "p@x.example", PASSWORD)
    assert " yes " in run("user", "list", *DATA).stdout
    assert given(tmp_path, "another password", "user", "password", "p@x.example").returncode == 0
    assert not right(tmp_path, "p@x.example", PASSWORD)
    assert right(tmp_path, "p@x.example", "another password")
    stored = b"".join(p.read_bytes() for p in (tmp_path / "d").iterdir() if p.is_file())
    assert b"another password" not in stored


def test_a_user_is_added_with_a_password(tmp_path: Path) -> None:
    """Or not at all, when it is too short."""
    add = ("user", "add", "lee@x.example", "--last-name", "Lee", "--password")
    made = given(tmp_path, f"{PASSWORD}\n", *add)
    assert made.returncode == 0, made.stderr
    assert right(tmp_path, "lee@x.example", PASSWORD)


@pytest.mark.parametrize("password", ["", "x" * 11, "x" * 257])
def test_a_weak_password_is_refused(tmp_path: Path, password: str) -> None:
    """With what is wanted; nobody is added without."""
    weak = given(tmp_path, password, "user", "password", "p@x.example")
    assert "12 to 256 characters" in refused(weak)
    add = ("user", "add", "w@x.example", "--last-name", "W", "--password")
    assert "12 to 256 characters" in refused(given(tmp_path, password, *add))
    with open_services(Settings(tmp_path / "d")) as services:
        (user,) = services.accounts.users(services.accounts.orgs()[0].id)
        assert not services.signin.has_password(user)


def test_a_password_is_somebodys(tmp_path: Path) -> None:
    """One line says who is not there."""
    nobody = given(tmp_path, PASSWORD, "user", "password", "nobody@x")
    assert "no user nobody@x" in refused(nobody)


@pytest.mark.parametrize(("second", "status"), [(PASSWORD, 0), ("other", 1)])
def test_a_person_is_asked_twice(tmp_path: Path, second: str, status: int) -> None:
    """At a terminal, where nothing of it is shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "bulkwright", "user", "password", "p@x.example", *DATA],
        cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    shown = b""
    for answer, question in ((PASSWORD, b"characters: "), (second, b"more: ")):
        while question not in shown:
            shown += os.read(ours, 1000)
        os.write(ours, answer.encode() + b"\n")
    os.close(theirs)
    assert process.wait(60) == status
    os.close(ours)
    assert PASSWORD.encode() not in shown
    assert right(tmp_path, "p@x.example", PASSWORD) == (status == 0)


def test_no_password_on_the_command_line(run: Run) -> None:
    """Other processes could read it there."""
    for line in (("password", "p@x.example", PASSWORD), ("password", "--password", PASSWORD)):
        done = run("user", *line, *DATA)
        assert done.returncode != 0


def test_clients_are_registered(run: Run, tmp_path: Path) -> None:
    """A server's and a self client have a secret; a JavaScript client has none."""
    uris = ("--redirect-uri", "https://a.example/cb", "--redirect-uri", "http://localhost:3000/")
    server = told(run("client", "add", "Web", "--kind", "server", *uris, *DATA).stdout)
    assert list(server) == ["client_id", "client_secret"]
    script = told(run("client", "add", "Page", "--kind", "javascript", *uris, *DATA).stdout)
    assert list(script) == ["client_id"]
    mine = told(run("client", "add", "Mine", "--kind", "self", *DATA).stdout)
    assert list(mine) == ["client_id", "client_secret"]
    listed = run("client", "list", *DATA).stdout
    for word in (server["client_id"], "Page", "javascript", "https://a.example/cb", "First client"):
        assert word in listed
    with open_services(Settings(tmp_path / "d")) as services:
        client = services.accounts.client(server["client_id"])
    assert isinstance(client, OAuthClient)
    assert client.redirect_uris == ("https://a.example/cb", "http://localhost:3000/")


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (("--kind", "server"), "at least one --redirect-uri"),
        (("--kind", "javascript"), "at least one --redirect-uri"),
        (("--kind", "self", "--redirect-uri", "https://a.example/"), "no --redirect-uri"),
        (("--kind", "server", "--redirect-uri", "https://a.example/#x"), "--redirect-uri"),
        (("--kind", "server", "--redirect-uri", "javascript:alert(1)"), "--redirect-uri"),
        (("--kind", "server", "--redirect-uri", "https://u@a.example/"), "--redirect-uri"),
        (("--kind", "server", "--redirect-uri", "https://a.example;x/"), "--redirect-uri"),
    ],
)
def test_odd_redirect_uris_are_refused(run: Run, line: tuple[str, ...], word: str) -> None:
    """What browsers and libraries read in different ways is registered by nobody."""
    assert word in refused(run("client", "add", "X", *line, *DATA))


def test_a_self_client_gets_a_code(run: Run, tmp_path: Path) -> None:
    """O34: good for one exchange, for the scopes it was made with, and in somebody's name."""
    mine = told(run("client", "add", "Mine", "--kind", "self", *DATA).stdout)
    run("user", "add", "kay@x.example", "--last-name", "Kay", *DATA)
    line = ("--code", "--client", mine["client_id"], "--user", "kay@x.example")
    code = run("token", "create", *line, "--scope", "ZohoCRM.org.READ", *DATA).stdout.strip()
    with open_services(Settings(tmp_path / "d")) as services:
        given = services.tokens.exchange(mine["client_id"], mine["client_secret"], code, None)
        caller = services.tokens.check(given.access_token)
        user = services.accounts.user(caller.org_id, caller.user_id)
    assert given.refresh_token is not None
    assert given.scopes == "zohocrm.org.read"
    assert user is not None and user.name == "Kay"


def test_tokens_need_somebody(run: Run) -> None:
    """A client and a user that are there; one kind at a time."""
    page = ("client", "add", "Page", "--kind", "javascript", "--redirect-uri", "http://a.example/")
    page_id = told(run(*page, *DATA).stdout)["client_id"]
    for line, word in (
        (("--client", "1000.X"), "no OAuth client that may hold tokens 1000.X"),
        (("--client", page_id), "no OAuth client"),
        (("--code", "--client", page_id), "no self client"),
        (("--user", "nobody@x"), "no user nobody@x"),
        (("--code", "--refresh"), "Either"),
    ):
        assert word in refused(run("token", "create", *line, *DATA))


@pytest.mark.parametrize("url", ["crm.example", "https://crm.example/x", "ftp://crm.example"])
def test_a_public_url_is_one_of_a_host(run: Run, url: str) -> None:
    """`serve` is told before anything is made."""
    assert "--public-url" in refused(run("serve", "--public-url", url, *DATA))
