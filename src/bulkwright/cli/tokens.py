"""`token`: the OAuth tokens of an org."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number

from bulkwright.cli.accounts import client_of, print_revoked, user_of
from bulkwright.cli.failure import fail
from bulkwright.cli.options import DEFAULT_IN_ORG, InOrg, Json, chosen_org, open_existing
from bulkwright.cli.output import print_list, print_object
from bulkwright.domain import scope
from bulkwright.domain.account import ClientKind, OAuthClient
from bulkwright.domain.errors import OAuthError
from bulkwright.domain.limits import ACCESS_TOKEN_SECONDS, LONGEST_TOKEN_SECONDS, SCOPES_CHARACTERS
from bulkwright.services import Services
from bulkwright.settings import OrgLocation

OfClient = Annotated[str, Parameter(name="--client", help="Only those of this client.")]
OfUser = Annotated[str, Parameter(name="--user", help="Only those of the user with this e-mail.")]


def create(  # wide: what a token is issued for
    *,
    scopes: Annotated[
        str, Parameter(name="--scope", help="Scopes, separated by commas.")
    ] = scope.EVERY,
    expires_in: Annotated[
        int,
        Parameter(
            help="Lifetime of an access token in seconds.",
            validator=Number(gte=1, lte=LONGEST_TOKEN_SECONDS),
        ),
    ] = ACCESS_TOKEN_SECONDS,
    refresh: Annotated[
        bool,
        Parameter(
            negative=(), help="Print a refresh token. It ends when it is not used for a long time."
        ),
    ] = False,
    code: Annotated[
        bool,
        Parameter(negative=(), help="Print a grant code of a self client, valid for ten minutes."),
    ] = False,
    client: Annotated[str, Parameter(help="Client id. Default: the first suitable client.")] = "",
    user: Annotated[str, Parameter(help="E-mail of its user. Default: the client's owner.")] = "",
    json: Json = False,
    location: InOrg = DEFAULT_IN_ORG,
) -> None:
    """Print a new access token (or refresh token, or grant code), and nothing else.

    Example: bulkwright token create --scope ZohoCRM.bulk.ALL --expires-in 600
    """
    if wrong := scope.unformed(scopes):
        fail(f"--scope {wrong[0]}: give scopes such as ZohoCRM.bulk.ALL, separated by commas.")
    if refresh and code:
        fail("Give either --refresh or --code, not both.")
    with open_existing(location) as services:
        chosen = _client(services, location, client, code=code)
        if not chosen.is_active:
            fail(f"The client {chosen.client_id} or its org is deactivated: it gets no tokens.")
        owner = user_of(services, location, user).id if user else chosen.user_id
        holder = services.accounts.user(chosen.org_id, owner)
        if holder is None or not holder.is_active:
            fail("The user is deactivated or removed, and gets no tokens; name one with --user.")
        tokens = services.tokens
        try:
            if code:
                made = {"code": tokens.issue_code(chosen, scopes, user_id=owner)}
            elif refresh:
                made = {"refresh_token": tokens.issue_refresh(chosen, scopes, user_id=owner)}
            else:
                token = tokens.issue_access(chosen, scopes, user_id=owner, seconds=expires_in)
                made = {"access_token": token}
        except OAuthError:
            fail(f"--scope takes scopes of together 1 to {SCOPES_CHARACTERS} characters.")
    (line,) = made.values()
    shown = {**made, "client_id": chosen.client_id, "user_id": owner}
    print_object(shown, json=json, line=line)


def list_(
    *,
    json: Json = False,
    client: OfClient = "",
    user: OfUser = "",
    location: InOrg = DEFAULT_IN_ORG,
) -> None:
    """List the valid tokens of the org, newest first.

    A token's id does not reveal the token.

    Example: bulkwright token list --user kay@zylker.example
    """
    with open_existing(location) as services:
        org = chosen_org(services, location)
        emails = {found.id: found.email for found in services.accounts.users(org.id)}
        found = services.administration.tokens(
            org,
            user=user_of(services, location, user) if user else None,
            client=client_of(services, location, client) if client else None,
        )
    rows = [
        {
            "token_id": token.id,
            "kind": token.kind,
            "client_id": token.client_id,
            "email": emails.get(token.user_id, str(token.user_id)),
            "scopes": scope.shown(token.scopes),
            "created": token.created_time,
            "expires": token.expires_time,
            "last_used": token.last_used,
        }
        for token in found
    ]
    print_list(rows, json=json)


def revoke(
    token: Annotated[
        tuple[str, ...], Parameter(help="Ids from `token list`; what they gave is revoked too.")
    ] = (),
    /,
    *,
    client: OfClient = "",
    user: OfUser = "",
    json: Json = False,
    location: InOrg = DEFAULT_IN_ORG,
) -> None:
    """Revoke tokens: some by id, or all of a client or of a user.

    The user is signed out too.

    Example: bulkwright token revoke --user kay@zylker.example
    """
    if sum(map(bool, (token, client, user))) != 1:
        fail("Give the ids of tokens, or --client, or --user.")
    with open_existing(location) as services:
        administration = services.administration
        if client:
            revoked = administration.revoke_client(client_of(services, location, client))
            print_revoked(revoked, {"client_id": client}, json=json)
        elif user:
            found = user_of(services, location, user)
            print_revoked(administration.revoke_user(found), {"user_id": found.id}, json=json)
        else:
            org = chosen_org(services, location)
            unknown = [name for name in token if not administration.revoke_token(org, name)]
            if unknown:
                fail(f"There is no token {', '.join(unknown)}; `bulkwright token list` shows them.")
            print_object({"token_ids": token}, json=json, line=f"revoked {', '.join(token)}")


token = App(name="token")
token.command(list_, name="list")
token.command(create)
token.command(revoke)


def _client(
    services: Services, location: OrgLocation, client_id: str, *, code: bool
) -> OAuthClient:
    """Returns the client with this id, or the first that may hold such a token."""
    found = [
        client
        for client in services.accounts.clients(chosen_org(services, location).id)
        if (client.kind is ClientKind.SELF if code else not client.is_public)
        and client_id in ("", client.client_id)
    ]
    if not found:
        name = f" {client_id}" if client_id else ""
        fail(
            f"The org has no self client{name}."
            if code
            else f"The org has no OAuth client{name} with a secret."
        )
    return found[0]
