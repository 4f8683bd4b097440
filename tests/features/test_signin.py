"""Users sign in and agree: `/oauth/v2/auth` over real HTTP (facts 7.1 to 7.3)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import itertools
import re
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from tests.support.clocks import stopped_clock
from tests.support.deployment import Deployment

from bulkwright.asgi import create_app
from bulkwright.clock import ManualClock
from bulkwright.domain import limits
from bulkwright.domain.account import ClientKind, OAuthClient, User
from bulkwright.domain.limits import (
    LIVE_REFRESH_TOKENS,
    LIVE_SESSIONS,
    REMEMBERED_DEVICES,
    SESSION_SECONDS,
    TOKEN_REQUESTS_AT_ONCE,
)
from bulkwright.service import passwords
from bulkwright.service.setup import SAMPLE_CLIENT_ID, SAMPLE_REDIRECT
from bulkwright.service.signin import SignInService
from bulkwright.settings import Settings

AUTH, REFRESH = "/oauth/v2/auth", "/oauth/v2/auth/refresh"
CALLBACK = "https://app.example:8443/in/back?tenant=7"
PASSWORD = "Füße im Wasser, 12"
SCOPES = "ZohoCRM.bulk.ALL,ZohoCRM.modules.ALL,Aaaserver.profile.Read"
_numbers = itertools.count()


class Browser(httpx2.Client):
    """A client that keeps cookies and follows no redirect."""

    def __init__(self, base_url: str, timeout: float = 30.0) -> None:
        super().__init__(base_url=base_url, timeout=timeout, verify=False)

    def press(self, page: httpx2.Response, step: str, **fields: str) -> httpx2.Response:
        """Sends the form of a page as a browser does; `fields` add to it or replace its values."""
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
        form = {"csrf": found[1] if found else "", "step": step} | fields
        return self.post(str(page.url), data=form)

    def follow(self, answer: httpx2.Response) -> httpx2.Response:
        """Follows a redirect to a page of this server. Any other redirect fails."""
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"].startswith(f"{AUTH}?") or answer.headers[
            "location"
        ].startswith(f"{REFRESH}?")
        return self.get(answer.headers["location"])


@pytest.fixture
def browser(server: Deployment) -> Iterator[Browser]:
    """A browser without cookies."""
    with Browser(base_url=server.base_url, timeout=30) as made:
        yield made


@pytest.fixture(scope="module")
def web(server: Deployment) -> tuple[OAuthClient, str]:
    """A client of the type `server`, and its secret."""
    made = server.services.setup.register_client(
        server.tenant.user, ClientKind.SERVER, "A <b>web</b> & app", redirect_uris=(CALLBACK,)
    )
    assert made.secret is not None
    return made.client, made.secret


@pytest.fixture(scope="module", autouse=True)
def cheap_hashes() -> Iterator[pytest.MonkeyPatch]:
    """Makes hashes of new passwords cheap. Each hash contains its cost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "PASSWORD_SCRYPT", (10, 8, 1))
        yield patch


@pytest.fixture
def expensive_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes hashes of new passwords as expensive as in production."""
    monkeypatch.setattr(passwords, "PASSWORD_SCRYPT", limits.PASSWORD_SCRYPT)


@pytest.fixture(scope="module")
def user(server: Deployment) -> User:
    """A user with a password."""
    return new_user(server)


def new_user(server: Deployment, password: str = PASSWORD) -> User:
    """A new user with a password."""
    email = f"user{next(_numbers)}@zylker.example"
    setup = server.services.setup
    user = setup.create_user(server.tenant.org, "Ümit", "O'Neil <i>", email)
    server.services.signin.set_password(user, password)
    return user


def server_query(web: tuple[OAuthClient, str], **changes: str | None) -> dict[str, str]:
    """The query of a client of the type `server`; None removes a parameter."""
    usual: dict[str, str | None] = {
        "scope": SCOPES,
        "client_id": web[0].client_id,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "state": "s t&1",
        "access_type": "offline",
    }
    return {k: v for k, v in (usual | changes).items() if v is not None}


def sample_query(**changes: str | None) -> dict[str, str]:
    """The query of the founding page's sample; None removes a parameter."""
    usual: dict[str, str | None] = {
        "scope": SCOPES,
        "client_id": SAMPLE_CLIENT_ID,
        "response_type": "token",
        "state": "zohocrmclient",
        "redirect_uri": SAMPLE_REDIRECT,
    }
    return {k: v for k, v in (usual | changes).items() if v is not None}


def sign_in(browser: Browser, user: User, query: dict[str, str]) -> httpx2.Response:
    """Signs in by password and returns the consent page."""
    page = browser.get(AUTH, params=query)
    assert "<h1>Sign in</h1>" in page.text
    answer = browser.press(page, "sign-in", email=user.email, password=PASSWORD)
    page = browser.follow(answer)
    assert "<h1>Allow access?</h1>" in page.text
    return page


def code_of(answer: httpx2.Response) -> str:
    """The code in a redirect."""
    assert answer.status_code == 303, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))["code"]


def exchange(
    server: Deployment, web: tuple[OAuthClient, str], code: str, **more: str
) -> dict[str, object]:
    """Returns the response of the token endpoint to a code."""
    form = {
        "grant_type": "authorization_code",
        "client_id": web[0].client_id,
        "client_secret": web[1],
        "code": code,
        "redirect_uri": CALLBACK,
    }
    body: dict[str, object] = server.http.post("/oauth/v2/token", data=form | more).json()
    return body


