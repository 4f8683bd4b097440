"""The conditions by which a list of jobs is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bulkwright.domain.job import JobStatus, Operation


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Matches the jobs for which every condition is true. A condition that is None is true."""

    status: JobStatus | None = None
    operation: Operation | None = None
    module: str | None = None
    """The API name of a module; the job has a resource of it."""
    file: str | None = None
    """A part of the name of one of its CSVs; capital and small letters of ASCII are the same."""
    user_id: int | None = None
    """The user who created the job."""
    since: datetime | None = None
    """Aware: the job was created then or later."""
    until: datetime | None = None
    """Aware: the job was created before."""
