"""`/oauth/v2/auth`: the pages on which a user signs in and agrees (facts 7.1 to 7.3).

The request of a client stays in the query of the URL and is checked again at each step, so the
server stores nothing of it. An error in it is shown on a page, never reported by a redirect. Each
form has a token that is computed from the cookie, the form and the URL. It proves that this
browser showed this page, and the form is sent by POST.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from hmac import compare_digest

from bulkwright.domain.account import User
from bulkwright.domain.audit import Actor
from bulkwright.domain.errors import OAuthError
from bulkwright.domain.ids import parse_id
from bulkwright.domain.limits import FORM_BODY_BYTES, SESSION_SECONDS
from bulkwright.service.sign_in_queue import party_of
from bulkwright.service.throttle import TryLater
from bulkwright.web.errors import HttpError
from bulkwright.web.request import Request
from bulkwright.web.response import Response
from bulkwright.zoho.context import ZohoContext
from bulkwright.zoho.oauth import pages
from bulkwright.zoho.oauth.visitor import (
    Visit,
    device_cookie,
    is_navigation,
    read_device,
    read_visit,
    session_cookie,
)

_Handler = Callable[[ZohoContext, Request], Awaitable[Response]]
_Header = tuple[bytes, bytes]

_SIGN_IN, _CONSENT = "sign-in", "consent"
_CONSENT_STEPS = ("accept", "reject", "sign-out")
_MOST_USERS = 10


def _errors_as_pages(handler: _Handler) -> _Handler:
    @wraps(handler)
    async def respond(zoho: ZohoContext, request: Request) -> Response:
        try:
            return await handler(zoho, request)
        except OAuthError as error:
            return _error_page(error.message, 400)
        except HttpError:
            return _error_page("invalid_request", 400)

    return respond


@_errors_as_pages
async def show(zoho: ZohoContext, request: Request) -> Response:
    """Shows the sign-in page, or the consent page to a user who is signed in."""
    return _next_page(zoho, read_visit(zoho, request))


@_errors_as_pages
async def renew(zoho: ZohoContext, request: Request) -> Response:
    """Redirects at once if the user has agreed before in this session; otherwise shows a page."""
    visit = read_visit(zoho, request)
    if visit.visitor is not None and is_navigation(request):
        url = await request.run(
            zoho.services.signin.accept_again,
            visit.authorization,
            visit.visitor,
            zoho.base_url,
            Actor(request.address),
        )
        if url is not None:
            return _redirect(url)
    return _next_page(zoho, visit)


@_errors_as_pages
async def submit(zoho: ZohoContext, request: Request) -> Response:
    """Performs the step of the button that the user pressed."""
    visit = read_visit(zoho, request)
    fields = await request.form(FORM_BODY_BYTES)
    step = fields.get("step", "")
    form = _CONSENT if step in _CONSENT_STEPS else _SIGN_IN
    if not compare_digest(fields.get("csrf", "").encode(), visit.csrf(form).encode()):
        return _error_page("expired_page", 403)
    if step == "sign-in":
        return await _sign_in(zoho, request, visit, fields)
    if step == "sign-in-as" and visit.users_offered:
        return await _sign_in_as(zoho, request, visit, fields.get("user", ""))
    if visit.visitor is None:
        return _next_page(zoho, visit)
    signin, actor = zoho.services.signin, Actor(request.address)
    match step:
        case "accept":
            accepted = (visit.authorization, visit.visitor, zoho.base_url, actor)
            return _redirect(await request.run(signin.accept, *accepted))
        case "reject":
            rejected = (visit.authorization, visit.visitor, actor)
            return _redirect(await request.run(signin.reject, *rejected))
        case "sign-out":
            await request.run(signin.sign_out, visit.visitor, actor)
            return _reload(zoho, visit, secret="")
    raise OAuthError("invalid_request")


def style(zoho: ZohoContext, _request: Request) -> Response:
    """Returns the style sheet of the pages."""
    return _page(pages.style_sheet(), content_type=b"text/css;charset=utf-8")


async def _sign_in(
    zoho: ZohoContext, request: Request, visit: Visit, fields: dict[str, str]
) -> Response:
    org_id, email = visit.authorization.client.org_id, fields.get("email", "")
    password, address = fields.get("password", ""), request.address
    device, is_new = read_device(zoho, request)
    signin = zoho.services.signin
    known = not is_new and await request.run(signin.is_device, device, org_id, email)
    party = party_of(address, device if known else "")
    try:
        secret = await zoho.sign_in_queue.run(
            party, signin.sign_in, org_id, email, password, address, device
        )
    except TryLater as error:
        alert = f"Too many attempts. Please wait for {error.words}."
        retry_after = (b"retry-after", str(error.whole_seconds).encode())
        return _sign_in_page(zoho, visit, 429, retry_after, alert=alert, email=email)
    if secret is None:
        alert = "The e-mail or the password is wrong."
        return _sign_in_page(zoho, visit, 401, alert=alert, email=email)
    await request.run(signin.end_session, visit.secret)
    return _reload(zoho, visit, secret, device_cookie(zoho, device))


async def _sign_in_as(zoho: ZohoContext, request: Request, visit: Visit, user: str) -> Response:
    """Signs in without a password; with `--dev` only."""
    secret = await request.run(
        zoho.services.signin.sign_in_as,
        visit.authorization.client.org_id,
        parse_id(user, leading_zeros=True) or 0,
        request.address,
    )
    if secret is None:
        return _next_page(zoho, visit)
    await request.run(zoho.services.signin.end_session, visit.secret)
    return _reload(zoho, visit, secret)


def _next_page(zoho: ZohoContext, visit: Visit) -> Response:
    """Returns the consent page to a user who is signed in, otherwise the sign-in page."""
    if visit.visitor is None:
        return _sign_in_page(zoho, visit)
    body = pages.render_consent(visit.authorization, visit.visitor, visit.csrf(_CONSENT))
    return _page(body, form_target=_form_target(visit))


def _sign_in_page(
    zoho: ZohoContext,
    visit: Visit,
    status: int = 200,
    *headers: _Header,
    alert: str = "",
    email: str = "",
) -> Response:
    users: list[User] = []
    if visit.users_offered:
        found = zoho.services.accounts.users(visit.authorization.client.org_id)
        users = [user for user in found if user.is_active][:_MOST_USERS]
    body = pages.render_sign_in(
        visit.authorization, visit.csrf(_SIGN_IN), alert=alert, email=email, users=users
    )
    if not visit.has_cookie:
        headers = (*headers, session_cookie(zoho, visit.secret))
    return _page(body, status, *headers, form_target=_form_target(visit))


def _error_page(code: str, status: int) -> Response:
    return _page(pages.render_error(code), status)


def _page(
    body: bytes,
    status: int = 200,
    *headers: _Header,
    form_target: str = "",
    content_type: bytes = b"text/html;charset=utf-8",
) -> Response:
    """Returns a page that runs no script and that no other site can frame.

    Its forms can be sent, and redirected, to this server and to `form_target` only.
    """
    policy = (
        f"default-src 'none'; style-src 'self'; form-action 'self' {form_target}".rstrip()
        + "; frame-ancestors 'none'; base-uri 'none'"
    )
    safe: tuple[_Header, ...] = (
        (b"content-type", content_type),
        (b"content-security-policy", policy.encode()),
        (b"x-frame-options", b"DENY"),
        (b"cross-origin-resource-policy", b"same-origin"),
    )
    return Response(status, body, (*safe, *headers))


def _form_target(visit: Visit) -> str:
    origin = visit.authorization.origin
    # A policy cannot name an IPv6 address, so it allows the scheme.
    return origin.partition("//")[0] if "[" in origin else origin


def _reload(zoho: ZohoContext, visit: Visit, secret: str, *headers: _Header) -> Response:
    """Redirects to the same URL with another session cookie; the browser sends a GET."""
    cookie = session_cookie(zoho, secret, SESSION_SECONDS)
    return _redirect(visit.url, cookie, *headers)


def _redirect(url: str, *headers: _Header) -> Response:
    return Response(303, headers=((b"location", url.encode("latin-1")), *headers))