# Redirects to the client


def test_both_pages_lead_to_a_code(
    server: Deployment, browser: Browser, web: tuple[OAuthClient, str], user: User
) -> None:
    """The query has state, code, location and accounts-server (facts 7.2)."""
    page = sign_in(browser, user, server_query(web))
    assert "A &lt;b&gt;web&lt;/b&gt; &amp; app" in page.text
    assert "Ümit O'Neil <i>" in unescape(page.text) and "O'Neil <i>" not in page.text
    assert "<code>https://app.example:8443</code>" in page.text
    answer = browser.press(page, "accept")
    url = answer.headers["location"]
    escaped = server.base_url.replace(":", "%3A").replace("/", "%2F")
    assert url.startswith(f"{CALLBACK}&state=s%20t%261&code=1000.")
    assert url.endswith(f"&location=us&accounts-server={escaped}")
    assert (answer.status_code, answer.content) == (303, b"")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    found = exchange(server, web, code_of(answer))
    assert set(found) == {
        *("access_token", "refresh_token", "scope", "api_domain", "token_type", "expires_in")
    }
    me = server.get("/crm/v2/Leads", str(found["access_token"]))
    assert me.status_code in (200, 204)
    assert exchange(server, web, code_of(answer)) == {"error": "invalid_code"}


def test_a_token_in_the_fragment(server: Deployment, browser: Browser, user: User) -> None:
    """It is valid for an hour, for the user who agreed, and has no refresh token (facts 7.3)."""
    page = sign_in(browser, user, sample_query())
    url = browser.press(page, "accept").headers["location"]
    before, _, fragment = url.partition("#")
    assert before == SAMPLE_REDIRECT
    found = dict(parse_qsl(fragment))
    token = found.pop("access_token")
    assert re.fullmatch(r"1000\.[0-9a-f]{32}\.[0-9a-f]{32}", token)
    assert list(found.items()) == [
        *[("expires_in", "3600"), ("location", "us"), ("api_domain", server.base_url)],
        *[("state", "zohocrmclient"), ("granted_for_session", "true")],
    ]
    assert "http%3A%2F%2F127.0.0.1%3A" in fragment
    assert server.get("/crm/bulk/v2/write/1", token).status_code == 404
    caller = server.services.tokens.check(token)
    assert caller.user_id == user.id


def test_online_access_has_no_refresh_token(
    server: Deployment, browser: Browser, web: tuple[OAuthClient, str], user: User
) -> None:
    """Only `access_type=offline` gets a refresh token (facts 7.2)."""
    for access in ("online", None):
        query = server_query(web, access_type=access)
        page = browser.get(AUTH, params=query)
        if "Sign in</h1>" in page.text:
            page = sign_in(browser, user, query)
        found = exchange(server, web, code_of(browser.press(page, "accept")))
        assert "access_token" in found and "refresh_token" not in found


def test_consent_says_how_long_it_holds(
    browser: Browser, web: tuple[OAuthClient, str], user: User
) -> None:
    """Only a client that gets a refresh token keeps its access."""
    until_revoked, an_hour = "until the operator of this server revokes it", "ends after an hour"
    page = sign_in(browser, user, server_query(web))
    assert until_revoked in page.text and an_hour not in page.text
    for query in (server_query(web, access_type=None), sample_query(),
                  sample_query(access_type="offline")):  # fmt: skip
        page = browser.get(AUTH, params=query)
        assert an_hour in page.text and until_revoked not in page.text


@pytest.mark.parametrize("implicit", [False, True])
def test_a_rejection_is_sent_to_the_client(
    browser: Browser, web: tuple[OAuthClient, str], user: User, implicit: bool
) -> None:
    """It is in the query for a code and in the fragment for a token, together with the state."""
    page = sign_in(browser, user, sample_query() if implicit else server_query(web))
    url = browser.press(page, "reject").headers["location"]
    wanted = f"{CALLBACK}&error=access_denied&state=s%20t%261"
    if implicit:
        wanted = f"{SAMPLE_REDIRECT}#error=access_denied&state=zohocrmclient"
    assert url == wanted


@pytest.mark.parametrize(
    "state", ["a\r\nSet-Cookie: x=1", "é😀#&=?+%", "x" * 8192, "", "<script>", None]
)
def test_the_state_is_returned_unchanged(
    browser: Browser, web: tuple[OAuthClient, str], user: User, state: str | None
) -> None:
    """It is percent-encoded, so that it cannot add headers or parameters."""
    page = sign_in(browser, user, server_query(web, state=state))
    answer = browser.press(page, "accept")
    found = dict(parse_qsl(urlsplit(answer.headers["location"]).query, keep_blank_values=True))
    assert found.get("state") == state
    assert "x" not in browser.cookies
    assert "<script>" not in page.text


# Errors in the query: shown on a page, never sent by a redirect


