"""A person signs in and agrees: `/oauth/v2/auth` over real HTTP (facts 7.1 to 7.3)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
import re
import threading
import time
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from tests.conftest import Deployment

from bulkwright.api.app import create_app
from bulkwright.config import Settings
from bulkwright.domain import limits
from bulkwright.domain.account import ClientKind, OAuthClient, Profile, User
from bulkwright.domain.limits import LIVE_REFRESH_TOKENS, TOKEN_REQUESTS_AT_ONCE
from bulkwright.service import passwords
from bulkwright.service.setup import SAMPLE_CLIENT_ID, SAMPLE_REDIRECT
from bulkwright.service.signin import SignInService

AUTH, REFRESH = "/oauth/v2/auth", "/oauth/v2/auth/refresh"
CALLBACK = "https://app.example:8443/in/back?tenant=7"
PASSWORD = "Füße im Wasser, 12"
SCOPES = "ZohoCRM.bulk.ALL,ZohoCRM.modules.ALL,Aaaserver.profile.Read"
_numbers = itertools.count()


class Browser(httpx2.Client):
    """Keeps cookies and follows no redirect."""

    def press(self, page: httpx2.Response, step: str, **fields: str) -> httpx2.Response:
        """Send the form of a page as a browser would, or with other `fields`."""
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
        form = {"csrf": found[1] if found else "", "step": step} | fields
        return self.post(str(page.url), data=form)

    def follow(self, answer: httpx2.Response) -> httpx2.Response:
        """Go where a redirect points; to our own pages only."""
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"].startswith(f"{AUTH}?") or answer.headers[
            "location"
        ].startswith(f"{REFRESH}?")
        return self.get(answer.headers["location"])


@pytest.fixture
def browser(server: Deployment) -> Iterator[Browser]:
    """A browser that has never been here."""
    with Browser(base_url=server.base_url, timeout=30) as made:
        yield made


@pytest.fixture(scope="module")
def web(server: Deployment) -> tuple[OAuthClient, str]:
    """A server's client and its secret."""
    made = server.services.setup.register_client(
        server.tenant.user, ClientKind.SERVER, "A <b>web</b> & app", redirect_uris=(CALLBACK,)
    )
    assert made.secret is not None
    return made.client, made.secret


@pytest.fixture(scope="module", autouse=True)
def cheap() -> Iterator[pytest.MonkeyPatch]:
    """New passwords cost little here; each hash says what it cost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "PASSWORD_SCRYPT", (10, 8, 1))
        yield patch


@pytest.fixture
def dear(monkeypatch: pytest.MonkeyPatch) -> None:
    """New passwords cost what they cost in earnest."""
    monkeypatch.setattr(passwords, "PASSWORD_SCRYPT", limits.PASSWORD_SCRYPT)


@pytest.fixture(scope="module")
def person(server: Deployment) -> User:
    """A user with a password."""
    return a_person(server)


def a_person(
    server: Deployment, profile: Profile = Profile.ADMINISTRATOR, password: str = PASSWORD
) -> User:
    """A new user with a password."""
    email = f"user{next(_numbers)}@zylker.example"
    setup = server.services.setup
    user = setup.create_user(server.tenant.org, "Ümit", "O'Neil <i>", email, profile=profile)
    server.services.signin.set_password(user, password)
    return user


def asking(web: tuple[OAuthClient, str], **changes: str | None) -> dict[str, str]:
    """What a server's client asks for; None takes a parameter out."""
    usual: dict[str, str | None] = {
        "scope": SCOPES,
        "client_id": web[0].client_id,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "state": "s t&1",
        "access_type": "offline",
    }
    return {k: v for k, v in (usual | changes).items() if v is not None}


def sample(**changes: str | None) -> dict[str, str]:
    """What the founding page's sample asks for."""
    usual: dict[str, str | None] = {
        "scope": SCOPES,
        "client_id": SAMPLE_CLIENT_ID,
        "response_type": "token",
        "state": "zohocrmclient",
        "redirect_uri": SAMPLE_REDIRECT,
    }
    return {k: v for k, v in (usual | changes).items() if v is not None}


