"""Signing in to the console: sessions, form tokens, roles, and what each page promises."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from tests.console.conftest import CONSOLE, PASSWORD, Browser, text_of
from tests.support.deployment import Deployment

from bulkwright.console.app import PAGES
from bulkwright.console.page import Page
from bulkwright.console.session import session_cookie
from bulkwright.domain.account import Right, Role, User
from bulkwright.domain.audit import Action
from bulkwright.domain.limits import SIGN_IN_FREE_FAILURES
from bulkwright.service.tokens import hashed

SIGN_IN = f"{CONSOLE}/sign-in"
COOKIE = "bulkwright-console"
ORIGIN = "http://127.0.0.1:5500"
"""The origin of a registered client."""


def address(page: Page) -> str:
    """An address of a page; what it names does not exist."""
    return re.sub(r"\{\w+\}", "1", page.path)


def enter(browser: Browser, server: Deployment, user: User, password: str = PASSWORD) -> int:
    """Sends the password form; returns the status."""
    fields = {"org": str(server.tenant.org.id), "email": user.email, "password": password}
    return browser.press(browser.get(SIGN_IN), SIGN_IN, **fields).status_code


def test_the_root_leads_to_the_console(server: Deployment, stranger: Browser) -> None:
    """A GET of `/` alone; every other method of it is an unknown path, as before."""
    assert stranger.get("/").headers["location"] == CONSOLE
    answer = stranger.get(f"{CONSOLE}/jobs?status=FAILED")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{SIGN_IN}?next=%2Fconsole%2Fjobs%3Fstatus%3DFAILED"
    answer = stranger.post("/", json={})
    assert (answer.status_code, answer.json()["code"]) == (404, "INVALID_URL_PATTERN")


def test_a_user_signs_in_with_a_password(
    server: Deployment, stranger: Browser, new_user: Callable[..., User]
) -> None:
    """The session is in a cookie that scripts cannot read; only its hash is stored."""
    user = new_user()
    page = stranger.get(f"{SIGN_IN}?next=/console/modules")
    fields = {"org": server.tenant.org.company_name, "email": user.email, "password": PASSWORD}
    answer = stranger.press(page, SIGN_IN, next="/console/modules", **fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/modules")
    cookies = answer.headers.get_list("set-cookie")
    session = next(c for c in cookies if c.startswith(f"{COOKIE}="))
    assert "; HttpOnly; SameSite=Lax; Path=/console; Max-Age=28800" in session
    secret = stranger.cookies[COOKIE]
    assert secret.encode() not in server.stored() and hashed(secret).encode() in server.stored()
    assert "Ümit O'Neil <i>" in stranger.page(f"{CONSOLE}/modules")
    entries = server.services.audit.newest(20, action=Action.SIGNED_IN)
    assert entries[0].user_id == user.id and entries[0].actor.address == "127.0.0.1"


def test_over_https_the_cookie_is_for_this_host_alone() -> None:
    name, value = session_cookie("s" * 43, https=True, seconds=5)
    assert name == "set-cookie"
    assert value == f"__Host-{COOKIE}={'s' * 43}; HttpOnly; SameSite=Lax; Path=/; Secure; Max-Age=5"


def test_wrong_passwords_are_throttled(
    server: Deployment, stranger: Browser, new_user: Callable[..., User]
) -> None:
    """As on the pages of OAuth, and counted together with those."""
    user = new_user()
    for _ in range(SIGN_IN_FREE_FAILURES):
        assert enter(stranger, server, user, "wrong") == 401
    assert enter(stranger, server, user) == 429
    entries = server.services.audit.newest(20, action=Action.SIGN_IN_FAILED)
    assert entries[0].user_id == user.id


def test_a_user_of_another_org_cannot_sign_in(
    server: Deployment, stranger: Browser, new_user: Callable[..., User]
) -> None:
    user = new_user(tenant=server.other)
    assert enter(stranger, server, user) == 401


def test_signing_out_ends_the_session(server: Deployment, browser: Browser) -> None:
    """Also for a copy of the cookie."""
    secret = browser.cookies[COOKIE]
    answer = browser.press(browser.get(f"{CONSOLE}/jobs"), f"{CONSOLE}/sign-out")
    assert answer.headers["location"] == SIGN_IN
    browser.cookies.set(COOKIE, secret, path=CONSOLE)
    assert browser.get(f"{CONSOLE}/jobs").status_code == 303
    entries = server.services.audit.newest(20, action=Action.SIGNED_OUT)
    assert entries[0].user_id == server.tenant.user.id


def test_a_piece_of_a_page_leads_to_the_sign_in_page(stranger: Browser) -> None:
    """An open page whose session has ended asks for a piece: the whole window goes there."""
    answer = stranger.get(f"{CONSOLE}/jobs", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, SIGN_IN)


def test_a_deactivated_user_is_signed_out(
    server: Deployment, stranger: Browser, new_user: Callable[..., User]
) -> None:
    user = new_user()
    assert enter(stranger, server, user) == 303
    assert stranger.get(f"{CONSOLE}/jobs").status_code == 200
    server.services.administration.deactivate_user(user)
    assert stranger.get(f"{CONSOLE}/jobs").status_code == 303


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/console//evil", "/crm/v2/org", "/console\\x",
     "/console/x\r\nset-cookie: a=b", "javascript:alert(1)", "/consolex"],
)  # fmt: skip
def test_a_sign_in_leads_to_the_console_only(
    server: Deployment, stranger: Browser, target: str
) -> None:
    page = stranger.get(SIGN_IN, params={"next": target})
    fields = {"next": target, "user": str(server.tenant.user.id)}
    location = stranger.press(page, SIGN_IN, **fields).headers["location"]
    assert location == target if target == "/console//evil" else location == CONSOLE


@pytest.mark.parametrize("page", [p for p in PAGES if not p.public], ids=lambda p: p.path)
def test_no_page_is_shown_to_a_stranger(stranger: Browser, page: Page) -> None:
    """Each of them leads to the sign-in page, also with a session that does not exist."""
    for cookie in ("", "x" * 43):
        stranger.cookies.set(COOKIE, cookie, path=CONSOLE)
        answer = stranger.request(page.method, address(page))
        assert answer.status_code == 303
        assert answer.headers["location"].startswith(SIGN_IN)


@pytest.mark.parametrize("page", [p for p in PAGES if p.method == "POST"], ids=lambda p: p.path)
def test_a_form_needs_the_token_of_its_browser(
    server: Deployment, browser: Browser, other: Browser, page: Page
) -> None:
    """Neither no token nor that of another browser will do."""
    for token in ("", other.csrf(f"{CONSOLE}/jobs")):
        sent = {"csrf": token, "step": "start", "user": str(server.tenant.user.id)}
        if page.takes_file:
            file = {"file": ("leads.csv", "Last_Name\nBoyle\n")}
            answer = browser.post(address(page), data=sent, files=file)
        else:
            answer = browser.post(address(page), data=sent)
        assert answer.status_code == 403, answer.text
        assert "EXPIRED_PAGE" in answer.text


@pytest.mark.parametrize("role", [Role.STANDARD, Role.GUEST])
def test_a_role_limits_every_page(
    server: Deployment, stranger: Browser, new_user: Callable[..., User], role: Role
) -> None:
    """A page that the role does not include is forbidden, and is not in the navigation."""
    user = new_user(role)
    assert enter(stranger, server, user) == 303
    token = stranger.csrf(CONSOLE if role is Role.GUEST else f"{CONSOLE}/modules")
    for page in (p for p in PAGES if p.right is not None):
        answer = stranger.request(page.method, address(page), data={"csrf": token})
        if page.right in (Right.READ_METADATA, Right.READ_RECORDS) and role is Role.STANDARD:
            assert answer.status_code in (200, 404), page.path
        else:
            assert answer.status_code == 403, page.path
    first = stranger.get(CONSOLE)
    if role is Role.GUEST:
        assert "Nothing to show" in text_of(first)
    else:
        shown = stranger.get(first.headers["location"]).text
        assert "/console/modules" in shown and "/console/jobs" not in shown
        assert "/console/access" not in shown


def test_no_other_origin_reads_a_page(server: Deployment, browser: Browser) -> None:
    """Not even that of a registered client, which may read what the API returns."""
    headers = {"Origin": ORIGIN}
    assert "access-control-allow-origin" in browser.get("/crm/v2/org", headers=headers).headers
    for path in (CONSOLE, f"{CONSOLE}/jobs", f"{CONSOLE}/static/style.css"):
        answer = browser.get(path, headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "page",
    [p for p in PAGES if p.method == "GET" and not p.path.endswith("/events")],
    ids=lambda p: p.path,
)
def test_a_page_has_no_inline_script_or_style(browser: Browser, page: Page) -> None:
    """The policy of its content forbids them, so that a hostile text can run nothing."""
    answer = browser.get(address(page))
    if answer.status_code == 303:
        return
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r"<style|<[a-z][^<>]*\s(?:style|on\w+)=|javascript:", answer.text)
    scripts = re.findall(r"<script([^>]*)>([^<]*)</script>", answer.text)
    assert all(" src=" in head and not body for head, body in scripts)


def test_files_are_kept_by_browsers(browser: Browser) -> None:
    """Their addresses change with their content."""
    page = browser.get(f"{CONSOLE}/jobs").text
    for path in re.findall(r'(?:src|href)="(/console/static/[^"]+)"', page):
        answer = browser.get(path)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert "BSD" in browser.get(f"{CONSOLE}/static/LICENSE.txt").text
    for name in ("../app.py", "nothing.css", "%2e%2e%2fapp.py"):
        assert browser.get(f"{CONSOLE}/static/{name}").status_code == 404


def test_an_unknown_page_says_so(browser: Browser) -> None:
    assert "no such page" in browser.page(f"{CONSOLE}/nothing", 404)
    wrong = browser.request("DELETE", f"{CONSOLE}/jobs")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD")
