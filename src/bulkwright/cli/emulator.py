"""`emulator`: the controls of a server of `serve --dev`, for a shell and for other languages."""

from __future__ import annotations

import json as json_module
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bulkwright.cli.accounts import print_values
from bulkwright.cli.failure import fail
from bulkwright.cli.options import DEFAULT_LOCATION, Json, Location
from bulkwright.cli.output import print_list, print_object
from bulkwright.cli.signals import run_until_end, unwinding_signals
from bulkwright.settings import DataLocation
from bulkwright.testing import ControlFailed, RunningServer, temporary_server
from bulkwright.wire.emulator import ProgressionName, StepName


def reset(*, json: Json = False, location: Location = DEFAULT_LOCATION) -> None:
    """Restore the state at the start of the server: records, jobs, files, tokens, ids, clock."""
    with control_server(location) as server:
        server.reset()
    print_object({"reset": True}, json=json, line="the server is in the state of its start")


def baseline(*, json: Json = False, location: Location = DEFAULT_LOCATION) -> None:
    """Make the state as it is now the one that `emulator reset` restores."""
    with control_server(location) as server:
        server.take_baseline()
    print_object({"baseline": True}, json=json, line="a reset restores the state as it is now")


def seed(
    module: Annotated[str, Parameter(help="The API name of the module.")],
    file: Annotated[Path, Parameter(help="A CSV with API names, or a JSON list of records.")],
    /,
    *,
    json: Json = False,
    location: Location = DEFAULT_LOCATION,
) -> None:
    """Add the records of a file, all or none."""
    with control_server(location) as server:
        added = server.seed(module, file)
    shown = {"module": module, "added": len(added), "ids": added}
    print_object(shown, json=json, line=f"added {len(added):,} records to {module}")


def snapshot(
    file: Annotated[Path, Parameter(help="The zip to write. It holds tokens.")],
    /,
    *,
    json: Json = False,
    location: Location = DEFAULT_LOCATION,
) -> None:
    """Save the whole state of the server to a file."""
    with control_server(location) as server:
        server.save_snapshot(file)
    line = f"saved {file}; it holds tokens and records in clear text"
    print_object({"file": str(file)}, json=json, line=line)


def restore(
    file: Annotated[Path, Parameter(help="A zip of `emulator snapshot`.")],
    /,
    *,
    json: Json = False,
    location: Location = DEFAULT_LOCATION,
) -> None:
    """Replace the whole state of the server by that of a file."""
    with control_server(location) as server:
        server.load_snapshot(file)
    line = "restored; dev-credentials.json has the credentials of the state"
    print_object({"file": str(file)}, json=json, line=line)


def clock(
    *,
    set_: Annotated[
        str | None, Parameter("--set", help="The time to show: 2031-05-06T12:00:00+00:00.")
    ] = None,
    move: Annotated[str | None, Parameter(help="How far to move it: 90s, 15m, 2h, 7d, 1w.")] = None,
    frozen: Annotated[bool | None, Parameter(negative="--running", help="Let it stand.")] = None,
    real: Annotated[bool, Parameter(negative="", help="Show the time of the machine.")] = False,
    json: Json = False,
    location: Location = DEFAULT_LOCATION,
) -> None:
    """Show the clock of the server, or change it."""
    change = {"now": set_, "move": move, "frozen": frozen}
    given = {name: value for name, value in change.items() if value is not None}
    with control_server(location) as server:
        if real:
            server.control("DELETE", "/clock")
        shown = server.control("PUT", "/clock", given) if given else server.control("GET", "/clock")
    stands = ", and stands" if shown["frozen"] else ""
    print_object(shown, json=json, line=f"the clock shows {shown['now']}{stands}")