def signed_in(browser: Browser, person: User, query: dict[str, str]) -> httpx2.Response:
    """The consent page, after signing in by password."""
    page = browser.get(AUTH, params=query)
    assert "<h1>Sign in</h1>" in page.text
    answer = browser.press(page, "sign-in", email=person.email, password=PASSWORD)
    page = browser.follow(answer)
    assert "<h1>Allow access?</h1>" in page.text
    return page


def code_of(answer: httpx2.Response) -> str:
    """The code in a redirect."""
    assert answer.status_code == 303, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))["code"]


def exchanged(
    server: Deployment, web: tuple[OAuthClient, str], code: str, **more: str
) -> dict[str, object]:
    """What the token endpoint gives for a code."""
    form = {
        "grant_type": "authorization_code",
        "client_id": web[0].client_id,
        "client_secret": web[1],
        "code": code,
        "redirect_uri": CALLBACK,
    }
    told: dict[str, object] = server.http.post("/oauth/v2/token", data=form | more).json()
    return told


# What comes back


def test_a_code_by_way_of_both_pages(
    server: Deployment, browser: Browser, web: tuple[OAuthClient, str], person: User
) -> None:
    """Facts 7.2: state, code, location and accounts-server in the query; a refresh token for it."""
    page = signed_in(browser, person, asking(web))
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
    told = exchanged(server, web, code_of(answer))
    assert set(told) == {
        *("access_token", "refresh_token", "scope", "api_domain", "token_type", "expires_in")
    }
    me = server.get("/crm/v2/Leads", str(told["access_token"]))
    assert me.status_code in (200, 204)
    assert exchanged(server, web, code_of(answer)) == {"error": "invalid_code"}


def test_a_token_in_the_fragment(server: Deployment, browser: Browser, person: User) -> None:
    """Facts 7.3, O28: an hour, no refresh token, for the person who agreed; nothing in a query."""
    page = signed_in(browser, person, sample())
    url = browser.press(page, "accept").headers["location"]
    before, _, fragment = url.partition("#")
    assert before == SAMPLE_REDIRECT
    told = dict(parse_qsl(fragment))
    token = told.pop("access_token")
    assert re.fullmatch(r"1000\.[0-9a-f]{32}\.[0-9a-f]{32}", token)
    assert list(told.items()) == [
        *[("expires_in", "3600"), ("location", "us"), ("api_domain", server.base_url)],
        *[("state", "zohocrmclient"), ("granted_for_session", "true")],
    ]
    assert "http%3A%2F%2F127.0.0.1%3A" in fragment
    assert server.get("/crm/bulk/v2/write/1", token).status_code == 404
    caller = server.services.tokens.check(token)
    assert caller.user_id == person.id


def test_online_access_has_no_refresh_token(
    server: Deployment, browser: Browser, web: tuple[OAuthClient, str], person: User
) -> None:
    """Facts 7.2: a refresh token is for `access_type=offline` alone."""
    for access in ("online", None):
        query = asking(web, access_type=access)
        page = browser.get(AUTH, params=query)
        if "Sign in</h1>" in page.text:
            page = signed_in(browser, person, query)
        told = exchanged(server, web, code_of(browser.press(page, "accept")))
        assert "access_token" in told and "refresh_token" not in told


@pytest.mark.parametrize("implicit", [False, True])
def test_who_rejects_sends_back_a_refusal(
    browser: Browser, web: tuple[OAuthClient, str], person: User, implicit: bool
) -> None:
    """In the query for a code, in the fragment for a token; the state goes with it."""
    page = signed_in(browser, person, sample() if implicit else asking(web))
    url = browser.press(page, "reject").headers["location"]
    wanted = f"{CALLBACK}&error=access_denied&state=s%20t%261"
    if implicit:
        wanted = f"{SAMPLE_REDIRECT}#error=access_denied&state=zohocrmclient"
    assert url == wanted


@pytest.mark.parametrize(
    "state", ["a\r\nSet-Cookie: x=1", "é😀#&=?+%", "x" * 8192, "", "<script>", None]
)
def test_a_state_comes_back_as_it_was(
    browser: Browser, web: tuple[OAuthClient, str], person: User, state: str | None
) -> None:
    """O11: percent-encoded, so that it splits no header and leaves the query."""
    page = signed_in(browser, person, asking(web, state=state))
    answer = browser.press(page, "accept")
    told = dict(parse_qsl(urlsplit(answer.headers["location"]).query, keep_blank_values=True))
    assert told.get("state") == state
    assert "x" not in browser.cookies
    assert "<script>" not in page.text


