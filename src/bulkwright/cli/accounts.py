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
from bulkwright.cli.output import console, errors, print_json
from bulkwright.domain.account import OAuthClient, User
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
    """Prints names and values, one a line or as a JSON object.

    On stderr, it says what to do with secrets among them.
    """
    if json:
        # Ids are strings, as in all JSON of this program: some readers round large numbers.
        print_json({k: str(v) if k.endswith("_id") else v for k, v in values.items()})
    else:
        for name, value in values.items():
            console.print(f"{name:<14} {value}", soft_wrap=True, highlight=False, markup=False)
    if secrets := [name for name in ("client_secret", "refresh_token") if name in values]:
        kept = " and ".join(secrets)
        errors.print(
            f"Keep {kept} in a safe place: only hashes are stored, so they are not shown again.",
            soft_wrap=True, highlight=False,
        )  # fmt: skip


def report(text: object) -> None:
    """Prints what was done, in one line."""
    console.print(str(text), soft_wrap=True, highlight=False, markup=False)


def fail_time_zone(name: str) -> NoReturn:
    """Ends the command because a time zone is unknown."""
    fail(f"{name} is not a time zone; give a name such as Europe/Berlin.")
