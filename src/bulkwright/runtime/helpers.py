"""Starts the processes that run parts of the job of a `write` command, beside the command itself.

They are workers that claim parts of this job only. They start when the job is divided, so a small
job has none, and end with the command, whatever ends it: their standard input ends then.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from types import TracebackType
from typing import Self

from bulkwright.cores import parts_at_once, parts_of_cores
from bulkwright.domain.limits import KEY_GROUPS, PART_SESSIONS, WRITE_PART_BYTES
from bulkwright.events.events import Event, ResourceDivided
from bulkwright.runtime.worker_environment import worker_environment
from bulkwright.settings import Settings

_END_SECONDS = 30.0
"""How long a process may take to end its chunk and release its part."""


class Helpers:
    """The processes of one command; an observer of its job."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._processes: list[subprocess.Popen[bytes]] = []

    def observe(self, event: Event) -> None:
        """Starts the processes when the job is divided, if this one cannot run all of its parts."""
        if isinstance(event, ResourceDivided) and not self._processes:
            more = -(-event.parts // parts_at_once(self._settings.parts_at_once)) - 1
            self._processes = [self._start(event.job_id) for _ in range(more)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            assert process.stdin is not None
            with suppress(OSError):
                process.stdin.close()

    def _start(self, job_id: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            # As the supervisor starts its workers: the URL of the database is in no command line.
            (
                *(sys.executable, "-m", "bulkwright", "worker", "--attached"),
                *("--helps", str(job_id), "--log-level", "error"),
                *("--data", str(self._settings.data)),
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches the command alone, which ends them
            env=worker_environment(self._settings, os.environ),
        )


def parts_of_write(file_bytes: int, free_sessions: int) -> int:
    """Returns into how many parts `write` divides a file, unless the user names a number.

    No more than one for two cores, and no more than take half of the sessions that the database has
    left.
    """
    allowed = 1 + max(0, free_sessions) // 2 // PART_SESSIONS
    return max(1, min(parts_of_cores(), allowed, KEY_GROUPS, file_bytes // WRITE_PART_BYTES + 1))
