"""Orgs, users, OAuth clients and the hashes of their tokens."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from bulkwright.domain.account import (
    AccountState,
    ClientKind,
    OAuthClient,
    Org,
    Role,
    User,
    email_key,
)
from bulkwright.domain.limits import LIVE_CLIENT_TOKENS, LIVE_REFRESH_TOKENS
from bulkwright.store.database import Database, Row
from bulkwright.store.times import from_micros, micros, now_micros, to_micros


@dataclass(frozen=True, slots=True)
class Token:
    """What is stored of an access token, a refresh token or a grant code: not the secret itself."""

    hash: str
    kind: str
    """`access`, `refresh` or `code`."""
    org_id: int
    user_id: int
    client_id: str
    scopes: str
    life_seconds: int | None = None
    """Of a new token: how long it is valid from the moment it is added; None means forever."""
    expired: bool = False
    """Of a stored token: whether its life has ended."""
    redirect_uri: str | None = None
    parent: str | None = None
    """Hash of the token or code that it was made from; it is deleted together with that one."""
    code_challenge: str | None = None
    """The PKCE challenge: the exchange of a code must send its verifier."""
    offline: bool = True
    """Whether the exchange of a code returns a refresh token too."""
    role: Role = Role.ADMINISTRATOR
    """The role of its user, read together with the token."""
    unused_for: timedelta = timedelta()
    """Of a stored refresh token: the time since its last use."""

    @property
    def id(self) -> str:
        """The name of the token in lists and in the audit log. It does not reveal the secret."""
        return token_id(self.hash)


@dataclass(frozen=True, slots=True)
class TokenSummary:
    """A valid token or unused code, as lists show it."""

    id: str
    kind: str
    user_id: int
    client_id: str
    scopes: str
    created_time: datetime
    expires_time: datetime | None
    last_used: datetime | None
    """Of a refresh token: its last use, or its creation."""


def token_id(token_hash: str) -> str:
    """Returns the name of a token with this hash: the first 64 bits of the hash."""
    return token_hash[:16]


class AccountStore:
    """Reads and changes orgs, users, OAuth clients and tokens."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def transaction(self) -> AbstractContextManager[None]:
        """All changes inside commit together, or none of them if the block raises."""
        return self._db.transaction()

    def lock_orgs(self) -> None:
        """Waits for other transactions that add an org, then keeps them waiting.

        An org comes with its modules, so the lock is that of the schema.
        """
        self._db.all("lock_schema")

    def orgs(self) -> list[Org]:
        """Returns every org, oldest first."""
        return [_org(row) for row in self._db.all("orgs")]

    def org(self, org_id: int) -> Org | None:
        """Returns an org by its zgid; None if it does not exist."""
        row = self._db.one("org", id=org_id)
        return None if row is None else _org(row)

    def add_org(self, org: Org) -> None:
        """Adds an org."""
        self._db.run(
            "add_org",
            id=org.id,
            record_id=org.record_id,
            company_name=org.company_name,
            time_zone=org.time_zone,
            currency=org.currency,
            created_time=to_micros(org.created_time),
            dev=org.dev,
        )

    def set_priority(self, org_id: int, priority: int) -> None:
        """Sets the priority of an org; jobs of a higher one are claimed first."""
        self._db.run("set_priority", id=org_id, priority=priority)

    def set_org_state(self, org_id: int, state: AccountState) -> None:
        """Activates or deactivates an org."""
        self._db.run("set_org_state", id=org_id, state=state.value)

    def adopt_org(self, org_id: int) -> None:
        """Makes an org that `serve --dev` made one like others."""
        self._db.run("adopt_org", id=org_id)

    def users(self, org_id: int) -> list[User]:
        """Returns the users of an org that were not removed, oldest first."""
        return [_user(row) for row in self._db.all("users", org_id=org_id)]

    def user(self, org_id: int, user_id: int) -> User | None:
        """Returns a user of an org, also a removed one; None if it does not exist."""
        row = self._db.one("user", org_id=org_id, id=user_id)
        return None if row is None else _user(row)

    def user_by_email(self, org_id: int, email: str) -> User | None:
        """Returns a user of an org by e-mail address; upper and lower case are equal."""
        row = self._db.one("user_by_email", org_id=org_id, email_key=email_key(email))
        return None if row is None else _user(row)

    def add_user(self, user: User) -> None:
        """Adds a user; no other user of the org may have the same e-mail address."""
        self._db.run(
            "add_user",
            id=user.id,
            org_id=user.org_id,
            first_name=user.first_name,
            last_name=user.last_name,
            email=user.email,
            email_key=email_key(user.email),
            time_zone=user.time_zone,
            created_time=to_micros(user.created_time),
            profile=user.role.value,
        )

    def set_user_state(self, user: User, state: AccountState) -> None:
        """Activates or deactivates a user."""
        self._db.run("set_user_state", org_id=user.org_id, id=user.id, state=state.value)

    def erase_user(self, user: User) -> None:
        """Erases name and e-mail of a user, whose state is REMOVED from then on."""
        self._db.run("erase_user", org_id=user.org_id, id=user.id)

    def clients(self, org_id: int) -> list[OAuthClient]:
        """Returns the OAuth clients of an org."""
        return [_client(row) for row in self._db.all("clients", org_id=org_id)]

    def client(self, client_id: str) -> OAuthClient | None:
        """Returns an OAuth client by its public id; None if it does not exist."""
        row = self._db.one("client", client_id=client_id)
        return None if row is None else _client(row)

    def add_client(self, client: OAuthClient) -> None:
        """Adds an OAuth client."""
        self._db.run(
            "add_client",
            client_id=client.client_id,
            org_id=client.org_id,
            user_id=client.user_id,
            kind=client.kind.value,
            name=client.name,
            secret_hash=client.secret_hash,
            redirect_uris=json.dumps(client.redirect_uris),
        )

    def set_client_state(self, client_id: str, state: AccountState) -> None:
        """Activates or deactivates an OAuth client."""
        self._db.run("set_client_state", client_id=client_id, state=state.value)

    def set_client_secret(self, client_id: str, secret_hash: str) -> None:
        """Sets the hash of a client's secret, in place of the old one."""
        self._db.run("set_client_secret", client_id=client_id, secret_hash=secret_hash)

    def delete_client(self, client: OAuthClient) -> None:
        """Deletes an OAuth client with its tokens and the consents to it."""
        with self._db.transaction():
            self.delete_tokens(client.org_id, client_id=client.client_id)
            self._db.run("delete_consents_of_client", client_id=client.client_id)
            self._db.run("delete_client", client_id=client.client_id)

    def token(self, token_hash: str) -> Token | None:
        """Returns the token or code with this hash, expired or not.

        Returns None if it does not exist, or if its user, its client or its org is not active.
        """
        row = self._db.one("token", hash=token_hash)
        if row is None:
            return None
        expires, now = row["expires_time"], now_micros(self._db.clock)
        return Token(
            hash=row["hash"],
            kind=row["kind"],
            org_id=row["org_id"],
            user_id=row["user_id"],
            client_id=row["client_id"],
            scopes=row["scopes"],
            expired=expires is not None and expires <= now,
            redirect_uri=row["redirect_uri"],
            parent=row["parent"],
            code_challenge=row["code_challenge"],
            offline=bool(row["offline"]),
            role=Role(row["profile"]),
            unused_for=timedelta(microseconds=now - (row["last_used"] or now)),
        )

    def tokens(
        self, org_id: int, *, user_id: int | None = None, client_id: str | None = None
    ) -> list[TokenSummary]:
        """Returns the valid tokens and unused codes of an org, newest first.

        With a user or a client, only those of it.
        """
        rows = self._db.all(
            "tokens",
            org_id=org_id,
            user_id=user_id,
            client_id=client_id,
            moment=now_micros(self._db.clock),
        )
        return [_summary(row) for row in rows]

    def tokens_named(self, org_id: int, name: str) -> list[str]:
        """Returns the hashes of the tokens of an org with this `TokenSummary.id`: none or one."""
        return [row["hash"] for row in self._db.all("token_by_start", org_id=org_id, start=name)]

    def delete_tokens(
        self, org_id: int, *, user_id: int | None = None, client_id: str | None = None
    ) -> int:
        """Deletes the tokens and codes of an org, or of one user or client of it.

        Returns how many there were. A token belongs to the user and the client of the token or
        code that it was made from, so nothing that was made from a deleted one remains.
        """
        owner = {"org_id": org_id, "user_id": user_id, "client_id": client_id}
        with self._db.transaction():
            self._db.all("lock_tokens_of", **owner)
            return len(self._db.all("delete_tokens_of", **owner))

    def add_tokens(self, *tokens: Token, keep: int | None = None) -> None:
        """Adds tokens, all or none.

        The oldest refresh tokens over a limit are deleted (facts 7.2), and so are the oldest
        tokens and codes over a limit that no refresh token gave.

        With `keep`, only the newest `keep` access tokens stay of the refresh token that the last
        token was made from.
        """
        with self._db.transaction():
            moment = now_micros(self._db.clock)
            for token in tokens:
                self._db.run(
                    "add_token",
                    hash=token.hash,
                    kind=token.kind,
                    org_id=token.org_id,
                    user_id=token.user_id,
                    client_id=token.client_id,
                    scopes=token.scopes,
                    redirect_uri=token.redirect_uri,
                    parent=token.parent,
                    created_time=moment,
                    expires_time=_end(moment, token.life_seconds),
                    code_challenge=token.code_challenge,
                    offline=token.offline,
                    last_used=moment if token.kind == "refresh" else None,
                )
                if token.kind == "refresh":
                    self._delete_surplus(token)
                elif token.parent is None:
                    self._db.run(
                        "delete_surplus_of_kind",
                        kind=token.kind,
                        client_id=token.client_id,
                        user_id=token.user_id,
                        keep=LIVE_CLIENT_TOKENS,
                    )
            if keep is not None and tokens and tokens[-1].parent is not None:
                self._db.run("delete_oldest_children", hash=tokens[-1].parent, keep=keep)

    def use_code(self, token_hash: str) -> bool:
        """Marks a code as used; False if it was used before, even a moment before.

        Locks the code and what it gave until the end of the transaction.
        """
        with self._db.transaction():
            self._db.all("lock_kin", hash=token_hash)
            return self._db.one("use_code", hash=token_hash) is not None

    def renew_token(self, token_hash: str, seconds: int) -> None:
        """Lets a token be valid for `seconds` from now, unless it is for half of them anyway."""
        now = now_micros(self._db.clock)
        expires, soon = now + micros(seconds), now + micros(seconds / 2)
        self._db.run("renew_token", hash=token_hash, expires=expires, soon=soon)

    def use_refresh_token(self, token_hash: str) -> bool:
        """Records the use of a refresh token; False if it was deleted, even a moment before."""
        moment = now_micros(self._db.clock)
        return self._db.one("use_refresh_token", hash=token_hash, moment=moment) is not None

    def revoke(self, token_hash: str) -> None:
        """Deletes a token with all tokens that were made from it, also at this moment."""
        with self._db.transaction():
            self._db.all("lock_kin", hash=token_hash)
            self._db.run("delete_children", hash=token_hash)
            self._db.run("delete_token", hash=token_hash)

    def _delete_surplus(self, token: Token) -> None:
        """Deletes the refresh tokens over the limit, with all tokens that were made from them."""
        owner = {"client_id": token.client_id, "user_id": token.user_id}
        for row in self._db.all("surplus_refresh_tokens", **owner, keep=LIVE_REFRESH_TOKENS):
            self.revoke(row["hash"])


