"""The ledger: one row for each committed chunk of a job."""

from __future__ import annotations

from bulkwright.domain.job import Lease, LedgerEntry, Piece
from bulkwright.domain.outcome import Counts
from bulkwright.store.database import Database, Row
from bulkwright.store.readings import reading_from, reading_json


class LedgerStore:
    """Reads and adds ledger entries."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, lease: Lease, entry: LedgerEntry) -> None:
        """Adds an entry and its counts to the resource; call it inside `ClaimStore.chunk`."""
        counts = {
            "added": entry.counts.added,
            "updated": entry.counts.updated,
            "skipped": entry.counts.skipped,
        }
        self._db.run(
            "add_ledger_entry",
            job_id=lease.job_id,
            resource=entry.resource,
            chunk=entry.chunk,
            first_row=entry.first_row,
            row_count=entry.rows,
            resume_text=entry.resume_text,
            resume_row=entry.resume_row,
            part_name=entry.piece.name,
            part_deflated=entry.piece.deflated_bytes,
            part_plain=entry.piece.plain_bytes,
            part_crc=entry.piece.crc32,
            **counts,
        )
        if entry.counts.total:
            # Rows that are only listed as UNPROCESSED are no progress. If they reset the attempts,
            # a job that a worker is giving up could be claimed again before it has ended.
            self._db.run("reset_attempts", id=lease.job_id)
        self._db.run("add_counts", job_id=lease.job_id, position=entry.resource, **counts)
        if entry.stray_quotes:
            self._add_stray_quotes({"job_id": lease.job_id, "position": entry.resource}, entry)

    def _add_stray_quotes(self, resource: dict[str, int], entry: LedgerEntry) -> None:
        row = self._db.one("reading", **resource)
        reading = None if row is None else reading_from(row["reading"])
        if reading is not None:
            now = reading.with_stray_quotes(entry.stray_quotes)
            self._db.run("set_reading", **resource, reading=reading_json(now))

    def entries(self, job_id: int, resource: int) -> list[LedgerEntry]:
        """Returns the committed chunks of a resource, in file order."""
        rows = self._db.all("ledger_entries", job_id=job_id, resource=resource)
        return [_entry(row) for row in rows]


def _entry(row: Row) -> LedgerEntry:
    return LedgerEntry(
        resource=row["resource"],
        chunk=row["chunk"],
        first_row=row["first_row"],
        rows=row["row_count"],
        counts=Counts(added=row["added"], updated=row["updated"], skipped=row["skipped"]),
        resume_text=row["resume_text"],
        resume_row=row["resume_row"],
        piece=Piece(row["part_name"], row["part_deflated"], row["part_plain"], row["part_crc"]),
    )
