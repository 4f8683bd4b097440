"""`init`, `org`, `user`, `client` and `token`: credentials for a real deployment.

Secrets are printed once and stored as hashes. Passwords come from a prompt or from standard input,
never from the command line, because every process of the machine can read that.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from getpass import getpass
from typing import Annotated, Literal, NoReturn

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from bulkwright.cli.options import DEFAULT_LOCATION, Location, first_org, open_existing
from bulkwright.cli.output import console, fail
from bulkwright.domain import scope
from bulkwright.domain.account import ClientKind, OAuthClient, Role, User
from bulkwright.domain.endpoint import InvalidEndpoint
from bulkwright.domain.limits import ACCESS_TOKEN_SECONDS, PASSWORD_LEAST
from bulkwright.service.passwords import WeakPassword, check_new
from bulkwright.settings import Settings
from bulkwright.wiring import Services, open_services

Email = Annotated[str, Parameter(help="The user's e-mail.")]
ProfileName = Annotated[
    Literal["Administrator", "Standard", "Guest"],
    Parameter(help="Administrator: all rights; Standard: no bulk write; Guest: no modules."),
]


def init(
    *,
    company: Annotated[str, Parameter(help="Name of the org.")],
    email: Annotated[str, Parameter(help="E-mail of its first user.")],
    first_name: str = "",
    last_name: str = "Administrator",
    time_zone: Annotated[str, Parameter(help="IANA name.")] = "UTC",
    currency: str = "USD",
    location: Location = DEFAULT_LOCATION,
) -> None:
    """Create an org with the standard modules, its first user and an OAuth client.

    The client's secret and refresh token are shown once and stored as hashes only.
    """
    with open_services(Settings.merged(location)) as services:
        if services.accounts.orgs():
            fail(f"{location.name} already has an org.")
        with services.database.transaction():
            try:
                org = services.setup.create_org(company, time_zone=time_zone, currency=currency)
            except (KeyError, ValueError):
                _fail_time_zone(time_zone)
            user = services.setup.create_user(org, first_name, last_name, email)
            made = services.setup.register_client(user, ClientKind.SELF, "First client")
            refresh = services.tokens.issue_refresh(made.client, scope.EVERY)
    _print_values(
        org_id=org.id,
        client_id=made.client.client_id,
        client_secret=made.secret,
        refresh_token=refresh,
    )


def org(
    number: Annotated[
        int | None, Parameter(help="The id of the org. Default: the oldest org.")
    ] = None,
    /,
    *,
    priority: Annotated[
        int | None,
        Parameter(help="Its jobs run before those of orgs with a lower priority. 0 at first."),
    ] = None,
    location: Location = DEFAULT_LOCATION,
) -> None:
    """Show the org, with the id that clients send as X-CRM-ORG. With --priority, change it first.

    Orgs of the same priority take turns. An org of a lower priority waits while there are jobs of
    a higher one.
    """
    with open_existing(location) as services:
        found = first_org(services) if number is None else services.accounts.org(number)
        if found is None:
            fail(f"There is no org {number}.")
        if priority is not None:
            services.accounts.set_priority(found.id, priority)
            found = replace(found, priority=priority)
        users = len(services.accounts.users(found.id))
    _print_values(
        org_id=found.id,
        company=found.company_name,
        time_zone=found.time_zone,
        currency=found.currency,
        users=users,
        priority=found.priority,
        created=found.created_time.isoformat(" ", "seconds"),
    )


def add_user(
    email: Email,
    /,
    *,
    last_name: str,
    first_name: str = "",
    profile: ProfileName = "Administrator",
    time_zone: Annotated[str, Parameter(help="IANA name. Default: the time zone of the org.")] = "",
    password: Annotated[
        bool, Parameter(negative=(), help="Prompt for a password, or read it from standard input.")
    ] = False,
    location: Location = DEFAULT_LOCATION,
) -> None:
    """Add a user to the org. A password is needed only to sign in by browser."""
    with open_existing(location) as services:
        found = first_org(services)
        if services.accounts.user_by_email(found.id, email) is not None:
            fail(f"There is already a user {email}.")
        secret = _new_password() if password else None
        try:
            user = services.setup.create_user(
                *(found, first_name, last_name, email),
                time_zone=time_zone,
                role=Role(profile),
            )
        except (KeyError, ValueError):
            _fail_time_zone(time_zone)
        if secret is not None:
            services.signin.set_password(user, secret)
    _print_values(user_id=user.id)


def set_password(email: Email, /, *, location: Location = DEFAULT_LOCATION) -> None:
    """Set a user's password. Browsers that are signed in as this user are signed out.

    At a terminal, prompts for it twice. Otherwise it is the first line of standard input.
    """
    with open_existing(location) as services:
        user = _user(services, email)
        services.signin.set_password(user, _new_password())


def list_users(*, location: Location = DEFAULT_LOCATION) -> None:
    """List the users of the org."""
    table = Table("User", "Name", "E-mail", "Role", "Password", "Time zone")
    with open_existing(location) as services:
        for user in services.accounts.users(first_org(services).id):
            secret = "yes" if services.signin.has_password(user) else "no"
            table.add_row(
                str(user.id), Text(user.name), Text(user.email), user.role.value, secret,
                user.time_zone,
            )  # fmt: skip
    console.print(table)


def add_client(
    name: Annotated[str, Parameter(help="The name that users see when they sign in.")],
    /,
    *,
    kind: Annotated[
        Literal["server", "self", "javascript"],
        Parameter(
            help="server: the user agrees, and the client receives a code; "
            "self: codes come from `token create`; "
            "javascript: the user agrees, and the page receives a token for an hour."
        ),
    ],
    redirect_uri: Annotated[
        tuple[str, ...],
        Parameter(negative=(), help="URL that receives the code or token. Repeatable."),
    ] = (),
    user: Annotated[str, Parameter(help="E-mail of its owner. Default: the first user.")] = "",
    location: Location = DEFAULT_LOCATION,
) -> None:
    """Register an OAuth client. Its secret is shown once and stored as a hash only."""
    if (kind == "self") == bool(redirect_uri):
        number = "no" if kind == "self" else "at least one"
        fail(f"A {kind} client has {number} --redirect-uri.")
    with open_existing(location) as services:
        owner = _user(services, user)
        try:
            made = services.setup.register_client(
                owner, ClientKind(kind), name, redirect_uris=redirect_uri
            )
        except InvalidEndpoint as error:
            fail(f"--redirect-uri: {error}.")
    if made.secret is None:
        _print_values(client_id=made.client.client_id)
    else:
        _print_values(client_id=made.client.client_id, client_secret=made.secret)


def list_clients(*, location: Location = DEFAULT_LOCATION) -> None:
    """List the OAuth clients of the org."""
    table = Table("Client", "Name", "Kind", "Redirect URIs")
    with open_existing(location) as services:
        for client in services.accounts.clients(first_org(services).id):
            uris = Text("\n".join(client.redirect_uris))
            table.add_row(Text(client.client_id), Text(client.name), client.kind.value, uris)
    console.print(table)


def create_token(
    *,
    scopes: Annotated[
        str, Parameter(name="--scope", help="Scopes, separated by commas.")
    ] = scope.EVERY,
    expires_in: Annotated[int, Parameter(help="Lifetime of an access token in seconds.")] = (
        ACCESS_TOKEN_SECONDS
    ),
    refresh: Annotated[
        bool, Parameter(negative=(), help="Print a refresh token, which never expires.")
    ] = False,
    code: Annotated[
        bool,
        Parameter(negative=(), help="Print a grant code of a self client, valid for ten minutes."),
    ] = False,
    client: Annotated[str, Parameter(help="Client id. Default: the first suitable client.")] = "",
    user: Annotated[str, Parameter(help="E-mail of its user. Default: the client's owner.")] = "",
    location: Location = DEFAULT_LOCATION,
) -> None:
    """Print a new access token (or refresh token, or grant code), and nothing else."""
    if refresh and code:
        fail("Give either --refresh or --code, not both.")
    with open_existing(location) as services:
        chosen = _client(services, client, code=code)
        owner = _user(services, user).id if user else chosen.user_id
        if code:
            print(services.tokens.issue_code(chosen, scopes, user_id=owner))
        elif refresh:
            print(services.tokens.issue_refresh(chosen, scopes, user_id=owner))
        else:
            made = services.tokens.issue_access(chosen, scopes, user_id=owner, seconds=expires_in)
            print(made)


def _client(services: Services, client_id: str, *, code: bool) -> OAuthClient:
    """Returns the client with this id, or the first that may hold such a token."""
    found = [
        client
        for client in services.accounts.clients(first_org(services).id)
        if (client.kind is ClientKind.SELF if code else client.secret_hash is not None)
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


def _user(services: Services, email: str) -> User:
    """Returns the user with this e-mail; the first user of the org for an empty one."""
    org_id = first_org(services).id
    user = services.accounts.user_by_email(org_id, email) if email else None
    if user is None and not email:
        user = next(iter(services.accounts.users(org_id)), None)
    if user is None:
        fail(f"There is no user {email}; `bulkwright user list` shows the users.")
    return user


def _new_password() -> str:
    """Reads a new password and checks its strength."""
    interactive = sys.stdin.isatty()
    if interactive:
        password = getpass(f"New password, at least {PASSWORD_LEAST} characters: ")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    try:
        check_new(password)
    except WeakPassword as error:
        fail(str(error))
    if interactive and getpass("Repeat it: ") != password:
        fail("The two passwords differ; nothing was changed.")
    return password


def _fail_time_zone(name: str) -> NoReturn:
    fail(f"{name} is not a time zone; give a name such as Europe/Berlin.")


def _print_values(**values: object) -> None:
    for name, value in values.items():
        console.print(f"{name:<14} {value}", soft_wrap=True, highlight=False, markup=False)
