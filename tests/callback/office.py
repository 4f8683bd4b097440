"""Ended jobs and a callback dispatcher for them, over a SQLite file."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from bulkwright.callback.dispatcher import CallbackDispatcher, Pace
from bulkwright.callback.sender import WebhookSender
from bulkwright.domain import scope
from bulkwright.domain.account import Caller
from bulkwright.domain.delivery import Delivery
from bulkwright.domain.job import Callback, Job, JobStatus, Operation, Person, Resource
from bulkwright.domain.read_job import ReadJob, ReadQuery, ReadRequest
from bulkwright.egress import Guard
from bulkwright.events.events import Event
from bulkwright.services import Services
from bulkwright.zoho.present.callbacks import CallbackBodies

FAST = Pace(backoff=0.02, backoff_most=0.05, attempt=1.0, prompt=0.2)
"""The pace of production, a hundred times faster."""
LOOPBACK = Guard(loopback=True)
TLS = ssl.create_default_context()
"""The system's certificates: reading them takes 50 ms, so that all senders share them."""


@dataclass
class Office:
    """Ends jobs and delivers their callbacks."""

    services: Services
    org_id: int
    events: list[Event] = field(default_factory=list)

    def ended(
        self, url: str | None, status: JobStatus = JobStatus.COMPLETED, version: str = "v2"
    ) -> Job:
        """Returns a new job that has ended."""
        job = self.added(url, version)
        self.end(job, status)
        return job

    def added(self, url: str | None, version: str = "v2") -> Job:
        """Returns a new job."""
        user = self.services.accounts.users(self.org_id)[0]
        job = Job(
            id=self.services.modules.take_ids(1),
            org_id=self.org_id,
            operation=Operation.INSERT,
            created_by=Person(user.id, user.name),
            created_time=datetime.now(UTC),
            time_zone="UTC",
            resources=(Resource("Leads", 7, 8, file_name="leads.csv", mappings=()),),
            callback=None if url is None else Callback(url),
            version=version,
        )
        self.services.job_store.add(job)
        return job

    def read(self, url: str, version: str) -> ReadJob:
        """Returns a new bulk read that has ended."""
        user = self.services.accounts.users(self.org_id)[0]
        caller = Caller(self.org_id, user.id, scope.normalise(scope.EVERY))
        request = ReadRequest("Leads", ReadQuery(), callback=Callback(url), version=version)
        job = self.services.reads.create(caller, request)
        self.end(job)
        return job

    def end(self, job: Job | ReadJob, status: JobStatus = JobStatus.COMPLETED) -> None:
        """Claim a job and end it, as a worker does."""
        claims = self.services.claims
        claimed = claims.claim("tests/1", job.id)
        assert claimed is not None
        code = "WORKER_FAILED" if status is JobStatus.FAILED else None
        claims.finish(claimed[0], status, code=code, has_result=status is JobStatus.COMPLETED)

    def delivery(self, job: Job | ReadJob) -> Delivery:
        """Returns the delivery of an ended job."""
        (found,) = (d for d in self.deliveries(job.org_id) if d.job_id == job.id)
        return found

    def deliveries(self, org_id: int) -> list[Delivery]:
        """Returns the deliveries of an org, newest first."""
        return self.services.outbox.newest(org_id, 1_000)

    def states(self, *jobs: Job | ReadJob) -> list[str]:
        """Returns the state of each job's delivery."""
        sql = self.services.database.sql
        query = "SELECT state FROM outbox WHERE job_id = ?"
        return [row["state"] for job in jobs for row in sql(query, (job.id,))]

    def run(
        self,
        until: Callable[[], object],
        *,
        guard: Guard = LOOPBACK,
        pace: Pace = FAST,
        make_sender: Callable[[], WebhookSender] | None = None,
        seconds: float = 60.0,
    ) -> float:
        """Runs a dispatcher until `until()` is true. Returns the seconds that it took."""

        async def main() -> float:
            stop = asyncio.Event()
            dispatcher = CallbackDispatcher(
                self.services.outbox,
                guard,
                self.events.append,
                CallbackBodies(self.services.any_job).of,
                pace=pace,
                make_sender=make_sender or partial(WebhookSender, TLS),
            )
            running = asyncio.create_task(dispatcher.run(stop))
            started = time.monotonic()
            while not until() and not running.done():
                assert time.monotonic() - started < seconds, "it did not happen in time"
                await asyncio.sleep(0.005)
            took = time.monotonic() - started
            stop.set()
            await running
            return took

        return asyncio.run(main())

    def deliver(self, *jobs: Job | ReadJob, **more: object) -> None:
        """Runs a dispatcher until the callbacks of these jobs are delivered or given up."""
        self.run(lambda: "pending" not in self.states(*jobs), **more)  # type: ignore[arg-type]
