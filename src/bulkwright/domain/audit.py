# ruff: noqa: S105 - the words of the log are no passwords
"""The audit log: who changed what, when, and from where. Pure values.

An entry never contains a secret, and no text that an unknown client sent: some users type their
password where the e-mail belongs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Action(StrEnum):
    """What an entry reports. Scripts read these words: add new ones, never change one."""

    SIGNED_IN = "signed-in"
    SIGN_IN_FAILED = "sign-in-failed"
    SIGNED_OUT = "signed-out"
    CONSENT_GIVEN = "consent-given"
    CONSENT_REJECTED = "consent-rejected"
    CODE_ISSUED = "code-issued"
    CODE_REPLAYED = "code-replayed"
    TOKEN_ISSUED = "token-issued"
    TOKEN_REJECTED = "token-rejected"
    TOKEN_REVOKED = "token-revoked"
    ORG_ADDED = "org-added"
    ORG_CHANGED = "org-changed"
    ORG_DEACTIVATED = "org-deactivated"
    ORG_ACTIVATED = "org-activated"
    ORG_ADOPTED = "org-adopted"
    ORG_REMOVED = "org-removed"
    ORG_MODULES_CHANGED = "org-modules-changed"
    USER_ADDED = "user-added"
    USER_DEACTIVATED = "user-deactivated"
    USER_ACTIVATED = "user-activated"
    USER_REMOVED = "user-removed"
    PASSWORD_SET = "password-set"
    CLIENT_ADDED = "client-added"
    CLIENT_SECRET_ROTATED = "client-secret-rotated"
    CLIENT_DEACTIVATED = "client-deactivated"
    CLIENT_ACTIVATED = "client-activated"
    CLIENT_REMOVED = "client-removed"
    CALLBACK_SECRET_ROTATED = "callback-secret-rotated"
    DATA_SWEPT = "data-swept"
    FILE_UPLOADED = "file-uploaded"
    RECORDS_CHANGED = "records-changed"
    JOB_CREATED = "job-created"
    JOB_ABORTED = "job-aborted"
    JOB_DELETED = "job-deleted"
    JOB_UNDONE = "job-undone"
    JOB_CALLBACK_REPLAYED = "job-callback-replayed"
    TEMPLATE_SAVED = "template-saved"
    TEMPLATE_DELETED = "template-deleted"

    @property
    def is_failure(self) -> bool:
        """Whether it reports an attempt that was rejected; a caller without rights can cause it."""
        return self in (Action.SIGN_IN_FAILED, Action.TOKEN_REJECTED, Action.CODE_REPLAYED)

    @property
    def is_administrative(self) -> bool:
        """Whether only an operator can cause it."""
        return self.value.startswith(
            ("org-", "user-", "client-", "callback-", "password-", "data-")
        )

    @property
    def is_of_data(self) -> bool:
        """Whether it reports a call that has stored something, which quotas limit."""
        return self in (Action.FILE_UPLOADED, Action.RECORDS_CHANGED, Action.JOB_CREATED)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who causes an entry: a client at an address, or an operator at the command line."""

    address: str = ""
    """The address of a client of the HTTP API; empty at the command line."""
    operator: str = ""
    """The account of the operating system; empty over HTTP."""
    user_id: int | None = None
    """The user of the console who acts; the detail of the entry names the user."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act. The org, the user and the OAuth client are those that it concerns."""

    time: datetime
    action: Action
    actor: Actor
    org_id: int | None = None
    user_id: int | None = None
    client_id: str | None = None
    detail: str = ""
    """What else is known, for a reader: the grant, the reason, the id of a token, a number."""
