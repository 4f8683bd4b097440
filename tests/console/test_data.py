"""The pages of modules, records, the org, OAuth clients, tokens and the audit log."""

from __future__ import annotations

import re

import httpx2
from tests.console.conftest import CONSOLE, Browser, text_of
from tests.support.deployment import Deployment

from bulkwright.domain.audit import Action

ACCESS = f"{CONSOLE}/access"
LEADS = f"{CONSOLE}/modules/Leads"
HOSTILE = "<script>alert(1)</script>"


def add(server: Deployment, *leads: dict[str, str]) -> list[str]:
    """Add leads; returns their ids."""
    sent = server.http.post("/crm/v8/Leads", headers=server.auth(), json={"data": list(leads)})
    assert sent.status_code == 201, sent.text
    return [str(one["details"]["id"]) for one in sent.json()["data"]]


def secret_of(page: httpx2.Response) -> str:
    """The last secret that a page shows."""
    assert page.status_code == 200, page.text
    return str(re.findall(r'<code class="break secret">([^<]+)</code>', page.text)[-1])


def test_modules_and_fields(browser: Browser) -> None:
    text = browser.page(f"{CONSOLE}/modules")
    assert "Leads" in text and "Accounts" in text
    text = browser.page(LEADS)
    assert "Last_Name text 80 mandatory" in text
    assert "NO_SUCH_MODULE" in browser.page(f"{CONSOLE}/modules/Nothing", 404)


def test_the_list_of_modules_says_whose_tables_they_have(
    server: Deployment, browser: Browser, other: Browser
) -> None:
    """Those that the service has made, or existing ones, which it names."""
    assert "existing table" not in other.page(f"{CONSOLE}/modules")
    number = {"sqlite": "INTEGER PRIMARY KEY", "postgres": "SERIAL PRIMARY KEY"}
    database = server.services.database
    database.sql(f"CREATE TABLE console_nails (number {number[database.dialect]}, head VARCHAR(9))")
    server.services.existing_tables.offer(server.tenant.org.id, "console_nails", name="Nails")
    text = browser.page(f"{CONSOLE}/modules")
    assert "existing table console_nails" in text and text.count("existing table") == 1


def test_records_are_listed_and_found(server: Deployment, browser: Browser) -> None:
    """Pages follow ids; a search finds words; every value is text."""
    ids = add(server, *({"Last_Name": f"Consolable{n}", "Company": HOSTILE} for n in range(60)))
    page = browser.get(f"{LEADS}/records")
    found = re.findall(rf'href="{LEADS}/records/(\d+)"', page.text)
    assert found[:50] == ids[:9:-1] and HOSTILE not in page.text
    more = re.search(r'href="([^"]+)">Next page<', page.text)
    assert more
    rest = re.findall(rf'href="{LEADS}/records/(\d+)"', browser.get(more[1]).text)
    assert rest[:10] == ids[9::-1]
    text = browser.page(f"{LEADS}/records?word=Consolable7")
    assert "Consolable7" in text and "Consolable8" not in text
    assert "No record has this word" in browser.page(f"{LEADS}/records?word=Nosuchword")
    for number in ("0000019999999999999999999", "000001" + 5000 * "9"):
        assert "Consolable7" in browser.page(f"{LEADS}/records?word=Consolable7&page={number}")
    record = browser.get(f"{LEADS}/records/{ids[0]}")
    assert "Consolable0" in text_of(record) and HOSTILE not in record.text
    assert "Patricia Boyle" in text_of(record)
    assert "NO_SUCH_RECORD" in browser.page(f"{LEADS}/records/1", 404)


def test_the_history_of_a_record(server: Deployment, browser: Browser, other: Browser) -> None:
    """Which calls have written it; its page loads the list behind the fields."""
    (number,) = add(server, {"Last_Name": "Historical", "Company": HOSTILE})
    page = browser.get(f"{LEADS}/records/{number}")
    assert f'hx-get="{LEADS}/records/{number}/history"' in page.text
    shown = browser.get(f"{LEADS}/records/{number}/history")
    assert "written" in text_of(shown) and "Patricia Boyle" in text_of(shown)
    assert "<script>alert" not in shown.text
    (moment,) = re.findall(r"<time[^>]*>([^<]+)</time>", shown.text)
    assert moment in text_of(page), "both are in the time zone of the reader"
    assert other.get(f"{LEADS}/records/{number}/history").status_code == 404
    assert browser.get(f"{LEADS}/records/1/history").status_code == 404


def test_records_of_another_org_are_not_found(
    server: Deployment, other: Browser, browser: Browser
) -> None:
    (number,) = add(server, {"Last_Name": "Ours"})
    assert other.get(f"{LEADS}/records/{number}").status_code == 404
    assert "no records" in other.page(f"{LEADS}/records")
    assert browser.get(f"{LEADS}/records/{number}").status_code == 200