@pytest.mark.parametrize(
    "uri",
    [
        *(f"{CALLBACK}&x=1", f"{CALLBACK}#x", f"{CALLBACK}/", CALLBACK[:-1], CALLBACK.upper()),
        *(
            "https://app.example:8443/in/../in/back?tenant=7",
            "https://app.example/in/back?tenant=7",
        ),
        *(CALLBACK.replace("https", "http"), "https://u@app.example:8443/in/back?tenant=7"),
        *("https://app.example:8443.evil.test/in/back?tenant=7", "//app.example:8443", "/", ""),
        *("javascript:alert(1)", "data:text/html,x", f"{CALLBACK} ", SAMPLE_REDIRECT, None),
    ],
)
def test_another_redirect_uri_is_an_error_page(
    browser: Browser, web: tuple[OAuthClient, str], uri: str | None
) -> None:
    """The URI must equal a registered one. Otherwise neither GET nor POST redirects."""
    query = server_query(web, redirect_uri=uri)
    for path in (AUTH, REFRESH):
        for answer in (browser.get(path, params=query), browser.post(path, params=query)):
            assert answer.status_code == 400
            assert "location" not in answer.headers
            assert "invalid_redirect_uri" in answer.text


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"client_id": "1000.UNKNOWN"}, "invalid_client"),
        ({"client_id": None}, "invalid_client"),
        ({"response_type": "token"}, "unauthorized_client"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"scope": " , "}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"code_challenge": "x" * 43}, "invalid_code_challenge"),
        ({"code_challenge": "x" * 43, "code_challenge_method": "plain"}, "invalid_code_challenge"),
        ({"code_challenge": "x" * 44, "code_challenge_method": "S256"}, "invalid_code_challenge"),
        ({"code_challenge_method": "S256"}, "invalid_code_challenge"),
    ],
)
def test_a_wrong_query_is_an_error_page(
    browser: Browser, web: tuple[OAuthClient, str], changes: dict[str, str | None], code: str
) -> None:
    """The page shows an explanation, and an error code for the developer."""
    answer = browser.get(AUTH, params=server_query(web, **changes))
    assert answer.status_code == 400
    assert f"<code>{code}</code>" in answer.text
    assert answer.headers["content-type"] == "text/html;charset=utf-8"


def test_codes_are_for_clients_that_can_prove_themselves(
    server: Deployment, browser: Browser
) -> None:
    """A client without a secret needs a PKCE challenge. A self client has no pages."""
    answer = browser.get(AUTH, params=sample_query(response_type="code"))
    assert "invalid_code_challenge" in answer.text
    client_id = server.tenant.client.client_id
    answer = browser.get(AUTH, params=sample_query(response_type="code", client_id=client_id))
    assert "invalid_redirect_uri" in answer.text


def test_a_damaged_link_is_an_error_page(browser: Browser) -> None:
    """Its query cannot be read."""
    for query in (b"client_id=%ff", b"a&" * 100):
        answer = browser.get(f"{AUTH}?{query.decode('latin-1')}")
        assert (answer.status_code, "invalid_request" in answer.text) == (400, True)


# PKCE


VERIFIER = "bulkwright-" * 5  # the same in every process that shares the tests
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest())[:-1].decode()


@pytest.mark.parametrize(
    ("challenge", "verifier", "good"),
    [
        (CHALLENGE, VERIFIER, True),
        (CHALLENGE, VERIFIER[:-1] + "~", False),
        (CHALLENGE, CHALLENGE, False),
        (CHALLENGE, "x" * 129, False),
        (CHALLENGE, "", False),
        (CHALLENGE, None, False),
        (None, VERIFIER, False),
        (None, None, True),
    ],
)
def test_a_code_is_bound_to_its_challenge(
    server: Deployment,
    web: tuple[OAuthClient, str],
    challenge: str | None,
    verifier: str | None,
    good: bool,
) -> None:
    """A wrong verifier does not consume the code, so the owner can still exchange it."""
    code = server.services.tokens.issue_code(
        web[0], SCOPES, redirect_uri=CALLBACK, code_challenge=challenge
    )
    found = exchange(server, web, code, **({} if verifier is None else {"code_verifier": verifier}))
    assert ("access_token" in found) == good
    assert good or found == {"error": "invalid_code"}
    if challenge and not good:
        assert "access_token" in exchange(server, web, code, code_verifier=VERIFIER)


def test_the_pages_keep_the_challenge(
    server: Deployment, browser: Browser, web: tuple[OAuthClient, str], user: User
) -> None:
    """The challenge of the query applies to the exchange of the code."""
    query = server_query(web, code_challenge=CHALLENGE, code_challenge_method="S256")
    page = sign_in(browser, user, query)
    code = code_of(browser.press(page, "accept"))
    assert exchange(server, web, code) == {"error": "invalid_code"}
    assert "access_token" in exchange(server, web, code, code_verifier=VERIFIER)


def test_a_page_without_a_secret_exchanges_a_code(
    server: Deployment, browser: Browser, user: User
) -> None:
    """Authorization code with PKCE: no secret, no refresh token, and the code is good once."""
    query = sample_query(
        response_type="code",
        access_type="offline",
        code_challenge=CHALLENGE,
        code_challenge_method="S256",
    )
    answer = browser.press(sign_in(browser, user, query), "accept")
    code = code_of(answer)
    assert "#" not in answer.headers["location"]
    form = {
        "grant_type": "authorization_code",
        "client_id": SAMPLE_CLIENT_ID,
        "redirect_uri": SAMPLE_REDIRECT,
        "code": code,
    }

    def ask(**more: str) -> httpx2.Response:
        origin = {"Origin": "http://127.0.0.1:5500"}
        return server.http.post("/oauth/v2/token", data=form | more, headers=origin)

    for wrong in ({}, {"code_verifier": "x" * 43}):
        assert ask(**wrong).json() == {"error": "invalid_code"}
    answer = ask(code_verifier=VERIFIER, client_secret="x")
    assert answer.json() == {"error": "invalid_client_secret"}
    answer = ask(code_verifier=VERIFIER)
    assert answer.headers["access-control-allow-origin"] == "http://127.0.0.1:5500"
    given = answer.json()
    assert "refresh_token" not in given
    assert server.get("/crm/bulk/v2/write/1", given["access_token"]).status_code == 404
    assert ask(code_verifier=VERIFIER).json() == {"error": "invalid_code"}
    assert server.get("/crm/bulk/v2/write/1", given["access_token"]).status_code == 401


