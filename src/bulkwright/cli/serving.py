"""`serve` and `worker`: the two commands that keep running."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Annotated, Literal

from cyclopts import Parameter

from bulkwright.cli.options import (
    HERE,
    KeepCallbacks,
    KeepJobs,
    KeepResults,
    KeepUploads,
    Place,
    Profile,
    keeping,
)
from bulkwright.cli.show import refuse
from bulkwright.domain.limits import HINDERED_FIRST_SECONDS
from bulkwright.logs import log_to_stderr
from bulkwright.trouble import trouble

LogFormat = Annotated[Literal["text", "json"], Parameter(help="json: an object a line.")]
LogLevel = Annotated[
    Literal["debug", "info", "warning", "error"], Parameter(help="Log from this level on.")
]
MetricsToken = Annotated[
    str, Parameter(help="Bearer token that opens /metrics; better given by environment.")
]


def serve(
    *,
    place: Place = HERE,
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
    keep_uploads: KeepUploads = None,
    keep_results: KeepResults = None,
    keep_jobs: KeepJobs = None,
    keep_callbacks: KeepCallbacks = None,
    metrics_token: MetricsToken = "",
    drain_seconds: Annotated[
        float,
        Parameter(
            help="When told to stop, go on serving for so long while /readyz answers 503, so that "
            "a balancer sends no more requests; a second signal cuts it short."
        ),
    ] = 0.0,
    log_format: LogFormat = "text",
    log_level: LogLevel = "info",
    log_requests: Annotated[
        bool, Parameter(help="Log each request; --log-level debug does too.")
    ] = False,
) -> None:
    """Serve the API and run workers until SIGTERM or Ctrl-C.

    Prints `ready http://HOST:PORT` when every endpoint answers. Without --dev nothing is made by
    default: make an org and credentials with `bulkwright init` first.
    """
    from bulkwright.serve import CannotServe
    from bulkwright.serve import serve as run

    log_to_stderr("api", log_format, log_level)
    settings = replace(
        place.settings(profile or ("zoho" if dev else "service")),
        dev=dev,
        callback_allow=callback_allow,
        public_url=_origin(public_url),
        strict_upload_status=strict_upload_status,
        layout_mandatory=layout_mandatory,
        metrics_token=metrics_token,
        drain_seconds=drain_seconds,
        log_format=log_format,
        log_level=log_level,
        log_requests=log_requests,
    )
    settings = replace(
        settings,
        kept=keeping(
            settings.profile,
            uploads=keep_uploads,
            results=keep_results,
            jobs=keep_jobs,
            callbacks=keep_callbacks,
        ),
    )
    try:
        run(settings, host, port, workers)
    except CannotServe as reason:
        refuse(str(reason))
    except Exception as error:
        if wrong := trouble(error):
            refuse(f"cannot serve {place.name}: {wrong}.")
        if not isinstance(error, OSError):
            raise
        refuse(f"cannot serve {host}:{port}: {error.strerror or error}")


def worker(
    *,
    place: Place = HERE,
    profile: Profile = "service",
    metrics: Annotated[
        str, Parameter(help="HOST:PORT where this worker serves /metrics and /healthz.")
    ] = "",
    metrics_token: MetricsToken = "",
    log_format: LogFormat = "text",
    log_level: LogLevel = "info",
    attached: Annotated[
        bool,
        Parameter(
            help="End when standard input ends, and tell on standard output what was done, as "
            "`serve` wants it of its workers; --metrics is not looked at then."
        ),
    ] = False,
) -> None:
    """Run the jobs of a data folder until SIGTERM or Ctrl-C; several workers may do so at once.

    While the server of a --database is not there, says so once and tries again.
    """
    from bulkwright.metrics.alone import Alone, CannotListen
    from bulkwright.metrics.crew import Teller
    from bulkwright.observe import WorkerHindered, each, log_event
    from bulkwright.wiring import open_bench

    log_to_stderr("worker", log_format, log_level)
    observers = [log_event]
    served: AbstractContextManager[object] = nullcontext()
    if attached:
        threading.Thread(target=_until_input_ends, daemon=True).start()
        observers.append(Teller(sys.stdout.fileno()).observe)
    elif metrics:
        try:
            served = alone = Alone(metrics, metrics_token)
        except CannotListen as reason:
            refuse(f"--metrics: {reason}")
        observers.append(alone.observe)
    observe = each(*observers)
    told = ""
    with served:
        while True:
            try:
                with open_bench(place.settings(profile), observe) as (_, bench):
                    for number in (signal.SIGTERM, signal.SIGINT):
                        signal.signal(number, lambda *_: bench.stop())
                    return bench.run()
            except Exception as error:
                wrong = trouble(error)
                if wrong is None:
                    raise
                if not place.database:
                    refuse(f"cannot work on {place.name}: {wrong}.")
                if wrong != told:
                    told = wrong
                    observe(WorkerHindered(wrong))
                time.sleep(HINDERED_FIRST_SECONDS)


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
