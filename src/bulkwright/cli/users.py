"""`user`: the users of an org."""

from __future__ import annotations

import sys
from getpass import getpass
from typing import Annotated, Literal

from cyclopts import App, Parameter

from bulkwright.cli.accounts import Email, fail_time_zone, print_revoked, print_values, user_of
from bulkwright.cli.failure import fail
from bulkwright.cli.options import DEFAULT_IN_ORG, InOrg, Json, chosen_org, open_existing
from bulkwright.cli.output import print_list, print_object
from bulkwright.domain.account import AccountState, Role
from bulkwright.domain.limits import PASSWORD_LEAST
from bulkwright.service.administration import StillInUse
from bulkwright.service.passwords import WeakPassword, check_new, words_of
from bulkwright.service.setup import UnknownTimeZone

ProfileName = Annotated[
    Literal["Administrator", "Standard", "Guest"],
    Parameter(help="Administrator: all rights; Standard: no bulk write; Guest: no modules."),
]


def add(  # wide: what a user has
    email: Email,
    /,
    *,
    last_name: Annotated[str, Parameter(help="Last name.")],
    first_name: Annotated[str, Parameter(help="First name.")] = "",
    profile: ProfileName = "Administrator",
    time_zone: Annotated[str, Parameter(help="IANA name. Default: the time zone of the org.")] = "",
    password: Annotated[
        bool, Parameter(negative=(), help="Prompt for a password, or read it from standard input.")
    ] = False,
    json: Json = False,
    location: InOrg = DEFAULT_IN_ORG,
) -> None:
    """Add a user to the org. A password is needed only to sign in by browser.

    Example: bulkwright user add kay@zylker.example --last-name Kay --profile Standard
    """
    with open_existing(location) as services:
        found = chosen_org(services, location)
        if services.accounts.user_by_email(found.id, email) is not None:
            fail(f"There is already a user {email}.")
        names = email, first_name, last_name, found.company_name
        secret = _new_password(*names) if password else None
        try:
            user = services.setup.create_user(
                *(found, first_name, last_name, email),
                time_zone=time_zone,
                role=Role(profile),
            )
        except UnknownTimeZone:
            fail_time_zone(time_zone)
        if secret is not None:
            services.signin.set_password(user, secret)
    print_values({"user_id": user.id}, json=json)


def password(email: Email, /, *, json: Json = False, location: InOrg = DEFAULT_IN_ORG) -> None:
    """Set a user's password.

    The user's tokens are revoked, and browsers are signed out. At a terminal, prompts
    for it twice. Otherwise it is the first line of standard input.

    Example: bulkwright user password kay@zylker.example
    """
    with open_existing(location) as services:
        user = user_of(services, location, email)
        company = chosen_org(services, location).company_name
        secret = _new_password(user.email, user.first_name, user.last_name, company)
        revoked = services.signin.set_password(user, secret)
    print_revoked(revoked, {"user_id": user.id}, json=json)


def list_(*, json: Json = False, location: InOrg = DEFAULT_IN_ORG) -> None:
    """List the users of the org.

    Example: bulkwright user list --json
    """
    with open_existing(location) as services:
        rows = [
            {
                "user_id": str(user.id),
                "name": user.name,
                "email": user.email,
                "role": user.role.value,
                "state": user.state.value,
                "password": services.signin.has_password(user),
                "time_zone": user.time_zone,
            }
            for user in services.accounts.users(chosen_org(services, location).id)
        ]
    print_list(rows, json=json)


def deactivate(email: Email, /, *, json: Json = False, location: InOrg = DEFAULT_IN_ORG) -> None:
    """Revoke a user's tokens, sign the user out, and let the user in no more.

    Example: bulkwright user deactivate kay@zylker.example
    """
    with open_existing(location) as services:
        user = user_of(services, location, email)
        revoked = services.administration.deactivate_user(user)
    print_revoked(revoked, {"user_id": user.id, "state": AccountState.INACTIVE.value}, json=json)


def activate(email: Email, /, *, json: Json = False, location: InOrg = DEFAULT_IN_ORG) -> None:
    """Let a deactivated user in again, with the same password.

    Example: bulkwright user activate kay@zylker.example
    """
    with open_existing(location) as services:
        user = user_of(services, location, email)
        services.administration.activate_user(user)
    shown = {"user_id": user.id, "state": AccountState.ACTIVE.value}
    print_object(shown, json=json, line=f"user {user.email} is active")


def remove(email: Email, /, *, json: Json = False, location: InOrg = DEFAULT_IN_ORG) -> None:
    """Revoke a user's tokens and erase password, name and e-mail.

    Records keep the user's id.

    Example: bulkwright user remove kay@zylker.example
    """
    with open_existing(location) as services:
        user = user_of(services, location, email)
        try:
            revoked = services.administration.remove_user(user)
        except StillInUse as reason:
            fail(str(reason))
    print_revoked(revoked, {"user_id": user.id, "state": AccountState.REMOVED.value}, json=json)


user = App(name="user")
user.command(list_, name="list")
user.command(add)
user.command(password)
user.command(deactivate)
user.command(activate)
user.command(remove)


def _new_password(*names: str) -> str:
    """Reads a new password and checks its strength; `names` are those of the user and the org."""
    interactive = sys.stdin.isatty()
    if interactive:
        password = getpass(f"New password, at least {PASSWORD_LEAST} characters: ")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    try:
        check_new(password, words_of(*names))
    except WeakPassword as error:
        fail(str(error))
    if interactive and getpass("Repeat it: ") != password:
        fail("The two passwords differ; nothing was changed.")
    return password
