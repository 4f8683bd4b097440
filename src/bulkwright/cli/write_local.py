"""`write` on a data folder: the job runs in this process."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NoReturn

from rich.text import Text

from bulkwright.atomic_file import atomic_write
from bulkwright.cli import report
from bulkwright.cli.csv_file import copy_result
from bulkwright.cli.failure import fail
from bulkwright.cli.input_file import bytes_of_rows, zipped
from bulkwright.cli.job_output import job_line, job_record, reading_lines
from bulkwright.cli.options import (
    chosen_org,
    find_module,
)
from bulkwright.cli.output import errors, print_line
from bulkwright.cli.progress import progress
from bulkwright.cli.write_task import INTERRUPTED, WriteTask, exit_status
from bulkwright.domain import scope
from bulkwright.domain.account import Caller
from bulkwright.domain.job import FieldMapping, Job, JobStatus, Operation, Priority
from bulkwright.domain.limits import PARTS_AT_ONCE
from bulkwright.domain.module import Module
from bulkwright.domain.request import JobRequest, ResourceRequest
from bulkwright.events.events import Event, Observer
from bulkwright.files import Area
from bulkwright.runtime.helpers import Helpers, parts_of_write
from bulkwright.runtime.worker import Blocked, Worker, open_worker
from bulkwright.runtime.worker_identity import is_dead
from bulkwright.service.columns import ColumnMatch
from bulkwright.services import Services
from bulkwright.settings import OrgLocation, Settings
from bulkwright.store.parts import PartStore


class _Stop:
    """The signals that stop the command: during a job, after its current chunk."""

    def __init__(self) -> None:
        self.requested = False
        self.worker: Worker | None = None
        """The worker while it runs the job."""

    def __enter__(self) -> _Stop:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._receive)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def _receive(self, *_: object) -> None:
        if self.worker is None or self.requested:
            raise KeyboardInterrupt
        self.requested = True
        self.worker.stop()
        if sys.stderr.isatty():
            # Not through Python's buffers: the handler may interrupt a write to them.
            os.write(2, b"\nstopping after this chunk; again: at once\n")


class _Stopped(Exception):
    """The command was stopped while a job ran."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job


