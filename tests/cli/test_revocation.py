"""Commands that revoke, rotate, deactivate and remove, while a server runs on the same data.

The server is a process of its own. The commands run in the test process, one after the other.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.support.postgres import Server
from tests.support.processes import clean_environment

from bulkwright.cli import app
from bulkwright.testing import ServerProcess

PASSWORD = "correct horse battery"


@dataclass
class Site:
    """A server process, and commands on its data."""

    where: tuple[str, ...]
    http: httpx2.Client
    org: dict[str, str]
    """What `init` printed."""

    def run(self, *line: str) -> str:
        """Runs a command that succeeds; returns what it prints."""
        status, printed, message = called(*line, *self.where)
        assert status == 0, message
        return printed

    def fails(self, *line: str) -> str:
        """Runs a command that fails; returns its message."""
        status, printed, message = called(*line, *self.where)
        assert (status, printed) == (1, "")
        return message

    def listed(self, *line: str) -> list[dict[str, Any]]:
        """Runs a command that lists, with --json."""
        found: list[dict[str, Any]] = json.loads(self.run(*line, "--json"))
        return found

    def ask(self, **form: str) -> dict[str, Any]:
        """Asks the token endpoint by the client's own refresh token."""
        usual = {
            "grant_type": "refresh_token",
            "refresh_token": self.org["refresh_token"],
            "client_id": self.org["client_id"],
            "client_secret": self.org["client_secret"],
        }
        answer: dict[str, Any] = self.http.post("/oauth/v2/token", data=usual | form).json()
        return answer

    def alive(self, token: str) -> bool:
        """Whether the API accepts a token; asked twice, so that an answer may be cached."""
        header = {"Authorization": f"Zoho-oauthtoken {token}"}
        paths = ("/crm/bulk/v2/write/1", "/crm/v2/org") * 2
        codes = {self.http.get(path, headers=header).status_code for path in paths}
        assert codes in ({404, 200}, {401})
        return codes != {401}


def called(*line: str) -> tuple[int, str, str]:
    """Runs a command; returns its exit status, its output and its message."""
    printed, message = io.StringIO(), io.StringIO()
    status: object = 0
    with redirect_stdout(printed), redirect_stderr(message):
        try:
            app(line, result_action="return_value")
        except SystemExit as end:
            status = end.code
    assert isinstance(status, int)
    return status, printed.getvalue(), message.getvalue()


def values(text: str) -> dict[str, str]:
    """The names and values that a command prints, one a line."""
    return dict(re.findall(r"(?m)^(\S+) +(.*)$", text))


