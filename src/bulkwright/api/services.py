"""What the handlers call; `wiring.py` brings the real ones."""

from __future__ import annotations

from typing import Protocol

from bulkwright.files import Files
from bulkwright.service.jobs import JobService
from bulkwright.service.metadata import MetadataService
from bulkwright.service.readiness import Readiness
from bulkwright.service.records import RecordService
from bulkwright.service.signin import SignInService
from bulkwright.service.tokens import TokenService
from bulkwright.service.uploads import UploadService
from bulkwright.store.accounts import AccountStore
from bulkwright.store.database import Database


class Services(Protocol):
    """The use cases behind the wire."""

    @property
    def database(self) -> Database:
        """Whether anything has changed."""
        ...

    @property
    def accounts(self) -> AccountStore:
        """Who may call."""
        ...

    @property
    def files(self) -> Files:
        """Where uploads arrive."""
        ...

    @property
    def tokens(self) -> TokenService:
        """OAuth."""
        ...

    @property
    def signin(self) -> SignInService:
        """People."""
        ...

    @property
    def uploads(self) -> UploadService:
        """Uploads."""
        ...

    @property
    def jobs(self) -> JobService:
        """Jobs."""
        ...

    @property
    def records(self) -> RecordService:
        """Records."""
        ...

    @property
    def metadata(self) -> MetadataService:
        """Modules, fields, users, the org."""
        ...

    @property
    def readiness(self) -> Readiness:
        """Whether the others can do their work."""
        ...
