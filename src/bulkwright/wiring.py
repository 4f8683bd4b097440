"""The only place that chooses adapters and connects the components.

`open_services` is for the API and for commands that run no job, `open_job_context` for workers and
for commands that run jobs themselves. Only the second one imports Polars. On SQLite, each opens the
file through a driver of its own (store/database.py).
"""

from __future__ import annotations

import logging
import shlex
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.cores import parts_at_once
from bulkwright.domain.limits import API_THREADS, TRIAL_IDLE_SECONDS, MiB
from bulkwright.emulator.clock import EmulatedClock
from bulkwright.events.events import Observer
from bulkwright.files import Files, ForeignFiles
from bulkwright.files.local import LocalFiles
from bulkwright.files.space import check_free_space
from bulkwright.folders import is_open, make_root
from bulkwright.service.audit import AuditLog
from bulkwright.service.tokens import TokenService
from bulkwright.services import Services, callback_guard
from bulkwright.settings import Settings
from bulkwright.store.accounts import AccountStore
from bulkwright.store.audit import AuditStore
from bulkwright.store.database import Database
from bulkwright.store.migrate import migrate
from bulkwright.store.modules import ModuleStore
from bulkwright.variables import UnusableSetting

if TYPE_CHECKING:
    from bulkwright.callback.dispatcher import CallbackDispatcher
    from bulkwright.emulator.baseline import Baseline, Copies
    from bulkwright.pipeline.context import JobContext
    from bulkwright.pipeline.dry_run import OpenTrial
    from bulkwright.ports import RecordStores
    from bulkwright.service.check import Check
    from bulkwright.store.check import ReadonlyDatabase
    from bulkwright.store.claims import ClaimStore
    from bulkwright.store.sqlite.adbc import AdbcDatabase


_log = logging.getLogger("bulkwright.files")

_SQLITE = b"SQLite format 3\0"
"""The beginning of every SQLite file."""

OpenClaimStore = Callable[[], "AbstractContextManager[ClaimStore]"]
"""Opens a second claim store, for the thread of the LeaseKeeper."""


@contextmanager
def open_services(settings: Settings, clock: Clock = SYSTEM_CLOCK) -> Iterator[Services]:
    """Opens the use cases over the API's database, and migrates that first."""
    _prepare(settings)
    with closing(_api_database(settings, clock)) as database:
        migrate(database)
        yield _services(database, settings)


@contextmanager
def open_job_context(
    settings: Settings, observe: Observer, *, dry: bool = False, clock: Clock = SYSTEM_CLOCK
) -> Iterator[tuple[Services, JobContext, OpenClaimStore, OpenTrial]]:
    """Opens the use cases and a job context over the worker's database, and migrates that first.

    With `dry`, the caller rolls back the changes of the job (`JobContext.dry`).
    """
    from bulkwright.pipeline.chunk_limit import ChunkLimit
    from bulkwright.pipeline.context import JobContext
    from bulkwright.store.parts import PartStore

    _prepare(settings)
    database, records, open_claim_store = _worker_stores(settings, clock, patient=dry)
    database.observe = observe
    with closing(database), ThreadPoolExecutor(2, thread_name_prefix="pipeline") as threads:
        migrate(database)
        services = _services(database, settings)
        ctx = JobContext(
            jobs=services.job_store,
            uploads=services.upload_store,
            claims=services.claims,
            parts=PartStore(database),
            ledger=services.ledger,
            reads=services.read_store,
            undos=services.undo_store,
            modules=services.modules,
            accounts=services.accounts,
            records=records,
            files=services.files,
            limits=settings.limits,
            observe=observe,
            threads=threads,
            dry=dry,
            keep_images=settings.keeps_images,
            quote_formulas=settings.quotes_formulas,
            chunk_limit=ChunkLimit(limited=not settings.database),
            most_parts=settings.parts if settings.database and not dry else 1,
            short_jobs_beside=bool(settings.database) and not dry,
            parts_at_once=parts_at_once(settings.parts_at_once) if settings.database else 1,
            clock=clock,
        )
        yield services, ctx, open_claim_store, partial(_open_trial, settings, database)


