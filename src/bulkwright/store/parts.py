"""The parts of resources: how rows are divided, and the claims on parts.

A part is claimed with a lease and a fence as a job is. Its row holds the counters of its rows. The
transaction of a chunk locks this row and never the row of the job, so that the parts of a job do
not wait for each other. The worker that has the lease of the job has its parts through that lease.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bulkwright.domain.errors import LeaseLost
from bulkwright.domain.job import Lease, LedgerEntry, PartLease, PartState, PartStatus, Split
from bulkwright.store.database import Database, Row
from bulkwright.store.readings import reading_from, reading_json
from bulkwright.store.times import lease_times


class PartStore:
    """Divides resources, claims their parts, and changes a part while its claim holds.

    Its methods belong inside a transaction in which the lease of the job was checked
    (`ClaimStore`), unless they say otherwise.
    """

    def __init__(self, database: Database) -> None:
        self._db = database

    def split(self, job_id: int, resource: int) -> Split | None:
        """Returns how a resource is divided; None before it has begun. Needs no transaction."""
        row = self._db.one("split", job_id=job_id, resource=resource)
        return None if row is None else split_of(row)

    def divide(self, lease: Lease, resource: int, split: Split) -> Split:
        """Divides a resource, unless it is divided already; returns how it is.

        While rows of a module are divided by one field, another job that finds its records by
        another field is not divided.
        """
        known = self.split(lease.job_id, resource)
        if known is not None:
            return known
        at = {"job_id": lease.job_id, "resource": resource}
        if split.by:
            self._db.all("lock_splits", **at)
            other = self._db.one("other_split", **at, split_by=split.by)
            if other is not None:
                reason = f"another job finds records of the module by {other['split_by']}"
                split = replace(split, parts=1, by=None, reason=reason)
        self._db.run(
            "set_split",
            **at,
            parts=split.parts,
            split_by=split.by,
            split_reason=split.reason,
            chunk_rows=split.chunk_rows,
            chunk_bytes=split.chunk_bytes,
        )
        self._db.run_all("add_part", [{**at, "part": part} for part in range(split.parts)])
        return split

    def claim(self, lease: Lease, resource: int) -> PartLease | None:
        """Claims the first open part for the worker that has the lease of the job.

        None if no part is open, or if others have all that are.
        """
        row = self._db.one(
            "claim_part",
            job_id=lease.job_id,
            resource=resource,
            worker=lease.worker,
            **lease_times(self._db.clock),
        )
        return None if row is None else _lease(lease, resource, row)

    def take_all(self, lease: Lease, resource: int) -> list[PartLease]:
        """Claims all parts of a resource that are not done, whichever worker has them."""
        rows = self._db.all(
            "take_parts", job_id=lease.job_id, resource=resource, worker=lease.worker
        )
        return sorted((_lease(lease, resource, row) for row in rows), key=lambda taken: taken.part)

    def check(self, lease: PartLease) -> None:
        """Checks that a claim holds, and locks the row of its part. Raises LeaseLost."""
        if self._db.one("fence_part", fence=lease.fence, **_at(lease)) is None:
            raise LeaseLost

    def advance(self, lease: PartLease, entry: LedgerEntry) -> None:
        """Adds a chunk to the counters of its part; call it inside `ClaimStore.chunk`."""
        stray = entry.stray_quotes
        self._db.run(
            "advance_part",
            **_at(lease),
            added=entry.counts.added,
            updated=entry.counts.updated,
            skipped=entry.counts.skipped,
            stray_quotes=len(stray),
            first_stray_quote=stray[0] + 1 if stray else None,
        )
        if entry.assumed:
            self._add_assumed(lease, entry.assumed)

    def _add_assumed(self, lease: PartLease, assumed: Mapping[str, str]) -> None:
        """Adds formats to the reading of a resource, which its other parts wait to change."""
        at = {"job_id": lease.job_id, "resource": lease.resource}
        row = self._db.one("lock_reading", **at)
        reading = reading_from(row["reading"]) if row else None
        if reading is not None:
            changed = replace(reading, assumed={**reading.assumed, **assumed})
            self._db.run("set_reading", **at, reading=reading_json(changed))

    def end(self, lease: PartLease, code: str | None) -> None:
        """Ends a part: DONE, or FAILED with a code. Needs no transaction. Raises LeaseLost."""
        status = PartStatus.DONE if code is None else PartStatus.FAILED
        ended = self._db.one(
            "end_part", fence=lease.fence, status=status.value, code=code, **_at(lease)
        )
        if ended is None:
            raise LeaseLost

    def states(self, job_id: int, resource: int) -> list[PartState]:
        """Returns the parts of a resource, in order. Needs no transaction."""
        rows = self._db.all("part_states", job_id=job_id, resource=resource)
        return [PartState(row["part"], PartStatus(row["status"]), row["code"]) for row in rows]


def split_of(row: Row) -> Split | None:
    """Returns how the resource of a row is divided; None before it has begun."""
    if row["parts"] is None:
        return None
    return Split(
        row["parts"], row["split_by"], row["split_reason"], row["chunk_rows"], row["chunk_bytes"]
    )


def _lease(lease: Lease, resource: int, row: Row) -> PartLease:
    return PartLease(lease.job_id, resource, row["part"], row["lease_token"], lease.worker)


def _at(lease: PartLease) -> dict[str, int]:
    return {"job_id": lease.job_id, "resource": lease.resource, "part": lease.part}
