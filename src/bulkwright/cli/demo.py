"""`demo`: one example job over HTTP, on a temporary data folder."""

from __future__ import annotations

import csv
import io
import json
import tempfile
import zipfile
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.json import JSON
from rich.table import Table
from rich.text import Text

from bulkwright.cli.output import as_progress, coloured, console, fail, progress
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
    with tempfile.TemporaryDirectory(prefix="bulkwright-demo-") as folder:
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
    with Client(
        url, token=server.access_token, org_id=server.org_id
    ) as client, progress(source.name) as observe:  # fmt: skip
        _print_step(f"POST {url}/crm/v2/upload", f"{zipped.name}, {zipped.stat().st_size:,} bytes")
        file_id = client.upload(zipped)
        _print_step(
            f"POST {url}/crm/bulk/v2/write", f"insert into Leads, find_by Email, file {file_id}"
        )
        job_id = client.write("insert", "Leads", file_id, find_by="Email")
        _print_step(f"GET  {url}/crm/bulk/v2/write/{job_id}", "until the job ends")
        details = client.wait(job_id, watch=lambda d: observe(as_progress(d)))
        observe(as_progress(details))
        console.print(JSON(_shortened(details)))
        result = folder / "result.zip"
        if details.result is not msgspec.UNSET:
            _print_step(
                f"GET  {url}{details.result.download_url}", "the result, one line for each row"
            )
            client.download(details, result)
    if details.status != "COMPLETED":
        return 1
    _show_result(result)
    return 0


def _show_result(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        name = archive.namelist()[0]
        rows = list(csv.DictReader(io.StringIO(archive.read(name).decode())))
    outcomes: dict[str, int] = {}
    for row in rows:
        outcomes[row["STATUS"]] = outcomes.get(row["STATUS"], 0) + 1
    console.print(f"\n{name}: skipped rows, with the errors")
    _table([r for r in rows if r["STATUS"] != "ADDED"][: 2 * _SHOWN_ROWS], "ERRORS")
    console.print("the first added rows")
    _table([r for r in rows if r["STATUS"] == "ADDED"][:_SHOWN_ROWS], "RECORD_ID")
    counts = [f"{count:,} {outcome}" for outcome, count in sorted(outcomes.items())]
    console.print(f"{len(rows):,} rows: {', '.join(counts)}")


def _table(rows: list[dict[str, str]], last_column: str) -> None:
    """Prints the first column of each row, cut if it is long, its status and the last column."""
    if not rows:
        return
    first = next(iter(rows[0]))
    table = Table()
    table.add_column(Text(first), no_wrap=True, max_width=32)
    table.add_column("STATUS", no_wrap=True)
    table.add_column(last_column, overflow="fold")
    for row in rows:
        table.add_row(
            Text(row[first]), coloured(row["STATUS"]), Text(row[last_column].replace(":", ":\n"))
        )
    console.print(table)


def _print_step(call: str, what: str) -> None:
    console.print(Text.assemble((call, "bold"), "  ", (what, "dim")), soft_wrap=True)


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
