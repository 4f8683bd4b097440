"""`jobs abort` ends a job before its last row; `jobs delete` deletes an ended one."""

from __future__ import annotations

import time
from typing import Annotated

from cyclopts import Parameter

from bulkwright.cli import report
from bulkwright.cli.failure import fail
from bulkwright.cli.job_output import job_line, job_record
from bulkwright.cli.jobs import find_job
from bulkwright.cli.options import DEFAULT_IN_ORG, InOrg, Json, open_existing, require_data
from bulkwright.cli.output import print_json, print_line
from bulkwright.domain.errors import JobHasEnded, JobIsOpen
from bulkwright.domain.job import Job
from bulkwright.runtime.worker import Blocked, open_worker
from bulkwright.settings import Settings

_POLL_SECONDS = 0.2


def abort(
    job_id: Annotated[str, Parameter(help="The id of the job.")],
    /,
    *,
    json: Json = False,
    location: InOrg = DEFAULT_IN_ORG,
) -> None:
    """Abort a job: what is stored stays, and no further row is stored.

    The rows that were not reached are UNPROCESSED in the result. Without a server, this command
    ends the job itself.
    """
    require_data(location)
    with open_worker(Settings.merged(location), lambda _event: None) as (services, worker):
        job = find_job(services, location, job_id)
        try:
            job = services.job_control.abort(job.org_id, job.id)
            while not job.status.is_final:
                if not worker.run_one(only=job.id):  # another worker ends it
                    time.sleep(_POLL_SECONDS)
                job = find_job(services, location, job_id)
        except JobHasEnded as error:
            fail(error.message)
        except Blocked as blocked:
            fail(f"{blocked}. The job is aborted; the next worker ends it.")
    if json:
        print_json(job_record(job))
        return
    job_line(job)
    if isinstance(job, Job) and job.has_result:
        words = ("jobs", "result", job_id, "--failed")
        print_line("to write the rows that were not stored later, save them:")
        print_line(f"  {report.command(*words, location=location)}")


def delete(
    job_id: Annotated[str, Parameter(help="The id of the job.")],
    /,
    *,
    json: Json = False,
    location: InOrg = DEFAULT_IN_ORG,
) -> None:
    """Delete an ended job with its result, and its upload if no other job uses it.

    The records that it has stored stay.
    """
    with open_existing(location) as services:
        job = find_job(services, location, job_id)
        try:
            deleted = services.job_control.delete(job.org_id, job.id)
        except JobIsOpen as error:
            fail(error.message)
    if json:
        print_json(
            {
                "job_id": str(job.id),
                "had_result": deleted.had_result,
                "upload_ids": list(map(str, deleted.uploads)),
                "kept_upload_ids": list(map(str, deleted.kept_uploads)),
                "dropped_callback": deleted.dropped_callback,
            }
        )
        return
    result = " with its result" if deleted.had_result else ""
    print_line(f"deleted job {job.id}{result}; the records that it has stored stay")
    for upload in deleted.uploads:
        print_line(f"deleted its upload {upload}")
    for upload in deleted.kept_uploads:
        print_line(f"its upload {upload} stays, because another job uses it")
    if deleted.dropped_callback:
        print_line("its end was not reported to its callback, and never will be")
