"""`callbacks`: the deliveries of callbacks, and the secret that signs them."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from bulkwright.cli.options import DEFAULT_LOCATION, Location, first_org, open_existing
from bulkwright.cli.output import console


def list_(
    *,
    most: Annotated[int, Parameter(help="The number of callbacks, newest first.")] = 20,
    location: Location = DEFAULT_LOCATION,
) -> None:
    """List the newest callbacks, with the number of attempts and the last response."""
    table = Table("Job", "State", "Destination", "Attempts", "Last response")
    with open_existing(location) as services:
        for delivery in services.outbox.newest(first_org(services).id, most):
            response = delivery.last_error or str(delivery.last_status or "")
            table.add_row(
                str(delivery.job_id), delivery.state.value, Text(delivery.destination),
                str(delivery.attempts), Text(response),
            )  # fmt: skip
    console.print(table)


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
