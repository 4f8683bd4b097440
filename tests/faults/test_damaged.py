"""Damaged files: they are detected, reported with a code, and never returned as undamaged."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.served import FaultedServer, is_coded, leads, waits
from tests.support.processes import until

Serve = Callable[..., FaultedServer]
SEED = 4


def flip(path: Path, chance: random.Random) -> bytes:
    """Changes one bit of a file; returns its previous content."""
    before = path.read_bytes()
    data = bytearray(before)
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)
    return before


def _uploads(served: FaultedServer, times: int) -> None:
    chance = random.Random(SEED)
    for n in range(times):
        file_id = served.file_id(leads(50, f"u{n}-"))
        place = served.data / "files" / "uploads" / f"{file_id}.zip"
        sound = flip(place, chance)
        job = str(served.ask(file_id).json()["details"]["id"])
        assert served.ended(job) == "FAILED"
        assert served.number(f"SELECT code = 'INVALID_FILE_FORMAT' FROM jobs WHERE id = {job}")
        assert served.details(job)["resource"][0]["status"] == "FAILED"
        place.write_bytes(sound)  # for the checker
    served.works("w")


def _results(served: FaultedServer, times: int) -> None:
    chance = random.Random(SEED)
    job = served.begin(leads(300, "r"))
    assert served.ended(job) == "COMPLETED"
    place = served.data / "files" / "results" / f"{job}.zip"
    for _ in range(times):
        sound = flip(place, chance)
        assert is_coded(served.download(job))
        place.write_bytes(sound)
        assert served.download(job).content == sound


def test_a_flipped_bit(serve: Serve) -> None:
    """At any position in an upload or a result."""
    served = serve()
    _uploads(served, 3)
    _results(served, 10)
    assert "restore it from a backup" in served.log


@pytest.mark.long
def test_a_hundred_flipped_bits(serve: Serve) -> None:
    """The same in many places."""
    served = serve()
    _uploads(served, 100)
    _results(served, 100)


def test_a_result_that_is_missing_or_another_file(serve: Serve, tmp_path: Path) -> None:
    """A deleted one is like an expired link; a symbolic link in its place is not followed."""
    served = serve()
    job = served.begin(leads(20))
    assert served.ended(job) == "COMPLETED"
    place = served.data / "files" / "results" / f"{job}.zip"
    secret = tmp_path / "secret"
    secret.write_text("root:x:0:0")
    kept = place.rename(tmp_path / "kept")
    assert served.download(job).status_code == 403
    replacements: tuple[Callable[[], None], ...] = (
        lambda: place.symlink_to(secret), lambda: os.mkfifo(place), place.mkdir,
    )  # fmt: skip
    for instead in replacements:
        instead()
        refused = served.download(job)
        assert is_coded(refused) and "root" not in refused.text
        place.rmdir() if place.is_dir() else place.unlink()
    place.symlink_to(kept)
    assert is_coded(served.download(job))
    kept.rename(place)
    assert len(served.rows(job)) == 20


@pytest.mark.parametrize("change", ["flipped", pytest.param("gone", marks=pytest.mark.long)])
def test_a_part_that_is_damaged_before_the_result_is_made(serve: Serve, change: str) -> None:
    """No result is better than a wrong one: FAILED with a code, and the next job works."""
    served = serve()
    served.flag("full/join_pieces")
    job = served.begin(leads(500))
    assert until(lambda: served.number("SELECT count(*) FROM ledger") == 5)
    parts = sorted((served.data / "files" / "parts" / job).iterdir())
    if change == "gone":
        parts[2].unlink()
    else:
        flip(parts[2], random.Random(SEED))
    served.flag("full/join_pieces", on=False)
    assert served.ended(job) == "FAILED"
    assert served.number(f"SELECT code = 'INTERNAL_ERROR' FROM jobs WHERE id = {job}")
    assert served.details(job)["resource"][0]["file"]["added_count"] == 500
    assert served.download(job).status_code == 403
    assert "no result" in served.log
    served.works("w")
    waits(served, lambda: served.details(job)["status"] == "FAILED", 0.2)