@dataclass(slots=True)
class _Run:
    """One run of the command on a data folder."""

    task: WriteTask
    location: OrgLocation
    services: Services
    worker: Worker
    stop: _Stop
    result: Path | None
    quote_formulas: bool
    upload_id: int | None = None
    omitted_are_shown: bool = False

    def write(self) -> Job:
        """Creates a job, or continues the unfinished one of an earlier run of the same command."""
        caller = _caller(self.services, self.location)
        fingerprint = self.task.fingerprint()
        job_id = self.services.job_store.find_unfinished(caller.org_id, fingerprint)
        if job_id is None:
            job_id = self._create(caller, fingerprint)
        else:
            print_line(f"continuing job {job_id}")
            identity = self.services.claims.lease_worker(job_id)
            if identity is not None and is_dead(identity):
                self.services.claims.end_leases(identity)
        job = self._run_to_end(caller.org_id, job_id)
        self._save_result(job)
        return job

    def try_out(self) -> Job:
        """Runs the whole job in one transaction and rolls it back: not even the job remains."""
        job: Job | None = None
        try:
            with self.services.database.transaction():
                caller = _caller(self.services, self.location)
                job_id = self._create(caller, None)
                job = self._run_to_end(caller.org_id, job_id)
                self._save_result(job)
                self.services.files.delete(Area.RESULTS, job.id)
                raise _DryRunEnded
        except _DryRunEnded:
            assert job is not None
            return job
        finally:
            if self.upload_id is not None:
                self.services.files.delete(Area.UPLOADS, self.upload_id)

    def _create(self, caller: Caller, fingerprint: str | None) -> int:
        """Uploads the file and creates its job; returns the job's id."""
        module = find_module(self.services, caller.org_id, self.task.options.module)
        task = self.task.checked(module)
        delimiters, match = task.options.delimiters, ColumnMatch((), ())
        parent = partial(self.services.modules.module, caller.org_id)
        if task.stated.columns:
            # Under another delimiter the file does not have the stated columns.
            splitting = task.splitting()
            delimiters = splitting.delimiter
            task.columns(module, splitting.header, parent)  # before a large file is copied

        def mappings(module: Module, header: Sequence[str]) -> tuple[FieldMapping, ...]:
            nonlocal match
            match = task.columns(module, header, parent)
            return match.mappings

        with (
            zipped(task.path, zipfile.ZIP_STORED) as made,
            self.services.files.incoming() as incoming,
        ):
            with made.open("rb") as source:
                shutil.copyfileobj(source, incoming, 1 << 20)
            upload = self.services.uploads.receive(caller, made.name, incoming)
        self.upload_id = upload.id
        options = task.options
        resource = ResourceRequest(
            options.module,
            str(upload.id),
            find_by=options.find_by,
            ignore_empty=options.ignore_empty,
            make_mappings=mappings,
        )
        request = JobRequest(
            Operation(options.operation), (resource,), options.encoding, delimiters,
            fingerprint=fingerprint, error_limit=options.error_limit,
            priority=Priority[options.priority.upper()], all_or_nothing=options.all_or_nothing,
        )  # fmt: skip
        job = self.services.jobs.create(caller, request, wake=False)
        report.print_omitted(match.omitted)
        self.omitted_are_shown = True
        if job.resources[0].file_id != upload.id:
            print_line(f"the same command runs already, as job {job.id}")
        elif fingerprint is not None:
            self._report_equal_file(job)
        return job.id

    def _report_equal_file(self, job: Job) -> None:
        resource = job.resources[0]
        before = self.services.job_store.last_of_file(job.org_id, resource.module, resource.file_id)
        if before is not None:
            print_line(
                f"an equal file was written into {resource.module} before: job {before.id}, "
                f"{before.created_time:%Y-%m-%d %H:%M}, {before.status.value}"
            )

    def _run_to_end(self, org_id: int, job_id: int) -> Job:
        """Runs a job to its end. If its last worker was killed, waits until that lease expires."""
        waiting = False
        self.stop.worker = self.worker
        while not (job := self.services.jobs.details(org_id, job_id)).status.is_final:
            if self.stop.requested:
                raise _Stopped(job)
            if not self.worker.run_one(only=job_id):
                if not waiting:
                    print_line(
                        "another worker runs this job; waiting until it finishes or its lease "
                        "expires"
                    )
                waiting = True
                time.sleep(0.2)
        self.stop.worker = None
        return job

    def _save_result(self, job: Job) -> None:
        target = self.result
        if target is None or not job.has_result or job.result_swept:
            return
        try:
            with (
                self.services.jobs.open_result(job.org_id, job.id) as file,
                atomic_write(target) as out,
            ):
                copy_result(file, out, quote_formulas=self.quote_formulas)
        except OSError as error:
            fail(
                f"job {job.id} has ended, but its result cannot be saved as {target}: "
                f"{error.strerror}. Run it again with another --result; no row is written twice."
            )


class _DryRunEnded(Exception):
    """Rolls back the transaction of a dry run."""


