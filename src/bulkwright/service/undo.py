"""Creates undos of bulk writes and returns their details. Workers run them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from zoneinfo import ZoneInfo

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.domain.account import Caller
from bulkwright.domain.audit import Action
from bulkwright.domain.errors import InvalidToken, ResourceNotFound
from bulkwright.domain.job import Person
from bulkwright.domain.limits import Limits
from bulkwright.domain.undo_errors import AlreadyUndone, CannotUndo, JobNotEnded, NoImages
from bulkwright.domain.undo_job import Undoable, UndoJob, UndoRequest
from bulkwright.service.audit import AuditLog
from bulkwright.service.callbacks import WhyNever, check_callback
from bulkwright.service.open_jobs import check_open_jobs
from bulkwright.store.accounts import AccountStore
from bulkwright.store.idempotency import IdempotencyStore
from bulkwright.store.jobs import JobStore
from bulkwright.store.modules import ModuleStore
from bulkwright.store.undos import UndoStore


@dataclass(frozen=True, slots=True)
class UndoService:
    """Creates and returns the undos of an org's jobs."""

    accounts: AccountStore
    modules: ModuleStore
    undos: UndoStore
    jobs: JobStore
    keys: IdempotencyStore
    audit: AuditLog
    limits: Limits
    clock: Clock = SYSTEM_CLOCK
    why_never: WhyNever = lambda _endpoint: None

    def create(self, caller: Caller, request: UndoRequest, *, wake: bool = True) -> UndoJob:
        """Checks a request and adds its job.

        If it has an idempotency key, returns the undo of the first request with this key. Without
        `wake`, idle workers do not look for the job at once: the caller runs it itself. Raises
        ResourceNotFound if the org has no such bulk write, the CannotUndo that says why it cannot
        be undone, and IdempotencyKeyReused if another request had the key.
        """
        user = self.accounts.user(caller.org_id, caller.user_id)
        if user is None:
            raise InvalidToken
        check_callback(request.callback, self.why_never)
        with self.undos.transaction():
            number = self.modules.take_ids(1)
            if request.idempotency is not None:
                find = partial(self.undos.job, caller.org_id)
                first = self.keys.take(caller.org_id, request.idempotency, number, find)
                if first is not None:
                    return first
            found = self.undos.undoable(caller.org_id, request.undone_id)
            if found is None:
                raise ResourceNotFound
            status, undoable = found
            if not status.is_final:
                raise JobNotEnded(
                    f"Job {request.undone_id} has not ended; its status is {status.value}. "
                    "Wait for its end, or abort it first."
                )
            _check(undoable, request)
            check_open_jobs(self.jobs, caller.org_id, self.limits)
            job = UndoJob(
                id=number,
                org_id=caller.org_id,
                undone_id=request.undone_id,
                dry_run=request.dry_run,
                created_by=Person(user.id, user.name),
                created_time=self.clock.now().astimezone(ZoneInfo(user.time_zone)),
                time_zone=user.time_zone,
                callback=request.callback,
            )
            self.undos.add(job, wake=wake)
            if job.dry_run:
                detail = f"{job.id}: undo of {job.undone_id}, dry run"
                self.audit.record_call(Action.JOB_CREATED, caller, detail)
            else:
                detail = f"{job.undone_id} by {job.id}"
                self.audit.record_call(Action.JOB_UNDONE, caller, detail)
        return job

    def page(self, org_id: int, *, before: int | None, most: int) -> list[UndoJob]:
        """Returns at most `most` undos of an org, newest first.

        With `before`, those whose ids are lower.
        """
        return self.undos.page(org_id, before=before, most=most)

    def details(self, org_id: int, job_id: int) -> UndoJob:
        """Returns an undo of an org as it is now. Raises ResourceNotFound."""
        job = self.undos.job(org_id, job_id)
        if job is None:
            raise ResourceNotFound
        return job


def _check(found: Undoable, request: UndoRequest) -> None:
    """Raises the CannotUndo that says why a job that has ended cannot be undone."""
    number = request.undone_id
    if found.undo_id is not None:
        runs = found.undo_status is not None and not found.undo_status.is_final
        raise AlreadyUndone(
            f"Job {number} is being undone by job {found.undo_id}; wait for its end."
            if runs
            else f"Job {number} was undone by job {found.undo_id}; its result lists the records.",
            {"undo_job": str(found.undo_id)},
        )
    if found.dry:
        raise CannotUndo(f"Job {number} was a dry run: it has stored nothing.")
    if found.existing_tables:
        names = ", ".join(found.existing_tables)
        raise CannotUndo(
            f"Job {number} wrote into an existing table ({names}), in which nothing says who wrote "
            "a record last. Restore the records from a backup of that database."
        )
    if found.lacks_images:
        raise NoImages(
            f"What the records held before job {number} is not kept: the time of --keep-images is "
            "over or was 0 when the job ran, or an older version of Bulkwright ran it. Write the "
            "former values with a new job."
        )
