"""`bulkwright serve`: holds the data folder and the address, then runs the API and the workers.

What runs is in supervisor.py. Nothing is left running when `serve` returns.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from bulkwright.clock import SYSTEM_CLOCK
from bulkwright.events.counters import Counters, RequestCounters
from bulkwright.events.events import each
from bulkwright.events.log import log_event
from bulkwright.events.worker_metrics import WorkerMetrics
from bulkwright.ops.metrics import Metrics
from bulkwright.runtime.dev_credentials import write_dev_credentials
from bulkwright.runtime.errors import CannotServe
from bulkwright.runtime.listen_address import hold_port, is_loopback
from bulkwright.runtime.supervisor import Supervisor
from bulkwright.services import Services
from bulkwright.settings import Settings
from bulkwright.wiring import make_dispatcher, open_baseline, open_services

if TYPE_CHECKING:
    from bulkwright.emulator.emulation import Emulation

__all__ = ["CannotServe", "serve"]

_log = logging.getLogger("bulkwright.serve")

_SWITCH_SECONDS = 0.001
"""How long a thread of Python may keep the others waiting. Five times as long is usual; then a few
threads that parse and inspect delay each response by tens of milliseconds."""


def serve(settings: Settings) -> None:
    """Serves until a signal; prints `ready http://HOST:PORT` once every endpoint answers.

    Raises OSError when the address is in use, CannotServe when the data folder cannot be served.
    """
    if settings.dev and not is_loopback(settings.host):
        raise CannotServe(
            f"--dev serves loopback addresses only, not {settings.host}; "
            "without --dev, create credentials with `bulkwright init`."
        )
    _check_certificate(settings)
    settings.prepare()
    sys.setswitchinterval(_SWITCH_SECONDS)
    # Servers on one database share nothing else, except the credentials that --dev writes.
    exclusive = settings.dev or not settings.database
    folder = _lock_data_folder(settings) if exclusive else nullcontext()
    port = hold_port(settings.host, settings.port, settings.scheme)
    with folder, port as address, ExitStack() as stack:
        emulation = _emulation(settings) if settings.dev else None
        clock = SYSTEM_CLOCK if emulation is None else emulation.clock
        services = stack.enter_context(open_services(settings, clock))
        if not settings.database:
            # This is the only server of the folder, so every claim is one of a dead server.
            services.outbox.release_all()
        if settings.dev:
            write_dev_credentials(settings, services, address)
            _seed(settings, services)
        elif any(org.dev for org in services.accounts.orgs()):
            raise CannotServe(
                f"{settings.name} was made by `serve --dev`: every reader of its "
                "dev-credentials.json may do everything. Serve it with --dev, or revoke all of "
                f"that first: `bulkwright org adopt {_location(settings)}`."
            )
        elif not services.accounts.orgs():
            _log.warning("no org yet: create one with `bulkwright init %s`", _location(settings))
        if is_clear_text(settings):
            _log.warning(
                "clients on other machines send tokens to %s in clear text; give --tls-certificate "
                "and --tls-key, or put a proxy with TLS in front (docs/deploy.md) and name its "
                "https URL with --public-url",
                settings.host,
            )
        counters = Counters()
        observe = each(log_event, counters.observe)
        services.database.observe = observe
        dispatcher = make_dispatcher(settings, services, observe)
        metrics = Metrics(counters, WorkerMetrics(), RequestCounters(), services.backlog)
        if emulation is not None:
            emulation.baseline = open_baseline(settings, services)
            if emulation.baseline is not None:
                stack.callback(emulation.baseline.copies.close)
                emulation.baseline.take()
            emulation.before_reset.append(dispatcher.drop_attempts)
            dispatcher.alter_sender(emulation.faulty_sender)
            emulation.on_reset.append(lambda: services.record_store.forget_indexes())
        supervisor = Supervisor(settings, services, address, dispatcher, metrics, emulation)
        asyncio.run(supervisor.run())


def _seed(settings: Settings, services: Services) -> None:
    """Adds the records of the seed folder. Raises CannotServe if they cannot be added."""
    folder = Path(settings.seed) if settings.seed else settings.data / "seed"
    if not folder.is_dir():
        if settings.seed:
            raise CannotServe(f"--seed {settings.seed} is no folder.")
        return
    from bulkwright.emulator.seed_folder import seed_from
    from bulkwright.emulator.seeding import InvalidSeed, first_user

    caller = first_user(services.accounts)
    assert caller is not None
    try:
        seed_from(folder, settings.emulator_path / "seeded.json", services, caller)
    except InvalidSeed as error:
        raise CannotServe(f"{error.message} Correct the file, or take it out.") from None


def _location(settings: Settings) -> str:
    """The options with which a command finds the data; a URL may hold a password."""
    database = "--database URL " if settings.database else ""
    return f"{database}--data {shlex.quote(str(settings.data))}"


def is_clear_text(settings: Settings) -> bool:
    """Returns whether clients on other machines use plain http, as far as the settings say."""
    origin = settings.public_origin or f"{settings.scheme}://"
    return not is_loopback(settings.host) and not origin.startswith("https://")


def _check_certificate(settings: Settings) -> None:
    """Raises CannotServe if the certificate and its key cannot be used: Granian says only that."""
    if not settings.tls_certificate:
        return
    import ssl  # costs 10 ms, and few servers speak TLS themselves

    for name in ("tls_certificate", "tls_key"):
        path = getattr(settings, name)
        try:
            open(path, "rb").close()
        except OSError as error:
            raise CannotServe(
                f"--{name.replace('_', '-')}: {path} cannot be read: {error.strerror}."
            ) from None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            settings.tls_certificate, settings.tls_key, password=lambda: ""
        )
    except (ssl.SSLError, ValueError) as error:
        raise CannotServe(
            f"--tls-certificate and --tls-key: {settings.tls_certificate} and {settings.tls_key} "
            "are not a certificate and its key, as PEM and without a password "
            f"({getattr(error, 'reason', None) or error})."
        ) from None


def _emulation(settings: Settings) -> Emulation:
    """Returns a new emulation. Only a server of --dev imports the emulator."""
    from bulkwright.emulator.emulation import make_emulation

    return make_emulation(settings.emulator_path)


@contextmanager
def _lock_data_folder(settings: Settings) -> Iterator[None]:
    """Locks the data folder: two servers on it would overwrite each other's credentials."""
    # Another user who can open it could hold the lock.
    handle = os.open(settings.data / "serve.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    with open(handle, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotServe(f"{settings.data} is already served by another server.") from None
        yield
