"""The attacks: at every commit point, at random times; and the figure that comes of them."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

from tests.crash.stand import Stand
from tests.crash.victim import ROWS, Strike
from tests.support.checker import Fault

Attack = tuple[str, str, str, bool]
"""Passage, operation, who dies, and whether the power goes too."""
LONGER = 4 * ROWS
OPERATIONS = ("insert", "update", "upsert")
SIDES = ("before", "after")

SERVER = ("P1", "P2", "P2-rename", "P3", "P3-answer", "P4", "P4-answer", "P12", "P13")
WORKER = ("P5", "P6", "P7-piece", "P7-piece-rename", "P7", "P8", "P9", "P10", "P10-rename", "P11")
RETENTION_POLICIES = ("P14-uploads", "P14-results", "P14-jobs", "P14-file")
PASSAGES = [f"{point}-{side}" for point in (*SERVER, *WORKER) for side in SIDES]
PASSAGES.append("P11-pieces-after")
"""Where a job, its upload or its callback can be hit."""
FORGETTING = [f"{point}-{side}" for point in RETENTION_POLICIES for side in SIDES]

AT_SERVER = (("self", False), ("both", True))
AT_WORKER = (("self", False), ("other", False), ("both", True))
"""Who dies, and whether the power goes with them."""

_NTH = {"P7": 3, "P7-piece": 2, "P7-piece-rename": 2}
"""Points that a job passes several times are hit in the middle."""


@dataclass
class AttackReport:
    """What was tried, and what came of it."""

    kills: list[tuple[int | None, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    rows: int = 0
    survived: int = 0
    """Kills after which everything was as if they had not been."""
    missed: list[str] = field(default_factory=list)
    """Strikes that never came down: their points were not passed."""

    def add(self, stand: Stand) -> None:
        """Let the checker speak about a stand."""
        faults = stand.check()
        hurt = {fault.job for fault in faults}
        self.kills += stand.kills
        self.faults += faults
        if None not in hurt:
            self.survived += sum(job not in hurt for job, _ in stand.kills)

    def join(self, other: AttackReport) -> None:
        """Count another one in."""
        self.kills += other.kills
        self.faults += other.faults
        self.survived += other.survived
        self.rows += other.rows
        self.missed += other.missed

    @property
    def points(self) -> Counter[str]:
        """How often each passage was the last that a killed process had come by."""
        return Counter(at for _, where in self.kills for at in where.split(","))

    def __str__(self) -> str:
        kinds = Counter(fault.kind for fault in self.faults)
        lost, doubled, stuck = kinds["lost"], kinds["doubled"], kinds["stuck"]
        line = f"survived {self.survived} of {len(self.kills)}: "
        line += f"lost {lost}, doubled {doubled}, stuck {stuck}"
        return line + (f", otherwise wrong {kinds['wrong']}" if kinds["wrong"] else "")


def sides(passage: str) -> tuple[tuple[str, bool], ...]:
    """Who can be killed at a passage."""
    return AT_SERVER if passage.rpartition("-")[0] in SERVER else AT_WORKER


def spread() -> Iterator[Attack]:
    """Each passage once: operations and victims take turns."""
    for n, passage in enumerate(PASSAGES):
        choices = sides(passage)
        act, power = choices[(n + n // 2) % len(choices)]
        yield passage, OPERATIONS[(n + n // 3) % len(OPERATIONS)], act, power


def every() -> Iterator[Attack]:
    """Each passage with each operation and each victim."""
    for passage, operation in product(PASSAGES, OPERATIONS):
        for act, power in sides(passage):
            yield passage, operation, act, power


def at_points(stand: Stand, report: AttackReport, attacks: Sequence[Attack]) -> None:
    """One job for each attack, struck once."""
    stand.run("insert")  # there is something to update
    for number, attack in enumerate(attacks):
        # A point may be passed just before its strike is armed: then once more.
        if not any(_hit(stand, f"{number}-{turn}", attack, report) for turn in range(3)):
            report.missed.append(" ".join(attack[:3]))


def _hit(stand: Stand, name: str, attack: Attack, report: AttackReport) -> bool:
    passage, operation, act, power = attack
    point = passage.rpartition("-")[0]
    strike = Strike(f"{name}-{passage}", passage, _NTH.get(point, 1), act, power)
    stand.run(operation, strike, callback=point in ("P11", "P12", "P13"))
    report.rows += ROWS
    return stand.struck(strike)


def at_retention(stand: Stand, report: AttackReport) -> None:
    """One job whose time is over for each passage of the sweep, beside one that stays."""
    stand.run("insert")
    for passage in FORGETTING:
        strike = Strike(f"sweep-{passage}", passage)
        stand.forget(strike)
        if not stand.struck(strike):
            report.missed.append(passage)


def at_random(stand: Stand, report: AttackReport, kills: int, chance: random.Random) -> None:
    """Kills at any time, up to three in the life of a job, which lasts longer than others."""
    done = len(stand.kills)
    while len(stand.kills) - done < kills:
        left = kills - (len(stand.kills) - done)
        planned = [
            (
                chance.uniform(0.0, 0.45),
                chance.choice(("server", "worker", "both")),
                chance.random(),
            )
            for _ in range(min(left, chance.choice((1, 1, 2, 3))))
        ]
        killer = _Killer(stand, planned)
        killer.start()
        job = stand.begin(chance.choice(OPERATIONS), LONGER, callback=chance.random() < 0.3)
        killer.join()
        if killer.workers > 2:
            stand.journal.may_fail.append(job)
        stand.finish(job)
        report.rows += LONGER


class _Killer(threading.Thread):
    """Kills as planned: after how many seconds, which process, and whether the power goes too."""

    def __init__(self, stand: Stand, planned: list[tuple[float, str, float]]) -> None:
        super().__init__(daemon=True)
        self._stand = stand
        self._planned = planned
        self.workers = 0

    def run(self) -> None:
        for pause, process, luck in self._planned:
            time.sleep(pause)
            if self._stand.kill(process, power=luck < 0.5) and process != "server":
                self.workers += 1
            self._stand.attend()
