"""The rights of a user's role, beside the scopes of a token (domain/account.py)."""

from __future__ import annotations

import logging
import re
import secrets
from typing import Any, cast

import pytest
from tests.support.deployment import Deployment
from tests.support.uploads import zipped

from bulkwright.domain import scope
from bulkwright.domain.account import Role, User
from bulkwright.domain.errors import (
    OAuthError,
    QuotaExceeded,
    ResourceNotFound,
    TooManyTokenRequests,
)
from bulkwright.domain.limits import AUDIT_AT_ONCE
from bulkwright.web.request import Request
from bulkwright.web.route import Route
from bulkwright.zoho.auth import PUBLIC, Access
from bulkwright.zoho.context import ZohoContext
from bulkwright.zoho.denials import Denials
from bulkwright.zoho.routes import ROUTES

SETTINGS = "/crm/{version}/settings"
WITH_TOKEN = [route for route in ROUTES if route.access != PUBLIC]


def a_user(server: Deployment, role: Role) -> User:
    """Creates a user of the tenant."""
    email = f"{secrets.token_hex(4)}@zylker.example"
    return server.services.setup.create_user(server.tenant.org, "", role.value, email, role=role)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_limits_a_user(server: Deployment, role: Role) -> None:
    """403 NO_PERMISSION or 400 AUTHORIZATION_FAILED, although the token has every scope."""
    job = server.job_id()
    user = a_user(server, role)
    every = "ZohoCRM.bulk.ALL,ZohoCRM.modules.ALL,ZohoFiles.files.ALL,ZohoCRM.users.ALL"
    token = server.services.tokens.issue_access(server.tenant.client, every, user_id=user.id)
    body = server.insert()
    link = f"/v2/crm/org{server.tenant.org.id}/bulk-write/{job}/{job}.zip"
    asked = [
        (server.upload(zipped(), token=token), "create"),
        (server.create(body, token=token), "create"),
        (server.get(f"/crm/bulk/v2/write/{job}", token), "read"),
        (server.get("/crm/bulk/v2/write/1", token), "read"),
        (server.get(link, token), "read"),
    ]
    for answer, verb in asked:
        expected = {
            Role.STANDARD: {
                "code": "NO_PERMISSION",
                "details": {"permissions": ["Crm_Implied_Bulk_Write"]},
                "message": f"Permission denied to {verb}",
                "status": "error",
            },
            Role.GUEST: {
                "code": "AUTHORIZATION_FAILED",
                "details": {},
                "message": f"User does not have sufficient privilege to {verb}.",
                "status": "error",
            },
        }
        if role is Role.ADMINISTRATOR:
            assert answer.json().get("code") not in ("NO_PERMISSION", "AUTHORIZATION_FAILED")
            continue
        assert answer.json() == expected[role]
        assert answer.status_code == (403 if role is Role.STANDARD else 400)
    looked = server.get("/crm/v2/Leads", token)
    assert (looked.status_code == 400) == (role is Role.GUEST)
    (me,) = server.get("/crm/v2/users?type=CurrentUser", token).json()["users"]
    assert me["profile"]["name"] == role.value
    assert me["profile"]["id"].isdigit()


def test_scopes_are_checked_before_roles(server: Deployment) -> None:
    """A token without the scope gets OAUTH_SCOPE_MISMATCH, also for a user without the right."""
    user = a_user(server, Role.STANDARD)
    token = server.services.tokens.issue_access(
        server.tenant.client, "ZohoCRM.org.ALL", user_id=user.id
    )
    assert server.get("/crm/bulk/v2/write/1", token).json()["code"] == "OAUTH_SCOPE_MISMATCH"


@pytest.mark.parametrize("route", WITH_TOKEN, ids=lambda route: route.name)
def test_a_guest_is_refused_by_every_route(
    server: Deployment, route: Route[ZohoContext, Access]
) -> None:
    """Also by a route that was declared without a right. Another role gets past that check."""
    user = a_user(server, Role.GUEST)
    token = server.services.tokens.issue_access(server.tenant.client, scope.EVERY, user_id=user.id)
    path = route.path.replace("{version}", "v8").replace("{module}", "Leads")
    path = re.sub(r"\{.*?\}", "1", path)
    methods = [route.method, "HEAD"] if route.method == "GET" else [route.method]
    for method in methods:
        for query in ("", "?module=Leads", "?type=AllUsers", "?fields=Last_Name"):
            answer = server.http.request(method, path + query, headers=server.auth(token))
            assert answer.status_code == 400, f"{method} {path}{query}: {answer.text}"
            if method != "HEAD":
                assert answer.json()["code"] == "AUTHORIZATION_FAILED"
                allowed = server.http.request(method, path + query, headers=server.auth())
                assert "AUTHORIZATION_FAILED" not in allowed.text


