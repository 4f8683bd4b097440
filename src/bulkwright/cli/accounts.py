"""`init`, `org`, `user`, `client` and `token`: credentials for a real deployment.

Secrets are printed once and kept as hashes. Passwords come from a prompt or from standard input,
never from the command line, where every process of the machine could read them.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from getpass import getpass
from typing import Annotated, Literal, NoReturn

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from bulkwright.cli.options import HERE, Place, known, the_org
from bulkwright.cli.show import console, refuse
from bulkwright.domain import scope
from bulkwright.domain.account import ClientKind, OAuthClient, Profile, User
from bulkwright.domain.endpoint import InvalidEndpoint
from bulkwright.domain.limits import ACCESS_TOKEN_SECONDS, PASSWORD_LEAST
from bulkwright.service.passwords import WeakPassword, check_new
from bulkwright.wiring import Services, open_services

Email = Annotated[str, Parameter(help="The user's e-mail.")]
ProfileName = Annotated[
    Literal["Administrator", "Standard", "Guest"],
    Parameter(help="Administrator: everything; Standard: no bulk write; Guest: no modules."),
]


def init(
    *,
    company: Annotated[str, Parameter(help="Name of the org.")],
    email: Annotated[str, Parameter(help="E-mail of its first user.")],
    first_name: str = "",
    last_name: str = "Administrator",
    time_zone: Annotated[str, Parameter(help="IANA name.")] = "UTC",
    currency: str = "USD",
    place: Place = HERE,
) -> None:
    """Make an org with the standard modules, its first user and an OAuth client.

    The client's secret and refresh token are shown once and kept as hashes only.
    """
    with open_services(place.settings()) as services:
        if services.accounts.orgs():
            refuse(f"{place.name} has an org already.")
        with services.database.transaction():
            try:
                org = services.setup.create_org(company, time_zone=time_zone, currency=currency)
            except (KeyError, ValueError):
                _no_time_zone(time_zone)
            user = services.setup.create_user(org, first_name, last_name, email)
            made = services.setup.register_client(user, ClientKind.SELF, "First client")
            refresh = services.tokens.issue_refresh(made.client, scope.EVERY)
    _tell(
        org_id=org.id,
        client_id=made.client.client_id,
        client_secret=made.secret,
        refresh_token=refresh,
    )


def org(
    number: Annotated[
        int | None, Parameter(help="The org's number; default: the oldest's.")
    ] = None,
    /,
    *,
    priority: Annotated[
        int | None,
        Parameter(help="Begin its jobs before those of orgs with a smaller priority; 0 at first."),
    ] = None,
    place: Place = HERE,
) -> None:
    """The org, with the number that clients send as X-CRM-ORG, after the change that is asked for.

    Orgs that share a priority take turns; one with a smaller priority waits for as long as there
    are jobs of a higher one.
    """
    with open_services(known(place)) as services:
        found = the_org(services) if number is None else services.accounts.org(number)
        if found is None:
            refuse(f"There is no org {number}.")
        if priority is not None:
            services.accounts.set_priority(found.id, priority)
            found = replace(found, priority=priority)
        users = len(services.accounts.users(found.id))
    _tell(
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
    time_zone: Annotated[str, Parameter(help="IANA name; default: the org's.")] = "",
    password: Annotated[
        bool, Parameter(negative=(), help="Ask for a password, or read it from standard input.")
    ] = False,
    place: Place = HERE,
) -> None:
    """Add a user to the org. Only to sign in by browser is a password needed."""
    with open_services(known(place)) as services:
        found = the_org(services)
        if services.accounts.user_by_email(found.id, email) is not None:
            refuse(f"There is a user {email} already.")
        secret = _new_password() if password else None
        try:
            user = services.setup.create_user(
                *(found, first_name, last_name, email),
                time_zone=time_zone,
                profile=Profile(profile),
            )
        except (KeyError, ValueError):
            _no_time_zone(time_zone)
        if secret is not None:
            services.signin.set_password(user, secret)
    _tell(user_id=user.id)


def set_password(email: Email, /, *, place: Place = HERE) -> None:
    """Give a user a password; browsers signed in with the old one are signed out.

    At a terminal it is asked for twice; otherwise the first line of standard input is taken.
    """
    with open_services(known(place)) as services:
        user = _user(services, email)
        services.signin.set_password(user, _new_password())


def list_users(*, place: Place = HERE) -> None:
    """Every user of the org."""
    table = Table("User", "Name", "E-mail", "Profile", "Password", "Time zone")
    with open_services(known(place)) as services:
        for user in services.accounts.users(the_org(services).id):
            secret = "yes" if services.signin.has_password(user) else "no"
            table.add_row(
                str(user.id), Text(user.name), Text(user.email), user.profile.value, secret,
                user.time_zone,
            )  # fmt: skip
    console.print(table)


def add_client(
    name: Annotated[str, Parameter(help="What people are told who sign in.")],
    /,
    *,
    kind: Annotated[
        Literal["server", "self", "javascript"],
        Parameter(
            help="server: people agree, and it gets a code; self: codes from `token create`; "
            "javascript: people agree, and the page gets a token for an hour."
        ),
    ],
    redirect_uri: Annotated[
        tuple[str, ...],
        Parameter(negative=(), help="Where answers may be sent; may be given several times."),
    ] = (),
    user: Annotated[str, Parameter(help="Whose it is, by e-mail; default: the first's.")] = "",
    place: Place = HERE,
) -> None:
    """Register an OAuth client. Its secret is shown once and kept as a hash only."""
    if (kind == "self") == bool(redirect_uri):
        word = "no" if kind == "self" else "at least one"
        refuse(f"A {kind} client has {word} --redirect-uri.")
    with open_services(known(place)) as services:
        owner = _user(services, user)
        try:
            made = services.setup.register_client(
                owner, ClientKind(kind), name, redirect_uris=redirect_uri
            )
        except InvalidEndpoint as error:
            refuse(f"--redirect-uri: {error}.")
    if made.secret is None:
        _tell(client_id=made.client.client_id)
    else:
        _tell(client_id=made.client.client_id, client_secret=made.secret)


def list_clients(*, place: Place = HERE) -> None:
    """Every OAuth client of the org."""
    table = Table("Client", "Name", "Kind", "Redirect URIs")
    with open_services(known(place)) as services:
        for client in services.accounts.clients(the_org(services).id):
            uris = Text("\n".join(client.redirect_uris))
            table.add_row(Text(client.client_id), Text(client.name), client.kind.value, uris)
    console.print(table)


def create_token(
    *,
    scopes: Annotated[
        str, Parameter(name="--scope", help="Scopes, separated by commas.")
    ] = scope.EVERY,
    expires_in: Annotated[int, Parameter(help="Seconds an access token lives.")] = (
        ACCESS_TOKEN_SECONDS
    ),
    refresh: Annotated[
        bool, Parameter(negative=(), help="A refresh token, which never expires.")
    ] = False,
    code: Annotated[
        bool, Parameter(negative=(), help="A self client's grant code, for ten minutes.")
    ] = False,
    client: Annotated[str, Parameter(help="Client id; default: the first that may.")] = "",
    user: Annotated[str, Parameter(help="Whose, by e-mail; default: the client's owner.")] = "",
    place: Place = HERE,
) -> None:
    """Print a new access token (or refresh token, or grant code), and nothing else."""
    if refresh and code:
        refuse("Either --refresh or --code.")
    with open_services(known(place)) as services:
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
    """The client that was named, or the first that may hold such a token."""
    found = [
        client
        for client in services.accounts.clients(the_org(services).id)
        if (client.kind is ClientKind.SELF if code else client.secret_hash is not None)
        and client_id in ("", client.client_id)
    ]
    if not found:
        kind = "self client" if code else "OAuth client that may hold tokens"
        refuse(f"The org has no {kind}{f' {client_id}' if client_id else ''}.")
    return found[0]


def _user(services: Services, email: str) -> User:
    """A user of the org by e-mail; the first for an empty one."""
    org_id = the_org(services).id
    user = services.accounts.user_by_email(org_id, email) if email else None
    if user is None and not email:
        user = next(iter(services.accounts.users(org_id)), None)
    if user is None:
        refuse(f"There is no user {email}; `bulkwright user list` names them.")
    return user


def _new_password() -> str:
    """A password that is good enough, before anything is changed."""
    asked = sys.stdin.isatty()
    if asked:
        password = getpass(f"New password, at least {PASSWORD_LEAST} characters: ")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    try:
        check_new(password)
    except WeakPassword as error:
        refuse(str(error))
    if asked and getpass("Once more: ") != password:
        refuse("The two are not the same; nothing was changed.")
    return password


def _no_time_zone(name: str) -> NoReturn:
    refuse(f"{name} is no time zone; give a name such as Europe/Berlin.")


def _tell(**values: object) -> None:
    for name, value in values.items():
        console.print(f"{name:<14} {value}", soft_wrap=True, highlight=False, markup=False)
