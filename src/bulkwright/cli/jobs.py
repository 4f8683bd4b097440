"""`jobs`: the jobs, their status and their results."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from bulkwright.atomic_file import atomic_write
from bulkwright.cli.csv_file import copy_result
from bulkwright.cli.failure import fail
from bulkwright.cli.job_output import (
    errors_list,
    facts_line,
    job_line,
    jobs_list,
    parts_lines,
    reading_lines,
)
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
from bulkwright.cli.output import console, print_json, print_object
from bulkwright.domain import scope
from bulkwright.domain.account import Caller
from bulkwright.domain.any_job import AnyJob
from bulkwright.domain.ids import parse_id
from bulkwright.domain.job import Job, Resource
from bulkwright.domain.read_job import ReadJob
from bulkwright.domain.undo_errors import CannotUndo
from bulkwright.service.reports import ErrorGroups, diff_csv, failed_csv, full_csv
from bulkwright.services import Services
from bulkwright.settings import OrgLocation
from bulkwright.zoho.present.jobs import job_details
from bulkwright.zoho.versions import VERSIONS

_POLL_SECONDS = 0.5

Module = Annotated[str | None, Parameter(help="The module of the file, if the job has several.")]
"""The option of commands about the rows of a job."""


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
            facts_line(job)
            if location.database:
                parts_lines(job)
            reading_lines(job)


def result(  # wide: each is an option of the command
    job_id: Annotated[str, Parameter(help="The id of the job.")],
    /,
    *,
    failed: Annotated[
        bool, Parameter(help="Only the failed rows, as a CSV to correct. Then write it again.")
    ] = False,
    full: Annotated[
        bool, Parameter(help="Every row with its outcome and all columns of the file, as a CSV.")
    ] = False,
    module: Module = None,
    out: Annotated[
        Path | None,
        Parameter(name=["--out", "-o"], help="Default: JOB.zip, JOB-full.csv or JOB-failed.csv."),
    ] = None,
    json: Json = False,
    csv_settings: Csv = DEFAULT_CSV,
    location: InOrg = DEFAULT_IN_ORG,
) -> None:
    """Save the result zip of a job, or its rows with all their columns."""
    quoted = csv_settings.quotes_formulas
    with open_existing(location) as services:
        job = find_job(services, location, job_id)
        if not (failed or full):
            target = out or Path(f"{job_id}.zip")
            with services.job_rows.open_result(job) as whole, atomic_write(target) as saved:
                copy_result(whole, saved, quote_formulas=quoted)
            print_object({"job_id": job.id, "file": str(target)}, json=json, line=str(target))
            return
        written = _bulk_write(job)
        target = out or Path(f"{job_id}-{'failed' if failed else 'full'}.csv")
        with services.job_rows.open(written, _resource(written, module)) as found:
            make = partial(failed_csv, with_errors=True) if failed else full_csv
            with atomic_write(target) as saved:
                for piece in make(found, quote_formulas=quoted):
                    saved.write(piece.encode())
    shown = {"job_id": job.id, "file": str(target), "rows": found.selected}
    print_object(shown, json=json, line=f"{target}: {found.selected:,} rows")


def diff(
    job_id: Annotated[str, Parameter(help="The id of the job.")],
    /,
    *,
    module: Module = None,
    out: Annotated[
        Path | None, Parameter(name=["--out", "-o"], help="Default: JOB-diff.csv.")
    ] = None,
    json: Json = False,
    csv_settings: Csv = DEFAULT_CSV,
    location: InOrg = DEFAULT_IN_ORG,
) -> None:
    """Save what a job has changed: each field of each record, before and after, as a CSV.

    It is known as long as the job can be undone (--keep-images).
    """
    target = out or Path(f"{job_id}-diff.csv")
    with open_existing(location) as services:
        job = _bulk_write(find_job(services, location, job_id))
        caller = Caller(job.org_id, job.created_by.id, scope.normalise(scope.EVERY))
        try:
            found = services.changes.diff(caller, job, _resource(job, module))
            with atomic_write(target) as saved:
                for piece in diff_csv(found, quote_formulas=csv_settings.quotes_formulas):
                    saved.write(piece.encode())
        except CannotUndo as error:
            fail(error.message)
    print_object({"job_id": job.id, "file": str(target)}, json=json, line=str(target))


def job_errors(
    job_id: Annotated[str, Parameter(help="The id of the job.")],
    /,
    *,
    module: Module = None,
    json: Json = False,
    location: InOrg = DEFAULT_IN_ORG,
) -> None:
    """Show the errors of the rows of a job: how many rows have which, and the first of them."""
    with open_existing(location) as services:
        job = _bulk_write(find_job(services, location, job_id))
        found = ErrorGroups(services.job_rows, job, _resource(job, module))
        for _ in found.work():
            pass
    errors_list(found, json=json)


def _bulk_write(job: AnyJob) -> Job:
    if not isinstance(job, Job):
        fail(f"Job {job.id} is no bulk write; only a bulk write has rows with outcomes.")
    return job


def _resource(job: Job, module: str | None) -> Resource:
    """Returns the resource of a module; without one the only resource."""
    found = [r for r in job.resources if module in (None, r.module)]
    if len(found) != 1:
        names = ", ".join(r.module for r in job.resources)
        fail(f"Job {job.id} writes to {names}; name one with --module.")
    return found[0]


def find_job(services: Services, location: OrgLocation, job_id: str) -> AnyJob:
    """Returns a job of the chosen org; ends the command if there is none with this id."""
    number = parse_id(job_id, leading_zeros=True)
    job = None if number is None else services.any_job(chosen_org(services, location).id, number)
    if job is None:
        fail(f"There is no job {job_id}; `bulkwright jobs list` shows the jobs.")
    return job