def test_a_guest_reads_its_own_user_only(server: Deployment) -> None:
    """In every spelling of the parameter; each other list of users is refused."""
    user = a_user(server, Role.GUEST)
    token = server.services.tokens.issue_access(server.tenant.client, scope.EVERY, user_id=user.id)
    for kind in ("CurrentUser", "currentuser", "CURRENTUSER"):
        (own,) = server.get(f"/crm/v8/users?type={kind}", token).json()["users"]
        assert own["id"] == str(user.id)
    doubled = "?type=AllUsers&type=CurrentUser"
    for query in ("", "?type=", "?type=AllUsers", "?type=ALLUSERS", doubled, "?page=2"):
        answer = server.get(f"/crm/v8/users{query}", token)
        assert "email" not in answer.text, query
        assert answer.json()["code"] == "AUTHORIZATION_FAILED", query


@pytest.fixture
def unused_allowances(server: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test before has taken lines of the log from these callers."""
    fresh = Denials(server.services.database.clock)
    options = server.app._options._replace(on_error=fresh.note)
    monkeypatch.setattr(server.app, "_options", options)


def denials(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Level and text of the lines about denied requests, without the address."""
    lines = [r for r in caplog.records if r.getMessage().startswith("access-denied")]
    return [(r.levelname, re.sub(r"address=127[.]0[.]0[.]1: ", "", r.getMessage())) for r in lines]


@pytest.mark.usefixtures("unused_allowances")
def test_denied_requests_are_logged(server: Deployment, caplog: pytest.LogCaptureFixture) -> None:
    """With the user where the token shows one, never with the token; one line for each."""
    caplog.set_level(logging.INFO, "bulkwright.security")
    guest = a_user(server, Role.GUEST)
    issue, org = server.services.tokens.issue_access, server.tenant.org.id
    token = issue(server.tenant.client, scope.EVERY, user_id=guest.id)
    narrow = issue(server.tenant.client, "ZohoCRM.org.READ")
    who, me = f"org={org} user={guest.id}", f"org={org} user={server.tenant.user.id}"
    server.get("/crm/v2/settings/modules", token)
    server.get("/crm/v2/users", token)
    server.get("/crm/v2/users", narrow)
    server.get("/crm/v2/Leads", narrow)
    server.get("/crm/v2/org", "1000.unknown.token")
    server.http.get("/crm/v2/org")
    server.get("/nothing", narrow)
    server.get("/crm/v2/org", narrow)
    server.get("/crm/v2/nothing", server.tenant.token)
    assert denials(caplog) == [
        ("WARNING", f"access-denied {who} GET {SETTINGS}/modules: AUTHORIZATION_FAILED"),
        ("WARNING", f"access-denied {who} GET /crm/{{version}}/users: AUTHORIZATION_FAILED"),
        ("WARNING", f"access-denied {me} GET /crm/{{version}}/users: OAUTH_SCOPE_MISMATCH"),
        ("WARNING", f"access-denied {me} GET /crm/{{version}}/{{module}}: OAUTH_SCOPE_MISMATCH"),
        ("INFO", "access-denied GET /crm/{version}/org: INVALID_TOKEN"),
        ("INFO", "access-denied GET /crm/{version}/org: AUTHENTICATION_FAILURE"),
    ]
    assert not any(secret in caplog.text for secret in (token, narrow, "unknown.token"))


@pytest.mark.usefixtures("unused_allowances")
def test_one_caller_cannot_fill_the_log(
    server: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    """Further lines are counted, and another caller still gets a line, which has the number."""
    caplog.set_level(logging.INFO, "bulkwright.security")
    guests = [a_user(server, Role.GUEST) for _ in range(2)]
    issue = server.services.tokens.issue_access
    first, second = (issue(server.tenant.client, scope.EVERY, user_id=guest.id) for guest in guests)
    for _ in range(int(AUDIT_AT_ONCE) + 20):
        server.get("/crm/v2/org", first)
    of_first = len(denials(caplog))
    assert AUDIT_AT_ONCE <= of_first < AUDIT_AT_ONCE + 10
    server.get("/crm/v2/org", second)
    (_, text), *_ = denials(caplog)[::-1]
    left = re.search(r"; ([0-9]+) more lines were left out$", text)
    assert left is not None and of_first + int(left[1]) == AUDIT_AT_ONCE + 20


def test_requests_over_a_limit_are_logged(
    any_server: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    """Token requests that come too fast, and uploads over a quota."""
    caplog.set_level(logging.INFO, "bulkwright.security")
    denials = Denials(any_server.services.database.clock)
    request = Request(
        {"headers": [], "client": ("192.0.2.7", 1)}, cast("Any", None), cast("Any", None)
    )
    request.route = ("POST", "/oauth/v2/token")
    denials.note(request, TooManyTokenRequests())
    denials.note(request, QuotaExceeded())
    denials.note(request, OAuthError("invalid_code"))
    denials.note(request, ResourceNotFound())
    text = "access-denied address=192.0.2.7: POST /oauth/v2/token: TOO_MANY_REQUESTS"
    assert [record.getMessage() for record in caplog.records] == [text] * 2
