"""The controls of the pace of jobs."""

from __future__ import annotations

from bulkwright.emulator.clock_controls import length_of
from bulkwright.emulator.control import Control, ControlCall, InvalidControlBody
from bulkwright.emulator.steps import JobStage, Progression
from bulkwright.wire import emulator as wire

_MOST_POLLS = 1_000_000


async def show_pace(call: ControlCall) -> object:
    """Returns how jobs progress."""
    return _shown(call)


async def change_pace(call: ControlCall) -> object:
    """Sets how jobs progress from now on, also those that exist."""
    wanted = await call.body(wire.JobPace)
    progression = Progression(wanted.progression)
    call.controls.progress(progression, _measure(progression, wanted))
    await call.request.run(call.controls.wake_all)
    return _shown(call)


async def reset_pace(call: ControlCall) -> object:
    """Lets jobs progress as their workers do."""
    call.controls.progress(Progression.REAL, 0)
    await call.request.run(call.controls.wake_all)
    return _shown(call)


def _measure(progression: Progression, wanted: wire.JobPace) -> int:
    given = {
        Progression.POLLS: wanted.polls,
        Progression.TIME: wanted.time,
        Progression.HELD: wanted.at,
    }
    for other, value in given.items():
        if other is not progression and value is not None:
            raise InvalidControlBody(f"The progression {progression} has no such measure.")
    match progression:
        case Progression.POLLS:
            if wanted.polls is None or not 1 <= wanted.polls <= _MOST_POLLS:
                raise InvalidControlBody("The progression polls needs `polls`, at least 1.")
            return wanted.polls
        case Progression.TIME:
            length = length_of(wanted.time or 0, "time")
            if length.total_seconds() <= 0:
                raise InvalidControlBody(
                    "The progression time needs `time`: seconds, or 90s, 15m, 2h."
                )
            return int(length.total_seconds() * 1_000_000)
        case Progression.HELD:
            if wanted.at is None:
                raise InvalidControlBody("The progression held needs `at`: ADDED or INPROGRESS.")
            return JobStage[wanted.at]
    return 0


def _shown(call: ControlCall) -> wire.JobPace:
    steps = call.controls.emulation.steps
    progression, measure = steps.progression, steps.measure
    return wire.JobPace(
        progression=progression.value,
        polls=measure if progression is Progression.POLLS else None,
        time=measure / 1_000_000 if progression is Progression.TIME else None,
        at=JobStage(measure).name if progression is Progression.HELD else None,  # type: ignore[arg-type]
    )


CONTROLS = (
    Control("GET", "/pace", show_pace),
    Control("PUT", "/pace", change_pace),
    Control("DELETE", "/pace", reset_pace),
)
