"""Numbers that the API process of an emulator shares with its workers: a file that all of them map.

The API process writes, workers read. A number is written and read at once, so no lock is needed.
"""

from __future__ import annotations

import mmap
import os
from enum import IntEnum
from pathlib import Path
from typing import Self

from bulkwright.folders import make_private

JOBS = 1_024
"""Jobs whose steps are remembered: the newest ones."""
_FIRST_JOB = 16
_NUMBERS = _FIRST_JOB + 2 * JOBS
_BYTES = 8
STUCK = -1
"""In the place of a job's polls: it stays INPROGRESS."""


class Place(IntEnum):
    """Where a number is."""

    FROZEN = 0
    """The moment at which the clock stands, in microseconds; 0 while it runs."""
    OFFSET = 1
    """How far the running clock is ahead of that of the machine, in microseconds."""
    CHANGES = 2
    """Counts what changes the answers without a change of the database."""
    PROGRESSION = 3
    """How jobs progress (`steps.py`)."""
    CLOSED = 4
    """1 while no worker may claim a job."""
    NEXT_JOB = 5
    """The next place in the ring of jobs."""
    STUCK_JOBS = 6
    """How many jobs a fault rule keeps INPROGRESS."""
    HOLDING_NEW = 7
    """How many jobs are being created that no worker may begin."""


class SharedState:
    """The numbers of one emulator."""

    def __init__(self, path: Path) -> None:
        """Maps an existing file. Raises FileNotFoundError."""
        with open(path, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), _NUMBERS * _BYTES)
        self.numbers = memoryview(self._map).cast("q")
        """All of them; `Place` says what each one is."""
        self.path = path

    @classmethod
    def make(cls, path: Path) -> Self:
        """Makes a new file, in place of that of an earlier server, and maps it."""
        make_private(path.parent)
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        # A worker of an earlier server keeps its own file: a shorter one would end it.
        with open(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(bytes(_NUMBERS * _BYTES))
        new.replace(path)
        return cls(path)

    def __getitem__(self, place: Place) -> int:
        return self.numbers[place]

    def __setitem__(self, place: Place, number: int) -> None:
        self.numbers[place] = number

    def note_change(self) -> None:
        """Drops cached answers: what they depend on has changed."""
        self[Place.CHANGES] += 1

    def polls_of(self, job_id: int) -> int:
        """Returns how often a job was polled; 0 if that is not known."""
        numbers = self.numbers[_FIRST_JOB:].tolist()
        for at in range(0, 2 * JOBS, 2):
            if numbers[at] == job_id:
                return int(numbers[at + 1])
        return 0

    def count_poll(self, job_id: int) -> int:
        """Counts a poll of a job and returns their number."""
        numbers = self.numbers[_FIRST_JOB:].tolist()
        at = next((at for at in range(0, 2 * JOBS, 2) if numbers[at] == job_id), -1)
        if at < 0:
            at = 2 * self[Place.NEXT_JOB]
            self[Place.NEXT_JOB] = (self[Place.NEXT_JOB] + 1) % JOBS
            self.numbers[_FIRST_JOB + at + 1] = 0
            self.numbers[_FIRST_JOB + at] = job_id
        self.numbers[_FIRST_JOB + at + 1] += 1
        return self.numbers[_FIRST_JOB + at + 1]

    def stick(self, job_id: int) -> None:
        """Marks a job as one that stays INPROGRESS."""
        self.count_poll(job_id)
        numbers = self.numbers[_FIRST_JOB:].tolist()
        at = next(at for at in range(0, 2 * JOBS, 2) if numbers[at] == job_id)
        self.numbers[_FIRST_JOB + at + 1] = STUCK
        self[Place.STUCK_JOBS] += 1

    def release_stuck(self) -> None:
        """Lets the marked jobs continue."""
        self[Place.STUCK_JOBS] = 0
        for at in range(_FIRST_JOB + 1, _NUMBERS, 2):
            if self.numbers[at] == STUCK:
                self.numbers[at] = 0

    def forget_jobs(self) -> None:
        """Forgets the polls of all jobs."""
        self[Place.NEXT_JOB] = self[Place.STUCK_JOBS] = 0
        self._map[_FIRST_JOB * _BYTES :] = bytes(2 * JOBS * _BYTES)
