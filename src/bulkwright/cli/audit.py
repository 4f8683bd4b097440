"""`audit`: who changed what."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from bulkwright.cli.failure import fail
from bulkwright.cli.options import DEFAULT_LOCATION, MOST, Json, Location, open_existing
from bulkwright.cli.output import print_list
from bulkwright.domain.audit import Action
from bulkwright.domain.retention import parse_time


def audit(  # wide: what is selected
    *,
    most: Annotated[
        int, Parameter(help="The number of entries, newest first.", validator=MOST)
    ] = 100,
    since: Annotated[str, Parameter(help="Only entries of this time: 12h, 7d, 4w.")] = "",
    org: Annotated[int | None, Parameter(help="Only entries about this org.")] = None,
    action: Annotated[
        Action | None, Parameter(help="Only entries of this action, such as sign-in-failed.")
    ] = None,
    json: Json = False,
    location: Location = DEFAULT_LOCATION,
) -> None:
    """List every call that has changed something, and rejected attempts to sign in."""
    try:
        age = parse_time(since) if since else None
    except ValueError as error:
        fail(f"--since: {error}.")
    with open_existing(location) as services:
        start = None if age is None else services.database.clock.now() - age
        found = services.audit.newest(most, since=start, org_id=org, action=action)
    rows = [
        {
            "time": entry.time,
            "action": entry.action.value,
            "org_id": _text(entry.org_id),
            "user_id": _text(entry.user_id),
            "client_id": entry.client_id,
            "address": entry.actor.address,
            "operator": entry.actor.operator,
            "detail": entry.detail,
        }
        for entry in found
    ]
    dispensable = ("user_id", "address", "operator", "org_id", "client_id")
    print_list(rows, json=json, dispensable=dispensable)


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
