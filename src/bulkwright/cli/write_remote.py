"""`write --url`: uploads the file to a server, which runs the job."""

from __future__ import annotations

import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast

import httpx2
from msgspec import UNSET

from bulkwright.atomic_file import atomic_write
from bulkwright.cli import report
from bulkwright.cli.csv_file import copy_result
from bulkwright.cli.failure import fail
from bulkwright.cli.input_file import zipped
from bulkwright.cli.job_options import JobOptions
from bulkwright.cli.job_output import print_reading
from bulkwright.cli.output import coloured, errors, print_line
from bulkwright.cli.progress import as_progress, progress, watching
from bulkwright.cli.write_task import INTERRUPTED, WriteTask, exit_status
from bulkwright.client import ApiError, Client
from bulkwright.domain.errors import UndoFailed
from bulkwright.domain.job import FieldMapping
from bulkwright.domain.module import Field, Module
from bulkwright.domain.reading import FoundBy, Reading
from bulkwright.wire import own
from bulkwright.wire import requests as wire
from bulkwright.wire.own import ReadingSnapshot
from bulkwright.wire.responses import JobDetails

_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class RemoteAccount:
    """The server that runs the job, and whether it is to store nothing."""

    url: str
    token: str
    dry_run: bool


def write_remote(
    task: WriteTask, account: RemoteAccount, result: Path | None, *, quote_formulas: bool
) -> report.Written:
    """Writes a file through the API of a server, and prints what became of its rows."""
    url, dry_run = account.url, account.dry_run
    splitting = task.splitting()
    header = splitting.header
    if dry_run and splitting.delimiter == "\t" and task.options.delimiter is None:
        # The own API takes such a file unnamed; the Zoho API, which creates the real job, does not.
        fail(f"{task.path.name} is separated by tabs; give --delimiter tab.")
    job_id = ""
    try:
        with Client(url, token=account.token) as client:
            module = _module(client, task.options.module)
            task = task.checked(module)
            match = task.columns(module, header, partial(_module, client))
            report.print_omitted(match.omitted)
            with progress(task.path.name) as observe:
                job_id = _create(client, task, match.mappings, dry_run=dry_run)
                details = client.wait(job_id, watch=watching(observe))
                watching(observe)(details)
            _report(details, dry_run=dry_run)
            reasons = _save_result(client, details, result, header, quoted=quote_formulas)
            if dry_run:
                print_line(report.NOTHING_STORED)
            snapshot = _report_reading(client, details, task.options.encoding)
    except ApiError as error:
        words = error.details.get("reason") or error.message or error.code
        if error.status == _UNAUTHORIZED and error.code != "OAUTH_SCOPE_MISMATCH":
            words = f"{words}; give a valid --token, such as `bulkwright token create` prints"
        if error.code == "UNREADABLE_ANSWER":
            words = "the answer is none of this API; check --url"
        if dry_run and error.code in ("INVALID_URL_PATTERN", "NO_SUCH_METHOD"):
            words = "the server has no dry runs; they are part of the own API of Bulkwright"
        fail(f"{words} ({error.code}, from {url})")
    except httpx2.HTTPError as error:
        fail(f"{url} does not answer: {error}")
    except KeyboardInterrupt:
        kept = (
            f"Job {job_id} continues on the server."
            if job_id
            else "No job was created, so nothing is stored."
        )
        errors.print(f"bulkwright: stopped. {kept}", soft_wrap=True, highlight=False)
        sys.exit(INTERRUPTED)
    counts = as_progress(details).counts
    status = exit_status(failed=details.status != "COMPLETED", skipped=counts.skipped)
    job = _job_record(details, snapshot, task)
    return report.Written(status, job, reasons)


