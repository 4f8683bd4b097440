"""A worker process that runs the jobs that a test names, and no others.

Jobs of many tests wait on the server of a session. A worker that runs all of them takes longer, and
is killed at the end in the middle of one, which leaves a file behind. It is a process of its own
because the libraries of the API and the worker may not open one SQLite file in one process.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Self

from bulkwright.runtime.worker import open_worker
from bulkwright.settings import Settings


class JobRunner:
    """The process; leaving the block ends it."""

    def __init__(self, settings: Settings) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(settings.data), settings.database],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, job_id: str | int) -> None:
        """Run a job until a worker would run another one."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{job_id}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "True\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def main(data: str, database: str) -> None:
    """Run each job whose id is a line of stdin; print whether there was such a job."""
    with open_worker(Settings(Path(data), database=database), lambda _: None) as (_, worker):
        for line in sys.stdin:
            print(worker.run_one(int(line)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
