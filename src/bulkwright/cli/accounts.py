"""What the commands for orgs, users, OAuth clients and tokens share.

Secrets are printed once and stored as hashes. Passwords come from a prompt or from standard input,
never from the command line, because every process of the machine can read that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, NoReturn

from cyclopts import Parameter

from bulkwright.cli.failure import fail
from bulkwright.cli.options import chosen_org
from bulkwright.cli.output import errors, print_object
from bulkwright.domain.account import OAuthClient, User
from bulkwright.service.signin import Revoked
from bulkwright.services import Services
from bulkwright.settings import OrgLocation

Email = Annotated[str, Parameter(help="The user's e-mail.")]
ClientId = Annotated[str, Parameter(help="The id of the OAuth client.")]


def user_of(services: Services, location: OrgLocation, email: str) -> User:
    """Returns the user with this e-mail; the first user of the org for an empty one."""
    org_id = chosen_org(services, location).id
    user = services.accounts.user_by_email(org_id, email) if email else None
    if user is None and not email:
        user = next(iter(services.accounts.users(org_id)), None)
    if user is None:
        fail(f"There is no user {email}; `bulkwright user list` shows the users.")
    return user


def client_of(services: Services, location: OrgLocation, client_id: str) -> OAuthClient:
    """Returns the OAuth client of the org with this id."""
    org_id = chosen_org(services, location).id
    client = services.accounts.client(client_id)
    if client is None or client.org_id != org_id:
        fail(f"There is no client {client_id}; `bulkwright client list` shows the clients.")
    return client


def print_values(values: Mapping[str, object], *, json: bool) -> None:
    """Prints names and values; on stderr, what to do with secrets among them."""
    print_object(values, json=json)
    if secrets := [name for name in ("client_secret", "refresh_token") if name in values]:
        kept = " and ".join(secrets)
        errors.print(
            f"Keep {kept} in a safe place: only hashes are stored, so they are not shown again.",
            soft_wrap=True, highlight=False,
        )  # fmt: skip


def print_revoked(
    revoked: Revoked, account: Mapping[str, object], *, json: bool, more: str = ""
) -> None:
    """Prints how many tokens and sessions ended.

    In JSON, `account` is before the numbers; in a line, `more` is behind them.
    """
    counts = {"revoked_tokens": revoked.tokens, "ended_sessions": revoked.sessions}
    print_object({**account, **counts}, json=json, line=f"{revoked}{more}")


def fail_time_zone(name: str) -> NoReturn:
    """Ends the command because a time zone is unknown."""
    fail(f"{name} is not a time zone; give a name such as Europe/Berlin.")
