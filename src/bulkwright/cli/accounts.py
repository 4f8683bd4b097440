"""`init` and `token create`: credentials for a real deployment."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from bulkwright.cli.options import DEFAULT_DATA, Data, known, the_org
from bulkwright.cli.show import console, refuse
from bulkwright.config import Settings
from bulkwright.domain import scope
from bulkwright.domain.account import ClientKind
from bulkwright.domain.limits import ACCESS_TOKEN_SECONDS
from bulkwright.wiring import open_services


def init(
    *,
    company: Annotated[str, Parameter(help="Name of the org.")],
    email: Annotated[str, Parameter(help="E-mail of its first user.")],
    first_name: str = "",
    last_name: str = "Administrator",
    time_zone: Annotated[str, Parameter(help="IANA name.")] = "UTC",
    currency: str = "USD",
    data: Data = DEFAULT_DATA,
) -> None:
    """Make an org with the standard modules, its first user and an OAuth client.

    The client's secret and refresh token are shown once and kept as hashes only.
    """
    from zoneinfo import ZoneInfoNotFoundError

    with open_services(Settings(data)) as services:
        if services.accounts.orgs():
            refuse(f"{data} has an org already.")
        try:
            org = services.setup.create_org(company, time_zone=time_zone, currency=currency)
        except (ZoneInfoNotFoundError, ValueError):
            refuse(f"{time_zone} is no time zone; give a name such as Europe/Berlin.")
        user = services.setup.create_user(org, first_name, last_name, email)
        made = services.setup.register_client(user, ClientKind.SELF, "First client")
        refresh = services.tokens.issue_refresh(made.client, scope.EVERY)
    for name, value in (
        ("org_id", org.id),
        ("client_id", made.client.client_id),
        ("client_secret", made.secret),
        ("refresh_token", refresh),
    ):
        console.print(f"{name:<14} {value}", soft_wrap=True, highlight=False)


def create_token(
    *,
    scopes: Annotated[
        str, Parameter(name="--scope", help="Scopes, separated by commas.")
    ] = scope.EVERY,
    expires_in: Annotated[int, Parameter(help="Seconds an access token lives.")] = (
        ACCESS_TOKEN_SECONDS
    ),
    refresh: Annotated[bool, Parameter(help="A refresh token, which never expires.")] = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Print a new access (or refresh) token of the org's first client, and nothing else."""
    with open_services(known(data)) as services:
        org = the_org(services)
        clients = [c for c in services.accounts.clients(org.id) if c.secret_hash is not None]
        if not clients:
            refuse("The org has no OAuth client that may hold tokens.")
        if refresh:
            print(services.tokens.issue_refresh(clients[0], scopes))
        else:
            print(services.tokens.issue_access(clients[0], scopes, seconds=expires_in))
