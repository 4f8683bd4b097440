"""Killed at every commit point of parts and at random, a divided job is as if it had not been.

BULKWRIGHT_KILLS is how many workers are killed at random; `BULKWRIGHT_TEST_SEED` repeats a run.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.crash.part_stand import PASSAGES, Kills, PartStand
from tests.support.part_workers import workers_of
from tests.support.postgres import Server
from tests.support.stores import PostgresStore

KILLS = int(os.environ.get("BULKWRIGHT_KILLS", "15"))
SEED = int(os.environ.get("BULKWRIGHT_TEST_SEED", "0")) or random.randrange(1, 10**6)


@pytest.fixture(params=[1, 2])
def stand(postgres: Server, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[PartStand]:
    """Three workers on a fresh database, each with one part at once or with two."""
    print(f"seed {SEED}")
    with (
        PostgresStore(postgres, tmp_path / "template").copy(tmp_path / "data") as url,
        workers_of(tmp_path / "data", url, 3) as benches,
    ):
        yield PartStand(benches, SEED, at_once=request.param)


def test_a_kill_at_any_commit_point_of_a_part_changes_nothing(stand: PartStand) -> None:
    """Of the worker of the job, and of those that run parts of it."""
    kills = Kills(planned=set(PASSAGES))
    assert stand.attack(kills, 3) == []
    assert kills.done.keys() == set(PASSAGES)


def test_kills_at_random_passages_change_nothing(stand: PartStand) -> None:
    """Lost 0, doubled 0, stuck 0."""
    kills = Kills(chance=0.05, most=KILLS, random=random.Random(SEED))
    assert stand.attack(kills, 3) == []
    assert kills.done.total() == KILLS
