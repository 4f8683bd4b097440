"""`callbacks`: the deliveries of callbacks, and the secret that signs them."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from bulkwright.cli.options import DEFAULT_LOCATION, Json, Location, first_org, open_existing
from bulkwright.cli.output import ListColumn, print_list

_COLUMNS = (
    ListColumn("job_id", "Job"),
    ListColumn("state", "State"), ListColumn("destination", "Destination"),
    ListColumn("attempts", "Attempts"),
    ListColumn("response", "Last response", dispensable=True),
)  # fmt: skip


def list_(
    *,
    most: Annotated[int, Parameter(help="The number of callbacks, newest first.")] = 20,
    json: Json = False,
    location: Location = DEFAULT_LOCATION,
) -> None:
    """List the newest callbacks, with the number of attempts and the last response."""
    with open_existing(location) as services:
        records = [
            {
                "job_id": str(delivery.job_id),
                "state": delivery.state.value,
                "destination": delivery.destination,
                "attempts": delivery.attempts,
                "response": delivery.last_error or str(delivery.last_status or ""),
            }
            for delivery in services.outbox.newest(first_org(services).id, most)
        ]
    print_list(_COLUMNS, records, json=json)


def secret(
    *,
    rotate: Annotated[
        bool,
        Parameter(negative=(), help="Create a new secret. The old one also signs for another day."),
    ] = False,
    location: Location = DEFAULT_LOCATION,
) -> None:
    """Print the secret that signs the org's callbacks (Standard Webhooks), and nothing else."""
    with open_existing(location) as services:
        org_id = first_org(services).id
        print(services.signing.rotate(org_id) if rotate else services.signing.of(org_id)[0])
