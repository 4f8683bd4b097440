"""Idempotency keys, each with the upload or the job that its first request has made."""

from __future__ import annotations

from bulkwright.domain.errors import IdempotencyKeyReused
from bulkwright.domain.idempotency import IdempotencyKey
from bulkwright.store.database import Database, Row
from bulkwright.store.times import now_micros


class IdempotencyStore:
    """Reads and adds the idempotency keys of orgs; `store/retention.py` deletes them."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def made(self, org_id: int, key: IdempotencyKey) -> int | None:
        """Returns the id of what the first request with a key has made; None for a new key.

        Raises IdempotencyKeyReused if that was another request.
        """
        return _made(self._db.one("idempotency_key", org_id=org_id, key=key.key), key)

    def take(self, org_id: int, key: IdempotencyKey, made: int) -> int:
        """Adds a key with the id of what its request makes, inside `transaction`.

        If another request has the key, returns what that has made instead, as soon as it has
        committed. Raises IdempotencyKeyReused if that was another request.
        """
        values = {"org_id": org_id, "key": key.key, "request": key.request, "made": made}
        added = self._db.one("add_idempotency_key", now=now_micros(self._db.clock), **values)
        if added is not None:
            return made
        first = self.made(org_id, key)
        assert first is not None
        return first

    def replace(self, org_id: int, key: IdempotencyKey, made: int) -> None:
        """Lets a key name something else, because what it named is deleted."""
        self._db.run("replace_idempotency_key", org_id=org_id, key=key.key, made=made)


def _made(row: Row | None, key: IdempotencyKey) -> int | None:
    if row is None:
        return None
    if row["request"] != key.request:
        raise IdempotencyKeyReused
    return int(row["made"])
