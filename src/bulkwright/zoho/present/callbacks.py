"""The callbacks of bulk writes, bulk reads and undos."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bulkwright.domain.delivery import Delivery
from bulkwright.domain.job import Job
from bulkwright.domain.undo_job import UndoJob
from bulkwright.first_use import on_first_use
from bulkwright.web.json import encode
from bulkwright.zoho.present.jobs import job_details
from bulkwright.zoho.versions import VERSIONS, Version

if TYPE_CHECKING:
    from bulkwright.domain.any_job import AnyJob
    from bulkwright.domain.read_job import ReadJob


class CallbackBodies:
    """Makes the bodies of callbacks."""

    def __init__(self, find: Callable[[int, int], AnyJob | None]) -> None:
        """`find` returns a job by the ids of its org and its own."""
        self._find = find

    def of(self, delivery: Delivery) -> bytes | None:
        """Returns the job details as they are now, in the version that created the job.

        None if the job was deleted.
        """
        job = self._find(delivery.org_id, delivery.job_id)
        if job is None:
            return None
        version = VERSIONS[job.version]
        if isinstance(job, Job):
            return encode(job_details(job, version))
        if isinstance(job, UndoJob):
            return encode(_undo_details(job))
        return encode(self._read_details(job, version))

    @on_first_use
    def _read_details(self) -> Callable[[ReadJob, Version], object]:
        from bulkwright.zoho.present.reads import details

        return details


def _undo_details(job: UndoJob) -> dict[str, object]:
    """What became of an undo. Zoho has no undo: only jobs of the own API have such a callback."""
    return {
        "id": str(job.id),
        "operation": "undo",
        "status": job.status.value,
        "code": job.code,
        "job": str(job.undone_id),
        "dry_run": job.dry_run,
        "removed": job.removed,
        "restored": job.restored,
        "kept": job.kept,
    }
