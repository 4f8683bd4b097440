"""`callbacks`: the deliveries of callbacks, and the secret that signs them."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from msgspec import structs

from bulkwright.cli.failure import fail
from bulkwright.cli.jobs import find_job
from bulkwright.cli.options import DEFAULT_IN_ORG, MOST, InOrg, Json, chosen_org, open_existing
from bulkwright.cli.output import print_list, print_object
from bulkwright.domain.audit import Action
from bulkwright.domain.delivery_errors import CallbackIsPending, NoCallback
from bulkwright.domain.errors import JobIsOpen
from bulkwright.v1.present import callback_snapshot


def list_(
    *,
    most: Annotated[
        int, Parameter(help="The number of callbacks, newest first.", validator=MOST)
    ] = 20,
    json: Json = False,
    location: InOrg = DEFAULT_IN_ORG,
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
            for delivery in services.outbox.newest(chosen_org(services, location).id, most)
        ]
    print_list(records, json=json, dispensable=["response"])


def secret(
    *,
    rotate: Annotated[
        bool,
        Parameter(negative=(), help="Create a new secret. The old one also signs for another day."),
    ] = False,
    json: Json = False,
    location: InOrg = DEFAULT_IN_ORG,
) -> None:
    """Print the secret that signs the org's callbacks (Standard Webhooks), and nothing else."""
    with open_existing(location) as services:
        org_id = chosen_org(services, location).id
        if rotate:
            with services.database.transaction():
                services.signing.rotate(org_id)
                services.audit.record(Action.CALLBACK_SECRET_ROTATED, org_id=org_id)
        found = services.signing.of(org_id)[0]
    print_object({"secret": found}, json=json, line=found)


def replay(
    job_id: Annotated[str, Parameter(help="The id of the job.")],
    /,
    *,
    json: Json = False,
    location: InOrg = DEFAULT_IN_ORG,
) -> None:
    """Send the callback of an ended job again; a server delivers it."""
    with open_existing(location) as services:
        job = find_job(services, location, job_id)
        try:
            delivery = services.job_control.replay_callback(job.org_id, job.id)
        except (CallbackIsPending, JobIsOpen, NoCallback) as error:
            fail(error.message)
    shown = {"job_id": job.id, **structs.asdict(callback_snapshot(delivery))}
    print_object(shown, json=json, line=f"the callback of job {job.id} will be sent again")