def test_a_client_without_a_secret_has_no_other_grant(server: Deployment) -> None:
    """A code without a challenge, which no page gives it, is rejected too."""
    client = server.services.accounts.client(SAMPLE_CLIENT_ID)
    assert client is not None
    code = server.services.tokens.issue_code(client, SCOPES)
    for form, error in (
        ({"grant_type": "authorization_code", "code": code}, "invalid_code"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_client"),
        ({"grant_type": "client_credentials", "scope": SCOPES}, "invalid_client"),
    ):
        answer = server.http.post("/oauth/v2/token", data=form | {"client_id": SAMPLE_CLIENT_ID})
        assert answer.json() == {"error": error}


# Consent


def test_a_get_changes_nothing(browser: Browser, web: tuple[OAuthClient, str], user: User) -> None:
    """A prefetch, or a link with the parameters of the button, shows the page only."""
    sign_in(browser, user, server_query(web))
    for extra in ({}, {"step": "accept"}):
        answer = browser.get(AUTH, params=server_query(web) | extra)
        assert (answer.status_code, "Allow access?" in answer.text) == (200, True)
    assert browser.head(AUTH, params=server_query(web)).content == b""


def test_consent_needs_the_token_of_its_page(
    server: Deployment, browser: Browser, web: tuple[OAuthClient, str], user: User
) -> None:
    """A missing token is rejected, and one of another browser, query or form."""
    page = sign_in(browser, user, server_query(web))
    with Browser(base_url=server.base_url) as other:
        theirs = sign_in(other, user, server_query(web))
    smaller = browser.get(AUTH, params=server_query(web, scope="ZohoCRM.org.READ"))
    with Browser(base_url=server.base_url) as fresh:
        before = fresh.get(AUTH, params=server_query(web))
    tokens = [re.search(r"[0-9a-f]{64}", p.text) for p in (theirs, smaller, before)]
    for csrf in ["", "x", "é", *(t[0] for t in tokens if t)]:
        answer = browser.press(page, "accept", csrf=csrf)
        assert answer.status_code == 403
        assert "location" not in answer.headers
    assert browser.post(str(page.url), data={"step": "accept"}).status_code == 403
    assert browser.press(page, "accept").status_code == 303


def test_consent_needs_a_session(
    browser: Browser, web: tuple[OAuthClient, str], user: User
) -> None:
    """After signing out, the form of a page that is still open is rejected."""
    page = sign_in(browser, user, server_query(web))
    out = browser.press(page, "sign-out")
    assert out.headers["set-cookie"].startswith("bulkwright=;")
    assert "Sign in</h1>" in browser.follow(out).text
    answer = browser.press(page, "accept")
    assert (answer.status_code, "location" in answer.headers) == (403, False)


def test_an_unknown_button_does_nothing(
    browser: Browser, web: tuple[OAuthClient, str], user: User
) -> None:
    """A body that is no form does nothing either."""
    page = sign_in(browser, user, server_query(web))
    assert browser.press(page, "unknown").status_code == 403
    url = str(page.url)
    assert browser.post(url, content=b"\xff=\xff").status_code == 400
    assert browser.post(url, content=b"x" * 70_000).status_code == 400
    assert browser.post(url, files={"csrf": (None, "x")}).status_code in (400, 403)


# Renewal


def test_renewal_shows_a_page_unless_all_scopes_were_agreed_to(
    browser: Browser, web: tuple[OAuthClient, str], user: User
) -> None:
    """Without a session, or for more scopes, it shows the pages; otherwise it redirects."""
    page = browser.get(REFRESH, params=sample_query())
    assert "Sign in</h1>" in page.text
    answer = browser.press(page, "sign-in", email=user.email, password=PASSWORD)
    page = browser.follow(answer)
    assert str(page.url.path) == REFRESH and "Allow access?" in page.text
    first = browser.press(page, "accept").headers["location"]
    again = browser.get(REFRESH, params=sample_query()).headers["location"]
    assert again.startswith(f"{SAMPLE_REDIRECT}#access_token=") and again != first
    fewer = browser.get(REFRESH, params=sample_query(scope="zohocrm.BULK.all"))
    assert fewer.status_code == 303
    more = browser.get(REFRESH, params=sample_query(scope=f"{SCOPES},ZohoCRM.org.READ"))
    assert (more.status_code, "Allow access?" in more.text) == (200, True)
    assert browser.get(AUTH, params=sample_query()).status_code == 200
    other_client = browser.get(REFRESH, params=server_query(web))
    assert other_client.status_code == 200
    assert browser.press(more, "accept").status_code == 303
    assert browser.get(REFRESH, params=sample_query(scope="ZohoCRM.org.READ")).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
        {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
        {"Sec-Purpose": "prefetch"},
    ],
)
def test_renewal_redirects_windows_only(
    browser: Browser, user: User, headers: dict[str, str]
) -> None:
    """Scripts, frames and prefetches get the page, which they cannot use."""
    browser.press(sign_in(browser, user, sample_query()), "accept")
    assert browser.get(REFRESH, params=sample_query(), headers=headers).status_code == 200
    window = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert browser.get(REFRESH, params=sample_query(), headers=window).status_code == 303
    assert browser.head(REFRESH, params=sample_query()).status_code == 200