# What is refused, on a page and never by a redirect


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
    """O10, O29: letter for letter, or no redirect at all; neither by GET nor by POST."""
    query = asking(web, redirect_uri=uri)
    for path in (AUTH, REFRESH):
        for answer in (browser.get(path, params=query), browser.post(path, params=query)):
            assert answer.status_code == 400
            assert "location" not in answer.headers
            assert "invalid_redirect_uri" in answer.text


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"client_id": "1000.NOBODY"}, "invalid_client"),
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
def test_a_wrong_question_is_an_error_page(
    browser: Browser, web: tuple[OAuthClient, str], changes: dict[str, str | None], word: str
) -> None:
    """O06, O14, O28: the page has the word for the developer, and an explanation."""
    answer = browser.get(AUTH, params=asking(web, **changes))
    assert answer.status_code == 400
    assert f"<code>{word}</code>" in answer.text
    assert answer.headers["content-type"] == "text/html;charset=utf-8"


def test_a_javascript_client_gets_no_code(server: Deployment, browser: Browser) -> None:
    """It has no secret to exchange one with; a self client has no pages at all."""
    answer = browser.get(AUTH, params=sample(response_type="code"))
    assert "unauthorized_client" in answer.text
    client_id = server.tenant.client.client_id
    answer = browser.get(AUTH, params=sample(response_type="code", client_id=client_id))
    assert "invalid_redirect_uri" in answer.text


def test_a_damaged_link_is_an_error_page(browser: Browser) -> None:
    """A query that cannot be read."""
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
    """O12, O13: refused before the code is used up, so nobody can spoil it for its owner."""
    code = server.services.tokens.issue_code(
        web[0], SCOPES, redirect_uri=CALLBACK, code_challenge=challenge
    )
    told = exchanged(server, web, code, **({} if verifier is None else {"code_verifier": verifier}))
    assert ("access_token" in told) == good
    assert good or told == {"error": "invalid_code"}
    if challenge and not good:
        assert "access_token" in exchanged(server, web, code, code_verifier=VERIFIER)


def test_the_page_keeps_the_challenge(
    server: Deployment, browser: Browser, web: tuple[OAuthClient, str], person: User
) -> None:
    """From the question to the exchange."""
    query = asking(web, code_challenge=CHALLENGE, code_challenge_method="S256")
    page = signed_in(browser, person, query)
    code = code_of(browser.press(page, "accept"))
    assert exchanged(server, web, code) == {"error": "invalid_code"}
    assert "access_token" in exchanged(server, web, code, code_verifier=VERIFIER)


# Consent


def test_looking_at_a_page_changes_nothing(
    browser: Browser, web: tuple[OAuthClient, str], person: User
) -> None:
    """O33: neither a prefetch, nor a link that pretends to be the button, gives anything."""
    signed_in(browser, person, asking(web))
    for extra in ({}, {"step": "accept"}):
        answer = browser.get(AUTH, params=asking(web) | extra)
        assert (answer.status_code, "Allow access?" in answer.text) == (200, True)
    assert browser.head(AUTH, params=asking(web)).content == b""


def test_consent_needs_the_token_of_its_page(
    server: Deployment, browser: Browser, web: tuple[OAuthClient, str], person: User
) -> None:
    """O32: none, another browser's, another question's or another form's are refused."""
    page = signed_in(browser, person, asking(web))
    with Browser(base_url=server.base_url) as other:
        theirs = signed_in(other, person, asking(web))
    smaller = browser.get(AUTH, params=asking(web, scope="ZohoCRM.org.READ"))
    with Browser(base_url=server.base_url) as nobody:
        before = nobody.get(AUTH, params=asking(web))
    tokens = [re.search(r"[0-9a-f]{64}", p.text) for p in (theirs, smaller, before)]
    for csrf in ["", "x", "é", *(t[0] for t in tokens if t)]:
        answer = browser.press(page, "accept", csrf=csrf)
        assert answer.status_code == 403
        assert "location" not in answer.headers
    assert browser.post(str(page.url), data={"step": "accept"}).status_code == 403
    assert browser.press(page, "accept").status_code == 303


