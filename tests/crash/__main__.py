"""The long form of the crash suite: `python -m tests.crash [--kills 300] [--rounds 1] [--seed N]`.

Every commit point, before and after, with each operation, for each process that can be killed
there, then kills at random times; several deployments side by side. What the checker found is
printed at the end, with how often each point was hit. Exits 0 only when nothing was lost, doubled,
stuck or otherwise wrong, and every strike was made.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path

from tests.crash.attack import AttackReport, at_points, at_random, at_retention, every
from tests.crash.stand import Stand
from tests.crash.victim import prepared

KILLS_A_STAND = 60
ATTACKS_A_STAND = 60

Attack = Callable[[Stand, AttackReport], None]


def attacks(kills: int, rounds: int, seed: int) -> list[tuple[str, Attack]]:
    """What is done, each to a deployment of its own."""
    chance = random.Random(seed)
    points = list(every()) * rounds
    chance.shuffle(points)
    made: list[tuple[str, Attack]] = [("retention", at_retention)]
    for first in range(0, len(points), ATTACKS_A_STAND):
        some = points[first : first + ATTACKS_A_STAND]
        made.append((f"points {first}", partial(at_points, attacks=some)))
    for first in range(0, kills, KILLS_A_STAND):
        count, luck = min(KILLS_A_STAND, kills - first), random.Random(chance.random())
        made.append((f"random {first}", partial(at_random, kills=count, chance=luck)))
    return made


def run(folder: Path, template: Path, number: int, attack: Attack) -> AttackReport:
    """One attack on one deployment, and the checker's findings."""
    report = AttackReport()
    with Stand(folder, template, seed=number, workers=1 + number % 2) as stand:
        attack(stand, report)
        report.add(stand)
    return report


def outcome(future: Future[AttackReport]) -> AttackReport:
    """What came of an attack; one that could not be made has missed."""
    try:
        return future.result()
    except Exception as error:
        return AttackReport(missed=[f"the rest of an attack: {error!r:.300}"])


def main() -> int:
    """Attack, report and check."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=300, help="at random times")
    parser.add_argument("--rounds", type=int, default=1, help="over all commit points")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--at-once", type=int, default=max(2, os.cpu_count() or 1))
    parser.add_argument("--keep", type=Path, help="a folder for the deployments, kept afterwards")
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.at_once} deployments at once", flush=True)
    begun, total = time.monotonic(), AttackReport()
    with tempfile.TemporaryDirectory(prefix="bulkwright-crash-") as temporary:
        root = options.keep or Path(temporary)
        template = prepared(root / "template")
        with ThreadPoolExecutor(options.at_once) as threads:
            coming = {
                threads.submit(run, root / name.replace(" ", "-"), template, n, attack): name
                for n, (name, attack) in enumerate(
                    attacks(options.kills, options.rounds, options.seed)
                )
            }
            for future in as_completed(coming):
                report = outcome(future)
                print(
                    f"{time.monotonic() - begun:6.0f} s  {coming[future]:12} {report}", flush=True
                )
                for fault in report.faults[:20]:
                    print(f"          {fault}", flush=True)
                total.join(report)
    print("\nkills after each passage:")
    for passage, count in sorted(total.points.items()):
        print(f"  {passage:24} {count}")
    for missed in total.missed:
        print(f"  never came to pass: {missed}")
    print(f"\n{total.rows} rows, {time.monotonic() - begun:.0f} s, seed {options.seed}")
    print(total)
    return 1 if total.faults or total.missed else 0


if __name__ == "__main__":
    sys.exit(main())
