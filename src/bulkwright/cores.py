"""How many parts of a job the cores of this process are enough for.

A part takes two of them: one for itself, and one for its session of a database on this machine. On
two cores an insert in two parts takes a fifth longer than in one (benchmarks/README.md).
"""

from __future__ import annotations

import os

from bulkwright.domain.limits import PARTS_AT_ONCE


def parts_of_cores() -> int:
    """Returns for how many parts the cores are enough."""
    return max(1, len(os.sched_getaffinity(0)) // 2)


def parts_at_once(given: int | None, workers: int = 1) -> int:
    """Returns how many parts of one job each of a machine's workers runs at the same time.

    This is the `given` number, if there is one.
    """
    return given or max(1, min(PARTS_AT_ONCE, parts_of_cores() // workers))
