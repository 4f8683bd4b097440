"""Faults of divided jobs are planted, and each of them is found.

Without the fault the same jobs leave nothing to be found (test_parts.py).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from tests.crash.part_stand import CHUNK_BYTES, CHUNK_ROWS, Kills, PartStand
from tests.support.part_workers import workers_of
from tests.support.postgres import Server
from tests.support.stores import PostgresStore

from bulkwright.domain.job import PartLease, Split
from bulkwright.events.events import ChunkCommitted, Event
from bulkwright.pipeline import part_run, parts, result, shared_source
from bulkwright.pipeline.plan import Plan
from bulkwright.pipeline.read import Chunk
from bulkwright.pipeline.run import fail_job
from bulkwright.store.parts import PartStore


@pytest.fixture
def stand(postgres: Server, tmp_path: Path) -> Iterator[PartStand]:
    """Three workers on a fresh database."""
    with (
        PostgresStore(postgres, tmp_path / "template").copy(tmp_path / "data") as url,
        workers_of(tmp_path / "data", url, 3) as benches,
    ):
        yield PartStand(benches)


def test_a_row_in_the_wrong_part(stand: PartStand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are divided by their numbers, so rows of one key do not keep their order."""

    def take_by_number(chunk: Chunk, plan: Plan, split: Split, part: int) -> Chunk:
        return parts.take_part(chunk, plan, replace(split, by=""), part)

    monkeypatch.setattr(part_run, "take_part", take_by_number)
    assert stand.attack(Kills(), 3) != []


def test_a_row_in_no_part(stand: PartStand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some groups of keys are forgotten."""
    groups = parts._groups

    def forgetful(*words: object) -> pl.Series:
        found = groups(*words)  # type: ignore[arg-type]
        return pl.select(pl.when(found % 8 > 0).then(found)).to_series()

    monkeypatch.setattr(parts, "_groups", forgetful)
    assert stand.attack(Kills(), 1) != []


def test_a_chunk_that_one_of_the_threads_does_not_get(
    stand: PartStand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two parts run from one reading, and one of them misses a chunk."""
    taken = shared_source.SharedChunks.take

    def take(self: shared_source.SharedChunks, reader: int) -> Chunk:
        chunk = taken(self, reader)
        return taken(self, reader) if reader == 1 and chunk.number == 1 else chunk

    monkeypatch.setattr(shared_source.SharedChunks, "take", take)
    stand.at_once = 2
    assert stand.attack(Kills(), 1) != []


def test_lines_that_are_merged_out_of_order(
    stand: PartStand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lines of a chunk come part by part."""

    def merge(pieces: Iterable[bytes], rows: int, *, whole: bool) -> tuple[bytes, pl.DataFrame]:
        found = [result_lines([piece], rows, whole=False) for piece in pieces]
        return found[0][0], pl.concat([lines for _, lines in found])

    result_lines = result.merge_lines
    monkeypatch.setattr(result, "merge_lines", merge)
    assert stand.attack(Kills(), 1) != []


@pytest.mark.parametrize("planted", [False, True])
def test_a_fence_that_is_skipped_for_one_part(
    stand: PartStand, monkeypatch: pytest.MonkeyPatch, planted: bool
) -> None:
    """A worker was paused in a part; then it writes rows of a job that has ended."""
    check = PartStore.check

    def skipped(self: PartStore, lease: PartLease) -> None:
        if lease.part != 1:
            check(self, lease)

    if planted:
        monkeypatch.setattr(PartStore, "check", skipped)
    assert (rows_after_the_end(stand) > 0) is planted


def rows_after_the_end(stand: PartStand) -> int:
    """Pause a worker in a part, end its job as FAILED, and let the worker continue."""
    owner, helper, _ = stand.benches
    rows = "".join(f"Name {n},n{n}@zylker.example\n" for n in range(60))
    job = owner.create("Last_Name,Email\n" + rows, operation="upsert", find_by="Email")
    claims = owner.services.claims
    claimed = claims.claim("host0/1", only=job.id)
    assert claimed is not None
    claims.begin(claimed[0], 0, None, Split(2, "Email", None, CHUNK_ROWS, CHUNK_BYTES))
    paused, awake = threading.Event(), threading.Event()

    def pause(event: Event) -> None:
        if isinstance(event, ChunkCommitted):
            paused.set()
            awake.wait(60)

    helper.worker._ctx = replace(helper.worker._ctx, observe=pause)
    running = threading.Thread(target=helper.worker._run_free_parts)
    running.start()
    try:
        assert paused.wait(60)
        fail_job(claimed[0], job, "INTERNAL_ERROR", owner.worker._ctx, read_rest=False)
        before = len(owner.records())
        assert owner.done(job.id).statuses.count("ADDED") == before
    finally:
        awake.set()
        running.join()
    return len(owner.records()) - before
