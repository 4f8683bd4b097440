"""The token endpoint, and what tokens permit (facts 7)."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from tests.features.filled import filled
from tests.support.deployment import Deployment

from bulkwright.clock import ManualClock
from bulkwright.description.endpoints import ENDPOINTS
from bulkwright.domain import scope
from bulkwright.domain.account import ClientKind
from bulkwright.domain.limits import ACCESS_TOKEN_SECONDS
from bulkwright.service.setup import SAMPLE_CLIENT_ID
from bulkwright.zoho.auth import PUBLIC, Open
from bulkwright.zoho.routes import ROUTES

TOKEN = re.compile(r"1000\.[0-9a-f]{32}\.[0-9a-f]{32}")


def ask(server: Deployment, **form: str) -> httpx2.Response:
    """Sends a form to the token endpoint as the Python SDKs do, with the tenant's client."""
    mine = {"client_id": server.tenant.client.client_id, "client_secret": server.tenant.secret}
    return server.http.post("/oauth/v2/token", data={**mine, **form})


def refresh_token(server: Deployment, scopes: str = "ZohoCRM.bulk.ALL") -> str:
    """Issues a refresh token to the tenant's client."""
    return server.services.tokens.issue_refresh(server.tenant.client, scopes)


def is_valid(server: Deployment, token: str) -> bool:
    """Returns whether the API accepts a token."""
    answer = server.get("/crm/bulk/v2/write/1", token)
    assert answer.json()["code"] in ("RESOURCE_NOT_FOUND", "INVALID_TOKEN")
    return answer.status_code == 404


@pytest.mark.parametrize("kind", ["form", "multipart", "query"])
def test_a_refresh_token_gives_access_tokens(server: Deployment, kind: str) -> None:
    """Python SDKs send a form, Node SDKs multipart, others a query (client contract 1.2)."""
    form = {
        "grant_type": "refresh_token",
        "refresh_token": refresh_token(server),
        "client_id": server.tenant.client.client_id,
        "client_secret": server.tenant.secret,
    }
    sent: dict[str, dict[str, Any]] = {
        "form": {"data": form},
        "multipart": {"files": {k: (None, v) for k, v in form.items()}},
        "query": {"params": form},
    }
    answer = server.http.post("/oauth/v2/token", **sent[kind])
    assert answer.status_code == 200
    body = answer.json()
    assert TOKEN.fullmatch(body.pop("access_token"))
    assert body == {
        "scope": "ZohoCRM.bulk.ALL",
        "api_domain": server.base_url,
        "token_type": "Bearer",
        "expires_in": 3600,
    }
    assert answer.headers["cache-control"] == "no-store"


