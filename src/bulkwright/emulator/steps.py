"""The steps of jobs: at which one each job may be now.

    progression   a job is
    real          at the step that its worker has reached
    immediate     ended, when it is polled
    polls         ADDED for the first half of its polls, INPROGRESS for the rest, then ended
    time          ADDED for the first half of the time, INPROGRESS for the rest, then ended
    held          at the named step, until the progression is changed

A job that is INPROGRESS has written half of its rows. Workers read the progression from the shared
state before they claim a job; the API process waits in `pace.py` until a job has reached its step.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from bulkwright.clock import Clock
from bulkwright.domain.job import JobStatus
from bulkwright.emulator.shared import STUCK, Place, SharedState


class Progression(StrEnum):
    """How jobs progress."""

    REAL = "real"
    IMMEDIATE = "immediate"
    POLLS = "polls"
    TIME = "time"
    HELD = "held"


_PROGRESSIONS = tuple(Progression)


class JobStage(IntEnum):
    """How far a job may be."""

    ADDED = 0
    INPROGRESS = 1
    ENDED = 2


class JobSteps:
    """The steps of the jobs of one emulator, as API and workers see them."""

    def __init__(self, shared: SharedState, clock: Clock) -> None:
        self._shared = shared
        self._clock = clock
        path = shared.path.with_name("working")
        self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    # For both

    @property
    def progression(self) -> Progression:
        """How jobs progress now."""
        return self._now()[0]

    @property
    def measure(self) -> int:
        """The polls, the microseconds or the step of the progression."""
        return self._now()[1]

    def _now(self) -> tuple[Progression, int]:
        # One number, so that no process reads one half of a change.
        measure, number = divmod(self._shared[Place.PROGRESSION], len(_PROGRESSIONS))
        return _PROGRESSIONS[number], measure

    @property
    def holds(self) -> bool:
        """Whether jobs may have to wait at a step."""
        shared = self._shared
        if shared[Place.STUCK_JOBS] or shared[Place.HOLDING_NEW]:
            return True
        return self.progression not in (Progression.REAL, Progression.IMMEDIATE)

    def step_of(self, job_id: int, created: datetime) -> JobStage:
        """Returns the step that a job may be at now."""
        shared = self._shared
        if shared[Place.HOLDING_NEW]:
            return JobStage.ADDED
        if shared[Place.STUCK_JOBS] and shared.polls_of(job_id) == STUCK:
            return JobStage.INPROGRESS
        progression, measure = self._now()
        match progression:
            case Progression.POLLS:
                return _step_after(self._shared.polls_of(job_id), measure)
            case Progression.TIME:
                passed = (self._clock.now() - created) // timedelta(microseconds=1)
                return _step_within(passed, measure)
            case Progression.HELD:
                return JobStage(measure)
        return JobStage.ENDED

    # For the API process

    def progress(self, progression: Progression, measure: int = 0) -> None:
        """Sets how jobs progress from now on."""
        number = _PROGRESSIONS.index(progression)
        self._shared[Place.PROGRESSION] = measure * len(_PROGRESSIONS) + number
        self._shared.note_change()

    def count_poll(self, job_id: int) -> None:
        """Counts a poll of a job, if jobs progress by polls."""
        if self.progression is Progression.POLLS and self._shared.polls_of(job_id) != STUCK:
            self._shared.count_poll(job_id)

    @contextmanager
    def holding_new(self) -> Iterator[None]:
        """Lets no worker begin a job inside the block, which creates one."""
        self._shared[Place.HOLDING_NEW] += 1
        try:
            yield
        finally:
            self._shared[Place.HOLDING_NEW] -= 1

    def stick(self, job_id: int) -> None:
        """Keeps a job INPROGRESS, with half of its rows written, until `release_stuck`."""
        self._shared.stick(job_id)

    def release_stuck(self) -> None:
        """Lets the jobs that are kept INPROGRESS continue."""
        self._shared.release_stuck()

    def forget(self) -> None:
        """Forgets the polls, and lets jobs progress as they do without an emulator."""
        self.progress(Progression.REAL)
        self._shared.forget_jobs()

    def close(self) -> None:
        """Lets no worker claim a job until `open`."""
        self._shared[Place.CLOSED] = 1

    def open(self) -> None:
        """Lets workers claim jobs again."""
        fcntl.flock(self._lock, fcntl.LOCK_UN)
        self._shared[Place.CLOSED] = 0

    def is_idle(self) -> bool:
        """Returns whether no worker runs a job; then none claims one before `open`."""
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    # For workers

    @contextmanager
    def working(self) -> Iterator[bool]:
        """Claims and runs a job inside the block, if that is allowed: yields whether it is."""
        if not self._take():
            yield False
            return
        try:
            yield True
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _take(self) -> bool:
        if self._shared[Place.CLOSED]:
            return False
        try:
            fcntl.flock(self._lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def may_claim(self, job_id: int, status: JobStatus, created: datetime) -> bool:
        """Returns whether a job may leave the step that it is at."""
        step = self.step_of(job_id, created)
        return step is JobStage.ENDED or (step is JobStage.INPROGRESS and status is JobStatus.ADDED)


def _step_after(polls: int, most: int) -> JobStage:
    """Returns the step at a poll: of three polls two are answered with ADDED."""
    if polls > most:
        return JobStage.ENDED
    return JobStage.ADDED if polls <= (most + 1) // 2 else JobStage.INPROGRESS


def _step_within(passed: int, whole: int) -> JobStage:
    if passed >= whole:
        return JobStage.ENDED
    return JobStage.ADDED if 2 * passed < whole else JobStage.INPROGRESS
