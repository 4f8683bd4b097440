"""The quota of jobs that have not ended: bulk writes and bulk reads together."""

from __future__ import annotations

from bulkwright.domain.errors import QuotaExceeded
from bulkwright.domain.limits import Limits
from bulkwright.store.jobs import JobStore


def check_open_jobs(jobs: JobStore, org_id: int, limits: Limits) -> None:
    """Raises QuotaExceeded if an org may create no further job now."""
    most = limits.org_open_jobs
    if jobs.count_open(org_id, most) >= most:
        raise QuotaExceeded(
            f"The org has {most} jobs that have not ended, which is its quota. "
            "Create the next one when some have ended."
        )
