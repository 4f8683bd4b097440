"""Orgs, users, OAuth clients and the hashes of their tokens."""

from __future__ import annotations

import json
from dataclasses import dataclass

from bulkwright.domain.account import ClientKind, OAuthClient, Org, Role, User, email_key
from bulkwright.domain.limits import LIVE_REFRESH_TOKENS
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


class AccountStore:
    """Reads and changes orgs, users, OAuth clients and tokens."""

    def __init__(self, database: Database) -> None:
        self._db = database

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
        )

    def set_priority(self, org_id: int, priority: int) -> None:
        """Sets the priority of an org; jobs of a higher one are claimed first."""
        self._db.run("set_priority", id=org_id, priority=priority)

    def users(self, org_id: int) -> list[User]:
        """Returns the users of an org, oldest first."""
        return [_user(row) for row in self._db.all("users", org_id=org_id)]

    def user(self, org_id: int, user_id: int) -> User | None:
        """Returns a user of an org; None if it does not exist."""
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

    def token(self, token_hash: str) -> Token | None:
        """Returns the token or code with this hash, expired or not; None if it does not exist."""
        row = self._db.one("token", hash=token_hash)
        if row is None:
            return None
        expires = row["expires_time"]
        return Token(
            hash=row["hash"],
            kind=row["kind"],
            org_id=row["org_id"],
            user_id=row["user_id"],
            client_id=row["client_id"],
            scopes=row["scopes"],
            expired=expires is not None and expires <= now_micros(self._db.clock),
            redirect_uri=row["redirect_uri"],
            parent=row["parent"],
            code_challenge=row["code_challenge"],
            offline=bool(row["offline"]),
            role=Role(row["profile"]),
        )

    def add_tokens(self, *tokens: Token, keep: int | None = None) -> None:
        """Adds tokens, all or none. The oldest refresh tokens over a limit are deleted (facts 7.2).

        With `keep`, only the newest `keep` access tokens stay of the refresh token that the last
        token was made from.
        """
        with self._db.transaction():
            moment = now_micros(self._db.clock)
            self._db.run("delete_expired_tokens", before=moment)
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
                )
                if token.kind == "refresh":
                    self._delete_surplus(token)
            if keep is not None and tokens and tokens[-1].parent is not None:
                self._db.run("delete_oldest_children", hash=tokens[-1].parent, keep=keep)

    def use_code(self, token_hash: str) -> bool:
        """Marks a code as used; False if it was used before, even a moment before."""
        return self._db.one("use_code", hash=token_hash) is not None

    def revoke(self, token_hash: str) -> None:
        """Deletes a token with all tokens that were made from it."""
        with self._db.transaction():
            self._db.run("delete_children", hash=token_hash)
            self._db.run("delete_token", hash=token_hash)

    def _delete_surplus(self, token: Token) -> None:
        """Deletes the refresh tokens over the limit, with all tokens that were made from them."""
        owner = {"client_id": token.client_id, "user_id": token.user_id}
        for row in self._db.all("surplus_refresh_tokens", **owner, keep=LIVE_REFRESH_TOKENS):
            self._db.run("delete_children", hash=row["hash"])
            self._db.run("delete_token", hash=row["hash"])


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
    )