@pytest.fixture(params=["sqlite", "postgres"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A running server on each store, for one test: most of them revoke everything."""
    folder = tmp_path
    where: tuple[str, ...] = ("--data", str(folder / "d"))
    if request.param == "postgres":
        server: Server = request.getfixturevalue("postgres")
        where += ("--database", server.database())
    init = ("init", "--company", "Zylker", "--email", "p@x.example")
    status, printed, message = called(*init, *where)
    assert status == 0, message
    options = ("--workers", "0", *where[2:])
    running = ServerProcess(
        folder / "d", *options, dev=False, log=folder / "log", environment=clean_environment()
    )
    with running, httpx2.Client(base_url=running.base_url, timeout=30) as http:
        yield Site(where, http, values(printed))


def test_tokens_are_listed_and_revoked(site: Site) -> None:
    """The running server rejects them at the next request."""
    access = site.ask()["access_token"]
    assert site.alive(access)
    listed = site.listed("token", "list")
    assert {token["kind"] for token in listed} == {"access", "refresh"}
    assert access not in json.dumps(listed) and listed[0]["email"] == "p@x.example"
    table = site.run("token", "list", "--client", site.org["client_id"])
    assert all(token["token_id"] in table for token in listed)
    newest = next(token["token_id"] for token in listed if token["kind"] == "access")
    assert newest in site.fails("token", "revoke", newest[::-1]) + newest
    site.run("token", "revoke", newest)
    assert not site.alive(access)
    assert "There is no token" in site.fails("token", "revoke", newest)
    assert "ids of tokens" in site.fails("token", "revoke")
    access = site.ask()["access_token"]
    done = site.run("token", "revoke", "--client", site.org["client_id"])
    assert done == "revoked 2 tokens, ended 0 sessions\n"
    assert not site.alive(access)
    assert site.ask() == {"error": "invalid_code"}
    site.org["refresh_token"] = site.run("token", "create", "--refresh").strip()
    assert site.alive(site.ask()["access_token"])
    site.run("token", "revoke", "--user", "p@x.example")
    assert site.ask() == {"error": "invalid_code"}
    site.org["refresh_token"] = site.run("token", "create", "--refresh").strip()


def test_a_secret_is_rotated(site: Site) -> None:
    """The old one is dead; the new one works."""
    old = site.org["client_secret"]
    new = values(site.run("client", "rotate", site.org["client_id"]))
    assert new["client_id"] == site.org["client_id"] and new["client_secret"] != old
    assert site.ask() == {"error": "invalid_client_secret"}
    site.org["client_secret"] = new["client_secret"]
    assert "access_token" in site.ask()


def test_a_client_is_deactivated_and_removed(site: Site) -> None:
    """A second client: the first one works all the time."""
    mine = values(site.run("client", "add", "Second", "--kind", "self"))
    refresh = site.run("token", "create", "--refresh", "--client", mine["client_id"]).strip()
    second = {
        "client_id": mine["client_id"],
        "client_secret": mine["client_secret"],
        "refresh_token": refresh,
    }
    access = site.ask(**second)["access_token"]
    site.run("client", "deactivate", mine["client_id"])
    assert not site.alive(access) and site.ask(**second) == {"error": "invalid_client"}
    states = {c["client_id"]: c["state"] for c in site.listed("client", "list")}
    assert states[mine["client_id"]] == "inactive"
    site.run("client", "activate", mine["client_id"])
    assert site.ask(**second) == {"error": "invalid_code"}, "its old tokens stay revoked"
    site.run("client", "remove", mine["client_id"])
    assert site.ask(**second) == {"error": "invalid_client"}
    assert "There is no client" in site.fails("client", "remove", mine["client_id"])
    assert "access_token" in site.ask()


def test_a_user_is_deactivated_and_removed(site: Site) -> None:
    """Tokens in the user's name are dead."""
    site.run("user", "add", "kay@x.example", "--last-name", "Kay")
    token = site.run("token", "create", "--user", "kay@x.example").strip()
    assert site.alive(token)
    assert "revoked 1 token," in site.run("user", "deactivate", "kay@x.example")
    assert not site.alive(token)
    assert [u["state"] for u in site.listed("user", "list")] == ["active", "inactive"]
    site.run("user", "activate", "kay@x.example")
    assert not site.alive(token)
    token = site.run("token", "create", "--user", "kay@x.example").strip()
    site.run("user", "remove", "kay@x.example")
    assert not site.alive(token)
    assert "There is no user" in site.fails("user", "remove", "kay@x.example")
    assert "owns OAuth clients" in site.fails("user", "remove", "p@x.example")


def test_a_second_org(site: Site) -> None:
    """It is added, named by --org, deactivated and removed; the first org works all the time."""
    first = site.ask()["access_token"]
    added = ("org", "add", "--company", "Acme", "--email", "a@acme.example")
    second = values(site.run(*added))
    number = second["org_id"]
    for command in (("user", "list"), ("client", "list"), ("jobs", "list"), ("org",)):
        assert "--org" in site.fails(*command)
    assert [u["email"] for u in site.listed("user", "list", "--org", number)] == ["a@acme.example"]
    assert "There is no org 5" in site.fails("user", "list", "--org", "5")
    token = site.run("token", "create", "--org", number).strip()
    assert site.alive(token)
    assert "already has an org" in site.fails(
        "init", "--company", "Third", "--email", "x@x.example"
    )
    assert "deactivate it first" in site.fails("org", "remove", number, "--yes")
    site.run("org", "deactivate", number)
    assert not site.alive(token) and site.alive(first)
    site.run("org", "activate", number)
    assert not site.alive(token)
    site.run("org", "deactivate", number)
    assert "add --yes" in site.fails("org", "remove", number)
    assert f"removed org {number} (Acme)" in site.run("org", "remove", number, "--yes")
    assert [org["company"] for org in site.listed("org", "list")] == ["Zylker"]
    assert site.alive(first) and values(site.run("org"))["state"] == "active"


def test_the_audit_log_is_read(site: Site) -> None:
    """Of both the server and the commands; without a secret."""
    site.ask()
    site.ask(client_secret="wrong")
    entries = site.listed("audit", "--most", "1000")
    assert entries[0]["action"] == "token-rejected" and entries[0]["address"] == "127.0.0.1"
    assert entries[1]["action"] == "token-issued" and entries[1]["operator"] == ""
    (added,) = site.listed("audit", "--action", "org-added", "--org", site.org["org_id"])
    assert added["operator"] and added["org_id"] == site.org["org_id"] and added["address"] == ""
    text = json.dumps(entries)
    assert site.org["client_secret"] not in text and site.org["refresh_token"] not in text
    table = site.run("audit", "--action", "org-added", "--since", "1h")
    assert site.org["org_id"] in table and "token-issued" not in table
    assert "--since" in site.fails("audit", "--since", "yesterday")
