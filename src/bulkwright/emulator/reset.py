"""The control that restores the state at the start of the server."""

from __future__ import annotations

from starlette.responses import Response

from bulkwright.emulator.control import Control, ControlCall


async def reset(call: ControlCall) -> object:
    """Restores records, jobs, files, tokens, ids, clock, pace and rules; empties the log."""
    await call.controls.reset(call.request)
    return Response(status_code=204)


CONTROLS = (Control("POST", "/reset", reset),)
