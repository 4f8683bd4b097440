"""The controls of fault rules."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from bulkwright.domain.errors import ResourceNotFound
from bulkwright.domain.ids import parse_id
from bulkwright.emulator.clock_controls import length_of
from bulkwright.emulator.control import Control, ControlCall, InvalidControlBody
from bulkwright.emulator.fault_rules import FaultEffect, FaultRule
from bulkwright.web.json import encode
from bulkwright.wire import emulator as wire

_LONGEST = timedelta(hours=1)
_PATH_CHARACTERS = 500


async def add_fault(call: ControlCall) -> object:
    """Adds a rule, behind those that there are."""
    wanted = await call.body(wire.NewFault)
    effect = FaultEffect(wanted.effect)
    if len(wanted.path or "") > _PATH_CHARACTERS:
        raise InvalidControlBody(f"`path` has at most {_PATH_CHARACTERS} characters.")
    faults = call.controls.faults
    rule = FaultRule(
        faults.rules.new_id(),
        effect,
        method=wanted.method.upper() if wanted.method else None,
        path=wanted.path,
        nth=_positive(wanted.nth, "nth"),
        org_id=_org(wanted.org_id),
        rate=_rate(wanted.rate),
        times=_positive(wanted.times, "times") or (1 if wanted.nth else None),
        delay=_length(wanted.delay, "delay"),
        time=_length(wanted.time, "time"),
    )
    if effect.takes_time != bool(rule.time):
        needs = "needs" if effect.takes_time else "takes no"
        raise InvalidControlBody(f"The effect {effect} {needs} `time`.")
    faults.rules.add(rule)
    call.controls.faults_changed()
    return Response(encode(_shown(rule)), 201, media_type="application/json")


async def list_faults(call: ControlCall) -> object:
    """Returns the rules, and how often each was used."""
    return wire.FaultList(faults=[_shown(rule) for rule in call.controls.faults.rules])


async def remove_fault(call: ControlCall) -> object:
    """Removes a rule. What it has done to jobs and tokens stays."""
    if not call.controls.faults.rules.remove(parse_id(call.path["fault_id"]) or 0):
        raise ResourceNotFound("There is no fault rule with this id.")
    call.controls.faults_changed()
    return Response(status_code=204)


async def clear_faults(call: ControlCall) -> object:
    """Removes all rules. Jobs that are stuck continue; tokens that were ended are valid again."""
    call.controls.faults.clear()
    call.controls.faults_changed()
    await call.request.run(call.controls.wake_all)
    return Response(status_code=204)


def _positive(number: int | None, name: str) -> int | None:
    if number is not None and number < 1:
        raise InvalidControlBody(f"`{name}` is a whole number from 1 on.")
    return number


def _rate(rate: float | None) -> float | None:
    if rate is not None and not 0 <= rate <= 1:
        raise InvalidControlBody("`rate` is a number from 0 to 1.")
    return rate


def _org(text: str | None) -> int | None:
    number = None if text is None else parse_id(text)
    if text is not None and number is None:
        raise InvalidControlBody("`org_id` is the id of an org.")
    return number


def _length(given: float | str | None, name: str) -> timedelta:
    length = timedelta() if given is None else length_of(given, name)
    if not timedelta() <= length <= _LONGEST:
        raise InvalidControlBody(f"`{name}` is a length of time up to an hour.")
    return length


def _shown(rule: FaultRule) -> wire.ShownFault:
    return wire.ShownFault(
        id=str(rule.id),
        effect=rule.effect.value,
        method=rule.method,
        path=rule.path,
        nth=rule.nth,
        org_id=None if rule.org_id is None else str(rule.org_id),
        rate=rule.rate,
        times=rule.times,
        delay_seconds=rule.delay.total_seconds(),
        time_seconds=rule.time.total_seconds() or None,
        matched=rule.matched,
        fired=rule.fired,
    )


CONTROLS = (
    Control("GET", "/faults", list_faults),
    Control("POST", "/faults", add_fault),
    Control("DELETE", "/faults", clear_faults),
    Control("DELETE", "/faults/{fault_id}", remove_fault),
)
