"""`jobs`: the jobs, their status and their results."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
from cyclopts import Parameter

from bulkwright.cli.csv_file import copy_result
from bulkwright.cli.failure import fail
from bulkwright.cli.job_output import job_line, jobs_list, parts_lines, reading_lines
from bulkwright.cli.options import (
    DEFAULT_CSV,
    DEFAULT_IN_ORG,
    MOST,
    Csv,
    InOrg,
    Json,
    chosen_org,
    open_existing,
)
from bulkwright.cli.output import console, print_json
from bulkwright.domain.any_job import AnyJob
from bulkwright.domain.ids import parse_id
from bulkwright.domain.job import Job
from bulkwright.domain.read_job import ReadJob
from bulkwright.files import Area, DamagedFile
from bulkwright.services import Services
from bulkwright.settings import OrgLocation
from bulkwright.zoho.present.jobs import job_details
from bulkwright.zoho.versions import VERSIONS

_POLL_SECONDS = 0.5


def list_(
    *,
    most: Annotated[int, Parameter(help="The number of jobs, newest first.", validator=MOST)] = 20,
    json: Json = False,
    location: InOrg = DEFAULT_IN_ORG,
) -> None:
    """List the newest jobs with their counts."""
    with open_existing(location) as services:
        jobs_list(services.newest_jobs(chosen_org(services, location).id, most), json=json)


def show(
    job_id: Annotated[str, Parameter(help="The id of the job.")],
    /,
    *,
    watch: Annotated[bool, Parameter(negative="", help="Wait until the job ends.")] = False,
    json: Annotated[
        bool,
        Parameter(
            negative="",
            help="Print the job details of the API, how the file is read, and with --database its "
            "parts.",
        ),
    ] = False,
    location: InOrg = DEFAULT_IN_ORG,
) -> None:
    """Show the present state of a job."""
    with open_existing(location) as services:
        job = find_job(services, location, job_id)
        while watch and not job.status.is_final:
            if console.is_terminal:
                job_line(job)
            time.sleep(_POLL_SECONDS)
            job = find_job(services, location, job_id)
    if json and isinstance(job, ReadJob):
        from bulkwright.zoho.present.reads import details

        print_json(details(job, VERSIONS["v2"]))
    elif json and isinstance(job, Job):
        shown = msgspec.to_builtins(job_details(job, VERSIONS["v2"]))
        shown["reading"] = [r.reading for r in job.resources]
        if location.database:
            shown["parts"] = [r.split for r in job.resources]
        print_json(shown)
    else:
        job_line(job)
        if isinstance(job, Job):
            if location.database:
                parts_lines(job)
            reading_lines(job)


def result(
    job_id: Annotated[str, Parameter(help="The id of the job.")],
    /,
    *,
    failed: Annotated[
        bool, Parameter(help="Only the failed rows, as a CSV to correct. Then write it again.")
    ] = False,
    out: Annotated[
        Path | None, Parameter(name=["--out", "-o"], help="Default: JOB.zip or JOB-failed.csv.")
    ] = None,
    csv_settings: Csv = DEFAULT_CSV,
    location: InOrg = DEFAULT_IN_ORG,
) -> None:
    """Save the result zip of a job, or its failed rows with all their columns."""
    from bulkwright.client.atomic_file import atomic_write

    with open_existing(location) as services, ExitStack() as stack:
        job = find_job(services, location, job_id)
        if not job.has_result:
            fail(f"Job {job_id} has no result yet; its status is {job.status.value}.")
        if job.result_swept:
            fail(f"The result of job {job_id} has expired and was deleted.")
        whole = stack.enter_context(
            _opened(services, Area.RESULTS, job.id, job.result_sha256, "result")
        )
        if failed:
            from bulkwright.pipeline.failed import write_failed

            if not isinstance(job, Job):
                fail(f"Job {job_id} is no bulk write; only rows of a bulk write fail.")
            target = out or Path(f"{job_id}-failed.csv")
            upload = services.upload_store.upload(job.org_id, job.resources[0].file_id)
            if upload is None:
                fail(f"The upload of job {job_id} has expired and was deleted.")
            sent = stack.enter_context(
                _opened(services, Area.UPLOADS, upload.id, upload.sha256, "upload")
            )
            with atomic_write(target) as saved:
                rows = write_failed(
                    job, sent, whole, saved, quote_formulas=csv_settings.quotes_formulas
                )
            console.print(f"{target}: {rows:,} rows", soft_wrap=True)
        else:
            target = out or Path(f"{job_id}.zip")
            with atomic_write(target) as saved:
                copy_result(whole, saved, quote_formulas=csv_settings.quotes_formulas)
            console.print(str(target), soft_wrap=True)


def _opened(services: Services, area: Area, number: int, sha256: str | None, what: str) -> BinaryIO:
    try:
        return services.files.open(area, number, sha256)
    except (FileNotFoundError, DamagedFile) as error:
        problem = "is damaged" if isinstance(error, DamagedFile) else "is missing"
        fail(f"The {what} {area.path(number)} {problem}; `bulkwright check` finds all errors.")


def find_job(services: Services, location: OrgLocation, job_id: str) -> AnyJob:
    """Returns a job of the chosen org; ends the command if there is none with this id."""
    number = parse_id(job_id, leading_zeros=True)
    job = None if number is None else services.any_job(chosen_org(services, location).id, number)
    if job is None:
        fail(f"There is no job {job_id}; `bulkwright jobs list` shows the jobs.")
    return job
