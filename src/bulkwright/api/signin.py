"""`/oauth/v2/auth`: the pages on which a person signs in and agrees (facts 7.1 to 7.3).

Everything that a program asks for stays in the query of the URL and is checked anew at each step;
the server keeps nothing of it. What is wrong with it is told on a page of ours and never by a
redirect. Each form carries a token made of the browser's cookie, the step and the query: what is
agreed to is what was shown, in this browser, by a POST.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps

from bulkwright.api import pages
from bulkwright.api.auth import Open
from bulkwright.api.http import Answer, Request
from bulkwright.api.paths import Route
from bulkwright.api.services import Services
from bulkwright.domain.account import User
from bulkwright.domain.authorization import Authorization
from bulkwright.domain.errors import OAuthError, RequestError
from bulkwright.domain.limits import (
    FORM_BODY_BYTES,
    SESSION_SECONDS,
    SIGN_IN_AT_ONCE,
    SIGN_IN_QUEUE,
)
from bulkwright.service.signin import SignedIn, TryLater

Headers = tuple[tuple[bytes, bytes], ...]
Page = Callable[["SignInRoutes", Request], Awaitable[Answer]]

_PATH = "/oauth/v2/auth"
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
_MOST_PEOPLE = 10
_BUSY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class _Visit:
    """One request for a page: what is asked, and by whom it is seen."""

    asked: Authorization
    query: str
    path: str
    secret: str
    """The cookie's value; of a browser without one, what it is about to get."""
    who: SignedIn | None

    def csrf(self, step: str) -> str:
        """What the form of a step proves to have been shown in this browser."""
        text = f"{step} {self.path}?{self.query}".encode()
        return hmac.new(self.secret.encode(), text, hashlib.sha256).hexdigest()


def _paged(handler: Page) -> Page:
    """Show what is wrong with a request as a page."""

    @wraps(handler)
    async def shown(self: SignInRoutes, request: Request) -> Answer:
        try:
            return await handler(self, request)
        except OAuthError as error:
            return self.page(pages.refused_page(error.message), 400)
        except RequestError:
            return self.page(pages.refused_page("invalid_request"), 400)

    return shown


