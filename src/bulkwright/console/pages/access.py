"""OAuth clients and tokens: list, create, revoke. A secret is shown once."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import Response

from bulkwright.console import PREFIX
from bulkwright.console.page import Page, PageCall, redirect
from bulkwright.console.render import plain
from bulkwright.domain import errors as e
from bulkwright.domain import scope
from bulkwright.domain.account import ClientKind, OAuthClient, Org, Right, User
from bulkwright.domain.endpoint import InvalidEndpoint
from bulkwright.service.administration import Administration, StillInUse
from bulkwright.v1.problems import details_of

_ACCESS = f"{PREFIX}/access"
_CLIENT = f"{_ACCESS}/clients/{{client_id}}"
_TOKENS = 200
_HOUR, _DAY = 3600, 24 * 3600
_LIVES = {"1 hour": _HOUR, "1 day": _DAY, "30 days": 30 * _DAY, "1 year": 365 * _DAY}


class NoSuchClient(e.ResourceNotFound):
    """The org has no OAuth client with this id."""

    code = "NO_SUCH_CLIENT"
    default_message = "The org has no OAuth client with this id."


class NoSuchToken(e.ResourceNotFound):
    """The org has no valid token with this id."""

    code = "NO_SUCH_TOKEN"
    default_message = "The org has no valid token with this id. It may have been revoked before."


def show_access(call: PageCall) -> Response:
    """Shows the OAuth clients and the valid tokens of the org."""
    return _page(call)


def add_client(call: PageCall) -> Response:
    """Registers an OAuth client; the page shows its secret."""
    form = call.form
    uris = tuple(form.get("redirect_uris", "").split())
    try:
        kind = ClientKind(form.get("kind", ""))
        made = call.services.setup.register_client(
            _user(call), kind, form.get("name", "").strip(), redirect_uris=uris, actor=call.actor
        )
    except InvalidEndpoint as error:  # a ValueError too
        return _page(call, 400, alert=f"{error}")
    except ValueError:
        return _page(call, 400, alert="The kind is server, self or javascript.")
    except e.RequestError as error:
        return _page(call, 400, alert=plain(details_of(error)))
    named = f"The client {made.client.name} was registered."
    return _page(call, secrets=[("Client id", made.client.client_id), *_secret(made.secret)],
                 note=named)  # fmt: skip


def change_client(call: PageCall) -> Response:
    """Does what the pressed button says with a client."""
    client, administration = _client(call), _administration(call)
    match call.form.get("step", ""):
        case "rotate":
            try:
                secret = administration.rotate_secret(client)
            except StillInUse as error:
                return _page(call, 400, alert=str(error))
            note = f"{client.name} has a new secret. The old one is not valid any more."
            return _page(call, secrets=_secret(secret), note=note)
        case "revoke":
            administration.revoke_client(client)
        case "deactivate":
            administration.deactivate_client(client)
        case "activate":
            administration.activate_client(client)
        case "remove":
            administration.remove_client(client)
    return redirect(_ACCESS)


def add_token(call: PageCall) -> Response:
    """Issues an access token for the user who is signed in; the page shows it."""
    client = _named_client(call, call.form.get("client", ""))
    if not client.is_active:
        return _page(call, 400, alert="The client is deactivated: it gets no tokens.")
    seconds = _LIVES.get(call.form.get("life", ""), _HOUR)
    try:
        token = call.services.tokens.issue_access(
            client,
            call.form.get("scopes", ""),
            user_id=call.caller.user_id,
            seconds=seconds,
            actor=call.actor,
        )
    except e.OAuthError:
        return _page(call, 400, alert="Give at least one scope, such as bulkwright.jobs.READ.")
    return _page(call, secrets=[("Access token", token)], note="The access token was created.")


def revoke_token(call: PageCall) -> Response:
    """Revokes a token with everything that was made from it."""
    if not _administration(call).revoke_token(_org(call), call.form.get("token", "")):
        raise NoSuchToken
    return redirect(_ACCESS)


def _page(
    call: PageCall,
    status: int = 200,
    *,
    alert: str = "",
    note: str = "",
    secrets: list[tuple[str, str]] | None = None,
) -> Response:
    org_id = call.caller.org_id
    tokens = call.services.accounts.tokens(org_id)
    clients = call.services.accounts.clients(org_id)
    return call.show(
        "access.html",
        status,
        section="access",
        alert=alert,
        note=note,
        secrets=secrets or [],
        clients=clients,
        names={client.client_id: client.name for client in clients},
        users={user.id: user.name for user in call.services.accounts.users(org_id)},
        tokens=[(token, _scopes(token.scopes)) for token in tokens[:_TOKENS]],
        more_tokens=max(0, len(tokens) - _TOKENS),
        kinds=[kind.value for kind in ClientKind],
        lives=list(_LIVES),
        every_scope=scope.EVERY.replace(",", " "),
    )


def _scopes(scopes: str) -> str:
    return "every scope" if scopes == scope.normalise(scope.EVERY) else scope.shown(scopes)


def _secret(secret: str | None) -> list[tuple[str, str]]:
    return [] if secret is None else [("Client secret", secret)]


def _administration(call: PageCall) -> Administration:
    return replace(call.services.administration, actor=call.actor)


def _client(call: PageCall) -> OAuthClient:
    return _named_client(call, call.path["client_id"])


def _named_client(call: PageCall, client_id: str) -> OAuthClient:
    found = call.services.accounts.client(client_id)
    if found is None or found.org_id != call.caller.org_id:
        raise NoSuchClient
    return found


def _user(call: PageCall) -> User:
    assert call.visitor.signed_in is not None
    return call.visitor.signed_in.user


def _org(call: PageCall) -> Org:
    assert call.visitor.signed_in is not None
    return call.visitor.signed_in.org


PAGES = (
    Page("GET", _ACCESS, show_access, Right.MANAGE_ACCESS),
    Page("POST", f"{_ACCESS}/clients", add_client, Right.MANAGE_ACCESS),
    Page("POST", _CLIENT, change_client, Right.MANAGE_ACCESS),
    Page("POST", f"{_ACCESS}/tokens", add_token, Right.MANAGE_ACCESS),
    Page("POST", f"{_ACCESS}/tokens/revoke", revoke_token, Right.MANAGE_ACCESS),
)
