"""`serve` and `worker`: the two commands that keep running."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from typing import Annotated

from cyclopts import Parameter

from bulkwright.cli.options import DEFAULT_DATA, Data, Profile
from bulkwright.cli.show import refuse
from bulkwright.config import Settings


def serve(
    *,
    data: Data = DEFAULT_DATA,
    host: str = "127.0.0.1",
    port: Annotated[int, Parameter(help="0 takes a free one.")] = 8080,
    dev: Annotated[
        bool, Parameter(help="Make credentials, serve loopback only, imply --profile zoho.")
    ] = False,
    profile: Profile | None = None,
    workers: Annotated[int, Parameter(help="Worker processes.")] = 1,
    callback_allow: Annotated[
        tuple[str, ...],
        Parameter(
            negative=(),
            help="HOST:PORT that callbacks may go to although its address is not a public one; "
            "may be given several times. With --dev loopback is allowed anyway.",
        ),
    ] = (),
    public_url: Annotated[
        str, Parameter(help="How clients reach the server through a proxy: https://HOST[:PORT].")
    ] = "",
    strict_upload_status: Annotated[
        bool, Parameter(help="Answer an upload that is no zip with 400 as documented, not 200.")
    ] = False,
    layout_mandatory: Annotated[
        bool, Parameter(help="Demand fields that only a layout makes mandatory (Leads: Company).")
    ] = False,
) -> None:
    """Serve the API and run workers until SIGTERM or Ctrl-C.

    Prints `ready http://HOST:PORT` when every endpoint answers. Without --dev nothing is made by
    default: make an org and credentials with `bulkwright init` first.
    """
    from bulkwright.serve import CannotServe
    from bulkwright.serve import serve as run

    _log_to_stderr()
    settings = Settings(
        data,
        profile or ("zoho" if dev else "service"),
        dev,
        callback_allow=callback_allow,
        public_url=_origin(public_url),
        strict_upload_status=strict_upload_status,
        layout_mandatory=layout_mandatory,
    )
    try:
        run(settings, host, port, workers)
    except CannotServe as reason:
        refuse(str(reason))
    except OSError as error:
        refuse(f"cannot serve {host}:{port}: {error.strerror or error}")


def worker(
    *,
    data: Data = DEFAULT_DATA,
    profile: Profile = "service",
    attached: Annotated[bool, Parameter(help="End when standard input ends.")] = False,
) -> None:
    """Run the jobs of a data folder until SIGTERM or Ctrl-C; several workers may do so at once."""
    from bulkwright.observe import log_event
    from bulkwright.wiring import open_bench

    _log_to_stderr()
    with open_bench(Settings(data, profile), log_event) as (_, bench):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: bench.stop())
        if attached:
            threading.Thread(target=_until_input_ends, daemon=True).start()
        bench.run()


def _origin(url: str) -> str:
    """A public URL without its last slash; it is one of a host, not of a path on it."""
    from bulkwright.domain.endpoint import InvalidEndpoint, parse_endpoint

    try:
        endpoint = parse_endpoint(url) if url else None
    except InvalidEndpoint as error:
        refuse(f"--public-url: {error}.")
    if endpoint is not None and endpoint.path != "/":
        refuse("--public-url has no path: https://HOST[:PORT].")
    return "" if endpoint is None else endpoint.origin


def _until_input_ends() -> None:
    # The server that started this worker holds the other end: however it goes, the worker goes.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _log_to_stderr() -> None:
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s: %(message)s"
    )
