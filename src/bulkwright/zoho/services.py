"""The services that the handlers call. `bulkwright.services` provides them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bulkwright.files import Files
    from bulkwright.service.coql import CoqlService
    from bulkwright.service.jobs import JobService
    from bulkwright.service.metadata import MetadataService
    from bulkwright.service.reads import ReadService
    from bulkwright.service.record_writes import RecordCalls
    from bulkwright.service.records import RecordService
    from bulkwright.service.signin import SignInService
    from bulkwright.service.tokens import TokenService
    from bulkwright.service.uploads import UploadService
    from bulkwright.store.accounts import AccountStore


class ZohoServices(Protocol):
    """The use cases behind the face for Zoho's clients."""

    @property
    def accounts(self) -> AccountStore:
        """Reads orgs, users and OAuth clients."""
        ...

    @property
    def files(self) -> Files:
        """Receives the bytes of uploads."""
        ...

    @property
    def tokens(self) -> TokenService:
        """Issues, checks and revokes OAuth tokens."""
        ...

    @property
    def signin(self) -> SignInService:
        """Signs users in on the pages."""
        ...

    @property
    def uploads(self) -> UploadService:
        """Keeps uploads."""
        ...

    @property
    def jobs(self) -> JobService:
        """Creates jobs and returns their details and results."""
        ...

    @property
    def reads(self) -> ReadService:
        """Creates bulk reads and returns their details and results."""
        ...

    @property
    def records(self) -> RecordService:
        """Reads records."""
        ...

    @property
    def coql(self) -> CoqlService:
        """Runs COQL queries."""
        ...

    @property
    def record_calls(self) -> RecordCalls:
        """Writes single records."""
        ...

    @property
    def metadata(self) -> MetadataService:
        """Reads modules, fields, users and the org."""
        ...
