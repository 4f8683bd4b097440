"""A poll is answered when its job has reached the step of that poll."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from bulkwright.domain.job import JobStatus
from bulkwright.domain.limits import CONTROL_WAIT_SECONDS
from bulkwright.emulator.steps import JobStage, JobSteps
from bulkwright.store.claims import ClaimStore, JobStep
from bulkwright.web.request import ASGIApp, Receive, Scope, Send

_POLL = re.compile(
    r"/+(?:crm/bulk/v[0-9.]+/(?:write|read)|api/v1/(?:jobs|undos))/(?P<job>[0-9]{1,18})"
)
"""The paths that answer the details of a job."""
_PAUSE_SECONDS = 0.002


class PaceOfPolls:
    """Stands before the service and lets a poll wait for its job."""

    def __init__(self, steps: JobSteps, claims: ClaimStore, wake: Callable[[], None]) -> None:
        self._steps = steps
        self._claims = claims
        self._wake = wake

    async def __call__(self, scope: Scope, receive: Receive, send: Send, serve: ASGIApp) -> None:
        """Serves a request."""
        if scope["method"] == "GET" and (found := _POLL.fullmatch(scope["path"])):
            await self._reach(int(found["job"]))
        await serve(scope, receive, send)

    async def _reach(self, job_id: int) -> None:
        """Waits until a job is at the step of this poll, but not longer than a minute."""
        job = await asyncio.to_thread(self._claims.step_of, job_id)
        if job is None or job.status.is_final:
            return
        self._steps.count_poll(job_id)
        wanted = self._steps.step_of(job_id, job.created)
        if not _is_reached(job, wanted):
            await asyncio.to_thread(self._wake)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + CONTROL_WAIT_SECONDS
        while job is not None and not _is_reached(job, wanted) and loop.time() < deadline:
            await asyncio.sleep(_PAUSE_SECONDS)
            job = await asyncio.to_thread(self._claims.step_of, job_id)
            if job is not None:
                wanted = self._steps.step_of(job_id, job.created)


def _is_reached(job: JobStep, wanted: JobStage) -> bool:
    if job.status.is_final or wanted is JobStage.ADDED:
        return True
    is_begun = job.status is JobStatus.INPROGRESS
    return wanted is JobStage.INPROGRESS and is_begun and job.is_released
