"""Aborts and deletes jobs, and replays callbacks. The audit log has an entry for each.

An abort ends the claims of all workers in one transaction: a chunk that is being committed is
stored, and no other after it. The worker that claims the job next ends it as FAILED, with a result
in which the rows that were not reached are UNPROCESSED.

A job is deleted as the sweep deletes one that has expired: its rows first, its files afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from bulkwright.domain.any_job import AnyJob
from bulkwright.domain.audit import Action, Actor
from bulkwright.domain.delivery import Delivery
from bulkwright.domain.delivery_errors import CallbackIsPending, NoCallback
from bulkwright.domain.errors import (
    JobHasEnded,
    JobIsOpen,
    ResourceNotFound,
)
from bulkwright.domain.idempotency import IdempotencyKey
from bulkwright.domain.retention import DeletedJob
from bulkwright.files import Area, Files
from bulkwright.service.audit import AuditLog
from bulkwright.store.claims import ClaimStore
from bulkwright.store.idempotency import IdempotencyStore
from bulkwright.store.jobs import JobStore
from bulkwright.store.outbox import OutboxStore
from bulkwright.store.retention import RetentionStore


@dataclass(frozen=True, slots=True)
class JobControl:
    """Aborts and deletes bulk writes, bulk reads and undos of an org."""

    find: Callable[[int, int], AnyJob | None]
    """Returns a job of an org by its id."""
    claims: ClaimStore
    jobs: JobStore
    retention: RetentionStore
    keys: IdempotencyStore
    outbox: OutboxStore
    files: Files
    audit: AuditLog

    def abort(
        self, org_id: int, job_id: int, *, user_id: int | None = None, actor: Actor | None = None
    ) -> AnyJob:
        """Aborts a job, and returns it. No row of it is stored after this.

        An abort that is repeated changes nothing. Raises JobHasEnded if the job has ended in
        another way, ResourceNotFound if the org has no such job.
        """
        with self.jobs.transaction():
            if self.claims.abort(org_id, job_id):
                self.audit.record(
                    Action.JOB_ABORTED, actor, org_id=org_id, user_id=user_id, detail=str(job_id)
                )
        job = self._job(org_id, job_id)
        if job.abort_time is None:
            raise JobHasEnded(
                f"The job has the status {job.status.value}, so that it cannot be aborted."
            )
        return job

    def delete(
        self, org_id: int, job_id: int, *, user_id: int | None = None, actor: Actor | None = None
    ) -> DeletedJob:
        """Deletes an ended job with its result, and its uploads that no other job reads.

        The records that it has stored stay. Raises JobIsOpen if it has not ended, ResourceNotFound
        if the org has no such job.
        """
        with self.jobs.transaction():
            deleted = self.retention.delete_job(org_id, job_id)
            self.audit.record(
                Action.JOB_DELETED, actor, org_id=org_id, user_id=user_id, detail=str(job_id)
            )
        self.files.delete(Area.RESULTS, job_id)
        self.files.delete(Area.PIECES, job_id)
        for upload_id in deleted.uploads:
            self.files.delete(Area.UPLOADS, upload_id)
        return deleted

    def callback(self, org_id: int, job_id: int) -> Delivery:
        """Returns the delivery of a job's callback. Raises NoCallback, ResourceNotFound."""
        self._callback_url(org_id, job_id)
        delivery = self.outbox.of_job(org_id, job_id)
        if delivery is None:
            raise NoCallback(
                "The callback of the job was not begun, because the job has not ended, or its "
                "delivery has expired."
            )
        return delivery

    def replay_callback(
        self,
        org_id: int,
        job_id: int,
        *,
        user_id: int | None = None,
        actor: Actor | None = None,
        key: IdempotencyKey | None = None,
    ) -> Delivery:
        """Sends the callback of an ended job again, as a new delivery; returns that.

        A request that is repeated with its idempotency `key` sends nothing again, and returns the
        newest delivery. Raises IdempotencyKeyReused if another request had the key.
        Raises CallbackIsPending, NoCallback, JobIsOpen and ResourceNotFound.
        """
        url = self._callback_url(org_id, job_id)
        if not self._job(org_id, job_id).status.is_final:
            raise JobIsOpen("The job has not ended; its callback is sent when it does.")
        with self.jobs.transaction():
            if key is not None:
                newest = partial(self.outbox.of_job, org_id)
                first = self.keys.take(org_id, key, job_id, newest)
                if first is not None:
                    return first
            if not self.outbox.replay(org_id, job_id, url):
                raise CallbackIsPending("The callback of the job is not delivered yet; wait.")
            self.audit.record(
                Action.JOB_CALLBACK_REPLAYED,
                actor,
                org_id=org_id,
                user_id=user_id,
                detail=str(job_id),
            )
        return self.callback(org_id, job_id)

    def _callback_url(self, org_id: int, job_id: int) -> str:
        callback = self._job(org_id, job_id).callback
        if callback is None:
            raise NoCallback("The job was created without a callback.")
        return callback.url

    def _job(self, org_id: int, job_id: int) -> AnyJob:
        job = self.find(org_id, job_id)
        if job is None:
            raise ResourceNotFound
        return job