def test_a_grant_code_is_good_for_one_exchange(server: Deployment) -> None:
    """The second use is rejected, and revokes the tokens of the first."""
    code = server.services.tokens.issue_code(server.tenant.client, "ZohoCRM.bulk.ALL")
    first = ask(server, grant_type="authorization_code", code=code).json()
    assert TOKEN.fullmatch(first["refresh_token"])
    assert is_valid(server, first["access_token"])
    second = ask(server, grant_type="authorization_code", code=code)
    assert (second.status_code, second.json()) == (200, {"error": "invalid_code"})
    assert not is_valid(server, first["access_token"])
    again = ask(server, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert again.json() == {"error": "invalid_code"}


def test_of_many_exchanges_at_once_one_succeeds(server: Deployment) -> None:
    """The code is consumed by exactly one of them."""
    code = server.services.tokens.issue_code(server.tenant.client, "ZohoCRM.bulk.ALL")
    answers: list[dict[str, object]] = []

    def exchange() -> None:
        answers.append(ask(server, grant_type="authorization_code", code=code).json())

    threads = [threading.Thread(target=exchange) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("access_token" in a for a in answers) == 1
    assert sum(a == {"error": "invalid_code"} for a in answers) == 11


def test_a_code_is_bound_to_its_redirect_uri(server: Deployment) -> None:
    """A wrong URI does not consume the code."""
    uri = "https://app.example/cb"
    code = server.services.tokens.issue_code(server.tenant.client, "a.b.ALL", redirect_uri=uri)
    wrong = ask(server, grant_type="authorization_code", code=code, redirect_uri=uri + "/x")
    assert wrong.json() == {"error": "invalid_redirect_uri"}
    right = ask(server, grant_type="authorization_code", code=code, redirect_uri=uri)
    assert "access_token" in right.json()


def test_an_expired_code_gives_nothing(server: Deployment) -> None:
    """A code is valid for a limited time."""
    code = server.services.tokens.issue_code(server.tenant.client, "a.b.ALL", seconds=0)
    answer = ask(server, grant_type="authorization_code", code=code)
    assert answer.json() == {"error": "invalid_code"}


def test_client_credentials_name_the_org(server: Deployment) -> None:
    """`soid` is `ZohoCRM.{zgid}`, and no refresh token is issued (facts 7.2)."""
    soid = f"ZohoCRM.{server.tenant.org.id}"
    scopes = "ZohoCRM.bulk.ALL,ZohoCRM.modules.ALL"
    answer = ask(server, grant_type="client_credentials", scope=scopes, soid=soid).json()
    assert is_valid(server, str(answer["access_token"]))
    assert answer["scope"] == "ZohoCRM.bulk.ALL ZohoCRM.modules.ALL"
    assert "refresh_token" not in answer


ERRORS = [
    ({}, "invalid_request"),
    ({"grant_type": "password"}, "unsupported_grant_type"),
    ({"grant_type": "refresh_token"}, "invalid_request"),
    ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_code"),
    ({"grant_type": "refresh_token", "refresh_token": "x", "client_id": "1000.X"},
     "invalid_client"),
    ({"grant_type": "refresh_token", "refresh_token": "x", "client_id": ""}, "invalid_client"),
    ({"grant_type": "refresh_token", "refresh_token": "x", "client_secret": "y"},
     "invalid_client_secret"),
    ({"grant_type": "refresh_token", "refresh_token": "x", "client_secret": ""},
     "invalid_client_secret"),
    ({"grant_type": "refresh_token", "refresh_token": "x", "client_id": SAMPLE_CLIENT_ID},
     "invalid_client"),
    ({"grant_type": "authorization_code"}, "invalid_request"),
    ({"grant_type": "authorization_code", "code": "\ud7ff\x00"}, "invalid_code"),
    ({"grant_type": "client_credentials", "scope": "a.b.ALL"}, "missing_org_info"),
    ({"grant_type": "client_credentials", "scope": "a.b.ALL", "soid": "ZohoCRM.1"},
     "invalid_org_info"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "error"), ERRORS)
def test_errors_are_words_with_http_200(
    server: Deployment, form: dict[str, str], error: str
) -> None:
    """Clients read `error` and not the status (facts 7.2)."""
    answer = ask(server, **form)
    assert (answer.status_code, answer.json()) == (200, {"error": error})


def test_another_clients_refresh_token_is_rejected(server: Deployment) -> None:
    """A refresh token belongs to one client."""
    theirs = server.services.tokens.issue_refresh(server.other.client, "ZohoCRM.bulk.ALL")
    answer = ask(server, grant_type="refresh_token", refresh_token=theirs)
    assert answer.json() == {"error": "invalid_code"}


def test_a_server_client_has_no_client_credentials(server: Deployment) -> None:
    """Only self clients may use this grant."""
    made = server.services.setup.register_client(server.tenant.user, ClientKind.SERVER, "Web")
    answer = ask(
        server,
        grant_type="client_credentials",
        client_id=made.client.client_id,
        client_secret=made.secret or "",
        scope="ZohoCRM.bulk.ALL",
        soid=f"ZohoCRM.{server.tenant.org.id}",
    )
    assert answer.json() == {"error": "unauthorized_client"}


def test_refreshing_cannot_widen_scopes(server: Deployment) -> None:
    """The new token has the scopes of the refresh token."""
    token = refresh_token(server, "ZohoCRM.org.READ")
    answer = ask(server, grant_type="refresh_token", refresh_token=token, scope=scope.EVERY)
    assert answer.json()["scope"] == "ZohoCRM.org.READ"


def test_the_31st_access_token_ends_the_first(server: Deployment) -> None:
    """A refresh token has at most 30 valid access tokens (facts 7.2)."""
    refresh = refresh_token(server)
    tokens = [
        ask(server, grant_type="refresh_token", refresh_token=refresh).json()["access_token"]
        for _ in range(31)
    ]
    assert [is_valid(server, t) for t in tokens] == [False] + [True] * 30


def test_revoking_a_refresh_token_ends_its_access_tokens(server: Deployment) -> None:
    """An unknown token gets the same response (facts 7.1)."""
    refresh = refresh_token(server)
    access = ask(server, grant_type="refresh_token", refresh_token=refresh).json()["access_token"]
    assert is_valid(server, access)
    for _ in range(2):
        answer = server.http.post("/oauth/v2/token/revoke", params={"token": refresh})
        assert (answer.status_code, answer.json()) == (200, {"status": "success"})
    assert not is_valid(server, access)
    again = ask(server, grant_type="refresh_token", refresh_token=refresh)
    assert again.json() == {"error": "invalid_code"}


def test_an_access_token_expires(server: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is valid for an hour, by the clock of the store."""
    clock = ManualClock(datetime.now(UTC))
    monkeypatch.setattr(server.services.database, "clock", clock)
    token = server.services.tokens.issue_access(server.tenant.client, "ZohoCRM.bulk.ALL")
    clock.advance(ACCESS_TOKEN_SECONDS - 1)
    assert is_valid(server, token)
    clock.advance(1)
    assert not is_valid(server, token)


def test_the_token_endpoint_accepts_post_only(any_server: Deployment) -> None:
    """The URL of a GET would put secrets into logs."""
    answer = any_server.http.get("/oauth/v2/token", params={"grant_type": "refresh_token"})
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST_METHOD")


def test_a_huge_form_is_rejected(any_server: Deployment) -> None:
    """It has too many fields, or one that is too long."""
    for form in ({f"a{i}": "x" for i in range(3000)}, {"client_secret": "x" * 100_000}):
        assert ask(any_server, **form).json() == {"error": "invalid_request"}


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "AUTHENTICATION_FAILURE"),
        ("", "AUTHENTICATION_FAILURE"),
        ("{token}", "AUTHENTICATION_FAILURE"),
        ("Basic {token}", "AUTHENTICATION_FAILURE"),
        ("Zoho-oauthtoken", "AUTHENTICATION_FAILURE"),
        ("Zoho-oauthtoken null", "INVALID_TOKEN"),
        ("Zoho-oauthtoken {token}x", "INVALID_TOKEN"),
        ("Zoho-oauthtoken " + "x" * 8000, "INVALID_TOKEN"),
        ("Zoho-oauthtoken \xe9", "INVALID_TOKEN"),
        ("Zoho-oauthtoken {token}", None),
        ("zoho-OAUTHtoken {token}", None),
        ("Bearer {token}", None),
        ("bearer  {token}", None),
    ],
)
def test_the_authorization_header(server: Deployment, header: str | None, code: str | None) -> None:
    """Two schemes in upper or lower case are valid; anything else gets 401 (facts 7.4, 7.5)."""
    headers = []
    if header is not None:
        value = header.format(token=server.tenant.token).encode("latin-1")
        headers = [(b"Authorization", value)]
    answer = server.http.get("/crm/v2/org", headers=headers)
    if code is None:
        assert answer.status_code == 200
    else:
        assert (answer.status_code, answer.json()["code"]) == (401, code)


def test_two_authorization_headers_are_rejected(any_server: Deployment) -> None:
    """It would be unclear which one counts."""
    pair = ("Authorization", f"Zoho-oauthtoken {any_server.tenant.token}")
    answer = any_server.http.get("/crm/v2/org", headers=[pair, pair])
    assert answer.status_code == 401


def test_a_refresh_token_is_no_access_token(server: Deployment) -> None:
    """The API accepts access tokens only."""
    assert not is_valid(server, refresh_token(server))


def test_a_token_in_the_query_is_not_read(any_server: Deployment) -> None:
    """Only the Authorization header is read."""
    answer = any_server.http.get("/crm/v2/org", params={"access_token": any_server.tenant.token})
    assert answer.status_code == 401


def test_every_route_has_a_scope(server: Deployment) -> None:
    """A route without one is open, and must say so."""
    public = {e.path for e in ENDPOINTS if getattr(e, "access", None) in (None, PUBLIC)}
    pages = {"/oauth/v2/auth", "/oauth/v2/auth/refresh", "/oauth/v2/auth/style.css"}
    others = {"/oauth/v2/token", "/oauth/v2/token/revoke", "/healthz", "/readyz", "/metrics"}
    docs = {"/docs", "/docs/openapi.json", "/docs/page.css"}
    assert public == pages | others | docs
    assert all(r.access is None or r.access.scopes for r in server.app.router.routes)


SETS = (
    *("ZohoCRM.bulk.CREATE", "ZohoCRM.bulk.READ", "ZohoCRM.bulk.ALL", "zohocrm.BULK.all"),
    *("ZohoFiles.files.ALL", "ZohoCRM.settings.ALL", "ZohoCRM.settings.fields.READ"),
    *("ZohoCRM.users.READ", "ZohoCRM.org.ALL", "ZohoCRM.modules.ALL", "ZohoCRM.modules.READ"),
    *("ZohoCRM.modules.leads.READ", "ZohoCRM.modules.deals.READ", "Unknown.thing.ALL"),
)


OF_MODULE = {
    "GET": scope.module_read,
    "POST": scope.module_write,
    "PUT": scope.module_update,
    "DELETE": scope.module_delete,
}
"""The scopes that the service checks together with the module."""


@pytest.mark.parametrize("granted", SETS)
def test_scopes_open_their_routes_and_no_others(server: Deployment, granted: str) -> None:
    """Every route with every set of scopes: 401 OAUTH_SCOPE_MISMATCH, or past that check."""
    token = server.token(granted)
    for route in ROUTES:
        if route.access == PUBLIC:
            continue
        scopes = route.access.scopes
        needed = OF_MODULE[route.method]("Leads") if isinstance(scopes, Open) else scopes
        answer = server.http.request(route.method, filled(route.path), headers=server.auth(token))
        mismatch = answer.status_code == 401
        assert mismatch == (not scope.permits(scope.normalise(granted), needed)), route.path
        if mismatch:
            assert answer.json() == {
                "code": "OAUTH_SCOPE_MISMATCH",
                "details": {},
                "message": "invalid oauth scope to access this URL",
                "status": "error",
            }
