"""The audit log: what callers and operators did, without a secret (domain/audit.py)."""

from __future__ import annotations

import itertools
import logging
import re
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from tests.support.deployment import Deployment, Tenant, make_tenant

from bulkwright.clock import ManualClock
from bulkwright.domain.account import ClientKind
from bulkwright.domain.audit import Action, Actor, AuditEntry
from bulkwright.domain.limits import SIGN_IN_FREE_FAILURES
from bulkwright.domain.scope import EVERY
from bulkwright.service import audit as audit_service
from bulkwright.service import passwords
from bulkwright.service.audit import AuditLog
from bulkwright.service.throttle import TryLater
from bulkwright.store.audit import AuditStore

PASSWORD = "correct horse battery"
_numbers = itertools.count()


@pytest.fixture
def tenant(server: Deployment, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    """An org of its own, whose user has a password."""
    monkeypatch.setattr(passwords, "PASSWORD_SCRYPT", (10, 8, 1))
    made = make_tenant(server.services, f"Audited{next(_numbers)}")
    server.services.signin.set_password(made.user, PASSWORD)
    return made


def entries(server: Deployment, tenant: Tenant) -> list[AuditEntry]:
    """The entries of the org, oldest first."""
    return server.services.audit.newest(100, org_id=tenant.org.id)[::-1]


def ask(server: Deployment, tenant: Tenant, **form: str) -> dict[str, Any]:
    """Asks the token endpoint as the tenant's client."""
    mine = {"client_id": tenant.client.client_id, "client_secret": tenant.secret}
    answer: dict[str, Any] = server.http.post("/oauth/v2/token", data={**mine, **form}).json()
    return answer


def press(browser: httpx2.Client, page: httpx2.Response, step: str, **fields: str) -> None:
    """Presses a button of a page and follows the redirect to the next page."""
    csrf = re.findall(r'name="csrf" value="([0-9a-f]{64})"', page.text)[0]
    browser.post(str(page.url), data={"csrf": csrf, "step": step, **fields})


def test_what_users_do_is_recorded(
    server: Deployment, tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    """Sign-ins that fail and succeed, consents, codes and tokens: who, where, in which order."""
    uri = "https://audited.example/back"
    made = server.services.setup.register_client(
        tenant.user, ClientKind.SERVER, "Web", redirect_uris=(uri,)
    )
    query = {
        "client_id": made.client.client_id,
        "redirect_uri": uri,
        "response_type": "code",
        "scope": "ZohoCRM.org.READ",
        "access_type": "offline",
    }
    before = len(entries(server, tenant))
    caplog.set_level(logging.INFO, "bulkwright.security")
    with httpx2.Client(base_url=server.base_url, timeout=30) as browser:
        page = browser.get("/oauth/v2/auth", params=query)
        guesses = {"email": "typed@here.example", "password": "typed"}
        press(browser, page, "sign-in", **guesses)
        press(browser, page, "sign-in", email=tenant.user.email, password="guess")
        press(browser, page, "sign-in", email=tenant.user.email, password=PASSWORD)
        page = browser.get("/oauth/v2/auth", params=query)
        press(browser, page, "reject")
        answer = browser.post(
            str(page.url),
            data={
                "csrf": re.findall(r'name="csrf" value="([0-9a-f]{64})"', page.text)[0],
                "step": "accept",
            },
        )
        press(browser, page, "sign-out")
    code = httpx2.URL(answer.headers["location"]).params["code"]
    form = {
        "grant_type": "authorization_code",
        "client_id": made.client.client_id,
        "client_secret": made.secret or "",
        "redirect_uri": uri,
        "code": code,
    }
    given = ask(server, tenant, **form)
    ask(server, tenant, **form)
    found = entries(server, tenant)[before:]
    assert [entry.action for entry in found] == [
        Action.SIGN_IN_FAILED,
        Action.SIGN_IN_FAILED,
        Action.SIGNED_IN,
        Action.CONSENT_REJECTED,
        Action.CONSENT_GIVEN,
        Action.CODE_ISSUED,
        Action.SIGNED_OUT,
        Action.TOKEN_ISSUED,
        Action.TOKEN_ISSUED,
        Action.CODE_REPLAYED,
    ]
    assert {entry.actor.address for entry in found} == {"127.0.0.1"}
    assert {entry.actor.operator for entry in found} == {""}
    assert [entry.user_id for entry in found] == [None] + [tenant.user.id] * 9
    assert {entry.client_id for entry in found[3:6] + found[7:]} == {made.client.client_id}
    lines = [record.getMessage() for record in caplog.records]
    assert [line.split()[0] for line in lines] == [entry.action.value for entry in found]
    written = "\n".join(lines) + repr(found)
    for secret in (code, made.secret, PASSWORD, "guess", *guesses.values(), *given.values()):
        assert str(secret) not in written or secret in (3600, "Bearer", "ZohoCRM.org.READ")
    stored = server.stored()
    for secret in (given["access_token"], given["refresh_token"], code, PASSWORD):
        assert secret.encode() not in stored


def test_what_clients_do_is_recorded(server: Deployment, tenant: Tenant) -> None:
    """Tokens by each grant, revocations, wrong secrets and unknown tokens."""
    before = len(entries(server, tenant))
    soid = f"ZohoCRM.{tenant.org.id}"
    token = ask(server, tenant, grant_type="client_credentials", scope=EVERY, soid=soid)
    ask(server, tenant, grant_type="client_credentials", client_secret="wrong")
    ask(server, tenant, grant_type="refresh_token", refresh_token="unknown")
    ask(server, tenant, grant_type="authorization_code", code="unknown")
    server.http.post("/oauth/v2/token/revoke", params={"token": token["access_token"]})
    server.http.post("/oauth/v2/token/revoke", params={"token": "unknown"})
    ask(server, tenant, grant_type="refresh_token", refresh_token="x", client_id="1000.UNKNOWN")
    found = entries(server, tenant)[before:]
    assert [(entry.action, entry.detail.partition(":")[0]) for entry in found] == [
        (Action.TOKEN_ISSUED, found[0].detail),
        (Action.TOKEN_REJECTED, "invalid_client_secret"),
        (Action.TOKEN_REJECTED, "invalid_code"),
        (Action.TOKEN_REJECTED, "invalid_code"),
        (Action.TOKEN_REVOKED, found[4].detail),
    ]
    assert {entry.client_id for entry in found} == {tenant.client.client_id}
    assert "client_credentials" in found[0].detail
    name = found[0].detail.split()[1]
    assert found[4].detail == f"access {name}" and name not in token["access_token"]


def test_what_operators_do_is_recorded(server: Deployment, tenant: Tenant) -> None:
    """Each act, with the account of the operating system."""
    admin = server.services.administration
    kay = server.services.setup.create_user(tenant.org, "", "Kay", "kay@x.example")
    before = len(entries(server, tenant))
    admin.set_priority(tenant.org, 1)
    admin.deactivate_user(kay)
    admin.activate_user(kay)
    admin.remove_user(kay)
    admin.rotate_secret(tenant.client)
    admin.deactivate_client(tenant.client)
    admin.activate_client(tenant.client)
    admin.remove_client(tenant.client)
    admin.deactivate_org(tenant.org)
    admin.activate_org(tenant.org)
    found = entries(server, tenant)[before:]
    assert [entry.action.value for entry in found] == [
        "org-changed", "user-deactivated", "user-activated", "user-removed",
        "client-secret-rotated", "client-deactivated", "client-activated", "client-removed",
        "org-deactivated", "org-activated",
    ]  # fmt: skip
    assert {entry.actor.operator for entry in found} == {audit_service.operator()}
    assert {entry.user_id for entry in found[1:4]} == {kay.id}


def test_an_entry_commits_with_what_it_reports(
    server: Deployment, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is there without the other."""
    issued = len(server.services.administration.tokens(tenant.org))

    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(AuditStore, "add", fail)
    with pytest.raises(OSError, match="full"):
        server.services.tokens.issue_access(tenant.client, EVERY)
    assert len(server.services.administration.tokens(tenant.org)) == issued


def test_an_attempt_that_must_wait_is_recorded(server: Deployment, tenant: Tenant) -> None:
    """With its reason; the password was not compared."""
    before = len(entries(server, tenant))
    sign_in = server.services.signin.sign_in
    for _ in range(SIGN_IN_FREE_FAILURES):
        assert sign_in(tenant.org.id, tenant.user.email, "guess", "192.0.2.44") is None
    with pytest.raises(TryLater):
        sign_in(tenant.org.id, tenant.user.email, PASSWORD, "192.0.2.44")
    found = entries(server, tenant)[before:]
    assert [(entry.action, entry.detail) for entry in found] == [
        *[(Action.SIGN_IN_FAILED, "")] * SIGN_IN_FREE_FAILURES,
        (Action.SIGN_IN_FAILED, "too many attempts"),
    ]
    assert found[-1].user_id == tenant.user.id and found[-1].actor.address == "192.0.2.44"


def test_callers_cannot_fill_the_log(server: Deployment, tenant: Tenant) -> None:
    """Beyond a number, entries are counted only; the next one says how many."""
    clock = ManualClock(server.services.database.clock.now())
    log = AuditLog(AuditStore(server.services.database), clock)
    for _ in range(150):
        log.record(Action.TOKEN_REJECTED, org_id=tenant.org.id, client_id="1000.X")
    for _ in range(150):
        log.record(Action.CLIENT_ADDED, org_id=tenant.org.id)
        log.record(Action.JOB_UNDONE, Actor("192.0.2.1"), org_id=tenant.org.id)
    found = server.services.audit.newest(1_000, org_id=tenant.org.id)
    actions = [entry.action for entry in found]
    assert actions.count(Action.TOKEN_REJECTED) == 100
    assert actions.count(Action.CLIENT_ADDED) == 151
    assert actions.count(Action.JOB_UNDONE) == 150
    clock.advance(10)
    log.record(Action.TOKEN_REJECTED, org_id=tenant.org.id, client_id="1000.X")
    (entry,) = server.services.audit.newest(1, org_id=tenant.org.id, action=Action.TOKEN_REJECTED)
    assert entry.detail == "50 more entries of this action were left out"


def test_many_addresses_cannot_fill_the_log(server: Deployment, tenant: Tenant) -> None:
    """Rejected attempts have a limit in all."""
    clock = ManualClock(server.services.database.clock.now())
    log = AuditLog(AuditStore(server.services.database), clock)
    for number in range(1_100):
        log.record(Action.SIGN_IN_FAILED, org_id=tenant.org.id, client_id=f"1000.{number}")
    found = server.services.audit.newest(2_000, org_id=tenant.org.id, action=Action.SIGN_IN_FAILED)
    assert len(found) == 1_000


def test_entries_are_selected(server: Deployment, tenant: Tenant) -> None:
    """By org, action, time and number; newest first."""
    audit = server.services.audit
    everything = audit.newest(1_000)
    assert [e.time for e in everything] == sorted((e.time for e in everything), reverse=True)
    assert {e.org_id for e in audit.newest(100, org_id=tenant.org.id)} == {tenant.org.id}
    assert {e.action for e in audit.newest(9, action=Action.ORG_ADDED)} == {Action.ORG_ADDED}
    future = server.services.database.clock.now() + timedelta(hours=1)
    assert audit.newest(9, since=future) == []
    assert len(audit.newest(2)) == 2