def _end(moment: int, seconds: int | None) -> int | None:
    return None if seconds is None else moment + micros(seconds)


def _org(row: Row) -> Org:
    return Org(
        id=row["id"],
        record_id=row["record_id"],
        company_name=row["company_name"],
        time_zone=row["time_zone"],
        currency=row["currency"],
        created_time=from_micros(row["created_time"], row["time_zone"]),
        priority=row["priority"],
        state=AccountState(row["state"]),
        dev=bool(row["dev"]),
    )


def _user(row: Row) -> User:
    return User(
        id=row["id"],
        org_id=row["org_id"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        email=row["email"],
        time_zone=row["time_zone"],
        created_time=from_micros(row["created_time"], row["time_zone"]),
        role=Role(row["profile"]),
        state=AccountState(row["state"]),
    )


def _client(row: Row) -> OAuthClient:
    return OAuthClient(
        client_id=row["client_id"],
        org_id=row["org_id"],
        user_id=row["user_id"],
        kind=ClientKind(row["kind"]),
        name=row["name"],
        secret_hash=row["secret_hash"],
        redirect_uris=tuple(json.loads(row["redirect_uris"])),
        state=AccountState(row["state"]),
        org_state=AccountState(row["org_state"]),
    )


def _summary(row: Row) -> TokenSummary:
    return TokenSummary(
        id=token_id(row["hash"]),
        kind=row["kind"],
        user_id=row["user_id"],
        client_id=row["client_id"],
        scopes=row["scopes"],
        created_time=from_micros(row["created_time"], "UTC"),
        expires_time=_time(row["expires_time"]),
        last_used=_time(row["last_used"]),
    )


def _time(moment: int | None) -> datetime | None:
    return None if moment is None else from_micros(moment, "UTC")
