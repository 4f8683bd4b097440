"""The controls of the clock."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from bulkwright.emulator.clock import OutOfRange
from bulkwright.emulator.control import Control, ControlCall, InvalidControlBody
from bulkwright.wire import emulator as wire

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LENGTH = re.compile(r"(-?[0-9]{1,9}(?:\.[0-9]{1,6})?)([smhdw])", re.ASCII)


async def show_clock(call: ControlCall) -> object:
    """Returns the time that the emulator shows."""
    return _shown(call)


async def change_clock(call: ControlCall) -> object:
    """Sets, moves or freezes the clock. What has expired by then is deleted."""
    wanted = await call.body(wire.ClockChange)
    clock = call.controls.emulation.clock
    now = clock.now()
    moment = now if wanted.now is None else _moment(wanted.now)
    if wanted.move is not None:
        moment = _moved(moment, length_of(wanted.move, "move"))
    frozen = clock.is_frozen if wanted.frozen is None else wanted.frozen
    try:
        clock.set(moment, frozen=frozen)
    except OutOfRange as error:
        raise InvalidControlBody(str(error)) from None
    await call.request.run_heavy(call.controls.time_changed, forward=moment > now)
    return _shown(call)


async def reset_clock(call: ControlCall) -> object:
    """Shows the time of the machine again."""
    call.controls.emulation.clock.run_real()
    await call.request.run_heavy(call.controls.time_changed, forward=False)
    return _shown(call)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidControlBody("`now` is a time with an offset: 2026-03-01T12:00:00+00:00.")
    return moment


def _moved(moment: datetime, length: timedelta) -> datetime:
    try:
        return moment + length
    except OverflowError:
        raise InvalidControlBody("`move` is too long.") from None


def length_of(given: float | str, name: str) -> timedelta:
    """Returns a number of seconds, or a text such as `90s`, `15m`, `2h`, `7d`, `1w`, as a length.

    Raises InvalidControlBody, which names the key `name`.
    """
    if isinstance(given, str):
        found = _LENGTH.fullmatch(given)
        if found is None:
            raise InvalidControlBody(
                f"`{name}` is a number of seconds, or a text: 90s, 15m, 2h, 7d, 1w."
            )
        given = float(found[1]) * _UNITS[found[2]]
    try:
        return timedelta(seconds=given)
    except (OverflowError, ValueError):
        raise InvalidControlBody(f"`{name}` is too long.") from None


def _shown(call: ControlCall) -> wire.ClockState:
    clock = call.controls.emulation.clock
    return wire.ClockState(
        now=clock.now().isoformat(timespec="milliseconds"),
        frozen=clock.is_frozen,
        offset_seconds=round(clock.offset.total_seconds(), 3),
    )


CONTROLS = (
    Control("GET", "/clock", show_clock),
    Control("PUT", "/clock", change_clock),
    Control("DELETE", "/clock", reset_clock),
)
