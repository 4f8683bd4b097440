"""`callbacks`: what was told to whom, and the secret by which a receiver knows us."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from bulkwright.cli.options import HERE, Place, known, the_org
from bulkwright.cli.show import console
from bulkwright.wiring import open_services


def list_(
    *,
    most: Annotated[int, Parameter(help="How many, newest first.")] = 20,
    place: Place = HERE,
) -> None:
    """The newest callbacks, how often they were tried, and what came back last."""
    table = Table("Job", "State", "To", "Attempts", "Last answer")
    with open_services(known(place)) as services:
        for delivery in services.outbox.newest(the_org(services).id, most):
            answer = delivery.last_error or str(delivery.last_status or "")
            table.add_row(
                str(delivery.job_id), delivery.state.value, Text(delivery.lane),
                str(delivery.attempts), Text(answer),
            )  # fmt: skip
    console.print(table)


def secret(
    *,
    rotate: Annotated[
        bool, Parameter(negative=(), help="Make a new one; the old one signs for another day.")
    ] = False,
    place: Place = HERE,
) -> None:
    """Print the secret that signs the org's callbacks (Standard Webhooks), and nothing else."""
    with open_services(known(place)) as services:
        org_id = the_org(services).id
        print(services.signing.rotate(org_id) if rotate else services.signing.of(org_id)[0])
