"""The Authorization header: who calls, and with which scopes."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import NamedTuple, cast

from bulkwright.domain import scope
from bulkwright.domain.account import Caller, Right
from bulkwright.domain.errors import ScopeMismatch
from bulkwright.service.bearer import bearer_token
from bulkwright.web.request import Request
from bulkwright.zoho.context import ZohoContext


class Open(Enum):
    """What a route has instead of scopes."""

    PUBLIC = "no token is needed"
    ANY_SCOPE = "a token is needed, with any scope"
    BY_MODULE = "a token is needed; the service checks its scope together with the module"


class Access(NamedTuple):
    """Who may call a route."""

    scopes: tuple[str, ...] | Open
    """The token must have one of these scopes."""
    right: Right | None = None
    """The user's role must include this right, beside the scopes of the token."""


PUBLIC = Access(Open.PUBLIC)


def check_access(zoho: ZohoContext, access: Access, request: Request) -> None:
    """Sets the caller of a request. Checks the scopes of the token, then the role of the user.

    Raises AuthenticationFailure if the header is missing or malformed, InvalidToken,
    ScopeMismatch, NoPermission and AuthorizationFailed (facts 7.4, 7.5).
    """
    scopes = access.scopes
    if scopes is Open.PUBLIC:
        return
    caller = replace(zoho.services.tokens.check(bearer(request)), address=request.address)
    request.caller = caller
    request.party = caller.org_id
    if not isinstance(scopes, Open) and not scope.permits(caller.scopes, scopes):
        raise ScopeMismatch
    if access.right is not None:
        caller.role.require(access.right)


def caller_of(request: Request) -> Caller:
    """Returns the caller of a request to a route that is not public."""
    return cast("Caller", request.caller)


def bearer(request: Request) -> str:
    """Returns the token of a request. Raises AuthenticationFailure and InvalidToken."""
    return bearer_token(request.headers(b"authorization"))
