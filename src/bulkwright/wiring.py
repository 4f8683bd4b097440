"""The only place that chooses adapters and puts the parts together.

A process opens the SQLite file through one driver (store/database.py): `open_services` through
`sqlite3`, for the API and for commands that run no job; `open_bench` through ADBC, for workers
and for commands that run jobs themselves. Polars is imported by the second alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bulkwright.callback.signing import SigningKeys
from bulkwright.config import Settings
from bulkwright.domain.endpoint import parse_allowed
from bulkwright.files import LocalFiles
from bulkwright.observe import Observer
from bulkwright.service.jobs import JobService
from bulkwright.service.metadata import MetadataService
from bulkwright.service.records import RecordService
from bulkwright.service.schema import SchemaService
from bulkwright.service.setup import SetupService
from bulkwright.service.signin import SignInService
from bulkwright.service.tokens import TokenService
from bulkwright.service.uploads import UploadService
from bulkwright.store.accounts import AccountStore
from bulkwright.store.database import Database
from bulkwright.store.jobs import JobStore
from bulkwright.store.migrate import migrate
from bulkwright.store.modules import ModuleStore
from bulkwright.store.outbox import OutboxStore
from bulkwright.store.sessions import SessionStore

if TYPE_CHECKING:
    from bulkwright.callback.courier import Courier
    from bulkwright.worker import Heart, Worker


@dataclass(frozen=True, slots=True)
class Services:
    """Every use case, over one database and one file area."""

    database: Database
    files: LocalFiles
    accounts: AccountStore
    job_store: JobStore
    modules: ModuleStore
    tokens: TokenService
    signin: SignInService
    schema: SchemaService
    setup: SetupService
    uploads: UploadService
    jobs: JobService
    records: RecordService
    metadata: MetadataService
    outbox: OutboxStore
    signing: SigningKeys

    def close(self) -> None:
        """Close the database."""
        self.database.close()


@contextmanager
def open_services(settings: Settings) -> Iterator[Services]:
    """The use cases over Python's own SQLite; brings the database up to date first."""
    from bulkwright.store.sqlite.stdlib import StdlibDatabase

    settings.prepare()
    database = StdlibDatabase(settings.database_path)
    try:
        migrate(database, "sqlite")
        yield _services(database, settings)
    finally:
        database.close()


@contextmanager
def open_bench(
    settings: Settings, observe: Observer, *, dry: bool = False
) -> Iterator[tuple[Services, Worker]]:
    """The use cases and a worker, both over ADBC; brings the database up to date first.

    With `dry`, the caller takes back what the worker does (`Workshop.dry`).
    """
    from bulkwright.pipeline.workshop import Workshop
    from bulkwright.store.sqlite.adbc import AdbcDatabase
    from bulkwright.store.sqlite.sink import SqliteSink
    from bulkwright.worker import Worker

    settings.prepare()
    database = AdbcDatabase(settings.database_path)
    try:
        migrate(database, "sqlite")
        services = _services(database, settings)
        worker: Worker

        def stopping() -> bool:
            return worker.stopping

        shop = Workshop(
            jobs=services.job_store,
            modules=services.modules,
            accounts=services.accounts,
            sink=SqliteSink(database),
            files=services.files,
            limits=settings.limits,
            observe=observe,
            stopping=stopping,
            dry=dry,
        )
        worker = Worker(shop, _second_store(settings))
        yield services, worker
    finally:
        database.close()


def make_courier(settings: Settings, services: Services, observe: Observer) -> Courier:
    """The courier of a server's callbacks. Raises InvalidEndpoint for a bad `callback_allow`."""
    from bulkwright.callback.courier import Courier
    from bulkwright.egress import Guard

    allow = frozenset(map(parse_allowed, settings.callback_allow))
    guard = Guard(allow, loopback=settings.dev)
    return Courier(services.outbox, services.job_store, guard, observe)


def _second_store(settings: Settings) -> Heart:
    from bulkwright.store.sqlite.adbc import AdbcDatabase

    @contextmanager
    def opened() -> Iterator[JobStore]:
        database = AdbcDatabase(settings.database_path)
        try:
            yield JobStore(database)
        finally:
            database.close()

    return opened


def _services(database: Database, settings: Settings) -> Services:
    files = LocalFiles(settings.files_path)
    files.sweep()
    accounts, jobs, modules = AccountStore(database), JobStore(database), ModuleStore(database)
    tokens, schema = TokenService(accounts), SchemaService(modules)
    outbox = OutboxStore(database)
    uploads = UploadService(accounts, modules, jobs, files, settings.limits)
    return Services(
        database=database,
        files=files,
        accounts=accounts,
        job_store=jobs,
        modules=modules,
        tokens=tokens,
        signin=SignInService(accounts, SessionStore(database), tokens),
        schema=schema,
        setup=SetupService(accounts, modules, schema, tokens),
        uploads=uploads,
        jobs=JobService(
            accounts, modules, jobs, files, uploads, settings.limits, settings.layout_mandatory
        ),
        records=RecordService(database, accounts, modules),
        metadata=MetadataService(accounts, modules),
        outbox=outbox,
        signing=SigningKeys(outbox),
    )