# Signing in


def test_a_session_is_new_with_each_sign_in(
    server: Deployment, browser: Browser, user: User
) -> None:
    """The cookie is hidden from scripts, stored as a hash, and replaces one set before."""
    fixed = "F" * 43
    page = browser.get(AUTH, params=sample_query(), headers={"Cookie": f"bulkwright={fixed}"})
    assert "set-cookie" not in page.headers
    browser.cookies.set("bulkwright", fixed, path=AUTH)
    answer = browser.press(page, "sign-in", email=user.email, password=PASSWORD)
    cookie, device = answer.headers.get_list("set-cookie")
    value = cookie.removeprefix("bulkwright=").partition(";")[0]
    assert re.fullmatch(r"[\w-]{43}", value) and value != fixed
    found = cookie.partition("; ")[2].split("; ")
    assert set(found) == {"HttpOnly", "SameSite=Lax", "Path=/oauth/v2/auth", "Max-Age=28800"}
    assert "; Max-Age=15552000" in device
    remembered = device.removeprefix("bulkwright-device=").partition(";")[0]
    assert re.fullmatch(r"[\w-]{43}", remembered)
    stored = server.stored()
    assert value.encode() not in stored and remembered.encode() not in stored
    assert hashlib.sha256(value.encode()).hexdigest().encode() in stored
    with Browser(base_url=server.base_url) as thief:
        thief.cookies.set("bulkwright", fixed, path=AUTH)
        assert "Sign in</h1>" in thief.get(AUTH, params=sample_query()).text


def test_signing_in_needs_the_token_of_its_page(browser: Browser, user: User) -> None:
    """A form on another site cannot sign the user in as another user."""
    page = browser.get(AUTH, params=sample_query())
    given = {"email": user.email, "password": PASSWORD}
    assert browser.press(page, "sign-in", csrf="0" * 64, **given).status_code == 403
    browser.cookies.clear()
    assert browser.press(page, "sign-in", **given).status_code == 403


@pytest.mark.slow
@pytest.mark.usefixtures("expensive_hashes")
def test_a_failed_sign_in_does_not_reveal_whether_the_user_exists(
    server: Deployment, browser: Browser
) -> None:
    """Text and status are the same, and every attempt takes the time of a hash."""
    setup, user = server.services.setup, new_user(server)
    bare = setup.create_user(server.tenant.org, "No", "Password", "bare@zylker.example")
    answers, took = [], []
    for email in (user.email, bare.email, "unknown@zylker.example", server.other.user.email, ""):
        page = browser.get(AUTH, params=sample_query())
        start = time.perf_counter()
        answer = browser.press(page, "sign-in", email=email, password="not the password")
        took.append(time.perf_counter() - start)
        assert answer.status_code == 401
        answers.append(re.sub(r'value="[^"]*"', "", answer.text))
        assert "The e-mail or the password is wrong." in answer.text
    assert len(set(answers)) == 1
    assert min(took) > 0.02, "no hash was computed for an unknown user"


@pytest.mark.slow
@pytest.mark.usefixtures("expensive_hashes")
def test_guessing_is_slowed_down(server: Deployment, browser: Browser) -> None:
    """After five wrong passwords the next is not checked, even if it is right."""
    one, two = new_user(server), new_user(server)
    page = browser.get(AUTH, params=sample_query())
    with stopped_clock():
        for _ in range(5):
            assert browser.press(page, "sign-in", email=one.email, password="x").status_code == 401
        answers = [
            browser.press(page, "sign-in", email=one.email.upper(), password=PASSWORD)
            for _ in range(9)
        ]
    assert {a.status_code for a in answers} == {429}
    assert "Too many attempts. Please wait for 2 seconds." in answers[0].text
    assert answers[0].headers["retry-after"] == "2"
    assert browser.press(page, "sign-in", email=two.email, password=PASSWORD).status_code == 303


