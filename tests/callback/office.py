"""Jobs that have ended and a courier for them, over a real SQLite file."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bulkwright.callback.courier import Courier, Pace
from bulkwright.callback.post import Poster
from bulkwright.domain.delivery import Delivery
from bulkwright.domain.job import Callback, Job, JobStatus, Operation, Person, Resource
from bulkwright.egress import Guard
from bulkwright.observe import Event
from bulkwright.wiring import Services

HASTY = Pace(backoff=0.02, backoff_most=0.05, attempt=1.0, prompt=0.2)
"""Real life, a hundred times faster."""
LOOPBACK = Guard(loopback=True)


@dataclass
class Office:
    """Ends jobs and has their callbacks delivered."""

    services: Services
    org_id: int
    events: list[Event] = field(default_factory=list)

    def ended(
        self, url: str | None, status: JobStatus = JobStatus.COMPLETED, version: str = "v2"
    ) -> Job:
        """A new job that has come to its end."""
        job = self.added(url, version)
        self.end(job, status)
        return job

    def added(self, url: str | None, version: str = "v2") -> Job:
        """A new job."""
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

    def end(self, job: Job, status: JobStatus = JobStatus.COMPLETED) -> None:
        """Claim a job and end it, as a worker does."""
        jobs = self.services.job_store
        claimed = jobs.claim("tests/1", job.id)
        assert claimed is not None
        code = "WORKER_FAILED" if status is JobStatus.FAILED else None
        jobs.finish(claimed[0], status, code=code, has_result=status is JobStatus.COMPLETED)

    def delivery(self, job: Job) -> Delivery:
        """How the callback of an ended job stands."""
        found = self.services.outbox.of_job(job.org_id, job.id)
        assert found is not None
        return found

    def states(self, *jobs: Job) -> list[str]:
        """The state of each job's delivery."""
        return [self.delivery(job).state.value for job in jobs]

    def run(
        self,
        until: Callable[[], object],
        *,
        guard: Guard = LOOPBACK,
        pace: Pace = HASTY,
        poster: Callable[[], Poster] | None = None,
        seconds: float = 60.0,
    ) -> float:
        """Run a courier until something holds; how long it took."""

        async def main() -> float:
            stop = asyncio.Event()
            outbox, jobs = self.services.outbox, self.services.job_store
            courier = Courier(outbox, jobs, guard, self.events.append, pace=pace, poster=poster)
            running = asyncio.create_task(courier.run(stop))
            begun = time.monotonic()
            while not until() and not running.done():
                assert time.monotonic() - begun < seconds, "it did not happen in time"
                await asyncio.sleep(0.005)
            took = time.monotonic() - begun
            stop.set()
            await running
            return took

        return asyncio.run(main())

    def deliver(self, *jobs: Job, **more: object) -> None:
        """Run a courier until these deliveries are delivered or given up."""
        self.run(lambda: "pending" not in self.states(*jobs), **more)  # type: ignore[arg-type]
