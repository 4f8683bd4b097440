"""The controls of the emulator: clock, pace, fault rules, reset, and the log of requests.

The page exists under `serve --dev` only. It calls the controls of `/api/v1/emulator`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from starlette.responses import Response

from bulkwright.console import PREFIX
from bulkwright.console.page import Page, PageCall, redirect
from bulkwright.domain.account import Right
from bulkwright.domain.errors import BulkwrightError
from bulkwright.emulator import clock_controls, fault_controls, gate, pace, requests, reset
from bulkwright.emulator.control import STATUS, ControlCall
from bulkwright.emulator.fault_rules import FaultEffect
from bulkwright.web.json import encode
from bulkwright.wire import emulator as wire

EMULATOR = gate.PAGE
_REQUESTS = 100
_PACES = (
    ("real", "as the workers run them"),
    ("immediate", "ended at the first poll"),
    ("polls", "ended after this number of polls"),
    ("time", "ended after this time on the clock: 90s, 15m, 2h"),
    ("held", "held at ADDED or INPROGRESS"),
)
"""The progressions of jobs, with what the measure of each means."""


async def show(call: PageCall) -> Response:
    """Shows the state of the emulator and the newest requests."""
    return await _page(call)


async def change_clock(call: PageCall) -> Response:
    """Moves, sets, freezes or frees the clock."""
    match call.form.get("step", ""):
        case "move":
            body: dict[str, object] = {"move": call.form.get("by", "")}
        case "freeze":
            body = {"frozen": True}
        case "run":
            body = {"frozen": False}
        case _:
            return await _done(call, clock_controls.reset_clock, {})
    return await _done(call, clock_controls.change_clock, body)


async def change_pace(call: PageCall) -> Response:
    """Sets how jobs progress."""
    progression, measure = call.form.get("progression", ""), call.form.get("measure", "").strip()
    body: dict[str, object] = {"progression": progression}
    if measure and progression in ("polls", "time", "held"):
        name = "at" if progression == "held" else progression
        body[name] = int(measure) if progression == "polls" and measure.isdigit() else measure
    return await _done(call, pace.change_pace, body)


async def add_fault(call: PageCall) -> Response:
    """Adds a fault rule."""
    body: dict[str, object] = {"effect": call.form.get("effect", "")}
    for name in ("method", "path", "time"):
        if value := call.form.get(name, "").strip():
            body[name] = value
    for name in ("nth", "times"):
        if value := call.form.get(name, "").strip():
            body[name] = int(value) if value.isascii() and value.isdigit() else value
    return await _done(call, fault_controls.add_fault, body)


async def remove_faults(call: PageCall) -> Response:
    """Removes one rule, or all of them."""
    one = call.form.get("fault", "")
    if one:
        return await _done(call, fault_controls.remove_fault, {}, fault_id=one)
    return await _done(call, fault_controls.clear_faults, {})


async def clear_requests(call: PageCall) -> Response:
    """Forgets the requests."""
    return await _done(call, requests.clear_requests, {})


async def restore(call: PageCall) -> Response:
    """Restores the state at the start of the server, which ends all sessions."""
    return await _done(call, reset.reset, {}, leads_to=PREFIX)


async def _done(
    call: PageCall,
    control: Any,
    body: Mapping[str, object],
    *,
    leads_to: str = EMULATOR,
    **path: str,
) -> Response:
    """Calls a control and leads back to the page; shows there what is wrong."""
    try:
        await control(_of_control(call, body, path))
    except BulkwrightError as error:
        status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 400)
        return await _page(call, status, alert=error.message)
    return redirect(leads_to)


async def _page(call: PageCall, status: int = 200, *, alert: str = "") -> Response:
    only = call.query.get("only", "")
    query = {"most": str(_REQUESTS)}
    if only == "not_implemented":
        query["not_implemented"] = "true"
    log = cast("wire.Requests", await requests.list_requests(_of_control(call, query=query)))
    return call.show(
        "emulator.html",
        status,
        section="emulator",
        alert=alert,
        clock=await clock_controls.show_clock(_of_control(call)),
        pace=await pace.show_pace(_of_control(call)),
        paces=_PACES,
        faults=cast("wire.FaultList", await fault_controls.list_faults(_of_control(call))).faults,
        effects=[effect.value for effect in FaultEffect],
        requests=log.requests[::-1],
        only=only,
    )


def _of_control(
    call: PageCall,
    body: Mapping[str, object] | None = None,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> ControlCall:
    controls = call.console.controls
    assert controls is not None
    sent = None if body is None else encode(body)
    return ControlCall(controls, call.request, path or {}, query or {}, sent)


PAGES = (
    Page("GET", EMULATOR, show, Right.MANAGE_ACCESS),
    Page("POST", f"{EMULATOR}/clock", change_clock, Right.MANAGE_ACCESS),
    Page("POST", f"{EMULATOR}/pace", change_pace, Right.MANAGE_ACCESS),
    Page("POST", f"{EMULATOR}/faults", add_fault, Right.MANAGE_ACCESS),
    Page("POST", f"{EMULATOR}/faults/remove", remove_faults, Right.MANAGE_ACCESS),
    Page("POST", f"{EMULATOR}/requests/clear", clear_requests, Right.MANAGE_ACCESS),
    Page("POST", f"{EMULATOR}/reset", restore, Right.MANAGE_ACCESS),
)
"""The pages of the emulator. They are served only where there is one."""
