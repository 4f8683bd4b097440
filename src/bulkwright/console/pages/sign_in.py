"""Signing in and out, and where the console begins."""

from __future__ import annotations

import re
import secrets

from starlette.responses import RedirectResponse, Response

from bulkwright.console import PREFIX
from bulkwright.console.page import SIGN_IN, Page, PageCall, redirect
from bulkwright.console.session import device_cookie, read_device, session_cookie
from bulkwright.domain.account import Right, User
from bulkwright.domain.ids import parse_id
from bulkwright.domain.limits import SESSION_SECONDS
from bulkwright.service.sign_in_queue import party_of
from bulkwright.service.throttle import TryLater
from bulkwright.web.host import is_loopback_host

_MOST_USERS = 10
"""Users that the page shows."""
_OWN_PATH = re.compile(rf"{PREFIX}(?:/[A-Za-z0-9/_.?=&%+:~-]*)?")
"""Where a sign-in may lead: a page of the console, never another site."""


def begin(call: PageCall) -> Response:
    """Leads to the first page that the user may see."""
    for right, page in ((Right.READ_JOBS, "jobs"), (Right.READ_METADATA, "modules")):
        if call.visitor.may(right):
            return redirect(f"{PREFIX}/{page}")
    return call.show("nothing.html")


def show(call: PageCall) -> Response:
    """Shows the sign-in page, or leads on if the user is signed in."""
    target = _target(call.query.get("next", ""))
    if call.visitor.signed_in is not None:
        return redirect(target)
    return _page(call, target, org=call.query.get("org", ""))


async def submit(call: PageCall) -> Response:
    """Signs a user in: by a password, or without one if `serve --dev` offers the user."""
    form, run = call.form, call.request.run
    target = _target(form.get("next", ""))
    if "user" in form:
        secret = await run(_without_password, call)
        return await _welcome(call, secret, target) if secret else await run(_page, call, target)
    org, email = form.get("org", ""), form.get("email", "")
    kept = read_device(call.request, https=call.console.https)
    device = kept or secrets.token_urlsafe(32)
    try:
        secret = await _by_password(call, device, is_new=kept is None)
    except TryLater as error:
        alert = f"Too many attempts. Please wait for {error.words}."
        response = await run(_page, call, target, 429, alert=alert, org=org, email=email)
        response.headers["retry-after"] = str(error.whole_seconds)
        return response
    if secret is None:
        alert = f"{'The org, the' if org else 'The'} e-mail or the password is wrong."
        return await run(_page, call, target, 401, alert=alert, org=org, email=email)
    return await _welcome(call, secret, target, device)


async def _by_password(call: PageCall, device: str, *, is_new: bool) -> str | None:
    """Returns the secret of a new session, None if the form is wrong. Raises TryLater."""
    form, signin, address = call.form, call.services.signin, call.request.address
    email, password = form.get("email", ""), form.get("password", "")
    org_id = await call.request.run(signin.org_of, form.get("org", ""))
    known = not is_new and await call.request.run(signin.is_device, device, org_id, email)
    party = party_of(address, device if known else "")
    return await call.console.queue.run(
        party, signin.sign_in, org_id, email, password, address, device
    )


def sign_out(call: PageCall) -> Response:
    """Ends the session."""
    assert call.visitor.signed_in is not None
    call.services.signin.sign_out(call.visitor.signed_in, call.actor)
    response = redirect(SIGN_IN)
    response.headers.append(*session_cookie("", https=call.console.https, seconds=0))
    return response


async def _welcome(call: PageCall, secret: str, target: str, device: str = "") -> Response:
    """Gives the browser its session, and ends the one that it had."""
    https = call.console.https
    await call.request.run(call.services.signin.end_session, call.visitor.secret)
    response = RedirectResponse(target, 303)
    response.headers.append(*session_cookie(secret, https=https, seconds=SESSION_SECONDS))
    if device:
        response.headers.append(*device_cookie(device, https=https))
    return response


def _without_password(call: PageCall) -> str | None:
    """Signs in a user who needs no password; with `--dev` only."""
    number = parse_id(call.form["user"]) or 0
    chosen = next((user for user in _offered(call) if user.id == number), None)
    if chosen is None:
        return None
    return call.services.signin.sign_in_as(chosen.org_id, chosen.id, call.request.address)


def _offered(call: PageCall) -> list[User]:
    """Returns the users who need no password: those of a server with `--dev`, on this machine."""
    host = call.request.header(b"host") or ""
    if not (call.services.settings.dev and is_loopback_host(host)):
        return []
    accounts = call.services.accounts
    active = [user for org in accounts.orgs() if org.is_active for user in accounts.users(org.id)]
    return [user for user in active if user.is_active]


def _page(
    call: PageCall,
    target: str,
    status: int = 200,
    *,
    alert: str = "",
    org: str = "",
    email: str = "",
) -> Response:
    offered = _offered(call)
    companies = {org.id: org.company_name for org in call.services.accounts.orgs()}
    response = call.show(
        "sign_in.html",
        status,
        alert=alert,
        email=email,
        org=org,
        needs_org=call.services.signin.org_of("") == 0,
        target=target,
        users=offered[:_MOST_USERS],
        companies=companies,
    )
    if not call.visitor.has_cookie:
        cookie = session_cookie(call.visitor.secret, https=call.console.https, seconds=None)
        response.headers.append(*cookie)
    return response


def _target(wanted: str) -> str:
    return wanted if _OWN_PATH.fullmatch(wanted) else PREFIX


PAGES = (
    Page("GET", PREFIX, begin),
    Page("GET", SIGN_IN, show, public=True),
    Page("POST", SIGN_IN, submit, public=True),
    Page("POST", f"{PREFIX}/sign-out", sign_out),
)
