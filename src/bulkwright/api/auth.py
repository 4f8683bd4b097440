"""The Authorization header: who asks, and with which scopes."""

from __future__ import annotations

from enum import Enum

from bulkwright.api.http import Request
from bulkwright.domain import scope
from bulkwright.domain.account import Right
from bulkwright.domain.errors import AuthenticationFailure, InvalidToken, ScopeMismatch
from bulkwright.service.tokens import TokenService

_SCHEMES = ("zoho-oauthtoken", "bearer")
_LONGEST = 512


class Open(Enum):
    """What a route has instead of scopes."""

    PUBLIC = "no token is needed"
    BY_MODULE = "a token is needed; which scope depends on the module and is checked with it"


Needed = tuple[str, ...] | Open
"""The scopes of which one is needed, or why there are none."""


def admit(
    request: Request, needed: Needed, tokens: TokenService, right: Right | None = None
) -> None:
    """Find the caller of a request; check the route's scopes, then the user's profile.

    Raises AuthenticationFailure when the header is missing or malformed, InvalidToken,
    ScopeMismatch, NoPermission and AuthorizationFailed (facts 7.4, 7.5).
    """
    if needed is Open.PUBLIC:
        return
    caller = tokens.check(bearer(request))
    if not isinstance(needed, Open) and not scope.permits(caller.scopes, needed):
        raise ScopeMismatch
    if right is not None:
        caller.profile.demand(right)
    request.caller = caller


def bearer(request: Request) -> str:
    """The token of a request. Raises AuthenticationFailure and InvalidToken."""
    values = request.headers(b"authorization")
    if len(values) != 1:
        raise AuthenticationFailure
    scheme, _, token = values[0].strip().partition(" ")
    token = token.strip()
    if scheme.lower() not in _SCHEMES or not token:
        raise AuthenticationFailure
    if len(token) > _LONGEST:
        raise InvalidToken
    return token
