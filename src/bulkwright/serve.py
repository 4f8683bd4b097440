"""Runs the API and looks after its workers: `bulkwright serve`.

The API answers in this process; each worker is a process of its own, for the two open the
database through different drivers (store/database.py). A worker that dies is started again. On
SIGTERM or SIGINT workers give their jobs back after the chunk at hand, requests under way are
answered (for `--drain-seconds` further ones too, while `/readyz` says no, until a second signal
comes), and nothing is left running; a worker also ends when this process is gone, because its
standard input does.
"""

from __future__ import annotations

import asyncio
import fcntl
import ipaddress
import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass

from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from bulkwright.api.app import create_app
from bulkwright.callback.courier import Courier
from bulkwright.config import Settings
from bulkwright.domain import scope
from bulkwright.domain.endpoint import InvalidEndpoint
from bulkwright.holder import holder_name
from bulkwright.metrics.crew import Crew
from bulkwright.metrics.page import Metrics
from bulkwright.metrics.tally import RequestTally, Tally
from bulkwright.observe import each, log_event
from bulkwright.service.retention import Sweeper
from bulkwright.trouble import trouble
from bulkwright.wiring import Services, make_courier, open_services

log = logging.getLogger("bulkwright.serve")

_RESTART_SECONDS = 0.5
_RESTART_MOST_SECONDS = 10.0
_SETTLED_SECONDS = 30.0
"""A worker that lived for so long did not end because it was started."""
_DRAIN_SECONDS = 30.0
_CONNECTIONS = 512
"""Open at once; further ones wait. Each is a file descriptor, of which 1,024 are usual."""


class CannotServe(Exception):
    """Serving is not possible as asked; the message tells a person what to do."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The base URL of everything that is served here."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def serve(settings: Settings, host: str, port: int, workers: int) -> None:
    """Serve until told to stop; prints `ready http://HOST:PORT` once every endpoint answers.

    Raises OSError when the address is not to be had, CannotServe when the data folder is not.
    """
    if settings.dev and not _is_loopback(host):
        raise CannotServe(
            f"--dev serves loopback addresses only, not {host}; "
            "without --dev, make credentials with `bulkwright init`."
        )
    settings.prepare()
    # Servers on one database share nothing else, but for the credentials that --dev writes.
    alone = _alone(settings) if settings.dev or not settings.database else nullcontext()
    with alone, _held(host, port) as address, open_services(settings) as services:
        if not settings.database:
            # Nobody else serves this folder: what is claimed was claimed by a server that is dead.
            services.outbox.release_all()
        try:
            tally = Tally()
            courier = make_courier(settings, services, each(log_event, tally.observe))
        except InvalidEndpoint as error:
            raise CannotServe(f"--callback-allow: {error}.") from None
        if settings.dev:
            _write_credentials(settings, services, address)
        elif not services.accounts.orgs():
            log.warning("no org yet: make one with `bulkwright init --data %s`", settings.data)
        metrics = Metrics(tally, Crew(), RequestTally(), services.backlog)
        asyncio.run(_Supervisor(settings, services, address, workers, courier, metrics).run())


class _Supervisor:
    """The API server and the worker processes of one deployment."""

    def __init__(
        self,
        settings: Settings,
        services: Services,
        address: Address,
        workers: int,
        courier: Courier,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._services = services
        self._address = address
        self._workers = workers
        self._courier = courier
        self._metrics = metrics
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told_to_stop)
        base_url = self._settings.public_url or self._address.url
        app = create_app(self._services, self._settings, base_url, metrics=self._metrics)
        server = Server(
            app,
            address=self._address.host,
            port=self._address.port,
            interface=Interfaces.ASGINL,
            # Over HTTP/2, or while it is still open which one is spoken, silence costs nothing.
            http=HTTPModes.http1,
            websockets=False,
            backlog=_CONNECTIONS,
            backpressure=_CONNECTIONS,
            log_enabled=False,
        )
        serving = asyncio.create_task(server.serve())
        await self._until_listening(serving)
        # Opens the connection of that thread: later the folder may have become read-only, and what
        # needs no writing is answered all the same.
        await app.probes.wrong()
        watches = [asyncio.create_task(self._watch_worker(n)) for n in range(self._workers)]
        telling = asyncio.create_task(self._courier.run(self._stop))
        print(f"ready {self._address.url}", flush=True)
        sweeper = Sweeper(self._services.retention, log_event)
        sweeper.start()
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
        self._stop.set()
        app.probes.draining = True
        hurried = asyncio.create_task(self._hurry.wait())
        await asyncio.wait(
            {serving, hurried},
            timeout=self._settings.drain_seconds,
            return_when=asyncio.FIRST_COMPLETED,
        )
        server.stop()  # type: ignore[no-untyped-call]
        await asyncio.gather(serving, telling, *watches, return_exceptions=True)
        sweeper.stop()
        serving.result()

    def _told_to_stop(self) -> None:
        (self._hurry if self._stop.is_set() else self._stop).set()

    async def _until_listening(self, serving: asyncio.Task[None]) -> None:
        while not serving.done():
            with suppress(OSError):
                _, writer = await asyncio.open_connection(self._address.host, self._address.port)
                writer.close()
                return
            await asyncio.sleep(0.005)
        serving.result()

    async def _watch_worker(self, number: int) -> None:
        """Keep one worker process running until told to stop.

        One that ends at once again and again is started less and less often.
        """
        quick = 0
        while not self._stop.is_set():
            begun = time.monotonic()
            try:
                end = await self._run_worker()
            except Exception as error:  # too many open files or processes, perhaps
                end = f"could not be started: {error}"
            if end is None:
                return
            quick = 0 if time.monotonic() - begun > _SETTLED_SECONDS else quick + 1
            # A job that kills its workers is given up within the first few.
            pause = min(_RESTART_SECONDS * 2.0 ** max(0, quick - 5), _RESTART_MOST_SECONDS)
            log.warning("worker %d %s; starting another in %.1f s", number, end, pause)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause)

    async def _run_worker(self) -> str | None:
        """Run a worker process; how it ended by itself, None when it was told to."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bulkwright", "worker", "--attached"),
            *("--data", str(self._settings.data), "--profile", self._settings.profile),
            *(("--files", self._settings.files) if self._settings.files else ()),
            *("--log-format", self._settings.log_format, "--log-level", self._settings.log_level),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
            # Not on the command line, where every process of the machine could read a password.
            env={**os.environ, "BULKWRIGHT_DATABASE": self._settings.database},
        )
        assert process.stdout is not None and self._metrics.crew is not None
        hearing = asyncio.create_task(self._metrics.crew.hear(process.stdout))
        ended = asyncio.create_task(process.wait())
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not ended.done():
            await _end(process, ended)
            return None
        await hearing
        try:
            # Its parent knows for sure that it is dead: nobody has to wait for its lease.
            holder = holder_name(process.pid)
            await asyncio.to_thread(self._services.job_store.end_leases, holder)
        except Exception as error:
            log.warning("its lease has to run out: %s", trouble(error) or error)
        return f"ended with status {ended.result()}"


