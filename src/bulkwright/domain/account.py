"""Orgs, their users and their OAuth clients."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Org:
    """The unit of isolation. `id` is the zgid that clients send as `X-CRM-ORG`."""

    id: int
    record_id: int
    """The org's own id in the family of record ids (`org[0].id`)."""
    company_name: str
    time_zone: str
    currency: str
    created_time: datetime


@dataclass(frozen=True, slots=True)
class User:
    """A person of an org."""

    id: int
    org_id: int
    first_name: str
    last_name: str
    email: str
    time_zone: str
    created_time: datetime

    @property
    def name(self) -> str:
        """The full name, as other objects refer to the user."""
        return f"{self.first_name} {self.last_name}".strip()


class ClientKind(StrEnum):
    """What an OAuth client is, and so which grants it may use."""

    SERVER = "server"
    SELF = "self"
    JAVASCRIPT = "javascript"


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """A registered program. Its secret is kept as a hash only."""

    client_id: str
    org_id: int
    user_id: int
    kind: ClientKind
    name: str
    secret_hash: str | None
    redirect_uris: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a request comes from, proven by an access token."""

    org_id: int
    user_id: int
    scopes: str
    """Comma separated, lower case."""
