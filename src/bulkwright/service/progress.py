"""Reads how far jobs are: rows, pace, and what they wait for."""

from __future__ import annotations

from dataclasses import dataclass

from bulkwright.domain.job import Job, JobStatus
from bulkwright.domain.progress import JobProgress, Phase
from bulkwright.store.claims import ClaimStore
from bulkwright.store.jobs import JobStore
from bulkwright.store.ledger import LedgerStore
from bulkwright.store.uploads import UploadStore


@dataclass(frozen=True, slots=True)
class ProgressReader:
    """Reads the progress of bulk writes."""

    jobs: JobStore
    uploads: UploadStore
    ledger: LedgerStore
    claims: ClaimStore

    def of(self, job: Job) -> JobProgress | None:
        """Returns the progress of a job; None if it has ended."""
        if job.status.is_final:
            return None
        total = self._rows(job)
        phase = self._phase(job, total)
        pace, left = None, None
        if phase is Phase.WRITING and job.counts.total:
            pace = self.ledger.pace(job.id)
            if pace and total is not None:
                left = max(0, total - job.counts.total) / pace
        waiting = phase is Phase.WAITING
        before = self.jobs.count_before(job) if waiting else 0
        return JobProgress(phase, before, total, pace, left)

    def _phase(self, job: Job, total: int | None) -> Phase:
        if job.status is not JobStatus.ADDED:
            if job.ending is not None:
                return Phase.UNDOING
            if job.abort_time is not None or job.counts.total == total:
                return Phase.ENDING
            step = self.claims.step_of(job.id)
            if step is not None and not step.is_released:
                return Phase.WRITING
        return Phase.WAITING

    def _rows(self, job: Job) -> int | None:
        """How many rows the files of a job have; None if they are not counted."""
        total = 0
        for resource in job.resources:
            upload = self.uploads.upload(job.org_id, resource.file_id)
            csvs = () if upload is None else upload.csvs
            rows = next((csv.rows for csv in csvs if csv.name == resource.file_name), None)
            if rows is None:
                return None
            total += rows
        return total
