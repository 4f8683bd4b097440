"""`bulkwright org`, `user`, `client` and `token create`: credentials for a real deployment."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.program import Run, refused

from bulkwright.domain.account import OAuthClient
from bulkwright.settings import Settings
from bulkwright.wiring import open_services

PASSWORD = "Füße im Wasser, 12"
DATA = ("--data", "d")

pytestmark = pytest.mark.usefixtures("org")


def given(folder: Path, text: str, *line: str) -> subprocess.CompletedProcess[str]:
    """Runs a command that reads standard input."""
    command = [sys.executable, "-m", "bulkwright", *line, *DATA]
    return subprocess.run(
        command, cwd=folder, input=text, capture_output=True, text=True, timeout=300, check=False
    )


def right(folder: Path, email: str, password: str) -> bool:
    """Returns whether this user can sign in with this password."""
    with open_services(Settings(folder / "d")) as services:
        (org,) = services.accounts.orgs()
        return services.signin.sign_in(org.id, email, password, "") is not None


def values(text: str) -> dict[str, str]:
    """Returns the names and values that a command prints, one a line."""
    return dict(re.findall(r"(?m)^(\S+) +(.*)$", text))


def test_the_org_is_shown(run: Run) -> None:
    """With the id that clients send."""
    shown = values(run("org", *DATA).stdout)
    assert re.fullmatch(r"[0-9]{8,9}", shown["org_id"])
    assert (shown["company"], shown["users"], shown["currency"]) == ("Zylker", "1", "USD")


def test_an_org_is_given_a_priority(run: Run) -> None:
    """It is shown afterwards; an unknown org is rejected."""
    assert values(run("org", *DATA).stdout)["priority"] == "0"
    assert values(run("org", "--priority", "3", *DATA).stdout)["priority"] == "3"
    number = values(run("org", *DATA).stdout)["org_id"]
    assert values(run("org", number, "--priority", "-1", *DATA).stdout)["priority"] == "-1"
    assert "There is no org 1; " in refused(run("org", "1", *DATA))


def test_a_user_is_added_with_a_profile(run: Run) -> None:
    """The user is listed; another one with the same e-mail in other letters is rejected."""
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
    """The first line; it replaces the old password, and no file contains it."""
    set_first = given(tmp_path, f"{PASSWORD}\nmore\n", "user", "password", "P@x.example")
    assert set_first.stdout == "revoked 1 token, ended 0 sessions\n"
    assert right(tmp_path, "p@x.example", PASSWORD)
    assert " yes " in run("user", "list", *DATA).stdout
    assert given(tmp_path, "another password", "user", "password", "p@x.example").returncode == 0
    assert not right(tmp_path, "p@x.example", PASSWORD)
    assert right(tmp_path, "p@x.example", "another password")
    stored = b"".join(p.read_bytes() for p in (tmp_path / "d").iterdir() if p.is_file())
    assert b"another password" not in stored


def test_a_user_is_added_with_a_password(tmp_path: Path) -> None:
    """If the password is too short, the user is not added."""
    add = ("user", "add", "lee@x.example", "--last-name", "Lee", "--password")
    made = given(tmp_path, f"{PASSWORD}\n", *add)
    assert made.returncode == 0, made.stderr
    assert right(tmp_path, "lee@x.example", PASSWORD)


@pytest.mark.parametrize("password", ["", "x" * 11, "x" * 257])
def test_a_weak_password_is_rejected(tmp_path: Path, password: str) -> None:
    """The message has the rule; no user is added."""
    weak = given(tmp_path, password, "user", "password", "p@x.example")
    assert "12 to 256 characters" in refused(weak)
    add = ("user", "add", "w@x.example", "--last-name", "W", "--password")
    assert "12 to 256 characters" in refused(given(tmp_path, password, *add))
    with open_services(Settings(tmp_path / "d")) as services:
        (user,) = services.accounts.users(services.accounts.orgs()[0].id)
        assert not services.signin.has_password(user)


@pytest.mark.parametrize(
    "password",
    ["Bulkwright2026", "password12345", "ZYLKER-zylker-1", "Example-Zylker!", "Winterfeldt123"],
)
def test_a_password_of_known_words_is_rejected(tmp_path: Path, password: str) -> None:
    """Those of the service, of the user and of the org, in any letters."""
    add = ("user", "add", "w@x.example", "--last-name", "Winterfeldt", "--password")
    assert "at least 8 characters beside" in refused(given(tmp_path, password, *add))
    known = "Winterfeldt" not in password
    weak = given(tmp_path, password, "user", "password", "p@x.example")
    assert (weak.returncode == 1 and "beside the names" in weak.stderr) == known
    assert given(tmp_path, f"{password} and a horse", *add).returncode == 0


def test_a_password_needs_a_user(tmp_path: Path) -> None:
    """One line names the unknown user."""
    unknown = given(tmp_path, PASSWORD, "user", "password", "unknown@x")
    assert "no user unknown@x" in refused(unknown)


@pytest.mark.parametrize(("second", "status"), [(PASSWORD, 0), ("other", 1)])
def test_a_terminal_is_prompted_twice(tmp_path: Path, second: str, status: int) -> None:
    """The terminal does not show the password."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "bulkwright", "user", "password", "p@x.example", *DATA],
        cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    shown = b""
    for answer, question in ((PASSWORD, b"characters: "), (second, b"Repeat it: ")):
        while question not in shown:
            shown += os.read(ours, 1000)
        os.write(ours, answer.encode() + b"\n")
    os.close(theirs)
    assert process.wait(300) == status
    os.close(ours)
    assert PASSWORD.encode() not in shown
    assert right(tmp_path, "p@x.example", PASSWORD) == (status == 0)


