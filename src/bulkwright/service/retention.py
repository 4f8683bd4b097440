"""Deletes expired uploads, results, jobs, callbacks, tokens, sessions and audit entries.

The database row is deleted first, its file afterwards. If the process is killed between the two,
a file remains that no row refers to: it is harmless, and a later sweep deletes it as a stray. In
the other order a job could be accepted for an upload that is gone, or a job could show a link to a
result that is gone. (Uploads and results are created in the opposite order for the same reason:
the file first.) A reader that has a file open can read it to the end.

The process that serves sweeps on a thread of its own, at start and once an hour.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sized
from dataclasses import dataclass
from datetime import timedelta

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.domain.limits import DELETED_DAYS
from bulkwright.domain.retention import STRAY_HOURS, RetentionPolicy
from bulkwright.events.events import Observer, SweepDeferred, SweepFailed, Swept
from bulkwright.files import Area, Files
from bulkwright.store.retention import RetentionStore

SWEEP_SECONDS = 3600.0
"""The time between two sweeps."""

_CLOCK_JUMP_SECONDS = 600.0
"""If the wall clock was set by more than this, young things may look old: one sweep is skipped."""

_PAUSE_SECONDS = 0.02
"""The pause between two steps, in which other writers get the database."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Sweeps one deployment."""

    store: RetentionStore
    files: Files
    policy: RetentionPolicy

    def sweep(self, stop: threading.Event | None = None) -> Swept:
        """Deletes everything that has expired. Ends after the current step if `stop` is set."""
        return _Sweep(self, stop or threading.Event()).run()


class Sweeper:
    """Sweeps at start and once an hour, on a thread of its own, until `stop` is called."""

    def __init__(
        self, retention: Retention, observe: Observer, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._retention = retention
        self._observe = observe
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        """Starts the thread, which sweeps at once."""
        self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Stops after the current step; waits up to `seconds` for it."""
        self._stop.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        offset = self._wall_offset()
        while not self._stop.is_set():
            jump = self._wall_offset() - offset
            offset += jump
            try:
                if abs(jump) > _CLOCK_JUMP_SECONDS:
                    self._observe(SweepDeferred(jump))
                else:
                    self._observe(self._retention.sweep(self._stop))
            except Exception as error:
                # For example, the disk is full or the database is locked. The next sweep retries.
                self._observe(SweepFailed(error))
            self._stop.wait(SWEEP_SECONDS)

    def _wall_offset(self) -> float:
        """Returns the seconds between the wall clock and the monotonic one, which is never set."""
        return self._clock.now().timestamp() - self._clock.monotonic()


class _Sweep:
    """One sweep, with the counts of what it has deleted so far."""

    def __init__(self, retention: Retention, stop: threading.Event) -> None:
        self._store = retention.store
        self._files = retention.files
        self._policy = retention.policy
        self._stop = stop
        self._deleted: Counter[str] = Counter()

    def run(self) -> Swept:
        store, policy = self._store, self._policy
        # Results before jobs: a job is deleted with its result or after it.
        self._expired("uploads", policy.uploads, self._delete_uploads)
        self._expired("results", policy.results, self._delete_results)
        self._expired("jobs", policy.jobs, self._delete_jobs)
        self._expired("undoable", policy.images, lambda t: range(store.release_images(t)))
        self._repeat("images", lambda: range(store.delete_images()))
        self._expired("callbacks", policy.callbacks, lambda t: range(store.delete_deliveries(t)))
        self._repeat("tokens", lambda: range(store.delete_tokens()))
        self._expired("tokens", policy.refresh_tokens, lambda t: range(store.delete_idle_tokens(t)))
        self._repeat("tokens", lambda: range(store.delete_forgotten_codes()))
        self._repeat("tokens", lambda: range(store.delete_sessions()))
        self._repeat("tokens", lambda: range(store.delete_devices()))
        self._repeat("tokens", lambda: range(store.delete_failures()))
        self._expired("audit", policy.audit, lambda t: range(store.delete_audit_entries(t)))
        keys = policy.idempotency_keys
        self._expired("keys", keys, lambda t: range(store.delete_idempotency_keys(t)))
        store.forget_deleted_names(timedelta(days=DELETED_DAYS))
        self._delete_strays(Area.UPLOADS, store.upload_known)
        self._delete_strays(Area.RESULTS, store.result_needed)
        self._delete_strays(Area.PIECES, store.pieces_needed)
        self._deleted["strays"] += self._files.sweep()
        del self._deleted["images"]  # they are counted by jobs
        return Swept(**self._deleted)

    def _expired(
        self, kind: str, lifetime: timedelta | None, step: Callable[[timedelta], Sized]
    ) -> None:
        if lifetime is not None:
            self._repeat(kind, lambda: step(lifetime))

    def _repeat(self, kind: str, step: Callable[[], Sized]) -> None:
        """Repeats a step until it finds nothing to delete."""
        while not self._stop.is_set() and (found := len(step())):
            self._deleted[kind] += found
            self._stop.wait(_PAUSE_SECONDS)

    def _delete_uploads(self, older: timedelta) -> list[int]:
        deleted = self._store.delete_uploads(older)
        self._delete_files(Area.UPLOADS, deleted)
        return deleted

    def _delete_results(self, older: timedelta) -> list[int]:
        deleted = self._store.delete_results(older)
        self._delete_files(Area.RESULTS, deleted)
        return deleted

    def _delete_jobs(self, older: timedelta) -> list[int]:
        deleted = self._store.delete_jobs(older)
        self._delete_files(Area.RESULTS, deleted)
        self._delete_files(Area.PIECES, deleted)
        return deleted

    def _delete_strays(self, area: Area, is_needed: Callable[[int], bool]) -> None:
        """Deletes files that a crash left, or a sweep that was killed between row and file."""
        for number in self._files.unchanged_for(area, STRAY_HOURS * 3600.0):
            if self._stop.is_set():
                return
            if not is_needed(number):
                self._deleted["strays"] += 1
                self._delete_files(area, [number])

    def _delete_files(self, area: Area, numbers: list[int]) -> None:
        self._deleted["bytes"] += sum(self._files.delete(area, number) for number in numbers)