async def _end(process: asyncio.subprocess.Process, ended: asyncio.Task[int]) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
        await asyncio.wait({ended}, timeout=_DRAIN_SECONDS)
        if not ended.done():
            process.kill()
    await ended


def _write_credentials(settings: Settings, services: Services, address: Address) -> None:
    """Keep `dev-credentials.json` true: made once, with a fresh token and URL at each start.

    What it tells of is committed after it is written: killed between the two, the next start
    begins anew.
    """
    path = settings.credentials_path
    fresh = path.with_suffix(".new")
    with services.database.transaction():
        credentials = _credentials(settings, services, address)
        with open(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            json.dump(credentials, file, indent=2)
            file.write("\n")
        fresh.replace(path)


def _credentials(settings: Settings, services: Services, address: Address) -> dict[str, object]:
    path = settings.credentials_path
    if not services.accounts.orgs():
        return services.setup.dev_setup(address.url)
    if not path.is_file():
        raise CannotServe(
            f"{settings.data} holds an org that --dev did not make; "
            "serve it without --dev, or choose another folder with --data."
        )
    known = json.loads(path.read_text("utf-8"))
    client = services.accounts.client(known["client_id"])
    if client is None:
        raise CannotServe(f"{path} does not belong to this data folder; remove it.")
    token = services.tokens.issue_access(client, scope.EVERY)
    urls = dict.fromkeys(("base_url", "accounts_url", "upload_url"), address.url)
    return {**known, **urls, "access_token": token}


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Hold the data folder: two servers on it would write each other's credentials."""
    with (settings.data / "serve.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotServe(f"{settings.data} is being served already.") from None
        yield


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


@contextmanager
def _held(host: str, port: int) -> Iterator[Address]:
    """Hold an address that nobody has; with port 0 a free one.

    Granian shares its port with whoever shares theirs, so it would start beside another server
    and get some of the requests. This socket is bound before it lets others share, which only an
    address of one's own allows, and never listens.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((host, port))
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        yield Address(host, int(held.getsockname()[1]))
