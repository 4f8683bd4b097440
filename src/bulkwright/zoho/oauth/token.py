"""The token endpoint (facts 7.2). Its errors have HTTP status 200 and the key `error`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import UNSET

from bulkwright.domain import scope
from bulkwright.domain.audit import Actor
from bulkwright.domain.errors import OAuthError, TooManyTokenRequests
from bulkwright.domain.limits import FORM_BODY_BYTES
from bulkwright.service.throttle import network_of
from bulkwright.service.tokens import Grant, TokenService
from bulkwright.web.errors import HttpError
from bulkwright.web.multipart import form_fields
from bulkwright.web.request import Request
from bulkwright.web.response import Response, json_response
from bulkwright.wire import responses as wire
from bulkwright.zoho.context import ZohoContext

_Form = Mapping[str, str]

_COMPARED_CHARACTERS = 100
"""The first characters of a client id, by which requests are counted."""


async def issue(zoho: ZohoContext, request: Request) -> Response:
    """Issues tokens for a refresh token, a grant code or a client's own credentials."""
    form = await _read_form(request)
    client = form.get("client_id", "")[:_COMPARED_CHARACTERS]
    address = request.address
    if not zoho.token_requests.take(f"{network_of(address)} {client}"):
        raise TooManyTokenRequests
    grant = _GRANTS.get(_required(form, "grant_type"))
    if grant is None:
        raise OAuthError("unsupported_grant_type")
    return _granted(zoho, await request.run(grant, zoho.services.tokens, form, Actor(address)))


async def revoke(zoho: ZohoContext, request: Request) -> Response:
    """Revokes a token. An unknown token gets the same response."""
    form = await _read_form(request)
    actor = Actor(request.address)
    await request.run(zoho.services.tokens.revoke, _required(form, "token"), actor)
    return json_response({"status": "success"})


def _refresh(tokens: TokenService, form: _Form, actor: Actor) -> Grant:
    return tokens.refresh(*_client(form), _required(form, "refresh_token"), actor)


def _exchange(tokens: TokenService, form: _Form, actor: Actor) -> Grant:
    code, redirect_uri = _required(form, "code"), form.get("redirect_uri")
    return tokens.exchange(*_client(form), code, redirect_uri, form.get("code_verifier"), actor)


def _client_credentials(tokens: TokenService, form: _Form, actor: Actor) -> Grant:
    wanted = form.get("scope", ""), form.get("soid", "")
    return tokens.client_credentials(*_client(form), *wanted, actor)


_GRANTS: Mapping[str, Callable[[TokenService, _Form, Actor], Grant]] = {
    "refresh_token": _refresh,
    "authorization_code": _exchange,
    "client_credentials": _client_credentials,
}


def _granted(zoho: ZohoContext, grant: Grant) -> Response:
    return json_response(
        wire.TokenGranted(
            access_token=grant.access_token,
            refresh_token=UNSET if grant.refresh_token is None else grant.refresh_token,
            scope=scope.shown(grant.scopes),
            # This server itself. With the domain of a Zoho host, SDKs would call the real service
            # (client contract 1.6).
            api_domain=zoho.base_url,
            expires_in=grant.expires_in,
        )
    )


async def _read_form(request: Request) -> dict[str, str]:
    """Returns the parameters of the query and of a form of either type (facts 7.1, contract 1.2).

    Raises OAuthError if they cannot be read.
    """
    content_type = (request.header(b"content-type") or "").lower()
    try:
        query = request.query()
        if content_type.startswith("multipart/"):
            return query | await form_fields(request, FORM_BODY_BYTES)
        return query | await request.form(FORM_BODY_BYTES)
    except HttpError:
        raise OAuthError("invalid_request") from None


def _client(form: _Form) -> tuple[str, str]:
    return _required(form, "client_id", "invalid_client"), form.get("client_secret", "")


def _required(form: _Form, name: str, error: str = "invalid_request") -> str:
    value = form.get(name)
    if not value:
        raise OAuthError(error)
    return value
