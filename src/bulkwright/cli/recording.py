"""`record` and `compare`: what a program calls at Zoho, and what an emulator answers to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import httpx2
from cyclopts import Parameter

from bulkwright.atomic_file import atomic_write
from bulkwright.cli.documents import read_document
from bulkwright.cli.failure import fail
from bulkwright.cli.intercept import emulator, run_behind_proxy
from bulkwright.cli.output import errors, print_json, print_line

if TYPE_CHECKING:
    from bulkwright.intercept.replay import Comparison

_DIFFERENT = 3
"""The exit status where answers differ; 1 is that of a failure."""
_SECONDS = 60.0
File = Annotated[Path, Parameter(name=["--out", "-o"], help="The HAR file to write.")]


def record(
    *command: Annotated[
        str,
        Parameter(help="The program and its arguments, behind `--`.", allow_leading_hyphen=True),
    ],
    out: File = Path("calls.har"),
    to: Annotated[
        str | None, Parameter(help="A server in the role of Zoho. Default: Zoho itself.")
    ] = None,
    with_files: Annotated[
        bool,
        Parameter(negative="", help="Keep uploads and results too. Their content is not masked."),
    ] = False,
    personal_data: Annotated[
        bool, Parameter(negative="", help="Keep the texts of records as they are.")
    ] = False,
) -> int:
    """Run a program that calls Zoho, and write its calls to a HAR file.

    Secrets are replaced always, the texts of records, users and orgs by default. The exit status is
    that of the program.
    """
    from bulkwright.intercept.exchange import as_har
    from bulkwright.intercept.masking import Masking
    from bulkwright.intercept.recording import Recording, recording_gateway

    recording = Recording(Masking(personal=not personal_data), with_files)
    origin = to.rstrip("/") if to is not None else None
    status = run_behind_proxy(
        command, lambda: recording_gateway(recording, origin), set(), only_zoho=False
    )
    with atomic_write(out) as file:
        file.write(json.dumps(as_har(recording.calls), indent=1).encode() + b"\n")
    errors.print(
        f"bulkwright record: {out} has {len(recording.calls)} calls",
        soft_wrap=True, highlight=False, markup=False,
    )  # fmt: skip
    return status


def compare(
    file: Annotated[Path, Parameter(help="A HAR file, of `record` or of another tool.")],
    /,
    *,
    url: Annotated[
        str | None, Parameter(help="An emulator that runs. Default: one is started for this run.")
    ] = None,
    data: Annotated[
        Path | None, Parameter(help="The data folder of the emulator, as of `intercept`.")
    ] = None,
    seed: Annotated[
        Path | None, Parameter(help="A folder of records that the emulator begins with.")
    ] = None,
    json_: Annotated[
        bool, Parameter(name="--json", negative="", help="Print JSON, for other programs.")
    ] = False,
) -> int:
    """Replay recorded calls against an emulator, and print every difference.

    Compared are the HTTP status, the shape of the JSON and the codes in it. Ids of the recording
    are replaced by those that the emulator gives. The exit status is 3 if any answer differs.
    """
    from bulkwright.intercept.exchange import NoHar, from_har
    from bulkwright.intercept.hosts import is_zoho
    from bulkwright.intercept.replay import Replay

    try:
        calls = [call for call in from_har(read_document(file, str(file))) if is_zoho(call.host)]
    except NoHar as error:
        fail(f"{file} is no HAR file ({error}).")
    with emulator(url, data, seed) as (base_url, credentials):
        if credentials is None:
            fail("--url needs --data, the data folder of this emulator.")
        try:
            with httpx2.Client(base_url=base_url, timeout=_SECONDS) as http:
                found = list(Replay(http, credentials).run(calls))
        except httpx2.HTTPError as error:
            fail(f"{base_url} does not answer: {error}")
    different = sum(bool(one.differences) for one in found)
    skipped = sum(bool(one.skipped) for one in found)
    if json_:
        print_json([_shown(one) for one in found])
    else:
        for one in found:
            lines = one.differences or ((f"not replayed: {one.skipped}",) if one.skipped else ())
            if lines:
                print_line(f"{one.call.method} {one.call.path}")
            for line in lines:
                print_line(f"  {line}")
        print_line(f"{len(found)} calls: {different} differ, {skipped} not replayed")
    return _DIFFERENT if different else 0


def _shown(one: Comparison) -> dict[str, object]:
    return {
        "method": one.call.method,
        "path": one.call.path,
        "recorded_status": one.call.status,
        "status": one.status,
        "differences": one.differences,
        "skipped": one.skipped or None,
    }
