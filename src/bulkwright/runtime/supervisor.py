"""Runs the API in this process and its workers in processes of their own.

API and workers open the database through different drivers (store/database.py), so they are
different processes. A worker that ends is started again. On SIGTERM or SIGINT, workers release
their jobs after the current chunk, and requests in progress are answered. With `--drain-seconds`,
further requests are answered for that time too, while `/readyz` answers 503, until a second
signal. A worker also ends when this process ends, because its standard input ends.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.server.embed import Server

from bulkwright.asgi import App, create_app
from bulkwright.callback.dispatcher import CallbackDispatcher
from bulkwright.cores import parts_at_once
from bulkwright.events.log import log_event
from bulkwright.ops.metrics import Metrics
from bulkwright.outages import classify
from bulkwright.runtime.best_effort import best_effort
from bulkwright.runtime.listen_address import Address
from bulkwright.runtime.worker_environment import worker_environment
from bulkwright.runtime.worker_identity import worker_identity
from bulkwright.service.retention import Sweeper
from bulkwright.services import Services
from bulkwright.settings import Settings

if TYPE_CHECKING:
    from bulkwright.emulator.emulation import Emulation

_log = logging.getLogger("bulkwright.serve")

_RESTART_SECONDS = 0.5
_RESTART_MOST_SECONDS = 10.0
_QUICK_RESTARTS = 5
"""A job that kills its workers fails within the first few restarts, so these are not slowed."""
_SETTLED_SECONDS = 30.0
"""A worker that ran for this time did not end because of its start."""
_DRAIN_SECONDS = 30.0
_LISTEN_POLL_SECONDS = 0.005
_PREPARE_SECONDS = 1.0
"""Time for the requests that a client sends as soon as the server is ready."""
_CONNECTIONS = 4_096
"""Open at once; further ones wait. Each needs a file descriptor, and half of these are left to
other files: with a hard limit of 1,024 there are 512."""
_HEAD_SECONDS = 10
"""Within this time the head of a request must be whole, also on a connection that was used before.
So connections that send nothing keep the others waiting no longer."""


class Supervisor:
    """The API server, the callback dispatcher, the sweeper and the workers of one deployment."""

    def __init__(
        self,
        settings: Settings,
        services: Services,
        address: Address,
        dispatcher: CallbackDispatcher,
        metrics: Metrics,
        emulation: Emulation | None = None,
    ) -> None:
        self._settings = settings
        self._services = services
        self._address = address
        self._dispatcher = dispatcher
        self._metrics = metrics
        self._emulation = emulation
        self._clock = services.database.clock
        self._stop = asyncio.Event()
        self._second_signal = asyncio.Event()

    async def run(self) -> None:
        """Runs until a signal, or until the API server ends by itself."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal)
        base_url = self._settings.public_origin or self._address.url
        app = create_app(
            self._services,
            self._settings,
            base_url,
            metrics=self._metrics,
            emulation=self._emulation,
        )
        emulation = self._emulation
        server = self._make_server(app if emulation is None else emulation.gate.before(app))
        serving = asyncio.create_task(server.serve())
        await self._wait_until_listening(serving)
        # This opens the database connection of that thread now. Later the folder may be read-only,
        # and requests that only read must still be answered.
        await app.health.unready_reason()
        workers = range(self._settings.workers)
        tasks = [asyncio.create_task(self._keep_worker_running(number)) for number in workers]
        tasks.append(asyncio.create_task(self._dispatcher.run(self._stop)))
        tasks.append(asyncio.create_task(self._prepare(app)))
        print(f"ready {self._address.url}", flush=True)
        if self._settings.dev:
            print(f"credentials: {self._settings.credentials_path}")
            print(f"console: {self._address.url}/")
            print(f"endpoints: {self._address.url}/docs", flush=True)
        sweeper = Sweeper(self._services.retention, log_event, self._clock)
        sweeper.start()
        await _first_of(serving, self._stop.wait())
        self._stop.set()
        app.drain()
        await _first_of(serving, self._second_signal.wait(), timeout=self._settings.drain_seconds)
        server.stop()  # type: ignore[no-untyped-call]
        await asyncio.gather(serving, *tasks, return_exceptions=True)
        sweeper.stop()
        serving.result()

    async def _prepare(self, app: App) -> None:
        """Imports what the server started without, a moment after its start.

        The thread would take turns of Python from the first requests.
        """
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), _PREPARE_SECONDS)
            return
        with best_effort("import handlers", otherwise="the first requests take longer"):
            await asyncio.to_thread(app.prepare)

    def _on_signal(self) -> None:
        (self._second_signal if self._stop.is_set() else self._stop).set()

    def _make_server(self, app: object) -> Server:
        connections = _allowed_connections()
        return Server(
            app,
            address=self._address.host,
            port=self._address.port,
            interface=Interfaces.ASGINL,
            # With HTTP/2, or while the protocol is still being detected, Granian has no time limit
            # for a connection that sends nothing.
            http=HTTPModes.http1,
            websockets=False,
            http1_settings=HTTP1Settings(header_read_timeout=_HEAD_SECONDS * 1000),
            backlog=connections,
            backpressure=connections,
            **self._tls(),
            log_enabled=False,
        )

    def _tls(self) -> dict[str, Any]:
        settings = self._settings
        if not settings.tls_certificate:
            return {}
        return {
            "ssl_cert": Path(settings.tls_certificate),
            "ssl_key": Path(settings.tls_key),
            # SDKs of 2019 run on systems that have no TLS 1.3.
            "ssl_protocol_min": SSLProtocols.tls12,
        }

    async def _wait_until_listening(self, serving: asyncio.Task[None]) -> None:
        while not serving.done():
            with suppress(OSError):
                _, writer = await asyncio.open_connection(self._address.host, self._address.port)
                writer.close()
                return
            await asyncio.sleep(_LISTEN_POLL_SECONDS)
        serving.result()

    async def _keep_worker_running(self, number: int) -> None:
        """Runs a worker process and starts it again when it ends, until the server stops.

        The pauses grow when it ends soon after its start several times.
        """
        quick_ends = 0
        while not self._stop.is_set():
            started = self._clock.monotonic()
            try:
                end = await self._run_worker()
            except Exception as error:  # too many open files or processes, for example
                end = f"could not be started: {error}"
            if end is None:
                return
            settled = self._clock.monotonic() - started > _SETTLED_SECONDS
            quick_ends = 0 if settled else quick_ends + 1
            growth = 2.0 ** max(0, quick_ends - _QUICK_RESTARTS)
            pause = min(_RESTART_SECONDS * growth, _RESTART_MOST_SECONDS)
            _log.warning("worker %d %s; starting another in %.1f s", number, end, pause)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause)

    async def _run_worker(self) -> str | None:
        """Runs a worker process. Returns how it ended, or None when this server stopped it."""
        at_once = parts_at_once(self._settings.parts_at_once, self._settings.workers)
        settings = replace(self._settings, parts_at_once=at_once)
        process = await asyncio.create_subprocess_exec(
            # The folder is there for people who list processes; the rest comes by environment,
            # because every process of the machine can read a command line.
            *(sys.executable, "-m", "bulkwright", "worker", "--attached"),
            *("--data", str(self._settings.data)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
            env=worker_environment(settings, os.environ),
        )
        assert process.stdout is not None and self._metrics.workers is not None
        reading = asyncio.create_task(self._metrics.workers.read(process.stdout))
        ended = asyncio.create_task(process.wait())
        await _first_of(ended, self._stop.wait())
        if not ended.done():
            await _stop_process(process, ended)
            return None
        await reading
        try:
            # The process is certainly dead, so its leases need not expire first.
            identity = worker_identity(process.pid)
            await asyncio.to_thread(self._services.claims.end_leases, identity)
        except Exception as error:
            _log.warning("the lease of that worker has to expire: %s", classify(error) or error)
        return f"ended with status {ended.result()}"


def _allowed_connections() -> int:
    """Raises this process's limit of open files as far as is needed; returns what it allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * _CONNECTIONS if hard == resource.RLIM_INFINITY else min(2 * _CONNECTIONS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return _CONNECTIONS if soft == resource.RLIM_INFINITY else min(_CONNECTIONS, soft // 2)


async def _first_of(
    task: asyncio.Task[Any], other: Coroutine[Any, Any, object], *, timeout: float | None = None
) -> None:
    """Waits until either ends, or until `timeout` seconds have passed; cancels `other` then."""
    waiting = asyncio.create_task(other)
    await asyncio.wait({task, waiting}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


async def _stop_process(process: asyncio.subprocess.Process, ended: asyncio.Task[int]) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
        await asyncio.wait({ended}, timeout=_DRAIN_SECONDS)
        if not ended.done():
            process.kill()
    await ended
