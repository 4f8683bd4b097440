"""Why a job waits, or is slow, in sentences for a person."""

from __future__ import annotations

from bulkwright.console.page import PageCall
from bulkwright.domain.job import ONE_WORKER, JobStatus
from bulkwright.domain.job_filter import JobFilter
from bulkwright.wire import own

_MOST = 100
_COUNTED = 20


def reasons(call: PageCall, job: own.JobSnapshot) -> list[str]:
    """Returns the reasons why a job that has not ended is where it is."""
    if job.status not in ("ADDED", "INPROGRESS"):
        return []
    if job.abort_requested_time is not None:
        return ["An abort was requested. No further row is stored; a worker will end the job."]
    if job.status == "INPROGRESS":
        found = [r.parts.reason for r in job.resources if r.parts is not None and r.parts.reason]
        why = [reason for reason in found if reason != ONE_WORKER]
        return [f"It is not divided among workers, because {reason}." for reason in why]
    jobs, org_id = call.services.jobs, call.caller.org_id
    running = jobs.page(org_id, JobFilter(JobStatus.INPROGRESS), before=None, most=_COUNTED)
    before = jobs.page(org_id, JobFilter(JobStatus.ADDED), before=int(job.id), most=_MOST + 1)
    found = []
    if running:
        names = ", ".join(str(one.id) for one in running[:3])
        more = f" and {len(running) - 3} more" if len(running) > 3 else ""
        found.append(f"The workers of this server run other jobs of your org: {names}{more}.")
    if before:
        count = f"More than {_MOST}" if len(before) > _MOST else str(len(before))
        found.append(f"{count} older jobs of your org wait too.")
    if not found:
        found.append(
            "No worker has claimed the job yet. Workers may run jobs of other orgs, or none may be "
            "running: `bulkwright worker` starts one more."
        )
    return found