def _module(client: Client, name: str) -> Module:
    """Returns the module with its fields, as the server describes them."""
    try:
        fields = client.fields(name)
    except ApiError as error:
        if error.code != "OAUTH_SCOPE_MISMATCH":
            raise
        fail(
            "the columns cannot be compared with the fields of the module, because the token may "
            "not read them; give a token with the scope ZohoCRM.settings.fields.READ too."
        )
    if not any(field["api_name"] == "id" for field in fields):
        # Early versions of the API do not list it.
        fields = [{"api_name": "id", "data_type": "bigint", "read_only": True}, *fields]
    return Module(
        org_id=0, id=0, api_name=name, module_name=name, singular_label=name, plural_label=name,
        generated_type="", layout_id=0, bulk_write=True, fields=tuple(map(_field, fields)),
    )  # fmt: skip


def _field(raw: Mapping[str, Any]) -> Field:
    return Field(
        id=0,
        api_name=raw["api_name"],
        display_label=raw.get("field_label") or raw.get("display_label") or raw["api_name"],
        data_type=raw["data_type"],
        system_mandatory=bool(raw.get("system_mandatory")),
        lookup_module=_lookup_module(raw.get("lookup")),
        read_only=bool(raw.get("read_only") or raw.get("field_read_only")),
        # The answer does not say by which fields records are found; the server checks it.
        duplicate_check=True,
    )


def _lookup_module(lookup: Mapping[str, Any] | None) -> str | None:
    """Returns the module that a lookup refers to; a lookup to several modules names none."""
    found = (lookup or {}).get("module")
    return found if isinstance(found, str) and found else None


def _create(
    client: Client, task: WriteTask, mappings: tuple[FieldMapping, ...], *, dry_run: bool
) -> str:
    """Uploads the file and creates its job; returns the job's id."""
    options = task.options
    own_options = [*(["--dry-run"] if dry_run else []), *options.of_own_api()]
    if client.is_zoho and own_options:
        fail(f"Zoho has nothing like {' or '.join(own_options)}; leave it out.")
    if options.delimiter is not None:
        own_options.append("--delimiter")
    with zipped(task.path, zipfile.ZIP_DEFLATED) as made:
        file_id = client.upload(made)
    if not client.is_zoho and own_options:
        # The Zoho API has no place for them.
        job = own.NewJob(
            operation=options.operation,
            module=options.module,
            file_id=file_id,
            find_by=options.find_by,
            ignore_empty=options.ignore_empty,
            columns=[_own(mapping) for mapping in mappings],
            encoding=options.encoding,
            delimiter=None if options.delimiter is None else cast("Any", options.delimiters),
            on_error=_on_error(options),
            dry_run=dry_run,
            priority=options.priority,
        )
        try:
            return client.create_own(job)
        except ApiError as error:
            if error.code != "OAUTH_SCOPE_MISMATCH":
                raise
            otherwise = "" if dry_run else " Without these options the Zoho API is used."
            fail(
                f"the token may not create a job with {' or '.join(own_options)}: it lacks a "
                "scope, bulkwright.jobs.CREATE or that of the module." + otherwise
            )
    return client.create(
        options.operation,
        options.module,
        file_id,
        mappings=[_wire(mapping) for mapping in mappings],
        find_by=options.find_by,
        ignore_empty=options.ignore_empty,
        character_encoding=options.encoding,
    )


def _on_error(
    options: JobOptions,
) -> Literal["continue", "all_or_nothing"] | own.StopAfter:
    limit = options.error_limit
    if limit is not None:
        return own.StopAfter(stop_after=limit.rows, stop_after_percent=limit.percent)
    return "all_or_nothing" if options.all_or_nothing else "continue"


def _own(mapping: FieldMapping) -> own.NewColumn:
    return own.NewColumn(
        field=mapping.api_name,
        index=mapping.index,
        format=mapping.format,
        find_by=mapping.find_by,
        default=mapping.default,
    )


def _report(details: JobDetails, *, dry_run: bool) -> None:
    counts = as_progress(details).counts
    print_line(
        f"{'dry run ' if dry_run else ''}job {details.id}  ", coloured(details.status),
        f"  added {counts.added:,}  updated {counts.updated:,}  skipped {counts.skipped:,}  "
        f"of {counts.total:,} rows",
    )  # fmt: skip


