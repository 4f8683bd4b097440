"""Runs the API and looks after its workers: `bulkwright serve`.

The API answers in this process; each worker is a process of its own, for the two open the
database through different drivers (store/database.py). A worker that dies is started again. On
SIGTERM or SIGINT workers give their jobs back after the chunk at hand, requests under way are
answered, and nothing is left running; a worker also ends when this process is gone, because its
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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from granian.constants import Interfaces
from granian.server.embed import Server

from bulkwright.api.app import create_app
from bulkwright.callback.courier import Courier
from bulkwright.config import Settings
from bulkwright.domain import scope
from bulkwright.domain.endpoint import InvalidEndpoint
from bulkwright.holder import holder_name
from bulkwright.observe import log_event
from bulkwright.wiring import Services, make_courier, open_services

log = logging.getLogger("bulkwright.serve")

_RESTART_SECONDS = 0.5
_DRAIN_SECONDS = 30.0


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

    Raises CannotServe when the address or the data folder is not to be had.
    """
    if settings.dev and not _is_loopback(host):
        raise CannotServe(
            f"--dev serves loopback addresses only, not {host}; "
            "without --dev, make credentials with `bulkwright init`."
        )
    address = Address(host, port or _free_port(host))
    settings.prepare()
    with _alone(settings), open_services(settings) as services:
        # Nobody else serves this folder: what is claimed was claimed by a server that is dead.
        services.outbox.release_all()
        try:
            courier = make_courier(settings, services, log_event)
        except InvalidEndpoint as error:
            raise CannotServe(f"--callback-allow: {error}.") from None
        if settings.dev:
            _write_credentials(settings, services, address)
        elif not services.accounts.orgs():
            log.warning("no org yet: make one with `bulkwright init --data %s`", settings.data)
        asyncio.run(_Supervisor(settings, services, address, workers, courier).run())


class _Supervisor:
    """The API server and the worker processes of one deployment."""

    def __init__(
        self,
        settings: Settings,
        services: Services,
        address: Address,
        workers: int,
        courier: Courier,
    ) -> None:
        self._settings = settings
        self._services = services
        self._address = address
        self._workers = workers
        self._courier = courier
        self._stop = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        server = Server(
            create_app(
                self._services, self._settings, self._settings.public_url or self._address.url
            ),
            address=self._address.host,
            port=self._address.port,
            interface=Interfaces.ASGINL,
            log_enabled=False,
            websockets=False,
        )
        serving = asyncio.create_task(server.serve())
        await self._until_listening(serving)
        watches = [asyncio.create_task(self._watch_worker(n)) for n in range(self._workers)]
        telling = asyncio.create_task(self._courier.run(self._stop))
        print(f"ready {self._address.url}", flush=True)
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
        self._stop.set()
        server.stop()  # type: ignore[no-untyped-call]
        await asyncio.gather(serving, telling, *watches, return_exceptions=True)

    async def _until_listening(self, serving: asyncio.Task[None]) -> None:
        while not serving.done():
            with suppress(OSError):
                _, writer = await asyncio.open_connection(self._address.host, self._address.port)
                writer.close()
                return
            await asyncio.sleep(0.005)
        serving.result()

    async def _watch_worker(self, number: int) -> None:
        """Keep one worker process running until told to stop."""
        while not self._stop.is_set():
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bulkwright", "worker", "--attached"),
                *("--data", str(self._settings.data), "--profile", self._settings.profile),
                stdin=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
            ended = asyncio.create_task(process.wait())
            stopped = asyncio.create_task(self._stop.wait())
            await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if not ended.done():
                await _end(process, ended)
                return
            # Its parent knows for sure that it is dead: nobody has to wait for its lease.
            holder = holder_name(process.pid)
            await asyncio.to_thread(self._services.job_store.end_leases, holder)
            log.warning("worker %d ended with status %d; starting another", number, ended.result())
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), _RESTART_SECONDS)


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


def _free_port(host: str) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
