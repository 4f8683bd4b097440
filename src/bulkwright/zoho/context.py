"""What every handler of this face works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.domain.limits import Limits
from bulkwright.service.sign_in_queue import SignInQueue
from bulkwright.service.throttle import Allowance
from bulkwright.web.request import Request
from bulkwright.zoho.descriptions import Descriptions
from bulkwright.zoho.services import ZohoServices
from bulkwright.zoho.versions import Version


@dataclass(frozen=True, slots=True)
class ZohoContext:
    """The services and settings behind the handlers."""

    services: ZohoServices
    limits: Limits
    base_url: str
    """The URL by which clients reach the server."""
    versions: Mapping[str, Version]
    """The versions that are served, by their segment of the path."""
    token_requests: Allowance
    """How many requests each client may still send to the token endpoint."""
    clock: Clock = SYSTEM_CLOCK
    dev: bool = False
    """Whether users can sign in without a password, and pages offer it."""
    descriptions: Descriptions = field(default_factory=Descriptions)
    """The responses that describe modules."""
    count_not_served: Callable[[str, str], None] = lambda _operation, _parameter: None
    """Counts a request for an operation, or a parameter of it, that is not served."""
    sign_in_queue: SignInQueue = field(default_factory=SignInQueue)

    def now(self) -> datetime:
        """Returns the time in UTC."""
        return self.clock.now()

    @property
    def is_https(self) -> bool:
        """Whether clients reach the server by HTTPS."""
        return self.base_url.startswith("https:")

    def version(self, request: Request) -> Version:
        """Returns the version in the path of a request."""
        return self.versions[request.params["version"]]
