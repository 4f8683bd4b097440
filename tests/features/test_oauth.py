"""The token endpoint and what tokens open (facts 7)."""

from __future__ import annotations

import re
import threading
import time

import httpx2
import pytest
from tests.conftest import Deployment

from bulkwright.api.auth import Open
from bulkwright.domain import scope
from bulkwright.domain.account import ClientKind
from bulkwright.service.setup import SAMPLE_CLIENT_ID

TOKEN = re.compile(r"1000\.[0-9a-f]{32}\.[0-9a-f]{32}")


def ask(server: Deployment, **form: str) -> httpx2.Response:
    """POST to the token endpoint as the Python SDKs do, with the tenant's client."""
    mine = {"client_id": server.tenant.client.client_id, "client_secret": server.tenant.secret}
    return server.http.post("/oauth/v2/token", data={**mine, **form})


def refresh_token(server: Deployment, scopes: str = "ZohoCRM.bulk.ALL") -> str:
    """A new refresh token of the tenant's client."""
    return server.services.tokens.issue_refresh(server.tenant.client, scopes)


def works(server: Deployment, token: str) -> bool:
    """Whether a token is let in."""
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
    sent = {
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
    """O02: the second use is refused, and takes back what the first one gave."""
    code = server.services.tokens.issue_code(server.tenant.client, "ZohoCRM.bulk.ALL")
    first = ask(server, grant_type="authorization_code", code=code).json()
    assert TOKEN.fullmatch(first["refresh_token"])
    assert works(server, first["access_token"])
    second = ask(server, grant_type="authorization_code", code=code)
    assert (second.status_code, second.json()) == (200, {"error": "invalid_code"})
    assert not works(server, first["access_token"])
    again = ask(server, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert again.json() == {"error": "invalid_code"}


def test_of_many_exchanges_at_once_one_succeeds(server: Deployment) -> None:
    """O03."""
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
    """O09: checked before the code is used up."""
    uri = "https://app.example/cb"
    code = server.services.tokens.issue_code(server.tenant.client, "a.b.ALL", redirect_uri=uri)
    wrong = ask(server, grant_type="authorization_code", code=code, redirect_uri=uri + "/x")
    assert wrong.json() == {"error": "invalid_redirect_uri"}
    right = ask(server, grant_type="authorization_code", code=code, redirect_uri=uri)
    assert "access_token" in right.json()


def test_an_expired_code_gives_nothing(server: Deployment) -> None:
    """O01."""
    code = server.services.tokens.issue_code(server.tenant.client, "a.b.ALL", seconds=0)
    answer = ask(server, grant_type="authorization_code", code=code)
    assert answer.json() == {"error": "invalid_code"}


def test_client_credentials_name_the_org(server: Deployment) -> None:
    """Facts 7.2: `soid` is `ZohoCRM.{zgid}`; there is no refresh token."""
    soid = f"ZohoCRM.{server.tenant.org.id}"
    scopes = "ZohoCRM.bulk.ALL,ZohoCRM.modules.ALL"
    answer = ask(server, grant_type="client_credentials", scope=scopes, soid=soid).json()
    assert works(server, str(answer["access_token"]))
    assert answer["scope"] == "ZohoCRM.bulk.ALL ZohoCRM.modules.ALL"
    assert "refresh_token" not in answer


REFUSALS = [
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


@pytest.mark.parametrize(("form", "error"), REFUSALS)
def test_refusals_are_words_with_http_200(
    server: Deployment, form: dict[str, str], error: str
) -> None:
    """Facts 7.2: clients read `error` and not the status; never a token."""
    answer = ask(server, **form)
    assert (answer.status_code, answer.json()) == (200, {"error": error})


def test_another_clients_refresh_token_is_refused(server: Deployment) -> None:
    """O21."""
    theirs = server.services.tokens.issue_refresh(server.other.client, "ZohoCRM.bulk.ALL")
    answer = ask(server, grant_type="refresh_token", refresh_token=theirs)
    assert answer.json() == {"error": "invalid_code"}


def test_a_server_client_has_no_client_credentials(server: Deployment) -> None:
    """O35."""
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
    """O25."""
    token = refresh_token(server, "ZohoCRM.org.READ")
    answer = ask(server, grant_type="refresh_token", refresh_token=token, scope=scope.EVERY)
    assert answer.json()["scope"] == "ZohoCRM.org.READ"


def test_the_31st_access_token_ends_the_first(server: Deployment) -> None:
    """Facts 7.2: 30 live access tokens of one refresh token."""
    refresh = refresh_token(server)
    tokens = [
        ask(server, grant_type="refresh_token", refresh_token=refresh).json()["access_token"]
        for _ in range(31)
    ]
    assert [works(server, t) for t in tokens] == [False] + [True] * 30


def test_revoking_a_refresh_token_ends_its_access_tokens(server: Deployment) -> None:
    """Facts 7.1; an unknown token gets the same answer (O38)."""
    refresh = refresh_token(server)
    access = ask(server, grant_type="refresh_token", refresh_token=refresh).json()["access_token"]
    assert works(server, access)
    for _ in range(2):
        answer = server.http.post("/oauth/v2/token/revoke", params={"token": refresh})
        assert (answer.status_code, answer.json()) == (200, {"status": "success"})
    assert not works(server, access)
    again = ask(server, grant_type="refresh_token", refresh_token=refresh)
    assert again.json() == {"error": "invalid_code"}


def test_an_access_token_runs_out(server: Deployment) -> None:
    """O15."""
    token = server.services.tokens.issue_access(server.tenant.client, "ZohoCRM.bulk.ALL", seconds=1)
    assert works(server, token)
    time.sleep(1.1)
    assert not works(server, token)


def test_the_token_endpoint_takes_post_only(server: Deployment) -> None:
    """O37: secrets do not belong into a GET."""
    answer = server.http.get("/oauth/v2/token", params={"grant_type": "refresh_token"})
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST_METHOD")


def test_a_huge_form_is_refused(server: Deployment) -> None:
    """H30: many fields, one long field."""
    for form in ({f"a{i}": "x" for i in range(3000)}, {"client_secret": "x" * 100_000}):
        assert ask(server, **form).json() == {"error": "invalid_request"}


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
    """Facts 7.4, 7.5: two schemes in any case; everything else is a 401."""
    headers = {}
    if header is not None:
        headers = {"Authorization": header.format(token=server.tenant.token).encode("latin-1")}
    answer = server.http.get("/crm/v2/org", headers=headers)
    if code is None:
        assert answer.status_code == 200
    else:
        assert (answer.status_code, answer.json()["code"]) == (401, code)


def test_two_authorization_headers_are_none(server: Deployment) -> None:
    """H11."""
    pair = ("Authorization", f"Zoho-oauthtoken {server.tenant.token}")
    answer = server.http.get("/crm/v2/org", headers=[pair, pair])
    assert answer.status_code == 401


def test_a_refresh_token_is_no_access_token(server: Deployment) -> None:
    """O19."""
    assert not works(server, refresh_token(server))


def test_a_token_in_the_query_is_not_read(server: Deployment) -> None:
    """H13."""
    answer = server.http.get("/crm/v2/org", params={"access_token": server.tenant.token})
    assert answer.status_code == 401


def _path(path: str) -> str:
    for name in ("job_id", "record_id"):
        path = path.replace("{" + name + "}", "1")
    return path.format(version="v2", org="org1", file="1.zip", module="Leads")


def test_every_route_has_a_scope(server: Deployment) -> None:
    """A route without one is open, and must say so."""
    public = {r.path for r in server.app.router.routes if r.needed is Open.PUBLIC}
    pages = {"/oauth/v2/auth", "/oauth/v2/auth/refresh", "/oauth/v2/auth/style.css"}
    others = {"/oauth/v2/token", "/oauth/v2/token/revoke", "/healthz", "/readyz", "/metrics"}
    docs = {"/docs", "/docs/openapi.json", "/docs/page.css"}
    assert public == pages | others | docs
    assert all(r.needed for r in server.app.router.routes)


SETS = (
    *("ZohoCRM.bulk.CREATE", "ZohoCRM.bulk.READ", "ZohoCRM.bulk.ALL", "zohocrm.BULK.all"),
    *("ZohoFiles.files.ALL", "ZohoCRM.settings.ALL", "ZohoCRM.settings.fields.READ"),
    *("ZohoCRM.users.READ", "ZohoCRM.org.ALL", "ZohoCRM.modules.ALL", "ZohoCRM.modules.READ"),
    *("ZohoCRM.modules.leads.READ", "ZohoCRM.modules.deals.READ", "Unknown.thing.ALL"),
)


@pytest.mark.parametrize("granted", SETS)
def test_scopes_open_their_routes_and_no_others(server: Deployment, granted: str) -> None:
    """Every route with every set of scopes: 401 OAUTH_SCOPE_MISMATCH, or past that check."""
    token = server.token(granted)
    for route in server.app.router.routes:
        if route.needed is Open.PUBLIC:
            continue
        needed = scope.module_read("Leads") if isinstance(route.needed, Open) else route.needed
        answer = server.http.request(route.method, _path(route.path), headers=server.auth(token))
        mismatch = answer.status_code == 401
        assert mismatch == (not scope.permits(scope.normalise(granted), needed)), route.path
        if mismatch:
            assert answer.json() == {
                "code": "OAUTH_SCOPE_MISMATCH",
                "details": {},
                "message": "invalid oauth scope to access this URL",
                "status": "error",
            }
