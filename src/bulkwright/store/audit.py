"""The audit log: entries are added, read, and deleted by the sweep."""

from __future__ import annotations

from datetime import datetime

from bulkwright.domain.audit import Action, Actor, AuditEntry
from bulkwright.store.database import Database, Row
from bulkwright.store.times import from_micros, to_micros


class AuditStore:
    """Adds and reads audit entries."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, entry: AuditEntry) -> None:
        """Adds an entry; inside a transaction it commits together with what it reports."""
        self._db.run(
            "add_audit_entry",
            time=to_micros(entry.time),
            action=entry.action.value,
            org_id=entry.org_id,
            user_id=entry.user_id,
            client_id=entry.client_id,
            address=entry.actor.address,
            operator=entry.actor.operator,
            detail=entry.detail,
        )

    def newest(
        self,
        most: int,
        *,
        since: datetime | None = None,
        org_id: int | None = None,
        action: Action | None = None,
    ) -> list[AuditEntry]:
        """Returns up to `most` entries, newest first; with `since`, none that is older."""
        rows = self._db.all(
            "audit_entries",
            most=most,
            since=0 if since is None else to_micros(since),
            org_id=org_id,
            action=None if action is None else action.value,
        )
        return [_entry(row) for row in rows]

    def page_of_org(
        self, org_id: int, most: int, *, before: int | None, action: Action | None
    ) -> list[tuple[int, AuditEntry]]:
        """Returns up to `most` entries of an org with their ids, newest first.

        With `before`, those with lower ids.
        """
        rows = self._db.all(
            "audit_entries_of_org",
            org_id=org_id,
            most=most,
            before=before,
            action=None if action is None else action.value,
        )
        return [(row["id"], _entry(row)) for row in rows]


def _entry(row: Row) -> AuditEntry:
    return AuditEntry(
        time=from_micros(row["time"], "UTC"),
        action=Action(row["action"]),
        actor=Actor(row["address"], row["operator"]),
        org_id=row["org_id"],
        user_id=row["user_id"],
        client_id=row["client_id"],
        detail=row["detail"],
    )
