"""Orgs, their users and the roles of these, and their OAuth clients."""

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
    """The org's id among the record ids (`org[0].id`)."""
    company_name: str
    time_zone: str
    currency: str
    created_time: datetime
    priority: int = 0
    """Jobs of orgs with a higher priority start first."""


class Role(StrEnum):
    """The permissions of a user, in addition to the scopes of a token.

    Zoho calls it a profile, and so do the wire and the database. Zoho's profiles have dozens of
    permissions; here are three roles, one for each response that a client can get (founding page,
    possible errors). An Administrator may do everything. A Standard user may not write in bulk:
    NO_PERMISSION on upload, create, details and download. A Guest has no modules:
    AUTHORIZATION_FAILED on the same, and on record reads.
    """

    ADMINISTRATOR = "Administrator"
    STANDARD = "Standard"
    GUEST = "Guest"

    def require(self, right: Right) -> None:
        """Raise NoPermission or AuthorizationFailed unless the role includes this right."""
        if self is Role.GUEST:
            raise AuthorizationFailed(f"User does not have sufficient privilege to {right.verb}.")
        if self is Role.STANDARD and right is not Right.READ_RECORDS:
            missing = {"permissions": ["Crm_Implied_Bulk_Write"]}
            raise NoPermission(f"Permission denied to {right.verb}", missing)


class Right(Enum):
    """An action that a role permits or denies."""

    CREATE_JOBS = "create jobs and what they need"
    READ_JOBS = "read jobs and their results"
    READ_RECORDS = "read records"

    @property
    def verb(self) -> str:
        """The verb of the documented messages."""
        return "create" if self is Right.CREATE_JOBS else "read"


@dataclass(frozen=True, slots=True)
class User:
    """A user of an org."""

    id: int
    org_id: int
    first_name: str
    last_name: str
    email: str
    time_zone: str
    created_time: datetime
    role: Role = Role.ADMINISTRATOR

    @property
    def name(self) -> str:
        """The full name, as other objects refer to the user."""
        return f"{self.first_name} {self.last_name}".strip()


def email_key(email: str) -> str:
    """Return the form in which e-mail addresses are compared: case-folded, no blanks around it."""
    return email.strip().casefold()


class ClientKind(StrEnum):
    """The type of an OAuth client; it decides which grants the client may use."""

    SERVER = "server"
    SELF = "self"
    JAVASCRIPT = "javascript"


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """A registered program. Only a hash of its secret is stored."""

    client_id: str
    org_id: int
    user_id: int
    kind: ClientKind
    name: str
    secret_hash: str | None
    redirect_uris: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Caller:
    """The user and the org of a request, proven by an access token."""

    org_id: int
    user_id: int
    scopes: str
    """Comma separated, lower case."""
    role: Role = Role.ADMINISTRATOR
    """The role of the user; it limits the scopes."""
