"""What was kept for its time goes: uploads, results, jobs, callbacks, tokens, sessions.

The database forgets first, its file goes afterwards. Killed between the two, what is left is a
file that nothing refers to: harmless, and swept as a stray a day later. The other way round there
would be an upload that a job is accepted for and then fails, or a link that leads nowhere though
its job says otherwise. (Uploads and results come into being the other way round, for the same
reason: the file first.) A reader that has a file open keeps it to the end.

Sweeping is done by the process that serves, on a thread of its own, at start and once an hour.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sized
from dataclasses import dataclass
from datetime import timedelta

from bulkwright.domain.keeping import STRAY_HOURS, Keeping
from bulkwright.files import Area, Files
from bulkwright.observe import Observer, SweepPutOff, SweepTripped, Swept
from bulkwright.store.retention import RetentionStore

SWEEP_SECONDS = 3600.0
"""Between two sweeps."""

_JUMP_SECONDS = 600.0
"""A clock that was set by more than this would make young things old: one sweep is left out."""

_BREATH_SECONDS = 0.02
"""Between two steps: whoever waits to write gets a turn."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Sweeps one deployment."""

    store: RetentionStore
    files: Files
    keeping: Keeping

    def sweep(self, stop: threading.Event | None = None) -> Swept:
        """Let go of everything whose time is over, or as much as is done when `stop` is set."""
        return _Sweep(self, stop or threading.Event()).run()


class Sweeper:
    """Sweeps at start and once an hour, on a thread of its own, until told to stop."""

    def __init__(self, retention: Retention, observe: Observer) -> None:
        self._retention = retention
        self._observe = observe
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        """Begin with a sweep."""
        self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Stop after the step at hand; waits so long for it."""
        self._stop.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        offset = _clock_offset()
        while not self._stop.is_set():
            jump = _clock_offset() - offset
            offset += jump
            try:
                if abs(jump) > _JUMP_SECONDS:
                    self._observe(SweepPutOff(jump))
                else:
                    self._observe(self._retention.sweep(self._stop))
            except Exception as error:
                # The database is full, or locked for a minute. The next sweep comes by.
                self._observe(SweepTripped(error))
            self._stop.wait(SWEEP_SECONDS)


def _clock_offset() -> float:
    """How far the wall clock is ahead of one that nobody can set."""
    return time.time() - time.monotonic()


class _Sweep:
    """One sweep: what went so far."""

    def __init__(self, retention: Retention, stop: threading.Event) -> None:
        self._store = retention.store
        self._files = retention.files
        self._keeping = retention.keeping
        self._stop = stop
        self._gone: Counter[str] = Counter()

    def run(self) -> Swept:
        store, keeping = self._store, self._keeping
        # A job goes after its result has had its own time, or with it.
        self._aged("uploads", keeping.uploads, self._uploads)
        self._aged("results", keeping.results, self._results)
        self._aged("jobs", keeping.jobs, self._jobs)
        self._aged("callbacks", keeping.callbacks, lambda t: range(store.forget_deliveries(t)))
        self._steps("tokens", lambda: range(store.forget_tokens()))
        self._steps("tokens", lambda: range(store.forget_sessions()))
        self._strays(Area.UPLOADS, store.upload_known)
        self._strays(Area.RESULTS, store.result_needed)
        self._strays(Area.PARTS, store.parts_needed)
        self._gone["strays"] += self._files.sweep()
        return Swept(**self._gone)

    def _aged(self, what: str, kept: timedelta | None, step: Callable[[timedelta], Sized]) -> None:
        if kept is not None:
            self._steps(what, lambda: step(kept))

    def _steps(self, what: str, step: Callable[[], Sized]) -> None:
        """Repeat a step until it finds nothing."""
        while not self._stop.is_set() and (found := len(step())):
            self._gone[what] += found
            self._stop.wait(_BREATH_SECONDS)

    def _uploads(self, older: timedelta) -> list[int]:
        gone = self._store.forget_uploads(older)
        self._drop(Area.UPLOADS, gone)
        return gone

    def _results(self, older: timedelta) -> list[int]:
        gone = self._store.forget_results(older)
        self._drop(Area.RESULTS, gone)
        return gone

    def _jobs(self, older: timedelta) -> list[int]:
        gone = self._store.forget_jobs(older)
        self._drop(Area.RESULTS, gone)
        self._drop(Area.PARTS, gone)
        return gone

    def _strays(self, area: Area, needed: Callable[[int], bool]) -> None:
        """Files that a crash left behind, or a sweep that was killed between its two halves."""
        for number in self._files.idle(area, STRAY_HOURS * 3600.0):
            if self._stop.is_set():
                return
            if not needed(number):
                self._gone["strays"] += 1
                self._drop(area, [number])

    def _drop(self, area: Area, numbers: list[int]) -> None:
        self._gone["bytes"] += sum(self._files.drop(area, number) for number in numbers)