def test_consent_needs_a_session(
    browser: Browser, web: tuple[OAuthClient, str], person: User
) -> None:
    """After signing out, the page that is still open gives nothing."""
    page = signed_in(browser, person, asking(web))
    out = browser.press(page, "sign-out")
    assert out.headers["set-cookie"].startswith("bulkwright=;")
    assert "Sign in</h1>" in browser.follow(out).text
    answer = browser.press(page, "accept")
    assert (answer.status_code, "location" in answer.headers) == (403, False)


def test_an_unknown_button_does_nothing(
    browser: Browser, web: tuple[OAuthClient, str], person: User
) -> None:
    """Nor does a body that is no form."""
    page = signed_in(browser, person, asking(web))
    assert browser.press(page, "wish").status_code == 403
    url = str(page.url)
    assert browser.post(url, content=b"\xff=\xff").status_code == 400
    assert browser.post(url, content=b"x" * 70_000).status_code == 400
    assert browser.post(url, files={"csrf": (None, "x")}).status_code in (400, 403)


# Renewal


def test_renewal_asks_again_unless_all_was_agreed_to(
    browser: Browser, web: tuple[OAuthClient, str], person: User
) -> None:
    """O30: without session, and for more scopes, the pages; else a new token at once."""
    page = browser.get(REFRESH, params=sample())
    assert "Sign in</h1>" in page.text
    answer = browser.press(page, "sign-in", email=person.email, password=PASSWORD)
    page = browser.follow(answer)
    assert str(page.url.path) == REFRESH and "Allow access?" in page.text
    first = browser.press(page, "accept").headers["location"]
    again = browser.get(REFRESH, params=sample()).headers["location"]
    assert again.startswith(f"{SAMPLE_REDIRECT}#access_token=") and again != first
    fewer = browser.get(REFRESH, params=sample(scope="zohocrm.BULK.all"))
    assert fewer.status_code == 303
    more = browser.get(REFRESH, params=sample(scope=f"{SCOPES},ZohoCRM.org.READ"))
    assert (more.status_code, "Allow access?" in more.text) == (200, True)
    assert browser.get(AUTH, params=sample()).status_code == 200
    other_client = browser.get(REFRESH, params=asking(web))
    assert other_client.status_code == 200
    assert browser.press(more, "accept").status_code == 303
    assert browser.get(REFRESH, params=sample(scope="ZohoCRM.org.READ")).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
        {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
        {"Sec-Purpose": "prefetch"},
    ],
)
def test_renewal_is_for_windows_alone(
    browser: Browser, person: User, headers: dict[str, str]
) -> None:
    """O30: scripts, frames and guesses of a browser get the page, which they cannot use."""
    browser.press(signed_in(browser, person, sample()), "accept")
    assert browser.get(REFRESH, params=sample(), headers=headers).status_code == 200
    window = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert browser.get(REFRESH, params=sample(), headers=window).status_code == 303
    assert browser.head(REFRESH, params=sample()).status_code == 200


# Signing in


def test_a_session_is_new_with_each_sign_in(
    server: Deployment, browser: Browser, person: User
) -> None:
    """O36, O40: the cookie, which no script reads and no store knows; and one set beforehand."""
    fixed = "F" * 43
    page = browser.get(AUTH, params=sample(), headers={"Cookie": f"bulkwright={fixed}"})
    assert "set-cookie" not in page.headers
    browser.cookies.set("bulkwright", fixed, path=AUTH)
    answer = browser.press(page, "sign-in", email=person.email, password=PASSWORD)
    cookie = answer.headers["set-cookie"]
    value = cookie.removeprefix("bulkwright=").partition(";")[0]
    assert re.fullmatch(r"[\w-]{43}", value) and value != fixed
    told = cookie.partition("; ")[2].split("; ")
    assert set(told) == {"HttpOnly", "SameSite=Lax", "Path=/oauth/v2/auth", "Max-Age=28800"}
    stored = server.stored()
    assert value.encode() not in stored
    assert hashlib.sha256(value.encode()).hexdigest().encode() in stored
    with Browser(base_url=server.base_url) as thief:
        thief.cookies.set("bulkwright", fixed, path=AUTH)
        assert "Sign in</h1>" in thief.get(AUTH, params=sample()).text


