"""The ASGI app of the service: the kernel with every face.

The faces do not know each other. What one needs from another is handed over here.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Protocol, cast

from bulkwright.domain.limits import (
    API_THREADS,
    API_THREADS_OF_ONE,
    TOKEN_REQUESTS_A_SECOND,
    TOKEN_REQUESTS_AT_ONCE,
)
from bulkwright.events.counters import RequestCounters
from bulkwright.ops import health
from bulkwright.ops.health import Health
from bulkwright.ops.metrics import Metrics
from bulkwright.service.readiness import Readiness
from bulkwright.service.throttle import Allowance
from bulkwright.settings import Settings
from bulkwright.store.database import Database
from bulkwright.web.app import Kernel, KernelOptions
from bulkwright.web.cors import Cors
from bulkwright.web.handlers import import_handlers
from bulkwright.web.host import loopback_or
from bulkwright.web.mount import Mount
from bulkwright.web.response_cache import ResponseCache
from bulkwright.web.router import Router, bind
from bulkwright.zoho import routes as zoho
from bulkwright.zoho.auth import bearer
from bulkwright.zoho.context import ZohoContext
from bulkwright.zoho.denials import Denials
from bulkwright.zoho.origins import ALLOWED_HEADERS, javascript_origins
from bulkwright.zoho.problems import response_to
from bulkwright.zoho.services import ZohoServices
from bulkwright.zoho.versions import VERSIONS, Version, version_pattern

if TYPE_CHECKING:
    from bulkwright.emulator.controls import Controls, EmulatedServices
    from bulkwright.emulator.emulation import Emulation


class AppServices(ZohoServices, Protocol):
    """The services behind all faces. `bulkwright.services` provides them."""

    @property
    def database(self) -> Database:
        """The database, whose `change_stamp` changes with every commit."""
        ...

    @property
    def readiness(self) -> Readiness:
        """Checks whether requests can be served."""
        ...


DOCS = Mount(
    "/docs",
    "bulkwright.description.pages:create_app",
    paths=("/docs/openapi.json", "/docs/page.css"),
)


HOME = Mount("/", "bulkwright.console.home:create_app")
CONSOLE = "/console"
"""The path of the console."""


class App(Kernel):
    """The app of one deployment."""

    def __init__(
        self,
        services: AppServices,
        settings: Settings,
        zoho_context: ZohoContext,
        metrics: Metrics,
        emulation: Emulation | None = None,
    ) -> None:
        clock = services.database.clock
        self._services = services
        self.health = Health(services.readiness, metrics, settings, bearer)
        router = Router(
            [
                *zoho.bind_routes(zoho_context),
                *bind(health.ROUTES, self.health),
            ],
            {"version": version_pattern(zoho_context.versions)},
        )
        denials = Denials(clock)
        controls = _controls(emulation, services, zoho_context.base_url)
        options = KernelOptions(
            executor=ThreadPoolExecutor(API_THREADS, thread_name_prefix="api"),
            most_turns=API_THREADS_OF_ONE,
            # SQLite has one writer. A database server works with as many cores as it has calls.
            most_heavy_turns=half_the_cores() if settings.database else 1,
            error_response=partial(
                response_to,
                file_format_status=400 if settings.strict_upload_status else 200,
                clock=clock,
            ),
            count_response=(metrics.requests or RequestCounters()).add,
            mounts=(DOCS, HOME, *self._own_faces(denials, zoho_context, controls)),
            trusted_proxies=settings.trusted_proxies,
            # SQLite answers within microseconds. For a database server a thread has to wait.
            handle_on_thread=bool(settings.database),
            # A browser would refuse every other local server of this name.
            https_only=zoho_context.is_https and not settings.dev,
            on_error=denials.note,
            access_log_level=logging.INFO if settings.log_requests else logging.DEBUG,
            # A page of a name that resolves to this machine could read tokens and records.
            serves_host=loopback_or(settings.public_origin) if settings.dev else None,
            note_exchange=None if emulation is None else emulation.exchanges.note,
        )
        super().__init__(
            router,
            Cors(
                partial(javascript_origins, services.accounts),
                router.routes,
                ALLOWED_HEADERS,
                clock,
                same_origin=(CONSOLE,),
            ),
            ResponseCache(_stamp(services.database, emulation), router.routes, clock),
            options,
        )

    def _own_faces(
        self, denials: Denials, zoho_context: ZohoContext, controls: Callable[[], Controls] | None
    ) -> tuple[Mount, ...]:
        """Returns the mounts of the own API, of the console, and of the controls if there are."""
        shared = self._services, denials.note, lambda: self.draining
        more = zoho_context.sign_in_queue, zoho_context.base_url, controls
        faces = (
            Mount("/api/v1", "bulkwright.v1.app:create_app", *shared, paths=None),
            Mount(CONSOLE, "bulkwright.console.app:create_app", *shared, *more, paths=None),
        )
        if controls is None:
            return faces
        emulator = "bulkwright.emulator.app:create_app"
        return (Mount("/api/v1/emulator", emulator, controls, paths=None), *faces)

    def prepare(self) -> None:
        """Imports and makes what the first request of each kind otherwise does. Takes a while."""
        import_handlers()
        services = self._services
        _ = services.signin, services.uploads, services.jobs, services.records
        _ = services.record_calls, services.coql, services.metadata

    def drain(self) -> None:
        """From now on reports `not ready`, and each response closes its connection."""
        self.draining = self.health.draining = True


def _controls(
    emulation: Emulation | None, services: AppServices, base_url: str
) -> Callable[[], Controls] | None:
    """Returns what makes the controls on first use, once; without an emulation there are none."""
    if emulation is None:
        return None

    @cache
    def make() -> Controls:
        from bulkwright.emulator.controls import Controls

        # `bulkwright.services` has all of them; the other faces know fewer.
        return Controls(emulation, cast("EmulatedServices", services), base_url)

    return make


def _stamp(database: Database, emulation: Emulation | None) -> Callable[[], object]:
    """Returns what changes with every commit, and with the clock of an emulator."""
    if emulation is None:
        return database.change_stamp
    from bulkwright.emulator.shared import Place

    shared = emulation.shared
    return lambda: (database.change_stamp(), shared[Place.CHANGES])


def half_the_cores() -> int:
    """Returns how many pieces of heavy work may run for one org: half of the cores stay free.

    The cores are those of this machine, because those of a database server are not known.
    """
    return min(API_THREADS_OF_ONE, max(1, (os.cpu_count() or 1) // 2))


def create_app(
    services: AppServices,
    settings: Settings,
    base_url: str,
    *,
    metrics: Metrics | None = None,
    versions: Mapping[str, Version] = VERSIONS,
    emulation: Emulation | None = None,
) -> App:
    """Returns the app over these services.

    `base_url` is the URL by which clients reach it. `metrics` are reported by `/metrics`, and
    requests are counted there. With an `emulation` the controls of the emulator are served.
    """
    token_requests = Allowance(
        TOKEN_REQUESTS_AT_ONCE, TOKEN_REQUESTS_A_SECOND, services.database.clock
    )
    metrics = metrics or Metrics()
    requests = metrics.requests or RequestCounters()
    zoho_context = ZohoContext(
        services,
        settings.limits,
        base_url,
        versions,
        token_requests,
        clock=services.database.clock,
        dev=settings.dev,
        count_not_served=requests.add_not_served,
    )
    metrics = replace(metrics, requests=requests)
    if emulation is not None:
        emulation.on_reset.append(token_requests.forget)
    return App(services, settings, zoho_context, metrics, emulation)
