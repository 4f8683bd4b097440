"""Idempotency keys, each with the upload or the job that its first request has made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from bulkwright.domain.errors import IdempotencyKeyReused
from bulkwright.domain.idempotency import IdempotencyKey
from bulkwright.store.database import Database
from bulkwright.store.times import now_micros

T = TypeVar("T")


class IdempotencyStore:
    """Reads and adds the idempotency keys of orgs; `store/retention.py` deletes them."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def known(self, org_id: int, key: IdempotencyKey, find: Callable[[int], T | None]) -> T | None:
        """Returns what the first request with a key has made, which `find` returns by its id.

        None for a new key, and if what was made is deleted. Raises IdempotencyKeyReused if the
        first request was another one.
        """
        row = self._db.one("idempotency_key", org_id=org_id, key=key.key)
        if row is None:
            return None
        if row["request"] != key.request:
            raise IdempotencyKeyReused
        return find(int(row["made"]))

    def is_used(self, org_id: int, key: str) -> bool:
        """Returns whether an earlier request has had this key."""
        return self._db.one("idempotency_key", org_id=org_id, key=key) is not None

    def take(
        self, org_id: int, key: IdempotencyKey, made: int, find: Callable[[int], T | None]
    ) -> T | None:
        """Adds a key with the id of what its request is about to make, inside `transaction`.

        If another request has the key, returns what that has made instead, as soon as it has
        committed; otherwise None. Raises what `known` raises.
        """
        values = {"org_id": org_id, "key": key.key, "made": made}
        added = self._db.one(
            "add_idempotency_key", request=key.request, now=now_micros(self._db.clock), **values
        )
        if added is not None:
            return None
        first = self.known(org_id, key, find)
        if first is None:
            self._db.run("replace_idempotency_key", **values)
        return first
