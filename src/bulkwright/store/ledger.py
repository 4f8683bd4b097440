"""The ledger: one row for each committed chunk of a part."""

from __future__ import annotations

from bulkwright.domain.job import MERGED, Lease, LedgerEntry, PartLease, Piece
from bulkwright.domain.outcome import Counts
from bulkwright.domain.unchanged import UnchangedRows
from bulkwright.store.database import Database, Row
from bulkwright.store.parts import PartStore
from bulkwright.store.times import now_micros
from bulkwright.store.unchanged import UnchangedStore


class LedgerStore:
    """Reads and adds ledger entries."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._parts = PartStore(database)
        self.unchanged = UnchangedStore(database)

    def add(self, lease: PartLease, entry: LedgerEntry) -> None:
        """Adds an entry, and its counts to its part; call it inside `ClaimStore.chunk`."""
        self._add(lease.job_id, entry, lease.part)
        self._parts.advance(lease, entry)
        if entry.unchanged:
            rows = UnchangedRows(entry.chunk, entry.first_row, entry.unchanged, lease.part)
            self.unchanged.add(lease.job_id, entry.resource, rows)

    def replace(self, job_id: int, entry: LedgerEntry) -> None:
        """Replaces the lines of a chunk of a part, and its counts of stored rows.

        Call it inside `ClaimStore.held`.
        """
        self._db.run(
            "replace_ledger_entry",
            job_id=job_id,
            resource=entry.resource,
            part=entry.part,
            chunk=entry.chunk,
            added=entry.counts.added,
            updated=entry.counts.updated,
            piece_name=entry.piece.name,
            piece_deflated=entry.piece.deflated_bytes,
            piece_plain=entry.piece.plain_bytes,
            piece_crc=entry.piece.crc32,
        )

    def forget_stored(self, job_id: int) -> None:
        """Counts no row of a job as stored any more; call it inside `ClaimStore.held`."""
        self._db.run("forget_stored_rows", job_id=job_id)

    def add_merged(self, job_id: int, entry: LedgerEntry) -> None:
        """Adds the merged lines of a chunk; call it inside `ClaimStore.held`."""
        self._add(job_id, entry, MERGED)

    def add_read(self, lease: Lease, entry: LedgerEntry) -> None:
        """Adds a chunk of a bulk read; call it inside `ClaimStore.held`."""
        self._add(lease.job_id, entry, 0)

    def entries(
        self, job_id: int, resource: int, part: int = 0, first: int = 0
    ) -> list[LedgerEntry]:
        """Returns the committed chunks of a part (or those that are MERGED), in file order.

        Those before the chunk `first` are left out.
        """
        at = {"job_id": job_id, "resource": resource, "part": part}
        return [_entry(row) for row in self._db.all("ledger_entries", **at, first=first)]

    def count(self, job_id: int, resource: int, part: int) -> int:
        """Returns how many chunks of a part are committed (or MERGED)."""
        row = self._db.one("ledger_count", job_id=job_id, resource=resource, part=part)
        assert row is not None
        return int(row["chunks"])

    def pace(self, job_id: int) -> float | None:
        """Returns how many rows of a job were committed a second; None before its second chunk."""
        row = self._db.one("ledger_pace", job_id=job_id)
        return None if row is None else int(row["row_count"]) * 1_000_000 / row["duration"]

    def commits(self, job_id: int, most: int) -> list[tuple[int, int]]:
        """Returns when rows of a job were committed, in microseconds, and how many then, in order.

        Chunks that follow each other closely are added up: there are at most `most` and one times.
        Chunks that an older version has committed are left out.
        """
        times = self._db.one("ledger_times", job_id=job_id)
        if times is None or times["first"] is None:
            return []
        first = times["first"]
        span = (times["last"] - first) // most + 1
        rows = self._db.all("ledger_commits", job_id=job_id, begun=first, span=span)
        return [(row["moment"], int(row["row_count"])) for row in rows]

    def _add(self, job_id: int, entry: LedgerEntry, part: int) -> None:
        self._db.run(
            "add_ledger_entry",
            job_id=job_id,
            resource=entry.resource,
            part=part,
            chunk=entry.chunk,
            first_row=entry.first_row,
            row_count=entry.rows,
            added=entry.counts.added,
            updated=entry.counts.updated,
            skipped=entry.counts.skipped,
            resume_text=entry.resume_text,
            resume_row=entry.resume_row,
            piece_name=entry.piece.name,
            piece_deflated=entry.piece.deflated_bytes,
            piece_plain=entry.piece.plain_bytes,
            piece_crc=entry.piece.crc32,
            first_id=entry.first_id,
            committed_time=now_micros(self._db.clock),
        )


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
        part=row["part"],
        first_id=row["first_id"],
    )
