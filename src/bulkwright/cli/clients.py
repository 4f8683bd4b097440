"""`client`: the OAuth clients of an org."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import App, Parameter

from bulkwright.cli.accounts import ClientId, client_of, print_revoked, print_values, user_of
from bulkwright.cli.failure import fail
from bulkwright.cli.options import DEFAULT_IN_ORG, InOrg, Json, chosen_org, open_existing
from bulkwright.cli.output import print_list, print_object
from bulkwright.domain.account import AccountState, ClientKind
from bulkwright.domain.endpoint import InvalidEndpoint
from bulkwright.service.administration import StillInUse


def add(
    name: Annotated[str, Parameter(help="The name that users see when they sign in.")],
    /,
    *,
    kind: Annotated[
        Literal["server", "self", "javascript"],
        Parameter(
            help="server: the user agrees, and the client receives a code; "
            "self: codes come from `token create`; "
            "javascript: the user agrees, and the page receives a token for an hour, or a code."
        ),
    ],
    redirect_uri: Annotated[
        tuple[str, ...],
        Parameter(negative=(), help="URL that receives the code or token. Repeatable."),
    ] = (),
    user: Annotated[str, Parameter(help="E-mail of its owner. Default: the first user.")] = "",
    json: Json = False,
    location: InOrg = DEFAULT_IN_ORG,
) -> None:
    """Register an OAuth client. Its secret is shown once and stored as a hash only.

    Example: bulkwright client add "Nightly load" --kind self
    """
    if (kind == "self") == bool(redirect_uri):
        number = "no" if kind == "self" else "at least one"
        fail(f"A {kind} client has {number} --redirect-uri.")
    with open_existing(location) as services:
        owner = user_of(services, location, user)
        try:
            made = services.setup.register_client(
                owner, ClientKind(kind), name, redirect_uris=redirect_uri
            )
        except InvalidEndpoint as error:
            fail(f"--redirect-uri: {error}.")
    secret = {} if made.secret is None else {"client_secret": made.secret}
    print_values({"client_id": made.client.client_id, **secret}, json=json)


def list_(*, json: Json = False, location: InOrg = DEFAULT_IN_ORG) -> None:
    """List the OAuth clients of the org.

    Example: bulkwright client list --json
    """
    with open_existing(location) as services:
        rows = [
            {
                "client_id": client.client_id,
                "name": client.name,
                "kind": client.kind.value,
                "state": client.state.value,
                "owner_id": str(client.user_id),
                "redirect_uris": list(client.redirect_uris),
            }
            for client in services.accounts.clients(chosen_org(services, location).id)
        ]
    print_list(rows, json=json)


def rotate(client: ClientId, /, *, json: Json = False, location: InOrg = DEFAULT_IN_ORG) -> None:
    """Print a new secret of a client. The old secret ends at once; tokens stay valid.

    Example: bulkwright client rotate 1000.ABCD
    """
    with open_existing(location) as services:
        try:
            secret = services.administration.rotate_secret(client_of(services, location, client))
        except StillInUse as reason:
            fail(str(reason))
    print_values({"client_id": client, "client_secret": secret}, json=json)


def deactivate(
    client: ClientId, /, *, json: Json = False, location: InOrg = DEFAULT_IN_ORG
) -> None:
    """Revoke a client's tokens and give it no more.

    Example: bulkwright client deactivate 1000.ABCD
    """
    with open_existing(location) as services:
        found = client_of(services, location, client)
        revoked = services.administration.deactivate_client(found)
    print_revoked(revoked, {"client_id": client, "state": AccountState.INACTIVE.value}, json=json)


def activate(client: ClientId, /, *, json: Json = False, location: InOrg = DEFAULT_IN_ORG) -> None:
    """Give tokens to a deactivated client again, with the same secret.

    Example: bulkwright client activate 1000.ABCD
    """
    with open_existing(location) as services:
        services.administration.activate_client(client_of(services, location, client))
    shown = {"client_id": client, "state": AccountState.ACTIVE.value}
    print_object(shown, json=json, line=f"client {client} is active")


def remove(client: ClientId, /, *, json: Json = False, location: InOrg = DEFAULT_IN_ORG) -> None:
    """Delete a client with its tokens and the consents to it.

    Example: bulkwright client remove 1000.ABCD
    """
    with open_existing(location) as services:
        revoked = services.administration.remove_client(client_of(services, location, client))
    print_revoked(revoked, {"client_id": client, "state": AccountState.REMOVED.value}, json=json)


client = App(name="client")
client.command(list_, name="list")
client.command(add)
client.command(rotate)
client.command(deactivate)
client.command(activate)
client.command(remove)
