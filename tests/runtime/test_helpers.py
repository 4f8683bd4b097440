"""Into how many parts `write` divides a file by itself."""

from __future__ import annotations

import os

import pytest

from bulkwright.domain.limits import KEY_GROUPS, PART_SESSIONS, WRITE_PART_BYTES
from bulkwright.runtime.helpers import parts_of_write

LARGE = 1000 * WRITE_PART_BYTES
MANY = 1000 * PART_SESSIONS


@pytest.mark.parametrize(
    ("cores", "file_bytes", "free_sessions", "parts"),
    [
        (8, LARGE, MANY, 4),
        (3, LARGE, MANY, 1),
        (1, LARGE, MANY, 1),
        (128, LARGE, MANY, KEY_GROUPS),
        (8, 0, MANY, 1),
        (8, WRITE_PART_BYTES - 1, MANY, 1),
        (8, 2 * WRITE_PART_BYTES, MANY, 3),
        (8, LARGE, 0, 1),
        (8, LARGE, -3, 1),
        (8, LARGE, 4 * PART_SESSIONS, 3),
    ],
)
def test_parts_of_write(
    monkeypatch: pytest.MonkeyPatch, cores: int, file_bytes: int, free_sessions: int, parts: int
) -> None:
    """By cores, by the size of the file, and by half of the sessions that are free."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    assert parts_of_write(file_bytes, free_sessions) == parts
