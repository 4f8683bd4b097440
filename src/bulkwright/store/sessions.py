"""Passwords, sessions of browsers, and the consents given in them. Secrets are stored as hashes."""

from __future__ import annotations

from dataclasses import dataclass

from bulkwright.store.database import Database
from bulkwright.store.times import micros, now_micros


@dataclass(frozen=True, slots=True)
class Session:
    """A browser in which a user has signed in."""

    hash: str
    org_id: int
    user_id: int


class SessionStore:
    """Reads and changes passwords, sessions and consents."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def password(self, user_id: int) -> str | None:
        """Returns the hash of a user's password; None if the user has none."""
        row = self._db.one("password", user_id=user_id)
        return None if row is None else str(row["hash"])

    def set_password(self, user_id: int, password_hash: str) -> None:
        """Sets the password of a user and ends all sessions of that user."""
        with self._db.transaction():
            self._db.run(
                "set_password",
                user_id=user_id,
                hash=password_hash,
                changed_time=now_micros(self._db.clock),
            )
            self._db.run("delete_user_sessions", user_id=user_id)

    def add(self, session: Session, *, seconds: int) -> None:
        """Adds a session that is valid for `seconds`, and deletes expired ones."""
        moment = now_micros(self._db.clock)
        with self._db.transaction():
            self._db.run("delete_expired_sessions", moment=moment)
            self._db.run(
                "add_session",
                hash=session.hash,
                org_id=session.org_id,
                user_id=session.user_id,
                created_time=moment,
                expires_time=moment + micros(seconds),
            )

    def session(self, session_hash: str) -> Session | None:
        """Returns a session by its hash; None if it does not exist or has expired."""
        row = self._db.one("session", hash=session_hash, moment=now_micros(self._db.clock))
        return None if row is None else Session(row["hash"], row["org_id"], row["user_id"])

    def end(self, session_hash: str) -> None:
        """Deletes a session."""
        self._db.run("delete_session", hash=session_hash)

    def consent(self, session: Session, client_id: str) -> str:
        """Returns the scopes that a client was granted in a session; empty if none were."""
        row = self._db.one("consent", session=session.hash, client_id=client_id)
        return "" if row is None else str(row["scopes"])

    def set_consent(self, session: Session, client_id: str, scopes: str) -> None:
        """Sets the scopes that a client is granted in a session."""
        self._db.run("set_consent", session=session.hash, client_id=client_id, scopes=scopes)
