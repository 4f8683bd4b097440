"""The callback of a job: its delivery, and how it is sent again."""

from __future__ import annotations

from starlette.responses import Response

from bulkwright.domain.account import Right
from bulkwright.domain.audit import Actor
from bulkwright.domain.delivery_errors import CallbackIsPending, NoCallback
from bulkwright.domain.errors import (
    IdempotencyKeyReused,
    InvalidData,
    JobIsOpen,
    ResourceNotFound,
)
from bulkwright.domain.scope import JOBS_READ, JOBS_UPDATE
from bulkwright.v1.endpoint import OwnCall, OwnEndpoint, json_answer
from bulkwright.v1.jobs import job_id_of
from bulkwright.v1.new_files import IDEMPOTENCY_HEADER, idempotency_of
from bulkwright.v1.present import callback_snapshot
from bulkwright.v1.problems import NoSuchJob
from bulkwright.web.route import ResponseDoc
from bulkwright.wire import own


def read_callback(call: OwnCall) -> own.CallbackSnapshot:
    """Returns the delivery of a job's callback."""
    control, number = call.api.services.job_control, job_id_of(call)
    try:
        return callback_snapshot(control.callback(call.caller.org_id, number))
    except ResourceNotFound:
        raise NoSuchJob from None


def replay_callback(call: OwnCall) -> Response:
    """Sends the callback of an ended job again."""
    caller, actor, number = call.caller, Actor(address=call.caller.address), job_id_of(call)
    key = idempotency_of(call, b"replay", str(number).encode())
    try:
        delivery = call.api.services.job_control.replay_callback(
            caller.org_id, number, user_id=caller.user_id, actor=actor, key=key
        )
    except ResourceNotFound:
        raise NoSuchJob from None
    return json_answer(callback_snapshot(delivery), 202)


ENDPOINTS = (
    OwnEndpoint(
        "GET", "/api/v1/jobs/{job_id}/callback",
        name="readCallback", group="jobs", summary="Read the delivery of a callback",
        text="How often the end of a job was sent to its callback, and what came of it.",
        answers={200: ResponseDoc("The delivery.", (own.CallbackSnapshot,))},
        errors=(NoSuchJob, NoCallback),
        handler=read_callback, scopes=JOBS_READ, right=Right.READ_JOBS,
    ),
    OwnEndpoint(
        "POST", "/api/v1/jobs/{job_id}/callback/replay",
        name="replayCallback", group="jobs", summary="Send a callback again",
        text="A new delivery, with a new `webhook-id`, of the job as it is now.",
        parameters=(IDEMPOTENCY_HEADER,),
        answers={202: ResponseDoc("The new delivery.", (own.CallbackSnapshot,))},
        errors=(
            NoSuchJob, NoCallback, CallbackIsPending, JobIsOpen, InvalidData, IdempotencyKeyReused,
        ),
        handler=replay_callback, scopes=JOBS_UPDATE, right=Right.CREATE_JOBS,
    ),
)  # fmt: skip