def write_on_data_folder(
    task: WriteTask,
    settings: Settings,
    location: OrgLocation,
    result: Path | None,
    *,
    dry_run: bool,
) -> report.Written:
    """Runs the job of a file to its end and prints what became of its rows."""
    # Further processes would read the file again.
    settings = replace(settings, parts_at_once=settings.parts_at_once or PARTS_AT_ONCE)
    counter = report.ReasonCounter()
    show: Observer = counter.observe

    helpers = Helpers(settings)

    def observe(event: Event) -> None:
        counter.observe(event)
        helpers.observe(event)
        show(event)

    job: Job | None = None
    try:
        opened = open_worker(settings, observe, dry=dry_run)
        with _Stop() as stop, opened as (services, worker), helpers:
            if settings.parts is None and settings.database and not dry_run:
                sessions = PartStore(services.database).free_sessions()
                worker.divide_into(parts_of_write(bytes_of_rows(task.path), sessions))
            quoted = settings.quotes_formulas
            run = _Run(task, location, services, worker, stop, result, quoted)
            with progress(task.path.name) as show:
                job = run.try_out() if dry_run else run.write()
            reasons = _report(job, services, counter, location, dry_run=dry_run)
            reading_lines(job, omitted=not run.omitted_are_shown)
    except Blocked as blocked:
        fail(f"{blocked}. Nothing is lost: the same command continues where it stopped.")
    except _Stopped as stopped:
        _end_stopped(stopped.job, dry_run=dry_run)
    except KeyboardInterrupt:
        _end_stopped(job, dry_run=dry_run)
    assert job is not None
    status = exit_status(failed=job.status is JobStatus.FAILED, skipped=job.counts.skipped)
    return report.Written(status, job_record(job) | ({"job_id": None} if dry_run else {}), reasons)


def _report(
    job: Job,
    services: Services,
    counter: report.ReasonCounter,
    location: OrgLocation,
    *,
    dry_run: bool,
) -> report.Reasons:
    """Prints the end of a job: its counts, why rows were skipped, and how to correct them.

    Returns why rows were skipped.
    """
    reasons: report.Reasons = Counter()
    job_line(job, name="dry run" if dry_run else None)
    if not dry_run:
        services.job_store.mark_reported(job.id)
    if job.counts.skipped:
        if counter.rows == job.counts.skipped or dry_run:
            reasons = counter.reasons
        elif job.has_result and not job.result_swept:
            # An earlier run of this command, or another worker, has processed some of the rows.
            with services.jobs.open_result(job.org_id, job.id) as zipped_result:
                reasons = report.reasons_of(zipped_result, ())
        report.print_reasons(reasons)
    if dry_run:
        print_line(report.NOTHING_STORED)
    elif job.has_result and (job.counts.skipped or job.status is JobStatus.FAILED):
        stem = Path(job.resources[0].file_name).stem
        words = ("jobs", "result", str(job.id), "--failed", "-o", f"{stem}-failed.csv")
        print_line(report.why_to_save(job))
        print_line(f"  {report.command(*words, location=location)}")
        if job.counts.skipped:
            seen = report.command("jobs", "errors", str(job.id), location=location)
            print_line(f"to see some of their values:\n  {seen}")
    return reasons


def _end_stopped(job: Job | None, *, dry_run: bool) -> NoReturn:
    """Says what is kept after a signal, and ends the command."""
    if dry_run:
        kept = "Nothing was stored."
    elif job is None:
        kept = "What is stored is kept; the same command continues where it stopped."
    else:
        kept = (
            f"{job.counts.total:,} rows of job {job.id} are done and kept; the same command "
            "continues after them."
        )
    errors.print(Text(f"bulkwright: stopped. {kept}"), soft_wrap=True)
    sys.exit(INTERRUPTED)


def _caller(services: Services, location: OrgLocation) -> Caller:
    if location.org is None and not services.accounts.orgs():
        _create_first_org(services)
    org = chosen_org(services, location)
    users = [user for user in services.accounts.users(org.id) if user.is_active]
    if not users:
        fail(f"Org {org.id} has no active user; add one with `bulkwright user add`.")
    return Caller(org.id, users[0].id, scope.normalise(scope.EVERY))


def _create_first_org(services: Services) -> None:
    """Creates an org and its user, unless another command has done so meanwhile."""
    with services.database.transaction():
        services.accounts.lock_orgs()
        if not services.accounts.orgs():
            org = services.setup.create_org("Bulkwright")
            services.setup.create_user(org, "Local", "User", "user@localhost.example")
