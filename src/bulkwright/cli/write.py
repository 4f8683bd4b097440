"""`write`: writes a CSV or a zip into a module, in this process or on a server."""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bulkwright.cli.failure import fail
from bulkwright.cli.input_file import as_regular_file
from bulkwright.cli.job_options import JobOptions
from bulkwright.cli.options import (
    DEFAULT_FOR_JOB,
    DEFAULT_IN_ORG,
    ForJob,
    InOrg,
)
from bulkwright.cli.other_formats import as_csv
from bulkwright.cli.output import lines_on_stderr, print_json
from bulkwright.cli.write_local import write_on_data_folder
from bulkwright.cli.write_task import WriteTask
from bulkwright.domain.endpoint import InvalidEndpoint, parse_endpoint
from bulkwright.settings import Settings


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class RemoteOptions:
    """The server that runs the job."""

    url: Annotated[
        str | None, Parameter(help="URL of a server that runs the job. Default: this process.")
    ] = None
    token: Annotated[str | None, Parameter(help="Access token for --url.")] = None


_IN_THIS_PROCESS = RemoteOptions()


def write(  # wide: a file, how it is written, and where
    file: Annotated[
        Path,
        Parameter(
            help="A CSV, TSV, JSON lines, Parquet, XLSX, or a zip with a CSV; - is the standard "
            "input.",
            allow_leading_hyphen=True,
        ),
    ],
    /,
    *,
    options: JobOptions,
    dry_run: Annotated[
        bool, Parameter(negative="", help="Check every row, but store nothing.")
    ] = False,
    result: Annotated[Path | None, Parameter(help="Where to save the result zip.")] = None,
    json: Annotated[
        bool,
        Parameter(
            negative="",
            help="Print one JSON object at the end, and everything else on standard error.",
        ),
    ] = False,
    remote: RemoteOptions = _IN_THIS_PROCESS,
    jobs: ForJob = DEFAULT_FOR_JOB,
    location: InOrg = DEFAULT_IN_ORG,
) -> int:
    """Write a file into a module and report the outcome of every row.

    Without --url, the job runs in this process, on the data folder. If it is stopped or killed, the
    same command continues where it stopped. The exit status is 0 when every row was stored, 3 when
    rows were skipped, 1 when the job could not be done.
    """
    if remote.url is not None:
        if remote.token is None:
            fail("--url needs --token (or BULKWRIGHT_TOKEN).")
        try:
            parse_endpoint(remote.url)
        except InvalidEndpoint:
            fail("--url takes http://HOST[:PORT] or https://HOST[:PORT].")
    with (
        lines_on_stderr() if json else nullcontext(),
        as_regular_file(file) as given,
        as_csv(given, options) as (path, options),
    ):
        if result is not None:
            _check_target(result, path)
        task = WriteTask.of(path, options)
        if remote.url is not None and remote.token is not None:
            from bulkwright.cli.write_remote import RemoteAccount, write_remote

            quoted = jobs.quotes_formulas
            account = RemoteAccount(remote.url, remote.token, dry_run=dry_run)
            written = write_remote(task, account, result, quote_formulas=quoted)
        else:
            settings = Settings.merged(jobs, location)
            written = write_on_data_folder(task, settings, location, result, dry_run=dry_run)
    if json:
        print_json(written.value(dry_run=dry_run))
    return written.status


def _check_target(result: Path, file: Path) -> None:
    """Ends the command, before a job is run, if its result cannot be saved under this name."""
    folder = result.parent
    if result.exists() and result.samefile(file):
        fail("--result is the input file; save the result under another name.")
    if result.is_dir():
        fail(f"--result {result} is a folder; name a file.")
    if not folder.is_dir():
        fail(f"--result {result}: there is no folder {folder}.")
    if not os.access(result if result.exists() else folder, os.W_OK):
        fail(f"--result {result}: this user may not write there.")
