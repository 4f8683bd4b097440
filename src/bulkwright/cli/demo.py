"""`demo`: one example job over HTTP, on a temporary data folder."""

from __future__ import annotations

import csv
import io
import json
import tempfile
import zipfile
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.json import JSON

from bulkwright.cli.failure import fail
from bulkwright.cli.output import console, print_line, print_list
from bulkwright.cli.progress import progress, watching
from bulkwright.cli.signals import unwinding_signals
from bulkwright.client import Client
from bulkwright.testing import ServerDidNotStart, ServerProcess
from bulkwright.wire.responses import JobDetails

_SHOWN_ROWS = 12


def demo(
    file: Annotated[Path | None, Parameter(help="A CSV of leads. Default: an example.")] = None, /
) -> int:
    """Start a server, upload a CSV of leads, create a job, and show the outcome of every row.

    All data is in a temporary folder, which is deleted at the end.
    """
    source = file or _example()
    if not source.is_file():
        fail(f"There is no file {source}.")
    with unwinding_signals(), tempfile.TemporaryDirectory(prefix="bulkwright-demo-") as folder:
        try:
            with ServerProcess(Path(folder) / "data") as server:
                return _one_job(server, source, Path(folder))
        except ServerDidNotStart as error:
            fail(str(error))


def _one_job(server: ServerProcess, source: Path, folder: Path) -> int:
    url = server.base_url
    zipped = folder / f"{source.stem}.zip"
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(source, source.name)
    with Client(url, token=server.access_token, org_id=server.org_id) as client:
        _print_step(f"POST {url}/crm/v2/upload", f"{zipped.name}, {zipped.stat().st_size:,} bytes")
        file_id = client.upload(zipped)
        _print_step(
            f"POST {url}/crm/bulk/v2/write", f"insert into Leads, find_by Email, file {file_id}"
        )
        job_id = client.create("insert", "Leads", file_id, find_by="Email")
        _print_step(f"GET  {url}/crm/bulk/v2/write/{job_id}", "until the job ends")
        with progress(source.name) as observe:
            details = client.wait(job_id, watch=watching(observe))
            watching(observe)(details)
        console.print(JSON(_shortened(details)))
        result = folder / "result.zip"
        if details.result is not msgspec.UNSET:
            _print_step(f"GET  {details.result.download_url}", "the result, one line for each row")
            client.download(details, result)
    if details.status != "COMPLETED":
        return 1
    _show_result(result)
    return 0


def _show_result(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        name = archive.namelist()[0]
        rows = list(csv.DictReader(io.StringIO(archive.read(name).decode())))
    outcomes = Counter(row["STATUS"] for row in rows)
    skipped = [row for row in rows if row["STATUS"] != "ADDED"]
    print_line(f"\n{name}: the first skipped rows, with their errors")
    _print_rows([line for row in skipped[:_SHOWN_ROWS] for line in _errors_of(row)], "ERRORS")
    print_line("\nthe first added rows")
    _print_rows([row for row in rows if row["STATUS"] == "ADDED"][:_SHOWN_ROWS], "RECORD_ID")
    counts = [f"{count:,} {outcome}" for outcome, count in sorted(outcomes.items())]
    print_line(f"\n{len(rows):,} rows: {', '.join(counts)}")
    print_line("The server has ended and its data is deleted. One that stays, with a console:")
    print_line("  bulkwright serve --dev")
    print_line("A file of your own, without a server:")
    print_line("  bulkwright write FILE.csv --module Leads --operation insert --dry-run")


def _errors_of(row: dict[str, str]) -> list[dict[str, str]]:
    """The row with its first error, and one without a name for each further error or column."""
    codes = (error.split("-", 1) for error in row["ERRORS"].split(":"))
    first, *others = (f"{code}-{name}" for code, names in codes for name in names.split(","))
    nameless = dict.fromkeys(row, "")
    return [{**row, "ERRORS": first}, *({**nameless, "ERRORS": other} for other in others)]


def _print_rows(rows: list[dict[str, str]], last_column: str) -> None:
    """Prints the first column of each row and the last one."""
    if rows:
        names = (next(iter(rows[0])), last_column)
        print_list([{name: row[name] for name in names} for row in rows], json=False)


def _print_step(call: str, what: str) -> None:
    print_line((call, "bold"))
    print_line((f"     {what}", "dim"))


def _shortened(details: JobDetails) -> str:
    """Returns job details as JSON with only the first two mappings."""
    body = json.loads(msgspec.json.encode(details))
    mappings = body["resource"][0]["field_mappings"]
    if len(mappings) > 2:
        body["resource"][0]["field_mappings"] = [*mappings[:2], f"... {len(mappings) - 2} more"]
    return json.dumps(body)


def _example() -> Path:
    packaged = Path(str(files("bulkwright"))) / "data" / "leads.csv"
    if packaged.is_file():
        return packaged
    return Path(__file__).parents[3] / "examples" / "leads.csv"  # a checkout
