"""The visitor of a page: the cookies of the browser, and the proof that a form came from a page.

The session is one of `service/signin.py`, as that of the pages on which users agree to an OAuth
client, in a cookie of its own. Each form has a token that is computed from the cookie, so that no
other site can send it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hmac import compare_digest

from bulkwright.console import PREFIX
from bulkwright.domain import scope
from bulkwright.domain.account import Caller, Right
from bulkwright.domain.errors import AccessError
from bulkwright.domain.limits import DEVICE_SECONDS
from bulkwright.service.signin import SignedIn, SignInService
from bulkwright.web.cookies import cookie_name, read_secret, set_secret
from bulkwright.web.request import Request

_SESSION, _DEVICE = "bulkwright-console", "bulkwright-console-device"
_EVERY_SCOPE = scope.normalise(scope.EVERY)
CSRF_FIELD = "csrf"
"""The field of a form with the token."""
_CSRF_HEADER = b"x-csrf-token"


class FormExpired(AccessError):
    """A form was sent without the token of this browser."""

    code = "EXPIRED_PAGE"
    default_message = "This page has expired. Load it again, and allow cookies for this site."


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser, and the user who is signed in with it."""

    secret: str
    """The value of the session cookie, or a new value for a browser that has none."""
    has_cookie: bool
    signed_in: SignedIn | None

    @property
    def csrf(self) -> str:
        """The token of the forms of this browser."""
        return hmac.new(self.secret.encode(), b"console", hashlib.sha256).hexdigest()

    def check_form(self, fields: Mapping[str, str], request: Request) -> None:
        """Raises FormExpired if a form, or a request of htmx, has not the token of this browser."""
        given = fields.get(CSRF_FIELD) or request.header(_CSRF_HEADER) or ""
        if not (self.has_cookie and compare_digest(given.encode(), self.csrf.encode())):
            raise FormExpired

    @property
    def caller(self) -> Caller:
        """The user as services know callers. A session is limited by the role alone."""
        assert self.signed_in is not None
        user = self.signed_in.user
        return Caller(user.org_id, user.id, _EVERY_SCOPE, user.role)

    def may(self, right: Right) -> bool:
        """Returns whether the role of the user includes a right."""
        try:
            self.caller.role.require(right)
        except AccessError:
            return False
        return True


def read_visitor(signin: SignInService, request: Request, *, https: bool) -> Visitor:
    """Returns the visitor of a request."""
    cookie = read_secret(request, cookie_name(_SESSION, https=https))
    signed_in = None if cookie is None else signin.signed_in(cookie)
    return Visitor(cookie or secrets.token_urlsafe(32), cookie is not None, signed_in)


def session_cookie(secret: str, *, https: bool, seconds: int | None) -> tuple[str, str]:
    """Returns the header that sets the session cookie; with 0 seconds the browser drops it."""
    return _header(_SESSION, secret, https=https, seconds=seconds)


def read_device(request: Request, *, https: bool) -> str | None:
    """Returns the value of the device cookie."""
    return read_secret(request, cookie_name(_DEVICE, https=https))


def device_cookie(device: str, *, https: bool) -> tuple[str, str]:
    """Returns the header that sets the device cookie."""
    return _header(_DEVICE, device, https=https, seconds=DEVICE_SECONDS)


def _header(name: str, value: str, *, https: bool, seconds: int | None) -> tuple[str, str]:
    name = cookie_name(name, https=https)
    key, text = set_secret(name, value, path=PREFIX, https=https, seconds=seconds)
    return key.decode(), text.decode()
