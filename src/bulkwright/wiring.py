"""The only place that chooses adapters and puts the parts together.

`open_services` is for the API and for commands that run no job, `open_bench` for workers and for
commands that run jobs themselves. Polars is imported by the second alone. On SQLite each opens the
file through a driver of its own (store/database.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from bulkwright.callback.signing import SigningKeys
from bulkwright.config import Settings, UnusableSetting
from bulkwright.domain.endpoint import parse_allowed
from bulkwright.domain.limits import API_THREADS
from bulkwright.files import Files
from bulkwright.files.local import LocalFiles
from bulkwright.observe import Observer
from bulkwright.ports import RecordSink
from bulkwright.service.jobs import JobService
from bulkwright.service.metadata import MetadataService
from bulkwright.service.own_tables import OwnTableService
from bulkwright.service.readiness import Readiness
from bulkwright.service.records import RecordService
from bulkwright.service.retention import Retention
from bulkwright.service.schema import SchemaService
from bulkwright.service.setup import SetupService
from bulkwright.service.signin import SignInService
from bulkwright.service.tokens import TokenService
from bulkwright.service.uploads import UploadService
from bulkwright.store.accounts import AccountStore
from bulkwright.store.database import Database
from bulkwright.store.jobs import JobStore
from bulkwright.store.metrics import MetricsStore
from bulkwright.store.migrate import migrate
from bulkwright.store.modules import ModuleStore
from bulkwright.store.outbox import OutboxStore
from bulkwright.store.own_tables import OwnTables
from bulkwright.store.retention import RetentionStore
from bulkwright.store.sessions import SessionStore

if TYPE_CHECKING:
    from bulkwright.callback.courier import Courier
    from bulkwright.service.check import Check
    from bulkwright.store.check import Scratch
    from bulkwright.worker import Heart, Worker


@dataclass(frozen=True, slots=True)
class Services:
    """Every use case, over one database and one file area."""

    database: Database
    files: Files
    accounts: AccountStore
    job_store: JobStore
    modules: ModuleStore
    tokens: TokenService
    signin: SignInService
    schema: SchemaService
    own_tables: OwnTableService
    setup: SetupService
    uploads: UploadService
    jobs: JobService
    records: RecordService
    metadata: MetadataService
    outbox: OutboxStore
    signing: SigningKeys
    retention: Retention
    readiness: Readiness
    backlog: MetricsStore

    def close(self) -> None:
        """Close the database."""
        self.database.close()


@contextmanager
def open_services(settings: Settings) -> Iterator[Services]:
    """The use cases over the API's database; brings that up to date first."""
    settings.prepare()
    with closing(_api_database(settings)) as database:
        migrate(database)
        yield _services(database, settings)


@contextmanager
def open_bench(
    settings: Settings, observe: Observer, *, dry: bool = False
) -> Iterator[tuple[Services, Worker]]:
    """The use cases and a worker over the worker's database; brings that up to date first.

    With `dry`, the caller takes back what the worker does (`Workshop.dry`).
    """
    from bulkwright.pipeline.workshop import Workshop
    from bulkwright.worker import Worker

    settings.prepare()
    database, sink, heart = _worker_stores(settings, patient=dry)
    with closing(database):
        migrate(database)
        services = _services(database, settings)
        worker: Worker

        def stopping() -> bool:
            return worker.stopping

        shop = Workshop(
            jobs=services.job_store,
            modules=services.modules,
            accounts=services.accounts,
            sink=sink,
            files=services.files,
            limits=settings.limits,
            observe=observe,
            stopping=stopping,
            dry=dry,
        )
        worker = Worker(shop, heart)
        yield services, worker


@contextmanager
def open_check(settings: Settings) -> Iterator[Check]:
    """A check of a data folder that somebody else may be serving: nothing in it is written."""
    from bulkwright.service.check import Check
    from bulkwright.store.check import CheckStore

    with closing(_onlooker(settings)) as database:
        yield Check(CheckStore(database), open_files(settings, make=False))


def open_files(settings: Settings, *, make: bool = True) -> Files:
    """The files of a deployment; a folder is made, unless it is only to be looked at.

    Raises UnusableSetting for a URL of no known kind. An object store is not asked for anything
    yet; its library is loaded for it alone.
    """
    where = settings.files
    match where.partition("://")[0] if "://" in where else "":
        case "":
            return LocalFiles(Path(where) if where else settings.files_path, make=make)
        case "file":
            return LocalFiles(Path(unquote(urlsplit(where).path)), make=make)
        case "s3" | "gs" | "az":
            from bulkwright.files.objects import ObjectFiles

            return ObjectFiles(where, settings.scratch_path)
    raise UnusableSetting(
        f"--files {where} is of no known kind; s3://BUCKET/PREFIX, gs://, az:// or a folder is."
    )


def make_courier(settings: Settings, services: Services, observe: Observer) -> Courier:
    """The courier of a server's callbacks. Raises InvalidEndpoint for a bad `callback_allow`."""
    from bulkwright.callback.courier import Courier
    from bulkwright.egress import Guard

    allow = frozenset(map(parse_allowed, settings.callback_allow))
    guard = Guard(allow, loopback=settings.dev)
    return Courier(services.outbox, services.job_store, guard, observe)


def _api_database(settings: Settings) -> Database:
    if settings.database:
        from bulkwright.store.postgres.database import PostgresDatabase

        return PostgresDatabase(settings.database, connections=API_THREADS + 4)
    from bulkwright.store.sqlite.stdlib import StdlibDatabase

    return StdlibDatabase(settings.database_path)


def _onlooker(settings: Settings) -> Scratch:
    if settings.database:
        from bulkwright.store.postgres.onlooker import OnlookerDatabase

        return OnlookerDatabase(settings.database)
    from bulkwright.store.sqlite.readonly import ReadOnlyDatabase

    return ReadOnlyDatabase(settings.database_path)


def _worker_stores(settings: Settings, *, patient: bool) -> tuple[Database, RecordSink, Heart]:
    if settings.database:
        from bulkwright.store.postgres.database import PostgresDatabase
        from bulkwright.store.postgres.sink import PostgresSink

        # One connection for the chunk, one for the heartbeat.
        server = PostgresDatabase(settings.database, connections=2, worker=True, patient=patient)
        return server, PostgresSink(server), lambda: nullcontext(JobStore(server))
    from bulkwright.store.sqlite.adbc import AdbcDatabase
    from bulkwright.store.sqlite.sink import SqliteSink

    @contextmanager
    def opened() -> Iterator[JobStore]:
        # A connection is used by one thread at a time.
        with closing(AdbcDatabase(settings.database_path)) as second:
            yield JobStore(second)

    file = AdbcDatabase(settings.database_path)
    return file, SqliteSink(file), opened


def _services(database: Database, settings: Settings) -> Services:
    files = open_files(settings)
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
        own_tables=OwnTableService(modules, OwnTables(database)),
        setup=SetupService(accounts, modules, schema, tokens),
        uploads=uploads,
        jobs=JobService(
            accounts, modules, jobs, files, uploads, settings.limits, settings.layout_mandatory
        ),
        records=RecordService(database, accounts, modules),
        metadata=MetadataService(accounts, modules),
        outbox=outbox,
        signing=SigningKeys(outbox),
        retention=Retention(RetentionStore(database), files, settings.keeping),
        readiness=Readiness(database, files),
        backlog=MetricsStore(database),
    )