class SignInRoutes:
    """The pages, and what their buttons do."""

    def __init__(self, services: Services, base_url: str, *, dev: bool) -> None:
        self._signin = services.signin
        self._accounts = services.accounts
        self._base_url = base_url
        self._dev = dev
        self._secure = base_url.startswith("https:")
        # A cookie of this name can be set by nobody but this very host.
        self._cookie = "__Host-bulkwright" if self._secure else "bulkwright"
        self._hashing = asyncio.Semaphore(SIGN_IN_AT_ONCE)
        self._waiting = 0

    @_paged
    async def show(self, request: Request) -> Answer:
        """Ask the person: to sign in, or whether they agree. Looking changes nothing."""
        return self._ask(request, self._visit(request, _PATH))

    @_paged
    async def renew(self, request: Request) -> Answer:
        """Answer at once if all of it was agreed to in this session; otherwise ask."""
        visit = self._visit(request, f"{_PATH}/refresh")
        if visit.who is not None and _is_navigation(request):
            url = await request.run(self._signin.renew, visit.asked, visit.who, self._base_url)
            if url is not None:
                return self._leave(url)
        return self._ask(request, visit)

    @_paged
    async def act(self, request: Request) -> Answer:
        """Do what a button of the page says."""
        return await self._act(request, self._visit(request, _PATH))

    @_paged
    async def act_renewing(self, request: Request) -> Answer:
        """Do what a button says of the page that the renewal showed."""
        return await self._act(request, self._visit(request, f"{_PATH}/refresh"))

    def style(self, _request: Request) -> Answer:
        """The style sheet of the pages."""
        return self.page(pages.style_sheet(), kind=b"text/css;charset=utf-8")

    def page(
        self,
        body: bytes,
        status: int = 200,
        *more: tuple[bytes, bytes],
        target: str = "",
        kind: bytes = b"text/html;charset=utf-8",
    ) -> Answer:
        """A page that runs nothing, is framed nowhere, and posts to us and `target` alone."""
        policy = (
            f"default-src 'none'; style-src 'self'; form-action 'self' {target}".rstrip()
            + "; frame-ancestors 'none'; base-uri 'none'"
        )
        headers: Headers = (
            (b"content-type", kind),
            (b"content-security-policy", policy.encode()),
            (b"x-frame-options", b"DENY"),
            (b"referrer-policy", b"no-referrer"),
            (b"cross-origin-resource-policy", b"same-origin"),
            *self._transport(),
            *more,
        )
        return Answer(status, body, headers)

    async def _act(self, request: Request, visit: _Visit) -> Answer:
        form = await request.form(FORM_BODY_BYTES)
        step = form.get("step", "")
        place = "consent" if step in ("accept", "reject", "sign-out") else "sign-in"
        if not hmac.compare_digest(form.get("csrf", "").encode(), visit.csrf(place).encode()):
            return self.page(pages.refused_page("expired_page"), 403)
        if step == "sign-in":
            return await self._sign_in(request, visit, form)
        if step == "sign-in-as" and self._offers_people(request):
            user = form.get("user", "")
            number = int(user) if user.isascii() and user.isdigit() and len(user) < 19 else 0
            org = visit.asked.client.org_id
            secret = await request.run(self._signin.sign_in_as, org, number)
            return self._ask(request, visit) if secret is None else self._again(visit, secret)
        if visit.who is None:
            return self._ask(request, visit)
        if step == "accept":
            given = (visit.asked, visit.who, self._base_url)
            return self._leave(await request.run(self._signin.accept, *given))
        if step == "reject":
            return self._leave(visit.asked.rejected())
        if step == "sign-out":
            await request.run(self._signin.sign_out, visit.secret)
            return self._again(visit)
        raise OAuthError("invalid_request")

    async def _sign_in(self, request: Request, visit: _Visit, form: dict[str, str]) -> Answer:
        email = form.get("email", "")
        given = (visit.asked.client.org_id, email, form.get("password", ""), request.address)
        if self._waiting >= SIGN_IN_QUEUE:
            return self._later(request, visit, email, _BUSY_SECONDS)
        self._waiting += 1
        try:
            # One after the other before the check, so that no crowd of guesses slips past it.
            async with self._hashing:
                secret = await request.run(self._signin.sign_in, *given)
        except TryLater as refusal:
            return self._later(request, visit, email, int(refusal.seconds) + 1)
        finally:
            self._waiting -= 1
        if secret is None:
            alert = "E-mail and password do not belong together."
            return self._ask(request, visit, 401, alert=alert, email=email)
        return self._again(visit, secret)

    def _later(self, request: Request, visit: _Visit, email: str, seconds: int) -> Answer:
        wait = f"{seconds} seconds" if seconds < 100 else f"{seconds // 60 + 1} minutes"
        alert = f"Too many tries. Please wait for {wait}."
        return self._ask(request, visit, 429, alert=alert, email=email, seconds=seconds)

    def _ask(
        self,
        request: Request,
        visit: _Visit,
        status: int = 200,
        *,
        alert: str = "",
        email: str = "",
        seconds: int = 0,
    ) -> Answer:
        """The page that comes next for this visitor."""
        target = visit.asked.origin
        if "[" in target:  # a policy cannot name an IPv6 address
            target = target.partition("//")[0]
        more = [] if _cookie(request, self._cookie) else [self._baked(visit.secret)]
        if seconds:
            more.append((b"retry-after", str(seconds).encode()))
        if visit.who is not None:
            body = pages.consent_page(visit.asked, visit.who, visit.csrf("consent"))
        else:
            people: list[User] = []
            if self._offers_people(request):
                people = self._accounts.users(visit.asked.client.org_id)[:_MOST_PEOPLE]
            csrf = visit.csrf("sign-in")
            body = pages.sign_in_page(visit.asked, csrf, alert=alert, email=email, people=people)
        return self.page(body, status, *more, target=target)

    def _visit(self, request: Request, path: str) -> _Visit:
        """Who comes with what. Raises OAuthError and RequestError."""
        asked = self._signin.asked(request.query())
        secret = _cookie(request, self._cookie)
        who = self._signin.signed_in(secret, asked.client.org_id) if secret else None
        query = request.scope["query_string"].decode("latin-1")
        return _Visit(asked, query, path, secret or secrets.token_urlsafe(32), who)

    def _offers_people(self, request: Request) -> bool:
        """Whether people may be had without a password: with --dev, and not by another name.

        A page elsewhere could make its own name mean this machine, and press the button.
        """
        host = (request.header(b"host") or "").lower()
        return self._dev and re.sub(r":\d+$", "", host) in _LOCAL_NAMES

    def _again(self, visit: _Visit, secret: str = "") -> Answer:
        """Back to the same question, by GET; the path is ours, whatever was asked for."""
        return self._leave(f"{visit.path}?{visit.query}", self._baked(secret, SESSION_SECONDS))

    def _leave(self, url: str, *more: tuple[bytes, bytes]) -> Answer:
        headers: Headers = (
            (b"location", url.encode("latin-1")),
            (b"referrer-policy", b"no-referrer"),
            *self._transport(),
            *more,
        )
        return Answer(303, headers=headers)

    def _baked(self, secret: str, seconds: int | None = None) -> tuple[bytes, bytes]:
        """The cookie; without `seconds` until the browser closes, without a secret away with it."""
        parts = [f"{self._cookie}={secret}", "HttpOnly", "SameSite=Lax"]
        parts.append("Path=/; Secure" if self._secure else f"Path={_PATH}")
        if seconds is not None:
            parts.append(f"Max-Age={seconds if secret else 0}")
        return b"set-cookie", "; ".join(parts).encode()

    def _transport(self) -> Headers:
        return ((b"strict-transport-security", b"max-age=31536000"),) if self._secure else ()


def page_routes(services: Services, base_url: str, *, dev: bool) -> list[Route]:
    """The pages for people; they need no token, for there is none yet."""
    signin = SignInRoutes(services, base_url, dev=dev)
    return [
        Route("GET", _PATH, Open.PUBLIC, signin.show),
        Route("POST", _PATH, Open.PUBLIC, signin.act),
        Route("GET", f"{_PATH}/refresh", Open.PUBLIC, signin.renew),
        Route("POST", f"{_PATH}/refresh", Open.PUBLIC, signin.act_renewing),
        Route("GET", pages.STYLE, Open.PUBLIC, signin.style),
    ]


def _cookie(request: Request, name: str) -> str | None:
    """The value of a cookie that is one of ours."""
    for header in request.headers(b"cookie"):
        for pair in header.split(";"):
            key, _, value = pair.strip().partition("=")
            if key == name and _SECRET.fullmatch(value):
                return value
    return None


def _is_navigation(request: Request) -> bool:
    """Whether a window has gone here, as far as the browser tells; not a script, frame or guess."""
    return (
        request.scope["method"] == "GET"
        and request.header(b"sec-fetch-mode") in (None, "navigate")
        and request.header(b"sec-fetch-dest") in (None, "document")
        and request.header(b"sec-purpose") is None
    )
