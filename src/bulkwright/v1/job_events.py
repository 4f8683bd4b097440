"""The live events of a job."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from starlette.responses import Response

from bulkwright.domain.account import Right
from bulkwright.domain.job import Job
from bulkwright.domain.scope import JOBS_READ
from bulkwright.v1.endpoint import OwnCall, OwnEndpoint
from bulkwright.v1.event_stream import EVENT_STREAM, Look, stream_of
from bulkwright.v1.jobs import job_of
from bulkwright.v1.present import job_snapshot
from bulkwright.v1.problems import NoSuchJob, TooManyStreams
from bulkwright.web.json import encode
from bulkwright.web.route import ParameterDoc, ResponseDoc


def stream_events(call: OwnCall) -> Response:
    """Returns a stream with an event for each change of a job, until it ends.

    A client that continues with the id of the last event gets status 204, which ends its attempts.
    """
    return stream(call, lambda job: encode(job_snapshot(job, call.api.services.jobs)))


def stream(call: OwnCall, data: Callable[[Job], bytes], end: bytes = b"") -> Response:
    """Returns the stream of a job's events. `data` returns the data of one, on a thread.

    `end` follows the last event of a job that has ended.
    """

    def look() -> Look:
        job = job_of(call)
        return Look(_event_id(job), job.status.is_final, partial(data, job))

    return stream_of(call, "job", look, end)


def _event_id(job: Job) -> str:
    """Returns what changes with every event."""
    aborted = "-aborted" if job.abort_time is not None else ""
    return f"{job.status.value}-{job.counts.total}{aborted}"


ENDPOINTS = (
    OwnEndpoint(
        "GET", "/api/v1/jobs/{job_id}/events",
        name="streamJobEvents", group="jobs", summary="Follow a job",
        text="An event `job` for each change, with the job as its data. The stream ends with the "
        "job. Status 204: the job has ended, and the client has its last event.",
        parameters=(
            ParameterDoc(
                "Last-Event-ID", "header", "The id of the last event that the client has.",
                {"type": "string"},
            ),
        ),
        answers={
            200: ResponseDoc("The events.", ({"type": "string"},), media=EVENT_STREAM),
            204: ResponseDoc("There are no more events."),
        },
        errors=(NoSuchJob, TooManyStreams),
        handler=stream_events, scopes=JOBS_READ, right=Right.READ_JOBS,
    ),
)  # fmt: skip
