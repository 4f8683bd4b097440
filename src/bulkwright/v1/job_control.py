"""Jobs: abort one, and delete one."""

from __future__ import annotations

from starlette.responses import Response

from bulkwright.domain.account import Right
from bulkwright.domain.audit import Actor
from bulkwright.domain.errors import JobHasEnded, JobIsOpen, ResourceNotFound
from bulkwright.domain.scope import JOBS_DELETE, JOBS_UPDATE
from bulkwright.v1.endpoint import OwnCall, OwnEndpoint, json_answer
from bulkwright.v1.jobs import job_id_of
from bulkwright.v1.present import aborted_job, job_deletion
from bulkwright.v1.problems import NoSuchJob
from bulkwright.web.route import ResponseDoc
from bulkwright.wire import own


def abort_job(call: OwnCall) -> Response:
    """Aborts a job; the response is 202 until a worker has ended it."""
    caller, actor = call.caller, Actor(address=call.request.address)
    try:
        job = call.api.services.job_control.abort(
            caller.org_id, job_id_of(call), user_id=caller.user_id, actor=actor
        )
    except ResourceNotFound:
        raise NoSuchJob from None
    return json_answer(aborted_job(job), 200 if job.status.is_final else 202)


def delete_job(call: OwnCall) -> own.JobDeletion:
    """Deletes an ended job."""
    caller, actor, number = call.caller, Actor(address=call.request.address), job_id_of(call)
    try:
        deleted = call.api.services.job_control.delete(
            caller.org_id, number, user_id=caller.user_id, actor=actor
        )
    except ResourceNotFound:
        raise NoSuchJob from None
    return job_deletion(number, deleted)


ENDPOINTS = (
    OwnEndpoint(
        "POST", "/api/v1/jobs/{job_id}/abort",
        name="abortJob", group="jobs", summary="Abort a job",
        text="A bulk write or a bulk read. After the response no further row is stored. A worker "
        "then ends the job as FAILED with the code ABORTED: what was stored stays, and the rows "
        "that were not reached are UNPROCESSED in its result. An abort can be repeated.",
        answers={
            200: ResponseDoc("The job has ended.", (own.AbortedJob,)),
            202: ResponseDoc("The job will end.", (own.AbortedJob,)),
        },
        errors=(NoSuchJob, JobHasEnded),
        handler=abort_job, scopes=JOBS_UPDATE, right=Right.CREATE_JOBS,
    ),
    OwnEndpoint(
        "DELETE", "/api/v1/jobs/{job_id}",
        name="deleteJob", group="jobs", summary="Delete a job",
        text="A bulk write or a bulk read that has ended, with its result, and its file if no "
        "other job uses it. The records that it has stored stay.",
        answers={200: ResponseDoc("What was deleted.", (own.JobDeletion,))},
        errors=(NoSuchJob, JobIsOpen),
        handler=delete_job, scopes=JOBS_DELETE, right=Right.CREATE_JOBS,
    ),
)  # fmt: skip