def test_the_org_and_its_users(server: Deployment, browser: Browser) -> None:
    text = browser.page(f"{CONSOLE}/org")
    assert str(server.tenant.org.id) in text and server.tenant.user.email in text
    assert server.other.user.email not in text


def test_a_client_is_registered_and_its_secret_shown_once(
    server: Deployment, browser: Browser
) -> None:
    """The new secret of a client is shown once too, and the old one ends."""
    page = browser.get(ACCESS)
    fields = {"name": "Nightly <b>", "kind": "server", "redirect_uris": "https://a.example/x"}
    made = browser.press(page, f"{ACCESS}/clients", **fields)
    first = secret_of(made)
    assert "shown once" in text_of(made) and "Nightly <b>" in text_of(made)
    assert first not in browser.get(ACCESS).text
    (client,) = (
        c for c in server.services.accounts.clients(server.tenant.org.id) if c.name == "Nightly <b>"
    )
    assert client.redirect_uris == ("https://a.example/x",)
    second = secret_of(browser.press(page, f"{ACCESS}/clients/{client.client_id}", step="rotate"))
    assert second != first
    rotated = server.services.accounts.client(client.client_id)
    assert rotated is not None and rotated.secret_hash != client.secret_hash
    entry = server.services.audit.newest(1, action=Action.CLIENT_SECRET_ROTATED)[0]
    assert entry.client_id == client.client_id
    assert entry.detail == f"by user {server.tenant.user.id}"
    for step in ("deactivate", "activate", "deactivate", "remove"):
        answer = browser.press(page, f"{ACCESS}/clients/{client.client_id}", step=step)
        assert answer.status_code == 303
    assert server.services.accounts.client(client.client_id) is None


def test_what_cannot_be_a_client_is_explained(browser: Browser) -> None:
    page = browser.get(ACCESS)
    for fields in (
        {"name": "", "kind": "self"},
        {"name": "x", "kind": "robot"},
        {"name": "x", "kind": "server", "redirect_uris": "ftp://a.example"},
    ):
        answer = browser.press(page, f"{ACCESS}/clients", **fields)
        assert answer.status_code == 400 and 'role="alert"' in answer.text
    assert "The kind is" not in text_of(answer)  # its kind is right


def test_a_token_is_created_and_revoked(server: Deployment, browser: Browser) -> None:
    """It acts as the user, with the scopes that were chosen."""
    page = browser.get(ACCESS)
    client = server.tenant.client.client_id
    fields = {"client": client, "life": "1 day", "scopes": "bulkwright.jobs.READ"}
    made = browser.press(page, f"{ACCESS}/tokens", **fields)
    token = secret_of(made)
    headers = {"Authorization": f"Bearer {token}"}
    assert server.http.get("/api/v1/jobs", headers=headers).status_code == 200
    assert server.http.get("/crm/v2/org", headers=headers).status_code == 401
    newest = server.services.accounts.tokens(server.tenant.org.id, client_id=client)[0]
    assert newest.scopes == "bulkwright.jobs.read" and newest.user_id == server.tenant.user.id
    answer = browser.press(page, f"{ACCESS}/tokens/revoke", token=newest.id)
    assert answer.status_code == 303
    assert server.http.get("/api/v1/jobs", headers=headers).status_code == 401
    assert browser.press(page, f"{ACCESS}/tokens/revoke", token=newest.id).status_code == 404
    answer = browser.press(page, f"{ACCESS}/tokens", client=client, scopes=" ")
    assert answer.status_code == 400


def test_access_of_another_org_cannot_be_changed(server: Deployment, other: Browser) -> None:
    page = other.get(ACCESS)
    ours = server.tenant.client.client_id
    assert ours not in page.text
    for step in ("rotate", "revoke", "deactivate", "remove"):
        assert other.press(page, f"{ACCESS}/clients/{ours}", step=step).status_code == 404
    assert other.press(page, f"{ACCESS}/tokens", client=ours, scopes="x.y.z").status_code == 404
    token = server.services.accounts.tokens(server.tenant.org.id)[0]
    assert other.press(page, f"{ACCESS}/tokens/revoke", token=token.id).status_code == 404


def test_the_audit_log_has_pages(server: Deployment, browser: Browser, other: Browser) -> None:
    """Newest first, of the own org alone."""
    for number in range(120):
        server.services.audit.record(
            Action.USER_ADDED, org_id=server.tenant.org.id, detail=f"<i>entry {number}</i>"
        )
    page = browser.get(f"{CONSOLE}/audit?action=user-added")
    assert "<i>entry 119</i>" in text_of(page) and "<i>entry" not in page.text
    assert "<i>entry 19</i>" not in text_of(page)
    older = re.search(r'href="([^"]+)">Older<', page.text)
    assert older
    assert "<i>entry 19</i>" in browser.page(older[1].replace("&amp;", "&"))
    assert "signed-in" in browser.page(f"{CONSOLE}/audit")
    assert "entry 119" not in other.page(f"{CONSOLE}/audit")
