"""`demo`: the main job in one go, over real HTTP, on the embedded store."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from rich.json import JSON
from rich.table import Table
from rich.text import Text

from bulkwright.cli.show import coloured, console, polled, progress, refuse
from bulkwright.client import Client
from bulkwright.wire.responses import JobDetails

_SHOWN = 12


def demo(
    file: Annotated[Path | None, Parameter(help="A CSV of Leads; default: the example.")] = None, /
) -> int:
    """Start a server, upload a CSV of leads, create the job, and show what came of every row.

    Everything lives in a temporary folder and is gone afterwards.
    """
    source = file or _example()
    if not source.is_file():
        refuse(f"{source} is not there.")
    with tempfile.TemporaryDirectory(prefix="bulkwright-demo-") as folder:
        data = Path(folder) / "data"
        with _server(data) as url:
            credentials = json.loads((data / "dev-credentials.json").read_text("utf-8"))
            return _one_job(url, credentials, source, Path(folder))


def _one_job(url: str, credentials: dict[str, Any], source: Path, folder: Path) -> int:
    zipped = folder / f"{source.stem}.zip"
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(source, source.name)
    with Client(
        url, token=credentials["access_token"], org_id=credentials["org_id"]
    ) as client, progress(source.name) as observe:  # fmt: skip
        _say(f"POST {url}/crm/v2/upload", f"{zipped.name}, {zipped.stat().st_size:,} bytes")
        file_id = client.upload(zipped)
        _say(f"POST {url}/crm/bulk/v2/write", f"insert into Leads, find_by Email, file {file_id}")
        job_id = client.write("insert", "Leads", file_id, find_by="Email")
        _say(f"GET  {url}/crm/bulk/v2/write/{job_id}", "until the job has ended")
        details = client.wait(job_id, watch=lambda d: observe(polled(d)))
        observe(polled(details))
        console.print(JSON(_shortened(details)))
        result = folder / "result.zip"
        if details.result is not msgspec.UNSET:
            _say(f"GET  {url}{details.result.download_url}", "the result, one line for each row")
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
    console.print(f"\n{name}: what was skipped, and why")
    _table([r for r in rows if r["STATUS"] != "ADDED"][: 2 * _SHOWN], "ERRORS")
    console.print("what was added (the first few)")
    _table([r for r in rows if r["STATUS"] == "ADDED"][:_SHOWN], "RECORD_ID")
    told = [f"{count:,} {outcome}" for outcome, count in sorted(outcomes.items())]
    console.print(f"{len(rows):,} rows: {', '.join(told)}")


def _table(rows: list[dict[str, str]], answer: str) -> None:
    """The first echoed column, which may be cut, and the answer, which may not."""
    if not rows:
        return
    first = next(iter(rows[0]))
    table = Table()
    table.add_column(Text(first), no_wrap=True, max_width=32)
    table.add_column("STATUS", no_wrap=True)
    table.add_column(answer, overflow="fold")
    for row in rows:
        table.add_row(
            Text(row[first]), coloured(row["STATUS"]), Text(row[answer].replace(":", ":\n"))
        )
    console.print(table)


def _say(call: str, what: str) -> None:
    console.print(Text.assemble((call, "bold"), "  ", (what, "dim")), soft_wrap=True)


def _shortened(details: JobDetails) -> str:
    """Job details with only the first two mappings, for people to read."""
    body = json.loads(msgspec.json.encode(details))
    mappings = body["resource"][0]["field_mappings"]
    if len(mappings) > 2:
        body["resource"][0]["field_mappings"] = [*mappings[:2], f"... {len(mappings) - 2} more"]
    return json.dumps(body)


@contextmanager
def _server(data: Path) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bulkwright", "serve", "--dev", "--data", str(data), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    try:
        line = process.stdout.readline()
        if not line.startswith("ready "):
            refuse(f"the server did not start: {process.stderr.read().strip()}")
        yield line.split()[1]
    finally:
        process.terminate()
        process.communicate()


def _example() -> Path:
    packaged = Path(str(files("bulkwright"))) / "data" / "leads.csv"
    if packaged.is_file():
        return packaged
    return Path(__file__).parents[3] / "examples" / "leads.csv"  # a checkout
