"""`jobs`: what was asked for, how it stands, and what came out."""

from __future__ import annotations

import shutil
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
from cyclopts import Parameter

from bulkwright.cli.options import HERE, Place, known, the_org
from bulkwright.cli.show import console, job_line, jobs_table, refuse
from bulkwright.domain.job import Job
from bulkwright.files import Area, Damaged
from bulkwright.present import job_details
from bulkwright.wire.encode import encode
from bulkwright.wire.versions import VERSIONS
from bulkwright.wiring import Services, open_services

_POLL_SECONDS = 0.5


def list_(
    *,
    most: Annotated[int, Parameter(help="How many, newest first.")] = 20,
    place: Place = HERE,
) -> None:
    """The newest jobs with their counts."""
    with open_services(known(place)) as services:
        jobs_table(services.job_store.newest(the_org(services).id, most))


def show(
    job_id: str,
    /,
    *,
    watch: Annotated[bool, Parameter(help="Follow the job until it ends.")] = False,
    json: Annotated[bool, Parameter(help="Job details as the API answers them.")] = False,
    place: Place = HERE,
) -> None:
    """One job as it stands now."""
    with open_services(known(place)) as services:
        job = _job(services, job_id)
        while watch and not job.status.final:
            if console.is_terminal:
                job_line(job)
            time.sleep(_POLL_SECONDS)
            job = _job(services, job_id)
    if json:
        print(msgspec.json.format(encode(job_details(job, VERSIONS["v2"])), indent=2).decode())
    else:
        job_line(job)


def result(
    job_id: str,
    /,
    *,
    failed: Annotated[
        bool, Parameter(help="Only rows that were not stored, as a CSV to mend and upload again.")
    ] = False,
    out: Annotated[
        Path | None, Parameter(name=["--out", "-o"], help="Default: JOB.zip or JOB-failed.csv.")
    ] = None,
    place: Place = HERE,
) -> None:
    """Save a job's result zip, or its failed rows with all their columns."""
    with open_services(known(place)) as services, ExitStack() as stack:
        job = _job(services, job_id)
        if not job.has_result:
            refuse(f"job {job_id} has no result yet; it is {job.status.value}.")
        if job.result_swept:
            refuse(f"The result of job {job_id} was kept for its time and is gone.")
        whole = stack.enter_context(
            _opened(services, Area.RESULTS, job.id, job.result_sha256, "result")
        )
        if failed:
            from bulkwright.pipeline.failed import write_failed

            target = out or Path(f"{job_id}-failed.csv")
            upload = services.job_store.upload(job.org_id, job.resources[0].file_id)
            if upload is None:
                refuse("The upload of this job was kept for its time and is gone.")
            sent = stack.enter_context(
                _opened(services, Area.UPLOADS, upload.id, upload.sha256, "upload")
            )
            rows = write_failed(job, sent, whole, target)
            console.print(f"{target}: {rows:,} rows", soft_wrap=True)
        else:
            target = out or Path(f"{job_id}.zip")
            with target.open("wb") as saved:
                shutil.copyfileobj(whole, saved)
            console.print(str(target), soft_wrap=True)


def _opened(services: Services, area: Area, number: int, sha256: str | None, what: str) -> BinaryIO:
    try:
        return services.files.open(area, number, sha256)
    except (FileNotFoundError, Damaged) as error:
        wrong = "is not what was kept" if isinstance(error, Damaged) else "is missing"
        refuse(f"The {what} {area.path(number)} {wrong}; `bulkwright check` says what else is.")


def _job(services: Services, job_id: str) -> Job:
    job = None
    if job_id.isascii() and job_id.isdigit() and len(job_id) < 19:
        job = services.job_store.job(the_org(services).id, int(job_id))
    if job is None:
        refuse(f"There is no job {job_id}; `bulkwright jobs list` names them.")
    return job
