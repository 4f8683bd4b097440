"""Bulk reads: list them, read one, and download its CSV. The Zoho API creates them."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from bulkwright.domain import errors as e
from bulkwright.domain.account import Right
from bulkwright.domain.read_job import ReadJob
from bulkwright.domain.report_errors import NoResult, RowsGone
from bulkwright.domain.scope import JOBS_READ, module_read
from bulkwright.service.record_access import permitted_module
from bulkwright.v1.endpoint import OwnCall, OwnEndpoint
from bulkwright.v1.jobs import BY_ID, PAGING, job_id_of, known_parameters, page_of
from bulkwright.v1.present import read_snapshot
from bulkwright.v1.problems import InvalidParameter, NoSuchJob
from bulkwright.v1.zips import ZIP, zip_response
from bulkwright.web.route import ResponseDoc
from bulkwright.wire import own_reads as wire


def list_reads(call: OwnCall) -> wire.ReadPage:
    """Returns a page of the org's bulk reads, newest first."""
    query = known_parameters(call, PAGING)
    pages = partial(call.api.services.reads.page, call.caller.org_id)
    shown, cursor = page_of(query, pages, BY_ID)
    return wire.ReadPage(
        reads=[read_snapshot(job) for job in shown],
        next_cursor=cursor,
    )


def read_bulk_read(call: OwnCall) -> wire.ReadSnapshot:
    """Returns a bulk read of the org as it is now."""
    return read_snapshot(_read_of(call))


def download_read_result(call: OwnCall) -> Response:
    """Returns the zip with the CSV."""
    job, services = _read_of(call), call.api.services
    call.caller.role.require(Right.READ_RECORDS)
    permitted_module(services.modules, call.caller, job.module, module_read)
    return zip_response(services.job_rows.open_result(job), f"{job.id}.zip")


def _read_of(call: OwnCall) -> ReadJob:
    try:
        return call.api.services.reads.details(call.caller.org_id, job_id_of(call))
    except e.ResourceNotFound:
        raise NoSuchJob from None


ENDPOINTS = (
    OwnEndpoint(
        "GET", "/api/v1/reads",
        name="listReads", group="bulk reads", summary="List bulk reads, newest first",
        text="The Zoho API creates bulk reads; they are aborted and deleted as other jobs.",
        parameters=PAGING,
        answers={200: ResponseDoc("A page of bulk reads.", (wire.ReadPage,))},
        errors=(InvalidParameter,),
        handler=list_reads, scopes=JOBS_READ, right=Right.READ_JOBS,
    ),
    OwnEndpoint(
        "GET", "/api/v1/reads/{job_id}",
        name="readRead", group="bulk reads", summary="Read a bulk read",
        answers={200: ResponseDoc("The bulk read as it is now.", (wire.ReadSnapshot,))},
        errors=(NoSuchJob,),
        handler=read_bulk_read, scopes=JOBS_READ, right=Right.READ_JOBS,
    ),
    OwnEndpoint(
        "GET", "/api/v1/reads/{job_id}/result",
        name="downloadReadResult", group="bulk reads",
        summary="Download the result of a bulk read",
        text="A zip with the CSV. The token needs the scope to read the module too, such as "
        "`ZohoCRM.modules.leads.READ`.",
        answers={200: ResponseDoc("The zip.", ({"type": "string"},), media=ZIP)},
        errors=(NoSuchJob, NoResult, RowsGone, e.InvalidModule),
        handler=download_read_result, scopes=JOBS_READ, right=Right.READ_JOBS,
    ),
)  # fmt: skip
