"""The services that the pages call. `bulkwright.services` provides them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bulkwright.v1.services import OwnServices

if TYPE_CHECKING:
    from bulkwright.clock import Clock
    from bulkwright.service.administration import Administration
    from bulkwright.service.audit import AuditLog
    from bulkwright.service.metadata import MetadataService
    from bulkwright.service.records import RecordService
    from bulkwright.service.setup import SetupService
    from bulkwright.service.signin import SignInService
    from bulkwright.store.accounts import AccountStore
    from bulkwright.store.ledger import LedgerStore
    from bulkwright.store.uploads import UploadStore


class ConsoleServices(OwnServices, Protocol):
    """The use cases behind the pages: those of the own API, and what it has no endpoint for."""

    @property
    def clock(self) -> Clock:
        """The clock of the database."""
        ...

    @property
    def signin(self) -> SignInService:
        """Signs users in."""
        ...

    @property
    def accounts(self) -> AccountStore:
        """Reads orgs, users and OAuth clients."""
        ...

    @property
    def ledger(self) -> LedgerStore:
        """Reads how fast jobs ran."""
        ...

    @property
    def upload_store(self) -> UploadStore:
        """Reads uploads."""
        ...

    @property
    def metadata(self) -> MetadataService:
        """Reads modules, users and the org."""
        ...

    @property
    def records(self) -> RecordService:
        """Reads records."""
        ...

    @property
    def setup(self) -> SetupService:
        """Registers OAuth clients."""
        ...

    @property
    def administration(self) -> Administration:
        """Revokes tokens, and removes OAuth clients."""
        ...

    @property
    def audit(self) -> AuditLog:
        """Reads the audit log."""
        ...
