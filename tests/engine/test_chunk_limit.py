"""The chunks of a worker on SQLite: chunks are as long as they may keep other writers waiting."""

from __future__ import annotations

from typing import Any, cast

import pytest

from bulkwright.domain.job import FieldMapping
from bulkwright.domain.limits import CHUNK_LOCK_SECONDS
from bulkwright.domain.table_kind import EXISTING_TABLE, SERVICE_TABLE
from bulkwright.pipeline.chunk_limit import ChunkLimit
from bulkwright.pipeline.plan import Plan

MOST = 100_000


class _Resource:
    def __init__(self, *mappings: FieldMapping) -> None:
        self.mappings = mappings


class _Module:
    def __init__(self, *, existing: bool) -> None:
        self.table_kind = EXISTING_TABLE if existing else SERVICE_TABLE


class _Plan:
    """The parts of a plan that cost time."""

    def __init__(self, columns: int, keys: int = 0, *, existing: bool = False, default: str = ""):
        self.columns = range(columns)
        self.matched_by = range(keys)
        self.module = _Module(existing=existing)
        self.resource = _Resource(FieldMapping("A", default=default or None))


def plan(*args: Any, **more: Any) -> Plan:
    """A plan with these parts."""
    return cast(Plan, _Plan(*args, **more))


def test_a_chunk_gets_smaller_at_once_and_larger_step_by_step() -> None:
    """So that one slow chunk is followed by a short one."""
    limit, wide = ChunkLimit(limited=True), plan(10, 1)
    first = limit.rows(wide, MOST)
    limit.note(wide, first, 4 * CHUNK_LOCK_SECONDS)
    slow = limit.rows(wide, MOST)
    assert slow == pytest.approx(first / 4, rel=0.01)
    limit.note(wide, slow, CHUNK_LOCK_SECONDS / 10)
    assert slow < limit.rows(wide, MOST) < 2.1 * slow
    for _ in range(30):
        limit.note(wide, limit.rows(wide, MOST), 0.0001)
    assert limit.rows(wide, MOST) == MOST


def test_expensive_rows_begin_with_small_chunks() -> None:
    """Wide ones, long default values, several keys, and existing tables."""
    limit = ChunkLimit(limited=True)
    usual = limit.rows(plan(10, 1), MOST)
    for dear in (plan(40, 1), plan(10, 2), plan(10, 1, existing=True),
                 plan(10, 1, default="x" * 10_000)):  # fmt: skip
        assert limit.rows(dear, MOST) < usual / 2


def test_a_chunk_has_a_least_size() -> None:
    """However slow the machine is; and a small chunk says nothing about larger ones."""
    limit, wide = ChunkLimit(limited=True), plan(10, 1)
    before = limit.rows(wide, MOST)
    limit.note(wide, 10, 60.0)
    assert limit.rows(wide, MOST) == before
    limit.note(wide, 1_000, 600.0)
    assert limit.rows(wide, MOST) == 500
    assert limit.rows(wide, 100) == 100


def test_without_a_limit_chunks_are_as_large_as_allowed() -> None:
    """On PostgreSQL a chunk keeps only writers of its module waiting."""
    limit, wide = ChunkLimit(limited=False), plan(10, 1)
    limit.note(wide, 1_000, 600.0)
    assert limit.rows(wide, MOST) == MOST
