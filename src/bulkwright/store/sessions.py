"""Passwords, signed-in browsers, and what was agreed to in them; hashes only."""

from __future__ import annotations

from dataclasses import dataclass

from bulkwright.store.clock import now
from bulkwright.store.database import Database


@dataclass(frozen=True, slots=True)
class Session:
    """A browser in which a person has signed in."""

    hash: str
    org_id: int
    user_id: int


class SessionStore:
    """Reads and changes who is signed in."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def password(self, user_id: int) -> str | None:
        """The hash of a user's password."""
        row = self._db.one("password", user_id=user_id)
        return None if row is None else str(row["hash"])

    def set_password(self, user_id: int, password_hash: str) -> None:
        """Give a user a password; browsers that are signed in with the old one no longer are."""
        with self._db.transaction():
            self._db.run("set_password", user_id=user_id, hash=password_hash, changed_time=now())
            self._db.run("drop_user_sessions", user_id=user_id)

    def add(self, session: Session, *, seconds: int) -> None:
        """Keep a new session; sessions that have run out go."""
        moment = now()
        with self._db.transaction():
            self._db.run("drop_old_sessions", moment=moment)
            self._db.run(
                "add_session",
                hash=session.hash,
                org_id=session.org_id,
                user_id=session.user_id,
                created_time=moment,
                expires_time=moment + seconds * 1_000_000,
            )

    def session(self, session_hash: str) -> Session | None:
        """One session that has not run out."""
        row = self._db.one("session", hash=session_hash, moment=now())
        return None if row is None else Session(row["hash"], row["org_id"], row["user_id"])

    def end(self, session_hash: str) -> None:
        """Forget a session."""
        self._db.run("drop_session", hash=session_hash)

    def consent(self, session: Session, client_id: str) -> str:
        """The scopes that were agreed to in a session for a client; empty for none."""
        row = self._db.one("consent", session=session.hash, client_id=client_id)
        return "" if row is None else str(row["scopes"])

    def set_consent(self, session: Session, client_id: str, scopes: str) -> None:
        """Remember what was agreed to."""
        self._db.run("set_consent", session=session.hash, client_id=client_id, scopes=scopes)
