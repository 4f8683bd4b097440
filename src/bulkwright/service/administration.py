"""Revokes, deactivates and removes what `service/setup.py` created, and lists it.

Each act and its audit entry are one transaction. A running server reads accounts and tokens from
the database at each request, so an act holds from the next request on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bulkwright.domain.account import AccountState, OAuthClient, Org, User
from bulkwright.domain.account_values import check_priority
from bulkwright.domain.audit import Action, Actor
from bulkwright.files import Area, Files
from bulkwright.service.audit import AuditLog
from bulkwright.service.setup import new_secret
from bulkwright.service.signin import Revoked
from bulkwright.service.tokens import hashed
from bulkwright.store.accounts import AccountStore, TokenSummary
from bulkwright.store.org_removal import OrgRemoval
from bulkwright.store.sessions import SessionStore


class StillInUse(Exception):
    """Something must be done first; the message says what."""


@dataclass(frozen=True, slots=True)
class Administration:
    """What an administrator of a deployment may do; the caller checks that it is one."""

    accounts: AccountStore
    sessions: SessionStore
    removal: OrgRemoval
    files: Files
    audit: AuditLog
    actor: Actor | None = None
    """Who acts; None is the operator of this process."""

    # Orgs

    def set_priority(self, org: Org, priority: int) -> Org:
        """Sets the priority of an org; returns the changed org. Raises InvalidData."""
        check_priority(priority)
        with self.accounts.transaction():
            self.accounts.set_priority(org.id, priority)
            self._record(Action.ORG_CHANGED, org.id, detail=f"priority {priority}")
        return replace(org, priority=priority)

    def deactivate_org(self, org: Org) -> Revoked:
        """Ends every access to an org. Jobs that were accepted run to their end."""
        with self.accounts.transaction():
            self.accounts.set_org_state(org.id, AccountState.INACTIVE)
            revoked = self._revoke(org.id)
            self._record(Action.ORG_DEACTIVATED, org.id, detail=str(revoked))
        return revoked

    def activate_org(self, org: Org) -> None:
        """Lets the users and clients of an org in again. Old tokens stay revoked."""
        with self.accounts.transaction():
            self._revoke(org.id)
            self.accounts.set_org_state(org.id, AccountState.ACTIVE)
            self._record(Action.ORG_ACTIVATED, org.id)

    def adopt_org(self, org: Org) -> Revoked:
        """Makes an org of `serve --dev` safe for a real deployment.

        All its tokens and sessions end and all its OAuth clients are removed, because their
        secrets were in a file, and tokens were given without a password.
        """
        with self.accounts.transaction():
            revoked = self._revoke(org.id)
            for client in self.accounts.clients(org.id):
                self.accounts.delete_client(client)
                self._record(Action.CLIENT_REMOVED, org.id, client_id=client.client_id)
            self.accounts.adopt_org(org.id)
            self._record(Action.ORG_ADOPTED, org.id, detail=str(revoked))
        return revoked

    def remove_org(self, org: Org) -> int:
        """Deletes an org with its records, jobs, files, users and clients; returns the files.

        Existing tables of the user's stay as they are. Raises StillInUse unless the org was
        deactivated and all its jobs have ended.
        """
        if org.is_active:
            raise StillInUse(f"Org {org.id} is active; deactivate it first.")
        with self.accounts.transaction():
            if self.removal.has_open_jobs(org.id):
                raise StillInUse(f"Org {org.id} has jobs that have not ended; wait for their end.")
            uploads, jobs = self.removal.file_numbers(org.id)
            self.removal.delete(org.id)
            self._record(Action.ORG_REMOVED, org.id)
        # Files of rows that are gone are strays: a sweep deletes what an end at this point leaves.
        deleted = [self.files.delete(Area.UPLOADS, number) for number in uploads]
        for area in (Area.RESULTS, Area.PIECES):
            deleted += [self.files.delete(area, number) for number in jobs]
        return sum(size > 0 for size in deleted)

    # Users

    def deactivate_user(self, user: User) -> Revoked:
        """Ends every access of a user, until the user is activated again."""
        with self.accounts.transaction():
            self.accounts.set_user_state(user, AccountState.INACTIVE)
            revoked = self._revoke(user.org_id, user)
            self._record(Action.USER_DEACTIVATED, user.org_id, user, detail=str(revoked))
        return revoked

    def activate_user(self, user: User) -> None:
        """Lets a user in again, with the same password. Old tokens stay revoked."""
        with self.accounts.transaction():
            self._revoke(user.org_id, user)
            self.accounts.set_user_state(user, AccountState.ACTIVE)
            self._record(Action.USER_ACTIVATED, user.org_id, user)

    def remove_user(self, user: User) -> Revoked:
        """Ends every access of a user and erases password, name and e-mail.

        Jobs and records keep the id of the user. Raises StillInUse while the user owns a client.
        """
        owned = [c for c in self.accounts.clients(user.org_id) if c.user_id == user.id]
        if owned:
            names = ", ".join(client.client_id for client in owned)
            raise StillInUse(f"The user owns OAuth clients; remove them first: {names}.")
        with self.accounts.transaction():
            revoked = self._revoke(user.org_id, user)
            self.sessions.delete_password(user.id)
            self.accounts.erase_user(user)
            self._record(Action.USER_REMOVED, user.org_id, user, detail=str(revoked))
        return revoked

    def revoke_user(self, user: User) -> Revoked:
        """Revokes the tokens of a user and ends the sessions; the user can sign in again."""
        with self.accounts.transaction():
            revoked = self._revoke(user.org_id, user)
            self._record(Action.TOKEN_REVOKED, user.org_id, user, detail=str(revoked))
        return revoked

    # OAuth clients and tokens

    def rotate_secret(self, client: OAuthClient) -> str:
        """Returns a new secret of a client; the old one is not valid any more.

        The tokens of the client stay valid. Raises StillInUse for a client without a secret.
        """
        if client.is_public:
            raise StillInUse(f"{client.client_id} is a {client.kind} client, which has no secret.")
        secret = new_secret()
        with self.accounts.transaction():
            self.accounts.set_client_secret(client.client_id, hashed(secret))
            self._record(Action.CLIENT_SECRET_ROTATED, client.org_id, client_id=client.client_id)
        return secret

    def deactivate_client(self, client: OAuthClient) -> Revoked:
        """Ends every access of a client, until it is activated again."""
        with self.accounts.transaction():
            self.accounts.set_client_state(client.client_id, AccountState.INACTIVE)
            return self._revoke_client(Action.CLIENT_DEACTIVATED, client)

    def activate_client(self, client: OAuthClient) -> None:
        """Lets a client in again, with the same secret. Old tokens stay revoked."""
        with self.accounts.transaction():
            self._revoke_client(Action.CLIENT_ACTIVATED, client)
            self.accounts.set_client_state(client.client_id, AccountState.ACTIVE)

    def remove_client(self, client: OAuthClient) -> Revoked:
        """Deletes a client with its tokens and the consents to it."""
        with self.accounts.transaction():
            revoked = self._revoke_client(Action.CLIENT_REMOVED, client)
            self.accounts.delete_client(client)
        return revoked

    def revoke_client(self, client: OAuthClient) -> Revoked:
        """Revokes the tokens of a client."""
        with self.accounts.transaction():
            return self._revoke_client(Action.TOKEN_REVOKED, client)

    def tokens(
        self, org: Org, *, user: User | None = None, client: OAuthClient | None = None
    ) -> list[TokenSummary]:
        """Returns the valid tokens of an org, or of one user or client, newest first."""
        return self.accounts.tokens(
            org.id,
            user_id=None if user is None else user.id,
            client_id=None if client is None else client.client_id,
        )

    def revoke_token(self, org: Org, name: str) -> bool:
        """Revokes the token with this `TokenSummary.id` with everything that was made from it.

        Returns whether the org had such a token.
        """
        with self.accounts.transaction():
            found = self.accounts.tokens_named(org.id, name) if len(name) == _NAME_LENGTH else []
            for token_hash in found:
                stored = self.accounts.token(token_hash)
                self.accounts.revoke(token_hash)
                self.audit.record(
                    Action.TOKEN_REVOKED,
                    self.actor,
                    org_id=org.id,
                    user_id=None if stored is None else stored.user_id,
                    client_id=None if stored is None else stored.client_id,
                    detail=f"token {name}",
                )
        return bool(found)

    def _revoke(self, org_id: int, user: User | None = None) -> Revoked:
        user_id = None if user is None else user.id
        return Revoked(
            tokens=self.accounts.delete_tokens(org_id, user_id=user_id),
            sessions=self.sessions.delete(org_id, user_id),
        )

    def _revoke_client(self, action: Action, client: OAuthClient) -> Revoked:
        count = self.accounts.delete_tokens(client.org_id, client_id=client.client_id)
        revoked = Revoked(count, 0)
        self._record(action, client.org_id, client_id=client.client_id, detail=str(revoked))
        return revoked

    def _record(
        self,
        action: Action,
        org_id: int,
        user: User | None = None,
        client_id: str | None = None,
        detail: str = "",
    ) -> None:
        self.audit.record(
            action,
            self.actor,
            org_id=org_id,
            user_id=None if user is None else user.id,
            client_id=client_id,
            detail=detail,
        )


_NAME_LENGTH = 16