@pytest.mark.slow
@pytest.mark.usefixtures("expensive_hashes")
def test_simultaneous_guesses_are_slowed_down_too(server: Deployment) -> None:
    """Only a few of them are checked."""
    user = new_user(server)
    statuses: list[int] = []

    for _ in range(4):
        assert server.services.signin.sign_in(user.org_id, user.email, "x", "127.0.0.1") is None

    def guess() -> None:
        with Browser(base_url=server.base_url, timeout=60) as one:
            page = one.get(AUTH, params=sample_query())
            answer = one.press(page, "sign-in", email=user.email, password="guess")
            statuses.append(answer.status_code)

    threads = [threading.Thread(target=guess) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(401) <= 3
    assert set(statuses) == {401, 429} and len(statuses) == 30


def test_a_stranger_does_not_lock_a_user_out(server: Deployment, browser: Browser) -> None:
    """From the same address: the browser in which the user signed in before counts by itself."""
    user = new_user(server)
    sign_in(browser, user, sample_query())
    device = browser.cookies["bulkwright-device"]
    with Browser(base_url=server.base_url) as stranger:
        stranger.cookies.set("bulkwright-device", "D" * 43, path=AUTH)
        page = stranger.get(AUTH, params=sample_query())
        for _ in range(5):
            stranger.press(page, "sign-in", email=user.email, password="x")
        late = stranger.press(page, "sign-in", email=user.email, password=PASSWORD)
        assert late.status_code == 429
    browser.press(browser.get(AUTH, params=sample_query()), "sign-out")
    page = browser.get(AUTH, params=sample_query())
    answer = browser.press(page, "sign-in", email=user.email, password=PASSWORD)
    assert answer.status_code == 303 and browser.cookies["bulkwright-device"] == device
    browser.press(browser.get(AUTH, params=sample_query()), "sign-out")
    page = browser.get(AUTH, params=sample_query())
    guesses = [
        browser.press(page, "sign-in", email=user.email, password="x").status_code for _ in range(6)
    ]
    assert guesses == [401] * 5 + [429]


def test_a_new_password_forgets_devices(server: Deployment, browser: Browser) -> None:
    """A stranger may have signed in with the old one."""
    user = new_user(server)
    sign_in(browser, user, sample_query())
    device, signin = browser.cookies["bulkwright-device"], server.services.signin
    assert signin.is_device(device, user.org_id, user.email)
    assert not signin.is_device(device, user.org_id, server.tenant.user.email)
    signin.set_password(user, PASSWORD)
    assert not signin.is_device(device, user.org_id, user.email)


@pytest.mark.parametrize("size", [300, 60_000, 1_000_000])
def test_a_long_password_costs_nothing(browser: Browser, user: User, size: int) -> None:
    """It is rejected before it is hashed, or before it is read."""
    page = browser.get(AUTH, params=sample_query())
    begun = time.process_time()  # the server is a thread of this process
    answer = browser.press(page, "sign-in", email=user.email, password="x" * size)
    assert answer.status_code in (401, 400)
    assert time.process_time() - begun < 2


def test_passwords_are_compared_by_characters(server: Deployment, browser: Browser) -> None:
    """Composed and decomposed characters are equal. A NUL is a character like others."""
    user = new_user(server, password="Ångström\0schön")
    page = browser.get(AUTH, params=sample_query())
    for password, status in (
        *[("A\u030angstro\u0308m\0scho\u0308n", 303), ("\u212bngström\0schön", 303)],
        *[("Ångström", 401), ("Ångström\0", 401), ("Ångström\0schön ", 401)],
    ):
        with Browser(base_url=server.base_url) as fresh:
            page = fresh.get(AUTH, params=sample_query())
            answer = fresh.press(page, "sign-in", email=user.email, password=password)
        assert answer.status_code == status, password


def test_a_session_ends(
    server: Deployment, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends after its time, and when the password changes."""
    user = new_user(server)
    sign_in(browser, user, sample_query())
    server.services.signin.set_password(user, PASSWORD)
    assert "Sign in</h1>" in browser.get(AUTH, params=sample_query()).text
    sign_in(browser, user, sample_query())
    clock = ManualClock(datetime.now(UTC) + timedelta(seconds=SESSION_SECONDS))
    monkeypatch.setattr(server.services.database, "clock", clock)
    assert "Sign in</h1>" in browser.get(AUTH, params=sample_query()).text


def test_users_sign_in_to_the_org_of_the_client(
    server: Deployment, browser: Browser, user: User
) -> None:
    """The client of another org accepts neither its users nor its sessions."""
    uri = "http://127.0.0.1:5600/redirect.html"
    made = server.services.setup.register_client(
        server.other.user, ClientKind.JAVASCRIPT, "Theirs", redirect_uris=(uri,)
    )
    theirs = sample_query(client_id=made.client.client_id, redirect_uri=uri)
    sign_in(browser, user, sample_query())
    page = browser.get(AUTH, params=theirs)
    assert "Sign in</h1>" in page.text
    answer = browser.press(page, "sign-in", email=user.email, password=PASSWORD)
    assert answer.status_code == 401
    answer = browser.press(page, "sign-in-as", user=str(user.id))
    assert "Sign in</h1>" in answer.text


# Development


def test_in_development_one_click_is_enough(server: Deployment, browser: Browser) -> None:
    """`--dev` serves loopback only, and writes tokens to a file anyway."""
    page = browser.get(AUTH, params=sample_query())
    assert "Continue as Patricia Boyle" in page.text
    answer = browser.press(page, "sign-in-as", user=str(server.tenant.user.id))
    assert "Allow access?" in browser.follow(answer).text
    for user in ("", "x", "9" * 30, "1", str(server.other.user.id)):
        with Browser(base_url=server.base_url) as fresh:
            page = fresh.get(AUTH, params=sample_query())
            assert "Sign in</h1>" in fresh.press(page, "sign-in-as", user=user).text


def test_one_click_needs_a_local_host_name(server: Deployment, browser: Browser) -> None:
    """The owner of another name can make it resolve to 127.0.0.1, and send our forms."""
    for host in ("evil.test", "127.0.0.1.evil.test:80", "evil.test:127.0.0.1"):
        page = browser.get(AUTH, params=sample_query(), headers={"Host": host})
        assert page.status_code == 421
        assert host not in page.text
    page = browser.get(AUTH, params=sample_query())
    csrf = re.findall(r"[0-9a-f]{64}", page.text)[0]
    form = {"csrf": csrf, "step": "sign-in-as", "user": str(server.tenant.user.id)}
    answer = browser.post(str(page.url), data=form, headers={"Host": "evil.test"})
    assert answer.status_code == 421


def behind_tls(server: Deployment) -> httpx2.AsyncClient:
    """The same service without --dev, behind a proxy that terminates TLS."""
    url = "https://crm.example"
    app = create_app(server.services, Settings(server.settings.data), url)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=url)


def test_behind_tls_everything_is_secure(server: Deployment, user: User) -> None:
    """The cookie is `__Host-` and Secure, HSTS is sent, and a password is needed."""

    async def walk() -> None:
        async with behind_tls(server) as client:
            page = await client.get(AUTH, params=sample_query())
            assert "Continue as" not in page.text
            for path in ("/crm/v2/org", "/nothing", "/docs", "/oauth/v2/auth/style.css"):
                any_page = await client.get(path)
                assert any_page.headers["strict-transport-security"] == "max-age=31536000"
            assert page.headers["strict-transport-security"] == "max-age=31536000"
            assert page.headers["set-cookie"].startswith("__Host-bulkwright=")
            assert "; Path=/; Secure" in page.headers["set-cookie"]
            csrf = re.findall(r"[0-9a-f]{64}", page.text)[0]
            form = {"csrf": csrf, "step": "sign-in-as", "user": str(user.id)}
            assert (await client.post(page.url, data=form)).status_code == 200
            form = {"csrf": csrf, "step": "sign-in", "email": user.email, "password": PASSWORD}
            answer = await client.post(page.url, data=form)
            assert answer.headers["strict-transport-security"] == "max-age=31536000"
            page = await client.get(answer.headers["location"])
            csrf = re.findall(r"[0-9a-f]{64}", page.text)[0]
            answer = await client.post(page.url, data={"csrf": csrf, "step": "accept"})
            assert "&api_domain=https%3A%2F%2Fcrm.example&" in answer.headers["location"]

    asyncio.run(walk())


def test_a_new_session_ends_the_one_that_it_replaces(server: Deployment) -> None:
    """Of the same browser, by password and by the button of --dev; also one of another org."""
    user, org, other = new_user(server), server.tenant.org.id, server.other
    signin = server.services.signin
    first = signin.sign_in_as(other.org.id, other.user.id)
    assert first is not None
    secrets = [first]
    for step in (
        {"step": "sign-in", "email": user.email, "password": PASSWORD},
        {"step": "sign-in-as", "user": str(user.id)},
    ):
        # In another tab the browser has signed in since it loaded this page.
        with Browser(server.base_url) as browser:
            page = browser.get(AUTH, params=sample_query())
            browser.cookies.clear()
            form = {**step, "csrf": csrf_of("sign-in", page, secrets[-1])}
            cookie = {"Cookie": f"bulkwright={secrets[-1]}"}
            answer = browser.post(str(page.url), data=form, headers=cookie)
            assert answer.status_code == 303, answer.text
            secrets.append(browser.cookies["bulkwright"])
    assert signin.signed_in(secrets[0], other.org.id) is None
    assert signin.signed_in(secrets[1], org) is None
    assert signin.signed_in(secrets[2], org) is not None


def csrf_of(form: str, page: httpx2.Response, secret: str) -> str:
    """The proof in a form, for a browser with this cookie."""
    text = f"{form} {page.url.raw_path.decode()}".encode()
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


# Headers


def test_pages_run_no_script_and_cannot_be_framed(
    browser: Browser, web: tuple[OAuthClient, str], user: User
) -> None:
    """This holds for each page, for error pages and for the style sheet."""
    error = browser.get(AUTH)
    page = browser.get(AUTH, params=server_query(web))
    style = browser.get("/oauth/v2/auth/style.css")
    assert style.headers["content-type"] == "text/css;charset=utf-8"
    for answer in (error, page, sign_in(browser, user, server_query(web)), style):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        target = " https://app.example:8443" if answer not in (error, style) else ""
        assert answer.headers["content-security-policy"] == (
            f"default-src 'none'; style-src 'self'; form-action 'self'{target}; "
            "frame-ancestors 'none'; base-uri 'none'"
        )
        assert "<script" not in answer.text and "style=" not in answer.text


def doubled_slash_url(browser: Browser) -> str:
    """The URL of the pages with a doubled first slash."""
    return f"{str(browser.base_url).rstrip('/')}/{AUTH}"


def test_other_origins_cannot_read_the_pages(browser: Browser, user: User) -> None:
    """Registered origins may read the API. With the pages they could press Accept themselves."""
    sign_in(browser, user, sample_query())
    for method in ("GET", "POST", "OPTIONS"):
        for path in (AUTH, REFRESH, doubled_slash_url(browser)):
            answer = browser.request(
                method, path, params=sample_query(), headers={"Origin": "http://127.0.0.1:5500"}
            )
            assert not any(name.startswith("access-control") for name in answer.headers)


def test_two_slashes_redirect_to_this_host(browser: Browser, user: User) -> None:
    """`//oauth/v2/auth` is served, and its redirects point to paths of this server."""
    browser.get(AUTH, params=sample_query())
    held = {"Cookie": f"bulkwright={browser.cookies['bulkwright']}"}
    page = browser.get(doubled_slash_url(browser), params=sample_query(), headers=held)
    csrf = re.findall(r"[0-9a-f]{64}", page.text)[0]
    form = {"csrf": csrf, "step": "sign-in", "email": user.email, "password": PASSWORD}
    answer = browser.post(str(page.url), data=form, headers=held)
    assert answer.headers["location"].startswith("/oauth/")


# Limits


@pytest.mark.slow
def test_too_many_token_requests_are_denied(server: Deployment) -> None:
    """That client gets the documented response; others are served (facts 7.2)."""
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_secret": "y"}
    fast = form | {"client_id": f"1000.FAST{next(_numbers)}"}
    with stopped_clock():
        for _ in range(TOKEN_REQUESTS_AT_ONCE):
            answer = server.http.post("/oauth/v2/token", data=fast)
            assert answer.json() == {"error": "invalid_client"}
        answer = server.http.post("/oauth/v2/token", data=fast)
    assert answer.status_code == 400
    assert answer.json() == {
        "error_description": "You have made too many requests continuously. "
        "Please try again after some time.",
        "error": "Access Denied",
        "status": "failure",
    }
    answer = server.http.post("/oauth/v2/token", data=form | {"client_id": "1000.SLOW"})
    assert answer.json() == {"error": "invalid_client"}


def test_the_21st_refresh_token_ends_the_first(
    server: Deployment, web: tuple[OAuthClient, str]
) -> None:
    """It ends with its access tokens. Tokens of other users and clients stay valid."""
    user = new_user(server)
    tokens = server.services.tokens
    theirs = tokens.issue_refresh(web[0], SCOPES)
    mine = []
    for _ in range(LIVE_REFRESH_TOKENS + 1):
        mine.append(tokens.issue_refresh(web[0], SCOPES, user_id=user.id))
        if len(mine) == 1:
            access = tokens.refresh(web[0].client_id, web[1], mine[0]).access_token
            assert server.get("/crm/bulk/v2/write/1", access).status_code == 404

    def lives(token: str) -> bool:
        form = {"client_id": web[0].client_id, "client_secret": web[1]}
        form |= {"grant_type": "refresh_token", "refresh_token": token}
        return "access_token" in server.http.post("/oauth/v2/token", data=form).json()

    assert [lives(token) for token in mine] == [False] + [True] * LIVE_REFRESH_TOKENS
    assert lives(theirs)
    assert server.get("/crm/bulk/v2/write/1", access).status_code == 401


def test_the_101st_session_ends_the_first(server: Deployment, browser: Browser) -> None:
    """Its browser has to sign in again, and its consent has ended. Other users stay signed in."""
    user, other = new_user(server), new_user(server)
    signin, org = server.services.signin, server.tenant.org.id

    def session(of: User) -> str:
        secret = signin.sign_in(org, of.email, PASSWORD, "192.0.2.1")
        assert secret is not None
        return secret

    theirs = session(other)
    query = sample_query()
    browser.press(sign_in(browser, user, query), "accept")
    first = browser.cookies["bulkwright"]
    assert browser.get(REFRESH, params=query).status_code == 303
    mine = [first, *(session(user) for _ in range(LIVE_SESSIONS))]
    lives = [signin.signed_in(secret, org) is not None for secret in mine]
    assert lives == [False] + [True] * LIVE_SESSIONS
    assert signin.signed_in(theirs, org) is not None
    for path in (AUTH, REFRESH):
        assert "<h1>Sign in</h1>" in browser.get(path, params=query).text


def test_the_21st_device_forgets_the_one_that_was_used_first(server: Deployment) -> None:
    """A device that is used again stays known. Devices of other users do too."""
    user, other = new_user(server), new_user(server)
    signin, org = server.services.signin, server.tenant.org.id

    def use(device: str, of: User = user) -> None:
        assert signin.sign_in(org, of.email, PASSWORD, "192.0.2.1", device) is not None

    use("theirs", other)
    devices = [f"device {number}" for number in range(REMEMBERED_DEVICES + 1)]
    for device in devices[:-1]:
        use(device)
    use(devices[0])
    use(devices[-1])
    known = [signin.is_device(device, org, user.email) for device in devices]
    assert known == [True, False] + [True] * (REMEMBERED_DEVICES - 1)
    assert signin.is_device("theirs", org, other.email)


# The service below the pages


def test_the_service_can_be_used_without_http(server: Deployment) -> None:
    """`service/signin.py` needs neither requests nor pages."""
    signin: SignInService = server.services.signin
    user = new_user(server)
    secret = signin.sign_in(user.org_id, user.email, PASSWORD, "")
    assert secret is not None
    visitor = signin.signed_in(secret, user.org_id)
    assert visitor is not None and visitor.user == user
    authorization = signin.check_request(sample_query())
    assert signin.accept_again(authorization, visitor, "https://x.example") is None
    assert signin.accept(authorization, visitor, "https://x.example").startswith(SAMPLE_REDIRECT)
    assert signin.accept_again(authorization, visitor, "https://x.example") is not None
    signin.sign_out(visitor)
    assert signin.signed_in(secret, user.org_id) is None
