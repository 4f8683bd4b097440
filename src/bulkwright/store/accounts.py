"""Orgs, users, OAuth clients and the hashes of their tokens."""

from __future__ import annotations

import json
from dataclasses import dataclass

from bulkwright.domain.account import ClientKind, OAuthClient, Org, Profile, User
from bulkwright.domain.limits import LIVE_REFRESH_TOKENS
from bulkwright.store.clock import from_micros, now, to_micros
from bulkwright.store.database import Database, Row


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of an access token, a refresh token or a grant code: never itself."""

    hash: str
    kind: str
    """`access`, `refresh` or `code`."""
    org_id: int
    user_id: int
    client_id: str
    scopes: str
    expires_micros: int | None = None
    redirect_uri: str | None = None
    parent: str | None = None
    """Hash of the token or code that it came from; goes when that one goes."""
    used: bool = False
    code_challenge: str | None = None
    """What the exchange of a code must prove to know (PKCE)."""
    offline: bool = True
    """Whether a code gives a refresh token too."""
    profile: Profile = Profile.ADMINISTRATOR
    """Of its user, as it is now."""

    @property
    def expired(self) -> bool:
        """Whether its time is over."""
        return self.expires_micros is not None and self.expires_micros <= now()


class AccountStore:
    """Reads and changes who may call."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def orgs(self) -> list[Org]:
        """Every org, oldest first."""
        return [_org(row) for row in self._db.all("orgs")]

    def org(self, org_id: int) -> Org | None:
        """One org by its zgid."""
        row = self._db.one("org", id=org_id)
        return None if row is None else _org(row)

    def add_org(self, org: Org) -> None:
        """Add an org."""
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
        """Let an org's jobs begin before, or after, those of others."""
        self._db.run("set_priority", id=org_id, priority=priority)

    def users(self, org_id: int) -> list[User]:
        """The users of an org, oldest first."""
        return [_user(row) for row in self._db.all("users", org_id=org_id)]

    def user(self, org_id: int, user_id: int) -> User | None:
        """One user of an org."""
        row = self._db.one("user", org_id=org_id, id=user_id)
        return None if row is None else _user(row)

    def user_by_email(self, org_id: int, email: str) -> User | None:
        """One user of an org, however the address is spelled in capitals."""
        row = self._db.one("user_by_email", org_id=org_id, email_key=_email_key(email))
        return None if row is None else _user(row)

    def add_user(self, user: User) -> None:
        """Add a user; the e-mail must be new in the org."""
        self._db.run(
            "add_user",
            id=user.id,
            org_id=user.org_id,
            first_name=user.first_name,
            last_name=user.last_name,
            email=user.email,
            email_key=_email_key(user.email),
            time_zone=user.time_zone,
            created_time=to_micros(user.created_time),
            profile=user.profile.value,
        )

    def clients(self, org_id: int) -> list[OAuthClient]:
        """The OAuth clients of an org."""
        return [_client(row) for row in self._db.all("clients", org_id=org_id)]

    def client(self, client_id: str) -> OAuthClient | None:
        """One OAuth client by its public id."""
        row = self._db.one("client", client_id=client_id)
        return None if row is None else _client(row)

    def add_client(self, client: OAuthClient) -> None:
        """Register an OAuth client."""
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
        """What is kept under a hash, expired or not."""
        row = self._db.one("token", hash=token_hash)
        if row is None:
            return None
        return Token(
            hash=row["hash"],
            kind=row["kind"],
            org_id=row["org_id"],
            user_id=row["user_id"],
            client_id=row["client_id"],
            scopes=row["scopes"],
            expires_micros=row["expires_time"],
            redirect_uri=row["redirect_uri"],
            parent=row["parent"],
            used=bool(row["used"]),
            code_challenge=row["code_challenge"],
            offline=bool(row["offline"]),
            profile=Profile(row["profile"]),
        )

    def add_tokens(self, *tokens: Token, keep: int | None = None) -> None:
        """Keep tokens, all or none; with `keep`, only the newest so many of the last one's kin.

        Of a user's refresh tokens for a client the oldest go when there are too many (facts 7.2).
        """
        with self._db.transaction():
            moment = now()
            self._db.run("drop_expired", before=moment)
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
                    expires_time=token.expires_micros,
                    code_challenge=token.code_challenge,
                    offline=token.offline,
                )
                if token.kind == "refresh":
                    self._trim(token)
            if keep is not None and tokens and tokens[-1].parent is not None:
                self._db.run("drop_oldest_children", hash=tokens[-1].parent, keep=keep)

    def use_code(self, token_hash: str) -> bool:
        """Mark a code as used; False when it was used before, by however little."""
        return self._db.one("use_code", hash=token_hash) is not None

    def revoke(self, token_hash: str) -> None:
        """Forget a token with all that came from it."""
        with self._db.transaction():
            self._db.run("drop_children", hash=token_hash)
            self._db.run("drop_token", hash=token_hash)

    def _trim(self, token: Token) -> None:
        """End the refresh tokens that are too many, with all that came from them."""
        who = {"client_id": token.client_id, "user_id": token.user_id}
        for row in self._db.all("spare_refresh_tokens", **who, keep=LIVE_REFRESH_TOKENS):
            self._db.run("drop_children", hash=row["hash"])
            self._db.run("drop_token", hash=row["hash"])


def _email_key(email: str) -> str:
    return email.strip().casefold()


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
        profile=Profile(row["profile"]),
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