def _job_record(
    details: JobDetails, snapshot: own.JobSnapshot | None, task: WriteTask
) -> dict[str, object]:
    """Returns the job with the keys that one on a data folder has.

    Without a snapshot, `updated` counts unchanged rows too, and the code is not known.
    """
    counts = as_progress(details).counts
    return {
        "job_id": details.id,
        "status": details.status,
        "code": None if snapshot is None else snapshot.code,
        "operation": task.options.operation,
        "module": task.options.module,
        "added": counts.added,
        "updated": counts.updated if snapshot is None else snapshot.rows.updated,
        "unchanged": None if snapshot is None else snapshot.rows.unchanged,
        "skipped": counts.skipped,
        "read": None,
        "created": datetime.fromisoformat(details.created_time),
        "file": task.path.name,
    }


def _report_reading(
    client: Client, details: JobDetails, named: str | None
) -> own.JobSnapshot | None:
    """Prints what was a guess when the server read the file, if the server shows that.

    Returns what the own API says of the job; None if it says nothing.
    """
    try:
        snapshot = client.snapshot(details.id)
    except ApiError as error:
        encoding = details.character_encoding
        if named is None and encoding not in (UNSET, "UTF-8"):
            print_line(f"encoding {encoding}: found by the server; --encoding names it")
        why = (
            "the token lacks the scope bulkwright.jobs.READ"
            if error.code == "OAUTH_SCOPE_MISMATCH"
            else "only the API of Bulkwright shows them"
        )
        print_line(f"other guesses about the file are not shown: {why}")
        return None
    if snapshot.code is not None:
        left = snapshot.rows_unprocessed
        reached = "" if left is None else f"; {left:,} rows were not reached"
        stays = "nothing of the job stays" if _stores_nothing(snapshot) else "what is stored stays"
        print_line(f"{snapshot.code}: {stays}{reached}")
    found = snapshot.resources[0].reading
    if found is not None:
        print_reading(_reading(found))
    return snapshot


def _stores_nothing(job: own.JobSnapshot) -> bool:
    """Whether nothing of a job that has failed stays."""
    return job.on_error == "all_or_nothing" and job.code != UndoFailed.code


def _reading(found: ReadingSnapshot) -> Reading:
    """Returns a reading without the omitted columns, which were printed before."""
    return Reading(
        found.encoding,
        FoundBy(found.encoding_by),
        found.delimiter,
        FoundBy(found.delimiter_by),
        also_fits=tuple(found.delimiters_that_fit_too),
        stray_quotes=found.rows_with_stray_quotes,
        first_stray_quote=found.first_row_with_stray_quotes,
        assumed=found.formats_assumed,
    )


def _save_result(
    client: Client,
    details: JobDetails,
    result: Path | None,
    header: tuple[str, ...],
    *,
    quoted: bool,
) -> report.Reasons:
    """Downloads the result if it is wanted; prints and returns why rows were skipped."""
    reasons: report.Reasons = Counter()
    counts = as_progress(details).counts
    if details.result is UNSET or not (result or counts.skipped):
        return reasons
    with tempfile.TemporaryDirectory(prefix="bulkwright-") as folder:
        saved = Path(folder) / "result.zip" if result is None or quoted else result
        client.download(details, saved)
        if counts.skipped:
            with saved.open("rb") as file:
                reasons = report.reasons_of(file, header)
            report.print_reasons(reasons)
        if result is not None and saved != result:
            with saved.open("rb") as file, atomic_write(result) as out:
                copy_result(file, out, quote_formulas=True)
    if counts.skipped and result is None:
        print_line("--result FILE.zip saves the outcome of every row")
    return reasons


def _wire(mapping: FieldMapping) -> wire.NewFieldMapping:
    default = UNSET if mapping.default is None else wire.DefaultValue(value=mapping.default)
    return wire.NewFieldMapping(
        api_name=mapping.api_name,
        index=UNSET if mapping.index is None else mapping.index,
        format=mapping.format or UNSET,
        find_by=mapping.find_by or UNSET,
        default_value=default,
    )