def test_no_password_on_the_command_line(run: Run) -> None:
    """Other processes could read it."""
    for line in (("password", "p@x.example", PASSWORD), ("password", "--password", PASSWORD)):
        done = run("user", *line, *DATA)
        assert done.returncode != 0


def test_clients_are_registered(run: Run, tmp_path: Path) -> None:
    """A server's and a self client have a secret; a JavaScript client has none."""
    uris = ("--redirect-uri", "https://a.example/cb", "--redirect-uri", "http://localhost:3000/")
    server = values(run("client", "add", "Web", "--kind", "server", *uris, *DATA).stdout)
    assert list(server) == ["client_id", "client_secret"]
    script = values(run("client", "add", "Page", "--kind", "javascript", *uris, *DATA).stdout)
    assert list(script) == ["client_id"]
    mine = values(run("client", "add", "Mine", "--kind", "self", *DATA).stdout)
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
def test_unusual_redirect_uris_are_rejected(run: Run, line: tuple[str, ...], word: str) -> None:
    """Browsers and libraries read them in different ways."""
    assert word in refused(run("client", "add", "X", *line, *DATA))


def test_a_code_of_a_self_client(run: Run, tmp_path: Path) -> None:
    """It is valid for one exchange, for its scopes and its user."""
    mine = values(run("client", "add", "Mine", "--kind", "self", *DATA).stdout)
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


def test_tokens_need_a_client_and_a_user(run: Run) -> None:
    """Both must exist; one kind of token at a time."""
    page = ("client", "add", "Page", "--kind", "javascript", "--redirect-uri", "http://a.example/")
    page_id = values(run(*page, *DATA).stdout)["client_id"]
    for line, word in (
        (("--client", "1000.X"), "no OAuth client 1000.X with a secret"),
        (("--client", page_id), "no OAuth client"),
        (("--code", "--client", page_id), "no self client"),
        (("--user", "unknown@x"), "no user unknown@x"),
        (("--code", "--refresh"), "either --refresh or --code"),
    ):
        assert word in refused(run("token", "create", *line, *DATA))


@pytest.mark.parametrize("url", ["crm.example", "https://crm.example/x", "ftp://crm.example"])
def test_a_public_url_is_one_of_a_host(run: Run, url: str) -> None:
    """`serve` rejects others before it creates anything."""
    assert "--public-url" in refused(run("serve", "--public-url", url, *DATA))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (("org", "add", "--company", " ", "--email", "a@x.example"), "name of the org is empty"),
        (("org", "--priority", "1001"), "a priority is a number from -1000 to 1000"),
        (("user", "add", "nope", "--last-name", "Kay"), "'nope' is no e-mail; give one such as"),
        (("client", "add", "", "--kind", "self"), "the name of the client is empty"),
        (("token", "create", "--scope", "nope"), "--scope nope: give scopes such as"),
    ],
)
def test_a_value_that_cannot_be_meant(run: Run, line: tuple[str, ...], words: str) -> None:
    """Nothing is created with it."""
    assert words in refused(run(*line, *DATA))
