"""The visitor of a sign-in page: the two cookies, and the CSRF token of each form."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from bulkwright.domain.authorization import Authorization
from bulkwright.domain.limits import DEVICE_SECONDS
from bulkwright.service.signin import SignedIn
from bulkwright.web.cookies import cookie_name, read_secret, set_secret
from bulkwright.web.host import is_loopback_host
from bulkwright.web.request import Request
from bulkwright.zoho.context import ZohoContext
from bulkwright.zoho.oauth import PATH


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a page: the authorization that a client requests, and the visitor."""

    authorization: Authorization
    url: str
    """Path and query of the request. The path is one of ours, whatever the client sent."""
    secret: str
    """The value of the session cookie, or a new value for a browser that has none."""
    has_cookie: bool
    visitor: SignedIn | None
    """The user who is signed in; None before that."""
    users_offered: bool
    """Whether the page offers to sign in as a user without a password."""

    def csrf(self, form: str) -> str:
        """Returns the proof that this browser was shown `form` at this URL."""
        text = f"{form} {self.url}".encode()
        return hmac.new(self.secret.encode(), text, hashlib.sha256).hexdigest()


def read_visit(zoho: ZohoContext, request: Request) -> Visit:
    """Checks what the client requests, and finds the session of the visitor.

    Raises OAuthError if the request is wrong, and BadRequest if its query cannot be read.
    """
    signin = zoho.services.signin
    authorization = signin.check_request(request.query())
    cookie = read_secret(request, _cookie_name(zoho))
    visitor = signin.signed_in(cookie, authorization.client.org_id) if cookie else None
    path, query = request.route[1], request.scope["query_string"].decode("latin-1")
    return Visit(
        authorization,
        f"{path}?{query}",
        secret=cookie or secrets.token_urlsafe(32),
        has_cookie=cookie is not None,
        visitor=visitor,
        users_offered=zoho.dev and is_loopback_host(request.header(b"host") or ""),
    )


def session_cookie(
    zoho: ZohoContext, secret: str, seconds: int | None = None
) -> tuple[bytes, bytes]:
    """Returns the header that sets the session cookie; an empty secret deletes the cookie.

    The browser keeps the cookie for `seconds`; without them until it is closed.
    """
    age = seconds if secret or seconds is None else 0
    return _set_cookie(zoho, _cookie_name(zoho), secret, age)


def read_device(zoho: ZohoContext, request: Request) -> tuple[str, bool]:
    """Returns the value of the device cookie, or a new value; and whether it is new."""
    device = read_secret(request, _device_cookie_name(zoho))
    return device or secrets.token_urlsafe(32), device is None


def device_cookie(zoho: ZohoContext, device: str) -> tuple[bytes, bytes]:
    """Returns the header that sets the device cookie."""
    return _set_cookie(zoho, _device_cookie_name(zoho), device, DEVICE_SECONDS)


def is_navigation(request: Request) -> bool:
    """Returns whether a window loads the page, as far as the browser reports it.

    Scripts, frames and prefetches are no navigation.
    """
    return (
        request.scope["method"] == "GET"
        and request.header(b"sec-fetch-mode") in (None, "navigate")
        and request.header(b"sec-fetch-dest") in (None, "document")
        and request.header(b"sec-purpose") is None
    )


def _cookie_name(zoho: ZohoContext) -> str:
    return cookie_name("bulkwright", https=zoho.is_https)


def _device_cookie_name(zoho: ZohoContext) -> str:
    return f"{_cookie_name(zoho)}-device"


def _set_cookie(
    zoho: ZohoContext, name: str, value: str, seconds: int | None
) -> tuple[bytes, bytes]:
    return set_secret(name, value, path=PATH, https=zoho.is_https, seconds=seconds)
