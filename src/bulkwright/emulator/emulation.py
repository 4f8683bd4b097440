"""Everything that one emulator holds, beside the services that it controls.

`serve --dev` makes one at its start, and hands it to the parts that need something of it. Its
workers open what they share with it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bulkwright.emulator.baseline import Baseline
from bulkwright.emulator.clock import EmulatedClock
from bulkwright.emulator.exchanges import ExchangeLog
from bulkwright.emulator.fault_rules import FaultRule
from bulkwright.emulator.gate import Gate
from bulkwright.emulator.shared import SharedState
from bulkwright.emulator.steps import JobSteps

if TYPE_CHECKING:
    from bulkwright.callback.sender import WebhookSender

_STATE = "state"


@dataclass(slots=True)
class Emulation:
    """The state of an emulator."""

    shared: SharedState
    """What its workers read."""
    clock: EmulatedClock
    """The time that API and workers show."""
    steps: JobSteps
    """At which step each job may be."""
    exchanges: ExchangeLog
    """What was called."""
    gate: Gate
    """The place that each request passes."""
    baseline: Baseline | None = None
    """What a reset restores; None where the store has no whole copies."""
    callback_faults: dict[int, FaultRule] = field(default_factory=dict)
    """The fault rules of callbacks that are not sent yet, by job."""
    before_reset: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    """Called before the state is replaced: they end what still runs."""
    on_reset: list[Callable[[], None]] = field(default_factory=list)
    """Called when the state was replaced: they forget what they remember of the former one."""

    def faulty_sender(self, sender: WebhookSender) -> WebhookSender:
        """Returns a sender that gives callbacks the faults of the rules."""
        from bulkwright.emulator.callback_faults import FaultySender

        return FaultySender(sender, self.callback_faults)


def make_emulation(folder: Path) -> Emulation:
    """Returns the emulation of a server that starts: it shows the time of the machine."""
    shared = SharedState.make(folder / _STATE)
    clock = EmulatedClock(shared)
    log = ExchangeLog(clock.micros)
    return Emulation(shared, clock, JobSteps(shared, clock), log, Gate(log.note_intervened))


def open_emulation(folder: Path) -> tuple[EmulatedClock, JobSteps]:
    """Opens what a server with an emulation shares with its workers. Raises FileNotFoundError."""
    shared = SharedState(folder / _STATE)
    clock = EmulatedClock(shared)
    return clock, JobSteps(shared, clock)