def pace(
    progression: Annotated[
        ProgressionName | None,
        Parameter(help="How jobs progress; without it, the command shows that."),
    ] = None,
    /,
    *,
    polls: Annotated[int | None, Parameter(help="Of polls: answers before the end.")] = None,
    time: Annotated[str | None, Parameter(help="Of time: how long a job takes: 10m.")] = None,
    at: Annotated[StepName | None, Parameter(help="Of held: the step.")] = None,
    json: Json = False,
    location: Location = DEFAULT_LOCATION,
) -> None:
    """Show or set how jobs progress."""
    change = {"progression": progression, "polls": polls, "time": time, "at": at}
    given = {name: value for name, value in change.items() if value is not None}
    with control_server(location) as server:
        shown = server.control("PUT", "/pace", given) if given else server.control("GET", "/pace")
    measure = [f"{name} {shown[name]}" for name in ("polls", "time", "at") if shown[name]]
    line = f"jobs progress: {' '.join([shown['progression'], *measure])}"
    print_object(shown, json=json, line=line)


def requests(
    *,
    method: Annotated[str | None, Parameter(help="Only requests with this method.")] = None,
    path: Annotated[str | None, Parameter(help="Only paths like this: /crm/*/Leads.")] = None,
    status: Annotated[str | None, Parameter(help="Only with this status: 429, 4xx.")] = None,
    not_implemented: Annotated[
        bool, Parameter(negative="", help="Only requests that met a gap of the service.")
    ] = False,
    har: Annotated[Path | None, Parameter(help="Save them as a HAR to this file.")] = None,
    json: Json = False,
    location: Location = DEFAULT_LOCATION,
) -> None:
    """List the requests that the server has answered, oldest first."""
    filters: dict[str, object] = {"method": method, "path": path, "status": status}
    filters = {name: value for name, value in filters.items() if value is not None}
    if not_implemented:
        filters["not_implemented"] = "true"
    with control_server(location) as server:
        if har is not None:
            har.write_text(json_module.dumps(server.har(**filters), indent=1), "utf-8")
            print_object({"file": str(har)}, json=json, line=f"saved {har}")
            return
        found = server.requests(**filters)
    print_list(found if json else [_line(one) for one in found], json=json)


def _line(one: Mapping[str, object]) -> dict[str, object]:
    names = ("time", "method", "path", "status", "code", "milliseconds")
    return {name: one[name] if one[name] is not None else "" for name in names}


def org(
    company_name: Annotated[str, Parameter(help="The name of the org.")] = "Zylker 2",
    /,
    *,
    json: Json = False,
    location: Location = DEFAULT_LOCATION,
) -> None:
    """Make another org and print its credentials."""
    with control_server(location) as server:
        made = server.new_org(company_name)
    print_values(made, json=json)


def run(
    *command: Annotated[str, Parameter(allow_leading_hyphen=True, help="The command, after `--`.")],
    seed: Annotated[Path | None, Parameter(help="A folder of records to begin with.")] = None,
) -> None:
    """Run a command, such as the tests of a program, with a server that ends with it.

    The command finds the server in the variables BULKWRIGHT_URL, BULKWRIGHT_TOKEN and
    BULKWRIGHT_DATA, the folder of dev-credentials.json. The exit status is that of the command, and
    signals reach it.
    """
    if not command:
        fail("name a command: bulkwright emulator run -- npm test", status=2)
    with unwinding_signals(), temporary_server(seed=seed) as server:
        variables = {
            "BULKWRIGHT_URL": server.base_url,
            "BULKWRIGHT_TOKEN": server.access_token,
            "BULKWRIGHT_DATA": str(server.data),
        }
        try:
            status = run_until_end(command, os.environ | variables)
        except OSError as error:
            fail(f"{command[0]}: {error.strerror}.", status=127)
    sys.exit(status)


@contextmanager
def control_server(location: DataLocation) -> Iterator[RunningServer]:
    """Opens the controls of the server of a data folder; a failure ends the command."""
    try:
        server = RunningServer(location.data)
    except FileNotFoundError:
        fail(f"{location.data} has no dev-credentials.json; start `bulkwright serve --dev` on it.")
    try:
        yield server
    except ControlFailed as error:
        fail(f"{error}")
    except ConnectionError:
        fail(f"no server answers at {server.base_url}; start `bulkwright serve --dev` again.")
    finally:
        server.disconnect()
