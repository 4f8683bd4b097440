"""A folder that `serve --dev` made is not served without --dev until everything is revoked."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import httpx2
import pytest
from tests.support.processes import clean_environment
from tests.support.program import Run, refused

from bulkwright.settings import Settings
from bulkwright.testing import ServerDidNotStart, ServerProcess
from bulkwright.wiring import open_services


def server(folder: Path, *options: str, dev: bool) -> ServerProcess:
    """A server on the folder `d`."""
    return ServerProcess(
        folder / "d",
        *("--workers", "0", *options),
        dev=dev,
        log=folder / "log",
        environment=clean_environment(),
    )


@pytest.mark.slow
@pytest.mark.parametrize(("store", "file"), [("sqlite", "kept"), ("postgres", "deleted")])
def test_a_development_folder_is_adopted(
    request: pytest.FixtureRequest, tmp_path: Path, run: Run, store: str, file: str
) -> None:
    """Refused with what to do; adopted, none of its secrets is accepted."""
    where: tuple[str, ...] = ()
    if store == "postgres":
        where = ("--database", request.getfixturevalue("postgres").database())
    with server(tmp_path, *where, dev=True) as running:
        old = running.credentials
    if file == "deleted":
        (tmp_path / "d" / "dev-credentials.json").unlink()
    with pytest.raises(ServerDidNotStart, match="bulkwright org adopt"):
        server(tmp_path, *where, dev=False).start()
    adopted = run("org", "adopt", "--data", "d", *where)
    assert re.fullmatch(
        r"revoked 2 tokens, ended 0 sessions, removed all OAuth clients of org [0-9]+\n",
        adopted.stdout,
    )
    assert not (tmp_path / "d" / "dev-credentials.json").exists()
    assert "nothing to adopt" in refused(run("org", "adopt", "--data", "d", *where))
    with server(tmp_path, *where, dev=False) as running:
        url = running.base_url
        header = {"Authorization": f"Bearer {old['access_token']}"}
        assert httpx2.get(f"{url}/crm/v2/org", headers=header).status_code == 401
        form = {name: old[name] for name in ("client_id", "client_secret", "refresh_token")}
        form["grant_type"] = "refresh_token"
        answer = httpx2.post(f"{url}/oauth/v2/token", data=form)
        assert answer.json() == {"error": "invalid_client"}
        query = {
            "client_id": "1000.NPY9M1V0XXXXXXXXXXXXXXXXXXXF7H",
            "redirect_uri": "http://127.0.0.1:5500/redirect.html",
            "response_type": "token",
            "scope": "ZohoCRM.org.READ",
        }
        page = httpx2.get(f"{url}/oauth/v2/auth", params=query)
        assert (page.status_code, "invalid_client" in page.text) == (400, True)
    with pytest.raises(ServerDidNotStart, match="--dev did not create"):
        server(tmp_path, *where, dev=True).start()


def test_a_folder_of_an_older_version_is_recognised(tmp_path: Path, run: Run) -> None:
    """By the client of the documentation's sample, which only --dev registers."""
    with open_services(Settings(tmp_path / "d")) as services:
        services.setup.dev_setup()
        database = services.database
        database.sql("UPDATE orgs SET dev = 0")
        migration = files("bulkwright.store") / "sqlite" / "migrations" / "013_accounts.sql"
        (statement,) = re.findall(
            r"UPDATE orgs SET dev = 1.*?;", migration.read_text("utf-8"), re.DOTALL
        )
        database.sql(statement.removesuffix(";"))
    assert "`bulkwright org adopt --data d`" in refused(run("serve", "--data", "d", "--port", "0"))
