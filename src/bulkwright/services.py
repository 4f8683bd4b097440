"""All use cases of a deployment. `wiring.py` gives them their adapters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bulkwright.clock import Clock
from bulkwright.files import Files
from bulkwright.first_use import on_first_use
from bulkwright.service.audit import AuditLog
from bulkwright.service.tokens import TokenService
from bulkwright.settings import Settings
from bulkwright.store.accounts import AccountStore
from bulkwright.store.database import Database
from bulkwright.store.modules import ModuleStore

if TYPE_CHECKING:
    from bulkwright.callback.signing import SigningKeys
    from bulkwright.domain.any_job import AnyJob
    from bulkwright.domain.endpoint import Endpoint
    from bulkwright.egress import Guard
    from bulkwright.service.administration import Administration
    from bulkwright.service.changes import ChangeService
    from bulkwright.service.coql import CoqlService
    from bulkwright.service.existing_tables import ExistingTableService
    from bulkwright.service.import_templates import ImportTemplates
    from bulkwright.service.job_control import JobControl
    from bulkwright.service.job_rows import JobRowsService
    from bulkwright.service.jobs import JobService
    from bulkwright.service.metadata import MetadataService
    from bulkwright.service.readiness import Readiness
    from bulkwright.service.reads import ReadService
    from bulkwright.service.record_writes import RecordCalls
    from bulkwright.service.records import RecordService
    from bulkwright.service.retention import Retention
    from bulkwright.service.schema import SchemaService
    from bulkwright.service.setup import SetupService
    from bulkwright.service.signin import SignInService
    from bulkwright.service.undo import UndoService
    from bulkwright.service.uploads import UploadService
    from bulkwright.store.claims import ClaimStore
    from bulkwright.store.idempotency import IdempotencyStore
    from bulkwright.store.jobs import JobStore
    from bulkwright.store.ledger import LedgerStore
    from bulkwright.store.metrics import MetricsStore
    from bulkwright.store.outbox import OutboxStore
    from bulkwright.store.reads import ReadStore
    from bulkwright.store.records import RecordStore
    from bulkwright.store.sessions import SessionStore
    from bulkwright.store.undos import UndoStore
    from bulkwright.store.uploads import UploadStore


@dataclass(frozen=True)
class Services:
    """All use cases, over one database and one file area.

    A process imports the module of a use case when it uses that for the first time.
    """

    database: Database
    files: Files
    settings: Settings
    accounts: AccountStore
    modules: ModuleStore
    audit: AuditLog
    tokens: TokenService

    @property
    def clock(self) -> Clock:
        """The clock of the database."""
        return self.database.clock

    @on_first_use
    def sessions(self) -> SessionStore:
        """Reads and writes sessions."""
        from bulkwright.store.sessions import SessionStore

        return SessionStore(self.database)

    @on_first_use
    def job_store(self) -> JobStore:
        """Reads and writes jobs."""
        from bulkwright.store.jobs import JobStore

        return JobStore(self.database)

    @on_first_use
    def upload_store(self) -> UploadStore:
        """Reads and writes what is known of uploads."""
        from bulkwright.store.uploads import UploadStore

        return UploadStore(self.database)

    @on_first_use
    def idempotency_store(self) -> IdempotencyStore:
        """Reads and writes idempotency keys."""
        from bulkwright.store.idempotency import IdempotencyStore

        return IdempotencyStore(self.database)

    @on_first_use
    def claims(self) -> ClaimStore:
        """Claims jobs for workers."""
        from bulkwright.store.claims import ClaimStore

        return ClaimStore(self.database)

    @on_first_use
    def ledger(self) -> LedgerStore:
        """Reads and writes the ledger."""
        from bulkwright.store.ledger import LedgerStore

        return LedgerStore(self.database)

    @on_first_use
    def signin(self) -> SignInService:
        """Signs users in on the pages."""
        from bulkwright.service.signin import SignInService
        from bulkwright.service.throttle import Failures

        failures = Failures(self.sessions)
        return SignInService(self.accounts, self.sessions, self.tokens, self.audit, failures)

    @on_first_use
    def uploads(self) -> UploadService:
        """Keeps uploads."""
        from bulkwright.service.uploads import UploadService

        return UploadService(
            self.accounts,
            self.modules,
            self.upload_store,
            self.files,
            self.idempotency_store,
            self.audit,
            self.settings.limits,
            self.clock,
        )

    @on_first_use
    def jobs(self) -> JobService:
        """Creates jobs and returns their details and results."""
        from bulkwright.service.jobs import JobService

        return JobService(
            self.accounts,
            self.modules,
            self.job_store,
            self.upload_store,
            self.files,
            self.uploads,
            self.idempotency_store,
            self.audit,
            self.settings.limits,
            self.settings.layout_mandatory,
            self.clock,
            self._why_never,
        )

    @on_first_use
    def job_rows(self) -> JobRowsService:
        """Reads the rows of ended jobs."""
        from bulkwright.service.job_rows import JobRowsService

        return JobRowsService(self.modules, self.upload_store, self.files, self.ledger)

    @on_first_use
    def changes(self) -> ChangeService:
        """Reads what jobs have changed in records."""
        from bulkwright.service.changes import ChangeService
        from bulkwright.store.changes import ChangeStore

        return ChangeService(self.modules, ChangeStore(self.database), self.undo_store)

    @on_first_use
    def import_templates(self) -> ImportTemplates:
        """Keeps the choices of imports."""
        from bulkwright.service.import_templates import ImportTemplates
        from bulkwright.store.import_templates import TemplateStore

        store = TemplateStore(self.database)
        return ImportTemplates(store, self.modules, self.audit)

    @on_first_use
    def job_control(self) -> JobControl:
        """Aborts and deletes jobs, and replays callbacks."""
        from bulkwright.service.job_control import JobControl
        from bulkwright.store.retention import RetentionStore

        return JobControl(
            self.any_job,
            self.claims,
            self.job_store,
            RetentionStore(self.database),
            self.idempotency_store,
            self.outbox,
            self.files,
            self.audit,
        )

    @on_first_use
    def reads(self) -> ReadService:
        """Creates bulk reads and returns their details and results."""
        from bulkwright.service.reads import ReadService

        return ReadService(
            self.accounts,
            self.modules,
            self.read_store,
            self.job_store,
            self.record_store,
            self.files,
            self.idempotency_store,
            self.audit,
            self.settings.limits,
            self.clock,
            self._why_never,
        )

    @on_first_use
    def read_store(self) -> ReadStore:
        """Reads and writes bulk reads."""
        from bulkwright.store.reads import ReadStore

        return ReadStore(self.database)

    @on_first_use
    def undos(self) -> UndoService:
        """Creates undos of jobs and returns their details."""
        from bulkwright.service.undo import UndoService

        return UndoService(
            self.accounts,
            self.modules,
            self.undo_store,
            self.job_store,
            self.idempotency_store,
            self.audit,
            self.settings.limits,
            self.clock,
            self._why_never,
        )

    @on_first_use
    def undo_store(self) -> UndoStore:
        """Reads and writes undos."""
        from bulkwright.store.undos import UndoStore

        return UndoStore(self.database)

    @on_first_use
    def records(self) -> RecordService:
        """Reads records."""
        from bulkwright.service.records import RecordService

        return RecordService(
            self.database, self.accounts, self.modules, self.record_store, self.clock
        )

    @on_first_use
    def coql(self) -> CoqlService:
        """Runs COQL queries."""
        from bulkwright.service.coql import CoqlService

        return CoqlService(self.records)

    @on_first_use
    def record_calls(self) -> RecordCalls:
        """Writes single records."""
        from bulkwright.service.record_writes import RecordCalls

        return RecordCalls(
            self.accounts,
            self.modules,
            self.record_store,
            self.audit,
            self.settings.limits,
            self.settings.layout_mandatory,
            self.clock,
        )

    @on_first_use
    def record_store(self) -> RecordStore:
        """Reads and writes records one by one."""
        from bulkwright.store.records import RecordStore

        return RecordStore(self.database)

    @on_first_use
    def metadata(self) -> MetadataService:
        """Reads modules, fields, users and the org."""
        from bulkwright.service.metadata import MetadataService

        return MetadataService(self.accounts, self.modules, self.clock)

    @on_first_use
    def outbox(self) -> OutboxStore:
        """Reads and writes the outbox."""
        from bulkwright.store.outbox import OutboxStore

        return OutboxStore(self.database)

    @on_first_use
    def signing(self) -> SigningKeys:
        """The secrets that sign callbacks."""
        from bulkwright.callback.signing import SigningKeys

        return SigningKeys(self.outbox)

    @on_first_use
    def retention(self) -> Retention:
        """Deletes what has expired."""
        from bulkwright.service.retention import Retention
        from bulkwright.store.retention import RetentionStore

        store = RetentionStore(self.database)
        return Retention(store, self.files, self.settings.retention_policy)

    @on_first_use
    def readiness(self) -> Readiness:
        """Checks whether requests can be served."""
        from bulkwright.service.readiness import Readiness

        return Readiness(self.database, self.files)

    @on_first_use
    def backlog(self) -> MetricsStore:
        """Reads what is still to be done."""
        from bulkwright.store.metrics import MetricsStore

        return MetricsStore(self.database)

    @on_first_use
    def schema(self) -> SchemaService:
        """Changes the schema."""
        from bulkwright.service.schema import SchemaService

        return SchemaService(self.modules)

    @on_first_use
    def existing_tables(self) -> ExistingTableService:
        """Makes modules of existing tables."""
        from bulkwright.service.existing_tables import ExistingTableService
        from bulkwright.store.existing_tables import ExistingTables

        return ExistingTableService(self.modules, ExistingTables(self.database))

    @on_first_use
    def setup(self) -> SetupService:
        """Creates orgs, users and clients."""
        from bulkwright.service.setup import SetupService

        return SetupService(
            self.accounts, self.modules, self.schema, self.tokens, self.audit, self.clock
        )

    @on_first_use
    def administration(self) -> Administration:
        """Revokes, deactivates and removes orgs, users, clients and tokens."""
        from bulkwright.service.administration import Administration
        from bulkwright.store.org_removal import OrgRemoval

        removal = OrgRemoval(self.database)
        return Administration(self.accounts, self.sessions, removal, self.files, self.audit)

    def any_job(self, org_id: int, job_id: int) -> AnyJob | None:
        """Returns a bulk write, a bulk read or an undo of an org; None if there is none."""
        number = (org_id, job_id)
        return (
            self.job_store.job(*number)
            or self.read_store.job(*number)
            or self.undo_store.job(*number)
        )

    def newest_jobs(self, org_id: int, most: int) -> list[AnyJob]:
        """Returns at most `most` jobs of an org, newest first."""
        found = (self.any_job(org_id, number) for number in self.job_store.newest(org_id, most))
        return [job for job in found if job is not None]

    def _why_never(self, endpoint: Endpoint) -> str | None:
        return callback_guard(self.settings).why_never(endpoint)

    def close(self) -> None:
        """Closes the database."""
        self.database.close()


def callback_guard(settings: Settings) -> Guard:
    """Returns the guard that decides where callbacks may be sent."""
    from bulkwright.egress import Guard

    return Guard(settings.allowed_destinations, loopback=settings.dev)
