"""How many rows a chunk has where its transaction keeps all other writers waiting.

On SQLite there is one writer at a time. So the rows of a chunk are as many as the worker writes
within `CHUNK_LOCK_SECONDS`, by what the chunks before took. The outcome of a row does not depend on
the size of its chunk.
"""

from __future__ import annotations

from enum import Enum

from bulkwright.domain.job import default_bytes
from bulkwright.domain.limits import CHUNK_LOCK_SECONDS
from bulkwright.pipeline.plan import Plan

_LEAST_ROWS = 500
_CELL_BYTES = 64


class _Work(Enum):
    """Kinds of chunks by what a row may cost, with the seconds of a cell to begin with."""

    AT_ONCE = 0.25e-6
    """All rows of a chunk are matched and written at once."""
    EXISTING = 1e-6
    """An existing table: the rows are written one by one if it rejects one of them."""
    ROW_BY_ROW = 2.5e-6
    """Several unique fields may connect rows, which are then matched one by one."""


class ChunkLimit:
    """What chunks of one worker took. Without `limited`, all chunks are as large as allowed."""

    def __init__(self, *, limited: bool) -> None:
        self._limited = limited
        self._cell_seconds = {work: work.value for work in _Work}

    def rows(self, plan: Plan, most: int) -> int:
        """Return how many rows the next chunk has, at most `most`."""
        if not self._limited:
            return most
        seconds = self._cell_seconds[_work(plan)] * _width(plan)
        return min(most, max(_LEAST_ROWS, int(CHUNK_LOCK_SECONDS / seconds)))

    def note(self, plan: Plan, rows: int, seconds: float) -> None:
        """Take note of how long the transaction of a chunk took."""
        if rows < _LEAST_ROWS:
            return  # the fixed costs would count as those of cells
        work = _work(plan)
        now, before = seconds / (rows * _width(plan)), self._cell_seconds[work]
        # A slow chunk makes the next ones small at once; fast ones make them large step by step.
        self._cell_seconds[work] = now if now > before else (now + before) / 2


def _work(plan: Plan) -> _Work:
    if plan.module.table_kind.may_reject_rows:
        return _Work.EXISTING
    return _Work.ROW_BY_ROW if len(plan.matched_by) > 1 else _Work.AT_ONCE


def _width(plan: Plan) -> int:
    """The cells of a row, with those of the keys that records are found by.

    A long default value counts for many cells.
    """
    added = default_bytes(plan.resource.mappings)
    return len(plan.columns) + 2 * len(plan.matched_by) + added // _CELL_BYTES
