"""How many parts of a job the cores of this process are enough for, and how many threads of Polars.

A part takes two of them: one for itself, and one for its session of a database on this machine. On
two cores an insert in two parts takes a fifth longer than in one (benchmarks/README.md).
"""

from __future__ import annotations

import os


def parts_of_cores() -> int:
    """Returns for how many parts the cores are enough."""
    return max(1, len(os.sched_getaffinity(0)) // 2)


def parts_at_once(given: int | None, workers: int = 1) -> int:
    """Returns how many parts of one job each of a machine's workers runs at the same time.

    This is the `given` number, if there is one.
    """
    from bulkwright.domain.limits import PARTS_AT_ONCE

    return given or max(1, min(PARTS_AT_ONCE, parts_of_cores() // workers))


def limit_polars_threads() -> None:
    """Lets Polars use one thread for each part that the cores are enough for.

    A part reads, converts, writes and reports on threads of its own, so Polars need not use every
    core for each step: with a thread for each core, a job of one row takes longer
    (benchmarks/README.md). Call it before Polars is imported. It changes nothing if the environment
    names a number.
    """
    os.environ.setdefault("POLARS_MAX_THREADS", str(parts_of_cores()))
