"""Passwords, sessions, consents and devices of browsers, and failed sign-ins.

Secrets are stored as hashes.
"""

from __future__ import annotations

from dataclasses import dataclass

from bulkwright.domain.limits import (
    DEVICE_SECONDS,
    LIVE_SESSIONS,
    REMEMBERED_DEVICES,
    SIGN_IN_FAILURE_SECONDS,
)
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
        """Sets the password of a user; its devices are not known any more."""
        with self._db.transaction():
            self._db.run(
                "set_password",
                user_id=user_id,
                hash=password_hash,
                changed_time=now_micros(self._db.clock),
            )
            self._db.run("delete_devices_of", user_id=user_id)

    def delete_password(self, user_id: int) -> None:
        """Deletes the password of a user, and its devices."""
        with self._db.transaction():
            self._db.run("delete_password", user_id=user_id)
            self._db.run("delete_devices_of", user_id=user_id)

    def add(self, session: Session, *, seconds: int) -> None:
        """Adds a session that is valid for `seconds`.

        Deletes expired sessions, and the oldest ones of the user over a limit.
        """
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
            self._db.run("delete_surplus_sessions", user_id=session.user_id, keep=LIVE_SESSIONS)

    def session(self, session_hash: str) -> Session | None:
        """Returns a session by its hash; None if it does not exist or has expired."""
        row = self._db.one("session", hash=session_hash, moment=now_micros(self._db.clock))
        return None if row is None else Session(row["hash"], row["org_id"], row["user_id"])

    def end(self, session_hash: str) -> None:
        """Deletes a session."""
        self._db.run("delete_session", hash=session_hash)

    def delete(self, org_id: int, user_id: int | None = None) -> int:
        """Deletes the sessions of an org, or of one user of it; returns how many there were."""
        return len(self._db.all("delete_sessions_of", org_id=org_id, user_id=user_id))

    def consent(self, session: Session, client_id: str) -> str:
        """Returns the scopes that a client was granted in a session; empty if none were."""
        row = self._db.one("consent", session=session.hash, client_id=client_id)
        return "" if row is None else str(row["scopes"])

    def set_consent(self, session: Session, client_id: str, scopes: str) -> None:
        """Sets the scopes that a client is granted in a session."""
        self._db.run("set_consent", session=session.hash, client_id=client_id, scopes=scopes)

    # Devices, and failed sign-ins of all processes

    def is_device(self, device_hash: str, user_id: int) -> bool:
        """Returns whether a user has signed in on this device before, and not too long ago."""
        row = self._db.one("device", hash=device_hash, user_id=user_id)
        return row is not None and row["last_used"] > self._ago(DEVICE_SECONDS)

    def use_device(self, device_hash: str, user_id: int) -> None:
        """Adds a device of a user, or records its use. The oldest ones over a limit are dropped."""
        moment = now_micros(self._db.clock)
        with self._db.transaction():
            self._db.run("use_device", hash=device_hash, user_id=user_id, moment=moment)
            self._db.run("delete_surplus_devices", user_id=user_id, keep=REMEMBERED_DEVICES)

    def failures(self, key: str) -> tuple[int, float]:
        """Returns the number of failed sign-ins of a key, and the seconds since the last one.

        They are forgotten after a time, and when the clock was set back.
        """
        row = self._db.one("sign_in_failures", key=key)
        if row is None:
            return 0, 0.0
        seconds = (now_micros(self._db.clock) - row["last_time"]) / 1_000_000
        if not 0 <= seconds <= SIGN_IN_FAILURE_SECONDS:
            return 0, 0.0
        return row["failures"], seconds

    def add_failure(self, key: str) -> None:
        """Counts a failed sign-in of a key."""
        self._db.run(
            "add_sign_in_failure",
            key=key,
            moment=now_micros(self._db.clock),
            forgotten=self._ago(SIGN_IN_FAILURE_SECONDS),
        )

    def delete_failures(self, key: str) -> None:
        """Drops the failed sign-ins of a key."""
        self._db.run("delete_sign_in_failures", key=key)

    def _ago(self, seconds: float) -> int:
        return now_micros(self._db.clock) - round(seconds * 1_000_000)
