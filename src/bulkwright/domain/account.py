"""Orgs, their users and the roles of these, and their OAuth clients."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum

from bulkwright.domain.errors import AuthorizationFailed, NoPermission


class AccountState(StrEnum):
    """Whether an org, a user or an OAuth client may be used. Accounts are active at first."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    """It gets no tokens and no sessions until it is activated again."""
    REMOVED = "removed"
    """Of a user: name and e-mail are erased; jobs and records keep the id."""


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
    state: AccountState = AccountState.ACTIVE
    dev: bool = False
    """Whether `serve --dev` made it: a file has its credentials, and users need no password."""

    @property
    def is_active(self) -> bool:
        """Whether its users and clients may be used."""
        return self.state is AccountState.ACTIVE


class Role(StrEnum):
    """The permissions of a user, in addition to the scopes of a token.

    Zoho calls it a profile, and so do the wire and the database. Zoho's profiles have dozens of
    permissions; here are three roles, one for each response that a client can get (founding page,
    possible errors). An Administrator may do everything. A Standard user may not write in bulk:
    NO_PERMISSION on upload, create, details and download. A Guest has no modules:
    AUTHORIZATION_FAILED on the same, on record reads and on everything about the org but the
    Guest's own user.
    """

    ADMINISTRATOR = "Administrator"
    STANDARD = "Standard"
    GUEST = "Guest"

    def require(self, right: Right) -> None:
        """Raise NoPermission or AuthorizationFailed unless the role includes this right."""
        if self is Role.GUEST:
            raise AuthorizationFailed(f"User does not have sufficient privilege to {right.verb}.")
        if self is Role.STANDARD and right is Right.MANAGE_ACCESS:
            raise NoPermission(f"Permission denied to {right.verb}")
        if self is Role.STANDARD and right in (Right.CREATE_JOBS, Right.READ_JOBS):
            missing = {"permissions": ["Crm_Implied_Bulk_Write"]}
            raise NoPermission(f"Permission denied to {right.verb}", missing)


class Right(Enum):
    """An action that a role permits or denies."""

    CREATE_JOBS = "create jobs and what they need"
    READ_JOBS = "read jobs and their results"
    READ_RECORDS = "read records"
    CREATE_RECORDS = "create records one by one"
    UPDATE_RECORDS = "update records one by one"
    DELETE_RECORDS = "delete records"
    READ_METADATA = "read the org, its users and its modules"
    MANAGE_ACCESS = "manage OAuth clients and tokens, and read the audit log"

    @property
    def verb(self) -> str:
        """The verb of the documented messages."""
        return _VERBS.get(self, "read")


_VERBS = {
    Right.CREATE_JOBS: "create",
    Right.CREATE_RECORDS: "create",
    Right.UPDATE_RECORDS: "update",
    Right.DELETE_RECORDS: "delete",
    Right.MANAGE_ACCESS: "manage access",
}


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
    state: AccountState = AccountState.ACTIVE

    @property
    def is_active(self) -> bool:
        """Whether the user may sign in and have tokens, if the org is active too."""
        return self.state is AccountState.ACTIVE

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
    state: AccountState = AccountState.ACTIVE
    org_state: AccountState = AccountState.ACTIVE
    """The state of its org, read together with the client."""

    @property
    def is_active(self) -> bool:
        """Whether the client may be used: itself and its org are active."""
        return self.state is self.org_state is AccountState.ACTIVE

    @property
    def is_public(self) -> bool:
        """Whether it has no secret, so that anything may pretend to be this client."""
        return self.secret_hash is None


@dataclass(frozen=True, slots=True)
class Caller:
    """The user and the org of a request, proven by an access token."""

    org_id: int
    user_id: int
    scopes: str
    """Comma separated, lower case."""
    role: Role = Role.ADMINISTRATOR
    """The role of the user; it limits the scopes."""
    address: str = ""
    """Where the request comes from; empty at the command line."""
