"""`intercept`: a program whose calls to Zoho's hosts reach an emulator."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from bulkwright.cli.failure import fail
from bulkwright.cli.output import errors
from bulkwright.cli.signals import unwinding_signals
from bulkwright.testing import ServerDidNotStart
from bulkwright.testing.emulator import isolated_server

if TYPE_CHECKING:
    from bulkwright.intercept.conversation import Gateway
    from bulkwright.intercept.credentials import DevCredentials
    from bulkwright.intercept.gateways import Seen

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126
_CREDENTIALS = "dev-credentials.json"


def intercept(
    *command: Annotated[
        str,
        Parameter(help="The program and its arguments, behind `--`.", allow_leading_hyphen=True),
    ],
    url: Annotated[
        str | None, Parameter(help="An emulator that runs. Default: one is started for this run.")
    ] = None,
    data: Annotated[
        Path | None,
        Parameter(
            help="The data folder of the emulator: of the one to start, or with --url of the one "
            "that runs. Default: a temporary folder."
        ),
    ] = None,
    seed: Annotated[
        Path | None, Parameter(help="A folder of records that the emulator begins with.")
    ] = None,
    only_zoho: Annotated[
        bool, Parameter(negative="", help="Refuse connections to any other host.")
    ] = False,
    own_credentials: Annotated[
        bool,
        Parameter(
            negative="",
            help="Pass the tokens of the program as they are. Default: any token and client stand "
            "for the development user.",
        ),
    ] = False,
    quiet: Annotated[bool, Parameter(negative="", help="Print no summary at the end.")] = False,
) -> int:
    """Run a program whose HTTPS calls to Zoho's hosts reach an emulator. The program is unchanged.

    Sets proxy and CA variables. The CA is made for this run, and its key is never written. The exit
    status is that of the program; the summary is on stderr.
    """
    from bulkwright.intercept.gateways import Seen, emulator_gateway

    seen = Seen()
    with emulator(url, data, seed) as (base_url, found):
        credentials = None if own_credentials else found
        refused: set[str] = set()
        status = run_behind_proxy(
            command, lambda: emulator_gateway(base_url, credentials, seen), refused,
            only_zoho=only_zoho,
        )  # fmt: skip
    if not quiet:
        _print_summary(seen, refused)
    return status


def run_behind_proxy(
    command: Sequence[str],
    make_gateway: Callable[[], Gateway],
    refused: set[str],
    *,
    only_zoho: bool,
) -> int:
    """Runs a program behind a proxy that decrypts its calls to Zoho; returns its exit status.

    Adds the hosts that --only-zoho has refused to `refused`.
    """
    try:
        from bulkwright.intercept.authority import Authority
    except ImportError:
        fail("the extra `intercept` is missing; run: pip install 'bulkwright[intercept]'")
    from bulkwright.intercept.environment import environment
    from bulkwright.intercept.proxy import ZohoProxy
    from bulkwright.intercept.running import held_signals, run

    if not command:
        fail("name the program behind `--`: bulkwright intercept -- python my_program.py", status=2)
    if shutil.which(command[0]) is None:
        fail(f"there is no program {command[0]}.", status=_NOT_FOUND)
    authority = Authority()
    with (
        tempfile.TemporaryDirectory(prefix="bulkwright-intercept-") as folder,
        held_signals(),
        ZohoProxy(authority, make_gateway, only_zoho, refused) as proxy,
    ):
        ca, bundle = authority.write(Path(folder))
        variables = environment(os.environ, proxy.ports, ca, bundle, only_zoho=only_zoho)
        try:
            return run(command, variables)
        except OSError as error:
            fail(f"{command[0]} cannot be started: {error.strerror}.", status=_NOT_EXECUTABLE)


@contextmanager
def emulator(
    url: str | None, data: Path | None, seed: Path | None
) -> Iterator[tuple[str, DevCredentials | None]]:
    """Yields the URL of an emulator and the credentials of its development user, if known."""
    from bulkwright.intercept.credentials import DevCredentials

    if url is not None:
        base_url = url.rstrip("/")
        if data is not None and not (data / _CREDENTIALS).is_file():
            fail(f"{data} has no {_CREDENTIALS}; name the data folder of a `serve --dev`.")
        yield base_url, None if data is None else DevCredentials(data / _CREDENTIALS, base_url)
        return
    given = ("--seed", str(seed.absolute())) if seed else ()
    with (
        unwinding_signals(),
        tempfile.TemporaryDirectory(prefix="bulkwright-emulator-") as folder,
    ):
        try:
            with isolated_server((data or Path(folder) / "data").absolute(), *given) as server:
                yield server.base_url, DevCredentials(server.data / _CREDENTIALS, server.base_url)
        except ServerDidNotStart as error:
            fail(str(error))


def _print_summary(seen: Seen, refused: set[str]) -> None:
    calls = ", ".join(f"{count} {host}" for host, count in seen.hosts.most_common())
    lines = [f"calls that reached the emulator: {calls or 'none'}"]
    if not calls:
        lines.append(
            "a program that reads neither HTTPS_PROXY nor Node's --require is not intercepted: "
            "docs/intercept.md"
        )
    lines += [f"not implemented: {call} ({n})" for call, n in seen.not_implemented.most_common()]
    lines += [f"refused: {host}" for host in sorted(refused)]
    for line in lines:
        errors.print(f"bulkwright intercept: {line}", soft_wrap=True, highlight=False, markup=False)
