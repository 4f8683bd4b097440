"""The checker is tested too: faults are planted, and it has to find each of them.

Each fault is one that a kill at the wrong moment brings to light (sabotage/planted.py). Without
it, the same kill leaves nothing to be found.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.crash.stand import Stand
from tests.crash.victim import Strike
from tests.support.checker import Fault


@dataclass(frozen=True)
class Planted:
    """A fault, where it hurts, and what the checker has to say."""

    strike: Strike
    found: str
    """The invariant that it breaks."""
    callback: bool = False
    sound: bool = True
    """Whether the strike can be made without the fault, which then must be silent."""


def strike(at: str, nth: int = 1, act: str = "self", *, power: bool = False) -> Strike:
    """The one strike of a run."""
    return Strike("it", at, nth, act, power)


FAULTS = {
    "no-fsync": Planted(strike("P3-answer-after", act="both", power=True), "V8"),
    "no-folder-fsync": Planted(strike("P10-after", act="both", power=True), "V5"),
    "split-chunk": Planted(strike("split-between", 2), "V3", sound=False),
    "no-fence": Planted(strike("P7-after", 2, "stop"), "V2"),
    "count-twice": Planted(strike("P7-after", 2), "V2"),
    "count-from-zero": Planted(strike("P7-after", 2), "V7"),
    "piece-late": Planted(strike("late-before", 2), "V5", sound=False),
    "early-answer": Planted(strike("P4-answer-after"), "V5"),
    "ids-again": Planted(strike("P4-answer-after"), "V6"),
    "lines-swapped": Planted(strike("P7-before", 2), "V1"),
    "lines-doubled": Planted(strike("P7-before", 2), "V1"),
    "last-lines-lost": Planted(strike("P7-before", 2), "V1"),
    "callback-apart": Planted(strike("apart-between"), "V10", callback=True, sound=False),
    "callback-ids": Planted(strike("P13-before"), "V10", callback=True),
    "no-sweep": Planted(strike("P1-after"), "V11"),
    "no-keys": Planted(strike("P4-after"), "V12"),
}
SOUND = [name for name, planted in FAULTS.items() if planted.sound]
Run = tuple[bool, list[Fault]]


def attacked(folder: Path, template: Path, name: str, fault: str) -> Run:
    """Whether the strike of this fault came down, and what the checker said then."""
    planted = FAULTS[name]
    workers = 2 if planted.strike.act == "stop" else 1
    with Stand(folder, template, fault=fault, workers=workers) as stand:
        if planted.strike.act == "stop":
            stand.take_over(planted.strike)
        else:
            stand.run("upsert", planted.strike, callback=planted.callback, seconds=6)
        return stand.struck(planted.strike), stand.check()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[dict[str, Run]]:
    """All runs, several at a time: with the fault by its name, without it as `sound NAME`."""
    folder = tmp_path_factory.mktemp("planted")
    with ThreadPoolExecutor(3) as threads:
        coming: dict[str, Future[Run]] = {
            name: threads.submit(attacked, folder / name, template, name, name) for name in FAULTS
        }
        sound = folder / "sound"
        coming["sound"] = threads.submit(attacked, sound, template, "no-fence", "")
    yield {name: future.result() for name, future in coming.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(runs: dict[str, Run], name: str) -> None:
    """By the invariant that it breaks."""
    struck, faults = runs[name]
    print(*faults[:10], sep="\n")
    assert struck
    assert FAULTS[name].found in {fault.invariant for fault in faults}


@pytest.mark.slow
def test_without_a_fault_there_is_nothing_to_find(runs: dict[str, Run]) -> None:
    """A worker that was paused too long changes nothing; test_points.py has the other strikes."""
    assert runs["sound"] == (True, [])


@pytest.mark.slow
def test_the_checker_runs_by_itself(
    runs: dict[str, Run], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """One line for each fault and exit status 1; `sound` and 0 where there is none."""
    folder = next(tmp_path_factory.getbasetemp().glob("planted*"))
    for name, status, last in (("no-sweep", 1, "1 faults"), ("sound", 0, "sound")):
        journal = ("--journal", str(folder / name / "journal.json"))
        checked = subprocess.run(
            [sys.executable, "-m", "tests.support.checker", str(folder / name / "data"), *journal],
            cwd=Path(__file__).parents[2], capture_output=True, text=True,
        )  # fmt: skip
        assert (checked.returncode, checked.stdout.splitlines()[-1]) == (status, last), checked