@contextmanager
def _open_trial(settings: Settings, database: Database, ctx: JobContext) -> Iterator[JobContext]:
    """Opens a context whose changes of the database are undone at the end.

    On PostgreSQL it is a transaction. On SQLite, where that would keep all other writers waiting,
    it is a copy of the file.
    """
    if settings.database:
        with suppress(_TrialEnded), database.transaction():
            # Its worker joins the result meanwhile.
            idle = int(TRIAL_IDLE_SECONDS * 1000)
            database.sql(f"SET LOCAL idle_in_transaction_session_timeout = {idle}")
            yield ctx
            raise _TrialEnded
        return
    from bulkwright.pipeline.chunk_limit import ChunkLimit
    from bulkwright.store.claims import ClaimStore
    from bulkwright.store.jobs import JobStore
    from bulkwright.store.ledger import LedgerStore
    from bulkwright.store.parts import PartStore
    from bulkwright.store.sqlite.adbc import AdbcDatabase
    from bulkwright.store.sqlite.copies import copied, size_of
    from bulkwright.store.uploads import UploadStore

    assert isinstance(database, AdbcDatabase)
    make_root(folder := settings.scratch_path)
    check_free_space(folder, settings.free_disk_mib * MiB + size_of(database))
    with copied(database, folder, database.clock) as copy:
        yield replace(
            ctx,
            jobs=JobStore(copy),
            uploads=UploadStore(copy),
            claims=ClaimStore(copy),
            parts=PartStore(copy),
            ledger=LedgerStore(copy),
            modules=ModuleStore(copy),
            accounts=AccountStore(copy),
            records=_sqlite_records(copy),
            chunk_limit=ChunkLimit(limited=False),  # no other process uses a copy
        )


class _TrialEnded(Exception):
    """Rolls back a transaction."""


@contextmanager
def open_check(settings: Settings, clock: Clock = SYSTEM_CLOCK) -> Iterator[Check]:
    """Opens a check of a data folder. It writes nothing, and a server may run meanwhile."""
    from bulkwright.service.check import Check
    from bulkwright.store.check import CheckStore

    with closing(_readonly_database(settings, clock)) as database:
        yield Check(CheckStore(database), open_files(settings, clock, make=False))


def _prepare(settings: Settings) -> None:
    """Makes the data folder, and warns if the files in it are not safe from other users."""
    settings.prepare()
    if is_open(settings.data):
        _log.warning(
            "every user of this machine can replace the files in %s, and the folder belongs to "
            "another user; run: chmod go-w %s", settings.data, shlex.quote(str(settings.data)),
        )  # fmt: skip


def open_files(settings: Settings, clock: Clock = SYSTEM_CLOCK, *, make: bool = True) -> Files:
    """Returns the files of a deployment. With `make`, creates their folder.

    Raises UnusableSetting for a URL of an unknown kind. No request is sent to an object store yet;
    its library is imported only for an object store.
    """
    where, free = settings.files, settings.free_disk_mib * MiB
    match where.partition("://")[0] if "://" in where else "":
        case "":
            folder = Path(where) if where else settings.files_path
            return LocalFiles(folder, make=make, free_bytes=free, clock=clock)
        case "file":
            folder = Path(unquote(urlsplit(where).path))
            return LocalFiles(folder, make=make, free_bytes=free, clock=clock)
        case "s3" | "gs" | "az":
            from bulkwright.files.objects import ObjectFiles

            return ObjectFiles(where, settings.scratch_path, clock, free_bytes=free)
    raise UnusableSetting(
        f"--files {where} is of an unknown kind; give s3://BUCKET/PREFIX, gs://, az:// or a folder."
    )


def _bind(files: Files, database: Database) -> None:
    """Binds the files to the database. Raises UnusableSetting if they belong to another one."""
    deployment = database.one("deployment")
    assert deployment is not None
    try:
        files.bind(deployment["id"])
    except ForeignFiles as error:
        raise UnusableSetting(f"{error}") from None


def make_dispatcher(
    settings: Settings, services: Services, observe: Observer
) -> CallbackDispatcher:
    """Returns the dispatcher of a server's callbacks."""
    from bulkwright.callback.dispatcher import CallbackDispatcher
    from bulkwright.zoho.present.callbacks import CallbackBodies

    return CallbackDispatcher(
        services.outbox,
        callback_guard(settings),
        observe,
        CallbackBodies(services.any_job).of,
        clock=services.database.clock,
    )


def open_baseline(settings: Settings, services: Services) -> Baseline | None:
    """Returns what a reset of the emulator restores; None for an object store."""
    if not isinstance(services.files, LocalFiles):
        return None
    from bulkwright.emulator.baseline import Baseline
    from bulkwright.files.mirror import Mirror

    folder = settings.emulator_path / "baseline"
    shutil.rmtree(folder, ignore_errors=True)  # what an earlier server has left
    copies = _whole_copies(settings, services.database)
    return Baseline(copies, Mirror(services.files.root), folder)


