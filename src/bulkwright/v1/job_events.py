"""The live events of a job: server-sent events (HTML standard, section 9.2)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from starlette.responses import Response, StreamingResponse

from bulkwright.domain.account import Right
from bulkwright.domain.job import Job
from bulkwright.domain.limits import (
    EVENT_POLL_SECONDS,
    EVENT_SILENT_SECONDS,
    EVENT_STREAMS_OF_ORG,
)
from bulkwright.domain.scope import JOBS_READ
from bulkwright.v1.endpoint import OwnCall, OwnEndpoint
from bulkwright.v1.jobs import job_of
from bulkwright.v1.present import job_snapshot
from bulkwright.v1.problems import NoSuchJob, TooManyStreams
from bulkwright.web.json import encode
from bulkwright.web.route import ParameterDoc, ResponseDoc

_MEDIA_TYPE = "text/event-stream"
_SILENT_POLLS = round(EVENT_SILENT_SECONDS / EVENT_POLL_SECONDS)


def stream_events(call: OwnCall) -> Response:
    """Returns a stream with an event for each change of a job, until it ends.

    A client that continues with the id of the last event gets status 204, which ends its attempts.
    """
    return stream(call, lambda job: encode(job_snapshot(job, call.api.services.jobs)))


def stream(call: OwnCall, data: Callable[[Job], bytes], end: bytes = b"") -> Response:
    """Returns the stream of a job's events. `data` returns the data of one, on a thread.

    `end` follows the last event of a job that has ended.
    """
    job = job_of(call)
    last = call.request.header(b"last-event-id")
    if job.status.is_final and last == _event_id(job):
        return Response(status_code=204)
    if call.api.streams[call.caller.org_id] >= EVENT_STREAMS_OF_ORG:
        raise TooManyStreams
    return StreamingResponse(_counted(call, last, data, end), media_type=_MEDIA_TYPE)


async def _counted(
    call: OwnCall, last: str | None, data: Callable[[Job], bytes], end: bytes
) -> AsyncIterator[bytes]:
    streams, org = call.api.streams, call.caller.org_id
    streams[org] += 1
    try:
        async for piece in _events(call, last, data, end):
            yield piece
    finally:
        streams[org] -= 1


async def _events(
    call: OwnCall, last: str | None, data: Callable[[Job], bytes], end: bytes
) -> AsyncIterator[bytes]:
    silent = 0
    while not call.api.is_draining():
        job, lines = await call.request.run(_present, call, last, data)
        event_id = _event_id(job)
        if event_id != last:
            last, silent = event_id, 0
            yield b"id: %s\nevent: job\n%s\n" % (event_id.encode(), lines)
        if job.status.is_final:
            if end:
                yield end
            return
        silent += 1
        if silent % _SILENT_POLLS == 0:
            yield b": the job has not changed\n\n"
        await asyncio.sleep(EVENT_POLL_SECONDS)


def _present(call: OwnCall, last: str | None, data: Callable[[Job], bytes]) -> tuple[Job, bytes]:
    """Returns the job as it is now, and the lines of its data if they are to be sent.

    Raises an AccessError if the caller may not read the job any more.
    """
    call.check_access()
    job = job_of(call)
    if _event_id(job) == last:
        return job, b""
    return job, b"".join(b"data: %s\n" % line for line in data(job).splitlines())


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
            200: ResponseDoc("The events.", ({"type": "string"},), media=_MEDIA_TYPE),
            204: ResponseDoc("There are no more events."),
        },
        errors=(NoSuchJob, TooManyStreams),
        handler=stream_events, scopes=JOBS_READ, right=Right.READ_JOBS,
    ),
)  # fmt: skip
