"""The services that the endpoints call. `bulkwright.services` provides them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bulkwright.service.jobs import JobService
    from bulkwright.service.tokens import TokenService


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