def _whole_copies(settings: Settings, database: Database) -> Copies:
    if settings.database:
        from bulkwright.store.postgres.connection import PostgresDatabase
        from bulkwright.store.postgres.whole import PostgresCopies

        assert isinstance(database, PostgresDatabase)
        return PostgresCopies(database)
    from bulkwright.store.sqlite.whole import SqliteCopies

    return SqliteCopies(settings.database_path, database.clock)


def _api_database(settings: Settings, clock: Clock) -> Database:
    if settings.database:
        from bulkwright.store.postgres.connection import PostgresDatabase

        return PostgresDatabase(settings.database, connections=API_THREADS + 4, clock=clock)
    from bulkwright.store.sqlite.connection import StdlibDatabase

    return StdlibDatabase(_sqlite_path(settings), clock)


def _sqlite_path(settings: Settings) -> Path:
    """Returns the SQLite file. Raises UnusableSetting if another file has its name."""
    path = settings.database_path
    if path.is_file():
        with path.open("rb") as file:
            first = file.read(len(_SQLITE))
        if first not in (b"", _SQLITE):
            raise UnusableSetting(f"--data {settings.data}: {path.name} is no SQLite database.")
    return path


def _readonly_database(settings: Settings, clock: Clock) -> ReadonlyDatabase:
    if settings.database:
        from bulkwright.store.postgres.readonly import PostgresReadonlyDatabase

        return PostgresReadonlyDatabase(settings.database, clock)
    from bulkwright.store.sqlite.readonly import SqliteReadonlyDatabase

    return SqliteReadonlyDatabase(settings.database_path, clock)


def _worker_stores(
    settings: Settings, clock: Clock, *, patient: bool
) -> tuple[Database, RecordStores, OpenClaimStore]:
    from bulkwright.ports import RecordStores
    from bulkwright.store.claims import ClaimStore

    if settings.database:
        from bulkwright.store.postgres.connection import PostgresDatabase
        from bulkwright.store.postgres.existing import PostgresExistingSink
        from bulkwright.store.postgres.records import (
            PostgresImages,
            PostgresParentRecords,
            PostgresReader,
            PostgresSink,
        )

        # One connection for a chunk of each part, one each for lines that are merged beside them,
        # for a short job, and for the LeaseKeepers.
        server = PostgresDatabase(
            settings.database,
            connections=parts_at_once(settings.parts_at_once) + 3,
            worker=True,
            patient=patient,
            clock=clock,
        )
        records = RecordStores(
            PostgresSink(server),
            PostgresExistingSink(server),
            PostgresParentRecords(server),
            PostgresReader(server),
            PostgresImages(server),
        )
        return server, records, lambda: nullcontext(ClaimStore(server))
    from bulkwright.store.sqlite.adbc import AdbcDatabase

    @contextmanager
    def open_second() -> Iterator[ClaimStore]:
        # Only one thread at a time may use a connection.
        with closing(AdbcDatabase(path, clock)) as second:
            yield ClaimStore(second)

    path = _sqlite_path(settings)
    file = AdbcDatabase(path, clock)
    return file, _sqlite_records(file), open_second


def _sqlite_records(file: AdbcDatabase) -> RecordStores:
    from bulkwright.ports import RecordStores
    from bulkwright.store.sqlite.existing import SqliteExistingSink
    from bulkwright.store.sqlite.records import (
        SqliteImages,
        SqliteParentRecords,
        SqliteReader,
        SqliteSink,
    )

    return RecordStores(
        SqliteSink(file),
        SqliteExistingSink(file),
        SqliteParentRecords(file),
        SqliteReader(file),
        SqliteImages(file),
    )


def _services(database: Database, settings: Settings) -> Services:
    # Files have the times of the machine, whatever time an emulator shows.
    emulated = isinstance(database.clock, EmulatedClock)
    files = open_files(settings, SYSTEM_CLOCK if emulated else database.clock)
    _bind(files, database)
    files.sweep()
    accounts = AccountStore(database)
    audit = AuditLog(AuditStore(database), database.clock)
    tokens = TokenService(accounts, audit, settings.retention_policy.refresh_tokens)
    return Services(database, files, settings, accounts, ModuleStore(database), audit, tokens)
