"""The page of one job: progress, pace, errors, files, and everything that the API says of it."""

from __future__ import annotations

from contextlib import suppress

import msgspec
from starlette.responses import Response

from bulkwright.console import PREFIX
from bulkwright.console.chart import COMMITS, chart_of
from bulkwright.console.page import Page, PageCall
from bulkwright.console.render import END_OF_EVENTS, fragment
from bulkwright.console.views import view_of
from bulkwright.console.waiting import reasons
from bulkwright.domain.account import Right
from bulkwright.domain.column_names import column_names
from bulkwright.domain.delivery_errors import NoCallback
from bulkwright.domain.job import Job
from bulkwright.domain.report_errors import NoResult, RowsGone
from bulkwright.domain.upload import Upload
from bulkwright.v1 import changes, job_events, reports
from bulkwright.v1.jobs import job_id_of, job_of
from bulkwright.v1.present import job_snapshot
from bulkwright.v1.problems import NoSuchJob, details_of
from bulkwright.v1.zips import zip_response
from bulkwright.wire import own, own_reads

JOB = f"{PREFIX}/jobs/{{job_id}}"


def show_job(call: PageCall) -> Response:
    """Shows a job. An undo and a bulk read have pages of their own."""
    number = call.path["job_id"]
    with suppress(NoSuchJob):
        return show(call, call.ask("readJob", own.JobSnapshot, job_id=number))
    with suppress(NoSuchJob):
        undo = call.ask("readUndo", own.UndoSnapshot, job_id=number)
        return call.lead_to(f"{PREFIX}/undos/{undo.id}")
    read = call.ask("readRead", own_reads.ReadSnapshot, job_id=number)
    return call.lead_to(f"{PREFIX}/reads/{read.id}")


def show(call: PageCall, job: own.JobSnapshot, status: int = 200, alert: str = "") -> Response:
    """Returns the page of a job; `alert` says why an action on it did not work."""
    view = view_of(call, job)
    uploads = {
        resource.file_id: upload
        for resource in job.resources
        if (upload := call.services.upload_store.upload(call.caller.org_id, int(resource.file_id)))
    }
    return call.show(
        "job.html",
        status,
        section="jobs",
        alert=alert,
        live=False,
        view=view,
        job=job,
        uploads={number: upload.name for number, upload in uploads.items()},
        columns={r.module: _columns(r, uploads.get(r.file_id)) for r in job.resources},
        callback=_callback(call, job),
        details=msgspec.to_builtins(job),
        api_url=f"{call.console.base_url}/api/v1/jobs/{job.id}",
        **_progress(call, job),
    )


def _columns(resource: own.ResourceSnapshot, upload: Upload | None) -> list[str]:
    """Returns the names of the columns of a file; none if the upload is not kept any more."""
    csvs = () if upload is None else upload.csvs
    found = next((csv for csv in csvs if csv.name == resource.file_name), None)
    if found is None:
        return []
    delimiter = found.delimiter if resource.reading is None else resource.reading.delimiter
    header = next((s.header for s in found.splittings if s.delimiter == delimiter), found.header)
    return column_names([text.strip() for text in header])


def events(call: PageCall) -> Response:
    """Returns server-sent events with the progress of a job, as a piece of its page."""
    own_call = call.of_api("streamJobEvents", job_id=call.path["job_id"])

    def data(job: Job) -> bytes:
        snapshot = job_snapshot(job, call.services.jobs)
        view = view_of(call, snapshot)
        return fragment(
            "progress.html",
            live=True,
            view=view,
            job=snapshot,
            **_progress(call, snapshot),
        )

    return job_events.stream(own_call, data, END_OF_EVENTS)


async def errors(call: PageCall) -> Response:
    """Returns the errors of a job in groups, as a piece of its page."""
    job_id = call.path["job_id"]
    own_call = call.of_api("listErrors", job_id=job_id)
    job = await call.request.run(job_of, own_call)
    found: list[own.JobErrors] = []
    problem = ""
    try:
        for resource in job.resources:
            query = {"module": resource.module}
            found.append(await reports.job_errors(own_call._replace(query=query)))
    except (NoResult, RowsGone) as error:
        problem = details_of(error).detail
    return call.show("errors.html", job_id=job_id, found=found, problem=problem)


async def full_result(call: PageCall) -> Response:
    """Returns every row of a file with its outcome."""
    name = "readFullResult"
    return await reports.full_result(
        call.of_api(name, job_id=call.path["job_id"], query=call.query)
    )


async def failed_rows(call: PageCall) -> Response:
    """Returns the rows that were not stored."""
    return await reports.failed_rows(
        call.of_api("readFailedRows", job_id=call.path["job_id"], query=call.query)
    )


async def diff(call: PageCall) -> Response:
    """Returns the records that a job has changed, with the fields before and after."""
    return await changes.job_diff(
        call.of_api("readDiff", job_id=call.path["job_id"], query=call.query)
    )


def result(call: PageCall) -> Response:
    """Returns the result that clients of the Zoho API download: a zip."""
    own_call = call.of_api("readFullResult", job_id=call.path["job_id"])
    job = job_of(own_call)
    file = call.services.job_rows.open_result(job)
    return zip_response(file, f"{job_id_of(own_call)}.zip")


def _callback(call: PageCall, job: own.JobSnapshot) -> own.CallbackSnapshot | None:
    """Returns the delivery of the callback; None if the job has none, or none was begun."""
    if job.callback_url is None:
        return None
    try:
        return call.ask("readCallback", own.CallbackSnapshot, job_id=job.id)
    except NoCallback:
        return None


def _progress(call: PageCall, job: own.JobSnapshot) -> dict[str, object]:
    """Returns what the moving part of the page shows beside the job."""
    commits = call.services.ledger.commits(int(job.id), COMMITS)
    return {"chart": chart_of(commits), "reasons": reasons(call, job)}


PAGES = (
    Page("GET", JOB, show_job, Right.READ_JOBS),
    Page("GET", f"{JOB}/events", events, Right.READ_JOBS),
    Page("GET", f"{JOB}/errors", errors, Right.READ_JOBS),
    Page("GET", f"{JOB}/full-result", full_result, Right.READ_JOBS),
    Page("GET", f"{JOB}/failed-rows", failed_rows, Right.READ_JOBS),
    Page("GET", f"{JOB}/diff", diff, Right.READ_JOBS),
    Page("GET", f"{JOB}/result", result, Right.READ_JOBS),
)
