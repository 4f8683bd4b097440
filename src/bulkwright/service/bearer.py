"""The access token of a request, from the values of its Authorization header."""

from __future__ import annotations

from collections.abc import Sequence

from bulkwright.domain.errors import AuthenticationFailure, InvalidToken

_SCHEMES = ("zoho-oauthtoken", "bearer")
_LONGEST_TOKEN = 512


def bearer_token(values: Sequence[str]) -> str:
    """Returns the token. Raises AuthenticationFailure and InvalidToken (facts 7.5).

    A request has one header, `Zoho-oauthtoken TOKEN` or `Bearer TOKEN`.
    """
    if len(values) != 1:
        raise AuthenticationFailure
    scheme, _, token = values[0].strip().partition(" ")
    token = token.strip()
    if scheme.lower() not in _SCHEMES or not token:
        raise AuthenticationFailure
    if len(token) > _LONGEST_TOKEN:
        raise InvalidToken
    return token
