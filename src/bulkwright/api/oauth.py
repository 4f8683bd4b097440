"""The token endpoint (facts 7.2). Its errors are words with HTTP 200, not the API's envelope."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import UNSET

from bulkwright.api.http import Answer, Request, json_answer
from bulkwright.api.multipart import form_fields
from bulkwright.api.services import Services
from bulkwright.domain import scope
from bulkwright.domain.errors import OAuthError, RequestError, TooManyTokenRequests
from bulkwright.domain.limits import (
    FORM_BODY_BYTES,
    TOKEN_REQUESTS_A_SECOND,
    TOKEN_REQUESTS_AT_ONCE,
)
from bulkwright.service.throttle import Allowance
from bulkwright.service.tokens import Grant
from bulkwright.wire import responses as wire

_KEY = 100
"""Characters of a client id that tell clients apart here."""


class OAuthRoutes:
    """`/oauth/v2/token` and `/oauth/v2/token/revoke`."""

    def __init__(self, services: Services, base_url: str) -> None:
        self._tokens = services.tokens
        self._base_url = base_url
        self._allowance = Allowance(TOKEN_REQUESTS_AT_ONCE, TOKEN_REQUESTS_A_SECOND)
        self._grants: dict[str, Callable[[dict[str, str]], Grant]] = {
            "refresh_token": self._refresh,
            "authorization_code": self._code,
            "client_credentials": self._client_credentials,
        }

    async def token(self, request: Request) -> Answer:
        """Give tokens for a refresh token, a grant code or a client's own credentials."""
        form = await _parameters(request)
        if not self._allowance.take(f"{request.address} {form.get('client_id', '')[:_KEY]}"):
            raise TooManyTokenRequests
        grant = self._grants.get(_needed(form, "grant_type"))
        if grant is None:
            raise OAuthError("unsupported_grant_type")
        return self._granted(await request.run(grant, form))

    async def revoke(self, request: Request) -> Answer:
        """Forget a token; an unknown one gets the same answer."""
        form = await _parameters(request)
        await request.run(self._tokens.revoke, _needed(form, "token"))
        return json_answer({"status": "success"})

    def _refresh(self, form: dict[str, str]) -> Grant:
        return self._tokens.refresh(*_client(form), _needed(form, "refresh_token"))

    def _code(self, form: dict[str, str]) -> Grant:
        return self._tokens.exchange(
            *_client(form),
            _needed(form, "code"),
            form.get("redirect_uri"),
            form.get("code_verifier"),
        )

    def _client_credentials(self, form: dict[str, str]) -> Grant:
        return self._tokens.client_credentials(
            *_client(form), form.get("scope", ""), form.get("soid", "")
        )

    def _granted(self, grant: Grant) -> Answer:
        return json_answer(
            wire.TokenGranted(
                access_token=grant.access_token,
                refresh_token=UNSET if grant.refresh_token is None else grant.refresh_token,
                scope=scope.shown(grant.scopes),
                # The server itself: SDKs would switch to the real service for one of its own
                # hosts (client contract 1.6).
                api_domain=self._base_url,
                expires_in=grant.expires_in,
            )
        )


async def _parameters(request: Request) -> dict[str, str]:
    """The parameters of a form body of either kind, or of the query (facts 7.1, contract 1.2)."""
    kind = (request.header(b"content-type") or "").lower()
    try:
        query = request.query()
        if kind.startswith("multipart/"):
            return query | await form_fields(request)
        return query | await request.form(FORM_BODY_BYTES)
    except RequestError:
        raise OAuthError("invalid_request") from None


def _client(form: dict[str, str]) -> tuple[str, str]:
    return _needed(form, "client_id", "invalid_client"), form.get("client_secret", "")


def _needed(form: dict[str, str], name: str, error: str = "invalid_request") -> str:
    value = form.get(name)
    if not value:
        raise OAuthError(error)
    return value
