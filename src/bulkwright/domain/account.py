"""Orgs, their users with what they may do, and their OAuth clients."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum

from bulkwright.domain.errors import AuthorizationFailed, NoPermission


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
    priority: int = 0
    """Its jobs are begun before those of orgs with a smaller one."""


class Profile(StrEnum):
    """What a user may do, beside what the scopes of a token allow.

    Zoho's profiles have dozens of permissions; here are three profiles, one for each answer that
    a client can meet (founding page, possible errors). Administrator may do everything. Standard
    may not write in bulk: NO_PERMISSION on upload, create, details and download. Guest has no
    modules: AUTHORIZATION_FAILED on the same, and on record reads.
    """

    ADMINISTRATOR = "Administrator"
    STANDARD = "Standard"
    GUEST = "Guest"

    def demand(self, right: Right) -> None:
        """Raise NoPermission or AuthorizationFailed unless the profile includes this right."""
        if self is Profile.GUEST:
            raise AuthorizationFailed(f"User does not have sufficient privilege to {right.verb}.")
        if self is Profile.STANDARD and right is not Right.READ_RECORDS:
            missing = {"permissions": ["Crm_Implied_Bulk_Write"]}
            raise NoPermission(f"Permission denied to {right.verb}", missing)


class Right(Enum):
    """What a profile is asked about."""

    CREATE_JOBS = "create jobs and what they need"
    READ_JOBS = "read jobs and their results"
    READ_RECORDS = "read records"

    @property
    def verb(self) -> str:
        """The word for it in the documented messages."""
        return "create" if self is Right.CREATE_JOBS else "read"


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
    profile: Profile = Profile.ADMINISTRATOR

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
    profile: Profile = Profile.ADMINISTRATOR
    """What its user may do whatever the scopes."""
