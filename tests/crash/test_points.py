"""Killed before and after every commit point, a deployment is as if it had not been.

The short form: each passage once, with an operation and a victim in turn. The long form, with
all of them at each passage, is `python -m tests.crash`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from tests.crash.attack import (
    FORGETTING,
    OPERATIONS,
    PASSAGES,
    AttackReport,
    at_points,
    at_random,
    at_retention,
    every,
    spread,
)
from tests.crash.stand import Stand

KILLS = 8
"""At random times."""
PARTS = 3
"""Deployments that share the commit points."""


def survived(report: AttackReport, kills: int) -> None:
    """Every kill came down where it should, and nothing came of it."""
    print(report)
    assert report.missed == []
    assert report.faults == []
    assert len(report.kills) >= kills
    assert str(report).endswith(f"survived {len(report.kills)} of {len(report.kills)}: "
                               "lost 0, doubled 0, stuck 0")  # fmt: skip


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory, template: Path) -> dict[str, AttackReport]:
    """All attacks of the short form, each on a deployment of its own, several at a time."""
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    attacks = list(spread())
    plans: dict[str, Callable[[Stand, AttackReport], None]] = {
        **{f"points {n}": partial(at_points, attacks=attacks[n::PARTS]) for n in range(PARTS)},
        "sweep": at_retention,
        **{
            f"random {n}": partial(at_random, kills=KILLS // 2, chance=random.Random(seed + n))
            for n in range(2)
        },
    }

    def run(number: int, name: str) -> AttackReport:
        report = AttackReport()
        folder = tmp_path_factory.mktemp("attacked")
        with Stand(folder, template, seed=seed + number, workers=1 + number % 2) as stand:
            plans[name](stand, report)
            report.add(stand)
        return report

    with ThreadPoolExecutor(4) as threads:
        return dict(zip(plans, threads.map(run, range(len(plans)), plans), strict=True))


@pytest.mark.slow
def test_a_kill_at_any_commit_point_changes_nothing(reports: dict[str, AttackReport]) -> None:
    """P1 to P13, before and after; the process itself, its other half, or all and the power."""
    parts = [reports[f"points {n}"] for n in range(PARTS)]
    for report in parts:
        survived(report, len(PASSAGES) // PARTS)
    assert {at for report in parts for at in report.points} == set(PASSAGES)


@pytest.mark.slow
def test_a_kill_of_the_sweep_leaves_nothing_behind(reports: dict[str, AttackReport]) -> None:
    """P14: a job whose time is over goes whole, whenever its sweep is killed; others stay."""
    survived(reports["sweep"], len(FORGETTING))


@pytest.mark.slow
def test_kills_at_random_times_change_nothing(reports: dict[str, AttackReport]) -> None:
    """Server, worker or both, up to three times in the life of a job."""
    for n in range(2):
        survived(reports[f"random {n}"], KILLS // 2)


def test_the_short_form_leaves_no_passage_operation_or_victim_out() -> None:
    """And the long form has all of their combinations."""
    short, long = list(spread()), list(every())
    assert [attack[0] for attack in short] == PASSAGES
    for server in (True, False):
        some = [a for a in short if (a[0] in PASSAGES[:18]) is server]
        wanted = {(o, v[2]) for o in OPERATIONS for v in some}
        assert {(attack[1], attack[2]) for attack in some} == wanted
    assert len(set(long)) == len(long) > 3 * len(short)
