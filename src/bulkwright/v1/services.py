"""The services that the endpoints call. `bulkwright.services` provides them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bulkwright.service.job_rows import JobRowsService
    from bulkwright.service.jobs import JobService
    from bulkwright.service.tokens import TokenService
    from bulkwright.settings import Settings


class OwnServices(Protocol):
    """The use cases behind the service's own API."""

    @property
    def tokens(self) -> TokenService:
        """Checks access tokens."""
        ...

    @property
    def jobs(self) -> JobService:
        """Returns jobs."""
        ...

    @property
    def job_rows(self) -> JobRowsService:
        """Reads the rows of ended jobs."""
        ...

    @property
    def settings(self) -> Settings:
        """The settings of the server."""
        ...
