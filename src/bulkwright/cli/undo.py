"""`jobs undo` removes and restores what a job has written."""

from __future__ import annotations

import sys
import time
from typing import Annotated

from cyclopts import Parameter

from bulkwright.cli import report
from bulkwright.cli.failure import fail
from bulkwright.cli.job_output import job_line, job_record
from bulkwright.cli.jobs import find_job
from bulkwright.cli.options import DEFAULT_IN_ORG, InOrg, Json, require_data
from bulkwright.cli.output import print_json, print_line
from bulkwright.cli.write_task import exit_status
from bulkwright.domain import scope
from bulkwright.domain.account import Caller
from bulkwright.domain.errors import ResourceNotFound
from bulkwright.domain.job import Job, JobStatus
from bulkwright.domain.undo_errors import CannotUndo
from bulkwright.domain.undo_job import UndoJob, UndoRequest
from bulkwright.runtime.worker import Blocked, open_worker
from bulkwright.settings import Settings

_POLL_SECONDS = 0.2


def undo(
    job_id: Annotated[str, Parameter(help="The id of the job.")],
    /,
    *,
    dry_run: Annotated[
        bool, Parameter(negative="", help="Change nothing; say what would be done.")
    ] = False,
    json: Json = False,
    location: InOrg = DEFAULT_IN_ORG,
) -> None:
    """Undo a job: remove the records that it created, restore those that it updated.

    A record that was written since is kept. The result of the undo lists every record. The exit
    status is 0 when no record was kept, and 3 when some were.
    """
    require_data(location)
    with open_worker(Settings.merged(location), lambda _event: None) as (services, worker):
        job = find_job(services, location, job_id)
        if not isinstance(job, Job):
            fail(f"Job {job_id} is no bulk write; only bulk writes can be undone.")
        caller = Caller(job.org_id, job.created_by.id, scope.normalise(scope.EVERY))
        try:
            undone = services.undos.create(caller, UndoRequest(job.id, dry_run), wake=False)
            while not undone.status.is_final:
                if not worker.run_one(only=undone.id):  # another worker runs it
                    time.sleep(_POLL_SECONDS)
                undone = services.undos.details(job.org_id, undone.id)
        except (CannotUndo, ResourceNotFound) as error:
            fail(error.message)
        except Blocked as blocked:
            fail(f"{blocked}. The next worker continues the undo.")
    if json:
        print_json(job_record(undone))
        sys.exit(_status(undone))
    job_line(undone)
    if undone.has_result:
        words = ("jobs", "result", str(undone.id))
        print_line(f"each record is listed by: {report.command(*words, location=location)}")
    if dry_run and undone.status is JobStatus.COMPLETED:
        words = ("jobs", "undo", job_id)
        print_line(f"nothing was changed; to undo it: {report.command(*words, location=location)}")
    sys.exit(_status(undone))


def _status(undone: UndoJob) -> int:
    return exit_status(failed=undone.status is JobStatus.FAILED, skipped=undone.kept)
