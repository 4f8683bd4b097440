"""The parts of resources: how rows are divided, and the claims on parts.

A part is claimed with a lease and a fence as a job is. Its row holds the counters of its rows. The
transaction of a chunk locks this row and never the row of the job, so that the parts of a job do
not wait for each other. The worker that has the lease of the job has its parts through that lease.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from bulkwright.domain.error_limit import ErrorLimit
from bulkwright.domain.errors import LeaseLost
from bulkwright.domain.job import (
    Lease,
    LedgerEntry,
    PartLease,
    PartState,
    PartStatus,
    Resource,
    Split,
)
from bulkwright.domain.outcome import Counts
from bulkwright.store.database import Database, Row
from bulkwright.store.readings import reading_from, reading_json
from bulkwright.store.times import lease_times
from bulkwright.store.wakeups import Topic


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
        self._set_split(at, split)
        self._db.run_all("add_part", [{**at, "part": part} for part in range(split.parts)])
        if split.is_divided:
            self._db.wake(Topic.JOBS)  # idle workers claim parts
        return split

    def add_done(self, job_id: int, position: int, resource: Resource) -> None:
        """Records how a resource was divided and read, and its counts, without any chunk."""
        at = {"job_id": job_id, "resource": position}
        split, reading = resource.split or Split(), resource.reading
        self._set_split(at, split)
        self._db.run("set_reading", **at, reading=reading_json(reading))
        self._db.run(
            "add_done_part",
            **at,
            added=resource.counts.added,
            updated=resource.counts.updated,
            skipped=resource.counts.skipped,
            unchanged=resource.counts.unchanged,
            stray_quotes=0 if reading is None else reading.stray_quotes,
            first_stray_quote=None if reading is None else reading.first_stray_quote,
        )

    def _set_split(self, at: Mapping[str, int], split: Split) -> None:
        self._db.run(
            "set_split",
            **at,
            parts=split.parts,
            split_by=split.by,
            split_reason=split.reason,
            chunk_rows=split.chunk_rows,
            chunk_bytes=split.chunk_bytes,
            images=None if split.images is None else json.dumps(split.images),
        )

    def claim(self, lease: Lease, resource: int, after: int = -1) -> PartLease | None:
        """Claims the first open part behind part `after` for the worker of the job.

        That worker's own parts are open too. None if no part is open, or if others have all that
        are.
        """
        row = self._db.one(
            "claim_part",
            job_id=lease.job_id,
            resource=resource,
            worker=lease.worker,
            after=after,
            **lease_times(self._db.clock),
        )
        return None if row is None else _lease(lease, resource, row)

    def claim_free(self, worker: str, only: int | None = None) -> tuple[PartLease, int] | None:
        """Claims an open part of a job that another worker runs. Needs no transaction.

        Returns the claim and the org of the job. With `only`, the part is one of that job; without
        it, of any that `write` does not run.
        """
        times = lease_times(self._db.clock)
        row = self._db.one("claim_free_part", worker=worker, only=only, **times)
        if row is None:
            return None
        place = (row["job_id"], row["resource"], row["part"], row["lease_token"])
        return PartLease(*place, worker, row["attempts"]), row["org_id"]

    def renew(self, lease: PartLease) -> None:
        """Extends a claim of `claim_free` by a lease time from now. Raises LeaseLost.

        It belongs to another transaction than a chunk of the part, which extends the claim itself.
        """
        times = lease_times(self._db.clock)
        if self._db.one("renew_part", fence=lease.fence, **_at(lease), **times) is None:
            raise LeaseLost

    def release(self, lease: PartLease, *, counted: bool) -> None:
        """Ends a claim of `claim_free`, so that another worker may claim the part at once.

        If not `counted`, this attempt does not count as one of the part's.
        """
        with self._db.transaction():
            self._db.wake(Topic.JOBS)
            uncounted = 0 if counted else 1
            self._db.run("release_part", fence=lease.fence, uncounted=uncounted, **_at(lease))

    def resume(self, lease: PartLease) -> None:
        """Claims a released part again. Raises LeaseLost if another worker has claimed it."""
        times = lease_times(self._db.clock)
        place = {"fence": lease.fence, "worker": lease.worker, **_at(lease)}
        if self._db.one("resume_part", **place, **times) is None:
            raise LeaseLost

    def take_all(self, lease: Lease, resource: int) -> list[PartLease]:
        """Claims all parts of a resource that are not done, whichever worker has them."""
        rows = self._db.all(
            "take_parts", job_id=lease.job_id, resource=resource, worker=lease.worker
        )
        return sorted((_lease(lease, resource, row) for row in rows), key=lambda taken: taken.part)

    def check(self, lease: PartLease) -> None:
        """Checks that a claim holds, extends it, and locks the row of its part.

        Raises LeaseLost.
        """
        times = lease_times(self._db.clock)
        if self._db.one("fence_part", fence=lease.fence, **_at(lease), **times) is None:
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
            unchanged=entry.counts.unchanged,
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

    def stop_if_passed(self, lease: PartLease, limit: ErrorLimit) -> bool:
        """Returns whether a resource has passed the limit of its errors, and records it.

        Call it inside `ClaimStore.chunk`, behind `advance`, with no other lock to wait for after
        it. Chunks of other parts are judged one after the other, so that each sees those before.
        """
        at = {"job_id": lease.job_id, "resource": lease.resource}
        row = self._db.one("lock_limit", **at)
        if row is not None and row["stopped"]:
            return True
        passed = limit.is_passed(self.done(lease.job_id, lease.resource))
        if passed:
            self._db.run("stop_resource", **at)
        return passed

    def is_stopped(self, lease: PartLease) -> bool:
        """Returns whether a resource has passed the limit of its errors."""
        row = self._db.one("is_stopped", job_id=lease.job_id, resource=lease.resource)
        return row is not None and bool(row["stopped"])

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

    def done(self, job_id: int, resource: int) -> Counts:
        """Returns the rows that the parts of a resource have done. Needs no transaction."""
        row = self._db.one("part_sums", job_id=job_id, resource=resource)
        assert row is not None
        return Counts(row["added"], row["updated"], row["skipped"], row["unchanged"])

    def workers(self) -> int:
        """Returns how many workers of the database wait for jobs or run them."""
        row = self._db.one("workers")
        return 1 if row is None else int(row["workers"])

    def free_sessions(self) -> int:
        """Returns how many more sessions the database allows; 0 on SQLite."""
        row = self._db.one("free_sessions")
        return 0 if row is None else int(row["sessions"])


def split_of(row: Row) -> Split | None:
    """Returns how the resource of a row is divided; None before it has begun."""
    if row["parts"] is None:
        return None
    images = row["images"]
    return Split(
        parts=row["parts"],
        by=row["split_by"],
        reason=row["split_reason"],
        chunk_rows=row["chunk_rows"],
        chunk_bytes=row["chunk_bytes"],
        images=None if images is None else tuple(json.loads(images)),
    )


def _lease(lease: Lease, resource: int, row: Row) -> PartLease:
    return PartLease(
        lease.job_id, resource, row["part"], row["lease_token"], lease.worker, row["attempts"]
    )


def _at(lease: PartLease) -> dict[str, int]:
    return {"job_id": lease.job_id, "resource": lease.resource, "part": lease.part}