def test_signing_in_needs_the_token_of_its_page(browser: Browser, person: User) -> None:
    """Nobody is signed in as somebody else by a form of another site."""
    page = browser.get(AUTH, params=sample())
    given = {"email": person.email, "password": PASSWORD}
    assert browser.press(page, "sign-in", csrf="0" * 64, **given).status_code == 403
    browser.cookies.clear()
    assert browser.press(page, "sign-in", **given).status_code == 403


@pytest.mark.usefixtures("dear")
def test_nobody_learns_who_exists(server: Deployment, browser: Browser) -> None:
    """O36: one text, one status, and the time of a hash for each of them."""
    setup, person = server.services.setup, a_person(server)
    bare = setup.create_user(server.tenant.org, "No", "Password", "bare@zylker.example")
    answers, took = [], []
    for email in (person.email, bare.email, "nobody@zylker.example", server.other.user.email, ""):
        page = browser.get(AUTH, params=sample())
        start = time.perf_counter()
        answer = browser.press(page, "sign-in", email=email, password="not the password")
        took.append(time.perf_counter() - start)
        assert answer.status_code == 401
        answers.append(re.sub(r'value="[^"]*"', "", answer.text))
        assert "do not belong together" in answer.text
    assert len(set(answers)) == 1
    assert min(took) > 0.02, "a password is hashed for nobody too"


@pytest.mark.usefixtures("dear")
def test_guessing_is_slowed_down(server: Deployment, browser: Browser) -> None:
    """O36: after five wrong ones the next is not looked at, be it right; another user may."""
    one, two = a_person(server), a_person(server)
    page = browser.get(AUTH, params=sample())
    for _ in range(5):
        assert browser.press(page, "sign-in", email=one.email, password="x").status_code == 401
    answers = [
        browser.press(page, "sign-in", email=one.email.upper(), password=PASSWORD) for _ in range(9)
    ]
    assert {a.status_code for a in answers} == {429}
    assert "Too many tries. Please wait for 2 seconds." in answers[0].text
    assert answers[0].headers["retry-after"] in ("1", "2")
    assert browser.press(page, "sign-in", email=two.email, password=PASSWORD).status_code == 303


