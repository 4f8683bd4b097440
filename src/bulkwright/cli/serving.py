"""`serve` and `worker`: the two commands that run until they are stopped."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated

from cyclopts import Parameter

from bulkwright.cli.failure import fail
from bulkwright.cli.options import FLAT
from bulkwright.events.events import Observer, each
from bulkwright.outages import classify
from bulkwright.runtime.logging import log_to_stderr
from bulkwright.settings import Settings, WorkerSettings

_DEFAULT_SETTINGS = Settings()
_DEFAULT_WORKER_SETTINGS = WorkerSettings()


def serve(
    *,
    settings: Annotated[Settings, FLAT] = _DEFAULT_SETTINGS,
    end_with_stdin: Annotated[
        bool,
        Parameter(
            negative="",
            help="Stop when standard input ends too, as it does when the program is gone that has "
            "started the server and holds the other end.",
        ),
    ] = False,
) -> None:
    """Serve the API and run workers until SIGTERM or Ctrl-C.

    Prints `ready http://HOST:PORT` when every endpoint answers. Without --dev, create an org and
    credentials with `bulkwright init` first.
    """
    from bulkwright.runtime.serve import CannotServe
    from bulkwright.runtime.serve import serve as run

    log_to_stderr("api", settings.log_format, settings.log_level)
    if end_with_stdin:
        threading.Thread(target=_stop_when_input_ends, daemon=True).start()
    try:
        run(settings)
    except CannotServe as reason:
        fail(str(reason))
    except Exception as error:
        if outage := classify(error):
            fail(f"cannot serve {settings.name}: {outage}.")
        if not isinstance(error, OSError):
            raise
        if error.filename is not None:
            fail(f"cannot serve {settings.name}: {error.filename}: {error.strerror}.")
        fail(f"cannot serve {settings.host}:{settings.port}: {error.strerror or error}")


def worker(*, options: Annotated[WorkerSettings, FLAT] = _DEFAULT_WORKER_SETTINGS) -> None:
    """Run the jobs of a data folder until SIGTERM or Ctrl-C. Several workers may run at once.

    While the server of a --database does not answer, reports it once and tries again.
    """
    from bulkwright.events.log import log_event
    from bulkwright.events.worker_metrics import CounterReporter
    from bulkwright.ops.standalone import CannotListen, MetricsServer

    log_to_stderr("worker", options.log_format, options.log_level)
    observers: list[Observer] = [log_event]
    metrics: AbstractContextManager[object] = nullcontext()
    if options.attached:
        threading.Thread(target=_stop_when_input_ends, daemon=True).start()
        observers.append(CounterReporter(sys.stdout.fileno()).observe)
    elif options.metrics:
        try:
            metrics = server = MetricsServer(options.metrics, options.metrics_token)
        except CannotListen as reason:
            fail(f"--metrics: {reason}")
        observers.append(server.observe)
    with metrics:
        settings = worker_settings(options, os.environ)
        _run_worker(settings, each(*observers), options.helps)


def worker_settings(options: WorkerSettings, environ: Mapping[str, str]) -> Settings:
    """Returns the settings of a worker: those of its server if it is attached, then `options`."""
    if options.attached:
        return Settings.merged(Settings.from_env(environ), options)
    return Settings.merged(options)


def _run_worker(settings: Settings, observe: Observer, helped: int | None) -> None:
    """Runs a worker; if its database is a server that does not answer, tries again."""
    from bulkwright.clock import SYSTEM_CLOCK, Clock
    from bulkwright.domain.limits import BLOCKED_FIRST_SECONDS
    from bulkwright.events.events import WorkerBlocked
    from bulkwright.runtime.worker import open_worker

    clock: Clock = SYSTEM_CLOCK
    steps = None
    reported = ""
    while True:
        try:
            if settings.dev:
                from bulkwright.emulator.emulation import open_emulation

                clock, steps = open_emulation(settings.emulator_path)
            with open_worker(settings, observe, clock=clock, steps=steps) as (_, worker):
                for number in (signal.SIGTERM, signal.SIGINT):
                    signal.signal(number, lambda *_: worker.stop())
                return worker.run(helped)
        except Exception as error:
            outage = classify(error)
            if outage is None:
                raise
            reason = str(outage)
            if not settings.database:
                fail(f"cannot work on {settings.name}: {reason}.")
            if reason != reported:
                reported = reason
                observe(WorkerBlocked(reason))
            time.sleep(BLOCKED_FIRST_SECONDS)


def _stop_when_input_ends() -> None:
    # The process that started this one holds the other end. When it is gone, the input ends, and
    # this process stops.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
