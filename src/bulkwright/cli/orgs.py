"""`init` and `org`: the orgs of a deployment."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from bulkwright.cli.accounts import fail_time_zone, print_revoked, print_values
from bulkwright.cli.failure import fail
from bulkwright.cli.options import DEFAULT_LOCATION, Json, Location, chosen_org, open_existing
from bulkwright.cli.output import print_list, print_object
from bulkwright.domain import scope
from bulkwright.domain.account import AccountState, ClientKind, Org
from bulkwright.service.administration import StillInUse
from bulkwright.service.setup import UnknownTimeZone
from bulkwright.services import Services
from bulkwright.settings import OrgLocation, Settings
from bulkwright.wiring import open_services

Company = Annotated[str, Parameter(help="Name of the org.")]
FirstEmail = Annotated[str, Parameter(help="E-mail of its first user.")]
Zone = Annotated[str, Parameter(help="IANA name.")]
Number = Annotated[int, Parameter(help="The id of the org.")]


def init(  # wide: an org and its first user
    *,
    company: Company,
    email: FirstEmail,
    first_name: str = "",
    last_name: str = "Administrator",
    time_zone: Zone = "UTC",
    currency: str = "USD",
    json: Json = False,
    location: Location = DEFAULT_LOCATION,
) -> None:
    """Create the first org with modules, a user and a client; print secrets."""
    with open_services(Settings.merged(location)) as services:
        with services.database.transaction():
            services.accounts.lock_orgs()
            if services.accounts.orgs():
                fail(f"{location.name} already has an org; `bulkwright org add` adds another one.")
            made = _create(services, company, (first_name, last_name, email), time_zone, currency)
        print_values(made, json=json)


def add(  # wide: an org and its first user
    *,
    company: Company,
    email: FirstEmail,
    first_name: str = "",
    last_name: str = "Administrator",
    time_zone: Zone = "UTC",
    currency: str = "USD",
    json: Json = False,
    location: Location = DEFAULT_LOCATION,
) -> None:
    """Add another org, with its first user and an OAuth client.

    Other commands need --org then.

    Example: bulkwright org add --company Acme --email admin@acme.example
    """
    with open_existing(location) as services:
        made = _create(services, company, (first_name, last_name, email), time_zone, currency)
        print_values(made, json=json)


def show(
    number: Annotated[
        int | None, Parameter(help="The id of the org. It is needed if there are several orgs.")
    ] = None,
    /,
    *,
    priority: Annotated[
        int | None,
        Parameter(
            help="Its jobs run before those of orgs with a lower priority. 0 at first, and "
            "negative for an org that gives way to all others."
        ),
    ] = None,
    json: Json = False,
    location: Location = DEFAULT_LOCATION,
) -> None:
    """Show an org, with the id that clients send as X-CRM-ORG. With --priority, change it first.

    Orgs of the same priority take turns. An org of a lower priority waits while there are jobs of
    a higher one.

    Example: bulkwright org --priority 3
    """
    with open_existing(location) as services:
        found = _org(services, number)
        if priority is not None:
            found = services.administration.set_priority(found, priority)
        users = len(services.accounts.users(found.id))
    values = {
        "org_id": found.id,
        "company": found.company_name,
        "time_zone": found.time_zone,
        "currency": found.currency,
        "users": users,
        "priority": found.priority,
        "created": found.created_time,
        "state": found.state.value,
    }
    print_values(values, json=json)


def list_(*, json: Json = False, location: Location = DEFAULT_LOCATION) -> None:
    """List the orgs.

    Example: bulkwright org list --json
    """
    with open_existing(location) as services:
        rows = [
            {
                "org_id": str(org.id),
                "company": org.company_name,
                "state": org.state.value,
                "priority": org.priority,
                "users": len(services.accounts.users(org.id)),
                "dev": org.dev,
                "created": org.created_time,
            }
            for org in services.accounts.orgs()
        ]
    print_list(rows, json=json)


def deactivate(
    number: Number, /, *, json: Json = False, location: Location = DEFAULT_LOCATION
) -> None:
    """Revoke all tokens of an org and accept no request of it.

    Accepted jobs run to their end.

    Example: bulkwright org deactivate 12345678
    """
    with open_existing(location) as services:
        revoked = services.administration.deactivate_org(_org(services, number))
    print_revoked(revoked, {"org_id": number, "state": AccountState.INACTIVE.value}, json=json)


def activate(
    number: Number, /, *, json: Json = False, location: Location = DEFAULT_LOCATION
) -> None:
    """Let users and clients of a deactivated org in again.

    Its old tokens stay revoked.

    Example: bulkwright org activate 12345678
    """
    with open_existing(location) as services:
        services.administration.activate_org(_org(services, number))
    shown = {"org_id": number, "state": AccountState.ACTIVE.value}
    print_object(shown, json=json, line=f"org {number} is active")


def adopt(
    number: Annotated[int | None, Parameter(help="The id of the org.")] = None,
    /,
    *,
    json: Json = False,
    location: Location = DEFAULT_LOCATION,
) -> None:
    """Prepare an org of `serve --dev` for `serve`.

    Its tokens are revoked and its clients removed. Then set a password (`user password`) and
    register clients (`client add`).

    Example: bulkwright org adopt
    """
    with open_existing(location) as services:
        found = _org(services, number)
        if not found.dev:
            fail(f"Org {found.id} was not made by `serve --dev`; there is nothing to adopt.")
        revoked = services.administration.adopt_org(found)
        location.credentials_path.unlink(missing_ok=True)
    more = f", removed all OAuth clients of org {found.id}"
    print_revoked(revoked, {"org_id": found.id, "dev": False}, json=json, more=more)


def remove(
    number: Number,
    /,
    *,
    yes: Annotated[bool, Parameter(negative=(), help="Do not ask.")] = False,
    json: Json = False,
    location: Location = DEFAULT_LOCATION,
) -> None:
    """Delete a deactivated org with all its records, jobs, files, users and clients.

    This cannot be undone. Existing tables of yours stay as they are.

    Example: bulkwright org remove 12345678 --yes
    """
    with open_existing(location) as services:
        found = _org(services, number)
        if not yes:
            fail(f"This deletes everything of org {found.id} ({found.company_name}); add --yes.")
        try:
            files = services.administration.remove_org(found)
        except StillInUse as reason:
            fail(str(reason))
    shown = {"org_id": found.id, "state": AccountState.REMOVED.value, "files": files}
    line = f"removed org {found.id} ({found.company_name}) and {files} files"
    print_object(shown, json=json, line=line)


org = App(name="org")
org.default(show)
org.command(list_, name="list")
org.command(add)
org.command(deactivate)
org.command(activate)
org.command(adopt)
org.command(remove)


def _org(services: Services, number: int | None) -> Org:
    return chosen_org(services, OrgLocation(org=number))


def _create(
    services: Services, company: str, user: tuple[str, str, str], time_zone: str, currency: str
) -> dict[str, object]:
    """Creates an org with a user and a client; returns their credentials."""
    with services.database.transaction():
        try:
            made = services.setup.create_org(company, time_zone=time_zone, currency=currency)
        except UnknownTimeZone:
            fail_time_zone(time_zone)
        first = services.setup.create_user(made, *user)
        registered = services.setup.register_client(first, ClientKind.SELF, "First client")
        refresh = services.tokens.issue_refresh(registered.client, scope.EVERY)
    return {
        "org_id": made.id,
        "client_id": registered.client.client_id,
        "client_secret": registered.secret,
        "refresh_token": refresh,
    }