@pytest.mark.usefixtures("dear")
def test_a_crowd_of_guesses_is_slowed_down_too(server: Deployment) -> None:
    """At once or one after the other: only a few are looked at."""
    user = a_person(server)
    statuses: list[int] = []

    for _ in range(4):
        assert server.services.signin.sign_in(user.org_id, user.email, "x", "127.0.0.1") is None

    def guess() -> None:
        with Browser(base_url=server.base_url, timeout=60) as one:
            page = one.get(AUTH, params=sample())
            answer = one.press(page, "sign-in", email=user.email, password="guess")
            statuses.append(answer.status_code)

    threads = [threading.Thread(target=guess) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(401) <= 3
    assert set(statuses) == {401, 429} and len(statuses) == 30


@pytest.mark.parametrize("size", [300, 60_000, 1_000_000])
def test_an_endless_password_costs_nothing(browser: Browser, person: User, size: int) -> None:
    """O39: refused before it is hashed, or before it is read."""
    page = browser.get(AUTH, params=sample())
    start = time.perf_counter()
    answer = browser.press(page, "sign-in", email=person.email, password="x" * size)
    assert answer.status_code in (401, 400)
    assert time.perf_counter() - start < 2


def test_a_password_is_its_characters(server: Deployment, browser: Browser) -> None:
    """O39: composed or not makes no difference; a NUL is a character like others."""
    user = a_person(server, password="Ångström\0schön")
    page = browser.get(AUTH, params=sample())
    for password, status in (
        *[("A\u030angstro\u0308m\0scho\u0308n", 303), ("\u212bngström\0schön", 303)],
        *[("Ångström", 401), ("Ångström\0", 401), ("Ångström\0schön ", 401)],
    ):
        with Browser(base_url=server.base_url) as fresh:
            page = fresh.get(AUTH, params=sample())
            answer = fresh.press(page, "sign-in", email=user.email, password=password)
        assert answer.status_code == status, password


def test_a_session_ends(
    server: Deployment, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its time, and with the password that it began with."""
    user = a_person(server)
    signed_in(browser, user, sample())
    server.services.signin.set_password(user, PASSWORD)
    assert "Sign in</h1>" in browser.get(AUTH, params=sample()).text
    monkeypatch.setattr("bulkwright.service.signin.SESSION_SECONDS", 1)
    signed_in(browser, user, sample())
    time.sleep(1.1)
    assert "Sign in</h1>" in browser.get(AUTH, params=sample()).text


def test_people_sign_in_to_the_org_of_the_client(
    server: Deployment, browser: Browser, person: User
) -> None:
    """Another org's client knows neither its users nor its sessions (T8)."""
    uri = "http://127.0.0.1:5600/redirect.html"
    made = server.services.setup.register_client(
        server.other.user, ClientKind.JAVASCRIPT, "Theirs", redirect_uris=(uri,)
    )
    theirs = sample(client_id=made.client.client_id, redirect_uri=uri)
    signed_in(browser, person, sample())
    page = browser.get(AUTH, params=theirs)
    assert "Sign in</h1>" in page.text
    answer = browser.press(page, "sign-in", email=person.email, password=PASSWORD)
    assert answer.status_code == 401
    answer = browser.press(page, "sign-in-as", user=str(person.id))
    assert "Sign in</h1>" in answer.text


# Development


def test_in_development_one_click_is_enough(server: Deployment, browser: Browser) -> None:
    """`--dev` serves loopback alone and hands out tokens anyway."""
    page = browser.get(AUTH, params=sample())
    assert "Continue as Patricia Boyle" in page.text
    answer = browser.press(page, "sign-in-as", user=str(server.tenant.user.id))
    assert "Allow access?" in browser.follow(answer).text
    for user in ("", "x", "9" * 30, "1", str(server.other.user.id)):
        with Browser(base_url=server.base_url) as fresh:
            page = fresh.get(AUTH, params=sample())
            assert "Sign in</h1>" in fresh.press(page, "sign-in-as", user=user).text


def test_one_click_is_not_for_other_names_of_this_machine(
    server: Deployment, browser: Browser
) -> None:
    """A page elsewhere could make its own name mean 127.0.0.1, and press the button."""
    for host in ("evil.test", "127.0.0.1.evil.test:80", "evil.test:127.0.0.1"):
        page = browser.get(AUTH, params=sample(), headers={"Host": host})
        assert "Continue as" not in page.text
        assert host not in page.text
    page = browser.get(AUTH, params=sample())
    csrf = re.findall(r"[0-9a-f]{64}", page.text)[0]
    form = {"csrf": csrf, "step": "sign-in-as", "user": str(server.tenant.user.id)}
    answer = browser.post(str(page.url), data=form, headers={"Host": "evil.test"})
    assert answer.status_code == 200


def behind_tls(server: Deployment) -> httpx2.AsyncClient:
    """The same service without --dev, reached by https through a proxy."""
    url = "https://crm.example"
    app = create_app(server.services, Settings(server.settings.data), url)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=url)


def test_behind_tls_everything_is_secure(server: Deployment, person: User) -> None:
    """O40: `__Host-` and Secure, HSTS, the public URL in answers; and no way without a password."""

    async def walk() -> None:
        async with behind_tls(server) as client:
            page = await client.get(AUTH, params=sample())
            assert "Continue as" not in page.text
            assert page.headers["strict-transport-security"] == "max-age=31536000"
            assert page.headers["set-cookie"].startswith("__Host-bulkwright=")
            assert "; Path=/; Secure" in page.headers["set-cookie"]
            csrf = re.findall(r"[0-9a-f]{64}", page.text)[0]
            form = {"csrf": csrf, "step": "sign-in-as", "user": str(person.id)}
            assert (await client.post(page.url, data=form)).status_code == 200
            form = {"csrf": csrf, "step": "sign-in", "email": person.email, "password": PASSWORD}
            answer = await client.post(page.url, data=form)
            page = await client.get(answer.headers["location"])
            csrf = re.findall(r"[0-9a-f]{64}", page.text)[0]
            answer = await client.post(page.url, data={"csrf": csrf, "step": "accept"})
            assert "&api_domain=https%3A%2F%2Fcrm.example&" in answer.headers["location"]

    asyncio.run(walk())


# Headers


def test_pages_run_nothing_and_are_framed_nowhere(
    browser: Browser, web: tuple[OAuthClient, str], person: User
) -> None:
    """O31; each page, the refusals and the style sheet."""
    refused = browser.get(AUTH)
    page = browser.get(AUTH, params=asking(web))
    style = browser.get("/oauth/v2/auth/style.css")
    assert style.headers["content-type"] == "text/css;charset=utf-8"
    for answer in (refused, page, signed_in(browser, person, asking(web)), style):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        target = " https://app.example:8443" if answer not in (refused, style) else ""
        assert answer.headers["content-security-policy"] == (
            f"default-src 'none'; style-src 'self'; form-action 'self'{target}; "
            "frame-ancestors 'none'; base-uri 'none'"
        )
        assert "<script" not in answer.text and "style=" not in answer.text


def doubled(browser: Browser) -> str:
    """The page under a path of two slashes."""
    return f"{str(browser.base_url).rstrip('/')}/{AUTH}"


def test_no_page_elsewhere_reads_them(browser: Browser, person: User) -> None:
    """T17: a registered origin may read the API; with our cookie it could agree to itself."""
    signed_in(browser, person, sample())
    for method in ("GET", "POST", "OPTIONS"):
        for path in (AUTH, REFRESH, doubled(browser)):
            answer = browser.request(
                method, path, params=sample(), headers={"Origin": "http://127.0.0.1:5500"}
            )
            assert not any(name.startswith("access-control") for name in answer.headers)


def test_two_slashes_are_no_other_host(browser: Browser, person: User) -> None:
    """O36: `//oauth/v2/auth` is served like every path; what it redirects to is ours."""
    browser.get(AUTH, params=sample())
    held = {"Cookie": f"bulkwright={browser.cookies['bulkwright']}"}
    page = browser.get(doubled(browser), params=sample(), headers=held)
    csrf = re.findall(r"[0-9a-f]{64}", page.text)[0]
    form = {"csrf": csrf, "step": "sign-in", "email": person.email, "password": PASSWORD}
    answer = browser.post(str(page.url), data=form, headers=held)
    assert answer.headers["location"].startswith("/oauth/")


# Limits


def test_too_many_token_requests_are_denied(server: Deployment) -> None:
    """O24, facts 7.2: the documented answer for that client; others go on."""
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_secret": "y"}
    for _ in range(10 * TOKEN_REQUESTS_AT_ONCE):
        answer = server.http.post("/oauth/v2/token", data=form | {"client_id": "1000.HASTY"})
        if answer.status_code != 200:
            break
        assert answer.json() == {"error": "invalid_client"}
    assert answer.status_code == 400
    assert answer.json() == {
        "error_description": "You have made too many requests continuously. "
        "Please try again after some time.",
        "error": "Access Denied",
        "status": "failure",
    }
    answer = server.http.post("/oauth/v2/token", data=form | {"client_id": "1000.CALM"})
    assert answer.json() == {"error": "invalid_client"}


def test_the_21st_refresh_token_ends_the_first(
    server: Deployment, web: tuple[OAuthClient, str]
) -> None:
    """O23: of one user and client, with its access tokens; those of others stay."""
    user = a_person(server)
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


# Beneath the pages


def test_the_service_can_be_used_without_http(server: Deployment) -> None:
    """`service/signin.py` knows neither requests nor pages."""
    signin: SignInService = server.services.signin
    user = a_person(server)
    secret = signin.sign_in(user.org_id, user.email, PASSWORD, "")
    assert secret is not None
    who = signin.signed_in(secret, user.org_id)
    assert who is not None and who.user == user
    asked = signin.asked(sample())
    assert signin.renew(asked, who, "https://x.example") is None
    assert signin.accept(asked, who, "https://x.example").startswith(SAMPLE_REDIRECT)
    assert signin.renew(asked, who, "https://x.example") is not None
    signin.sign_out(secret)
    assert signin.signed_in(secret, user.org_id) is None
