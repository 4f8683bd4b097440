"""The control that shows what the API has, whatever a test has done to the server.

A test that has added a fault rule, moved the clock or counted credits still reads records and jobs,
and its own calls are not among those of its program.
"""

from __future__ import annotations

from starlette.responses import Response

from bulkwright.emulator.control import Control, ControlCall
from bulkwright.emulator.exchanges import UNLOGGED
from bulkwright.emulator.messages import held
from bulkwright.web.request import Message


async def view(call: ControlCall) -> object:
    """Returns what the development user gets at a path."""
    controls, scope = call.controls, call.request.scope
    token = await call.request.run(controls.view_token)
    path = call.path["path"].encode("latin-1")
    kept = [pair for pair in scope["headers"] if pair[0] != b"authorization"]
    changed = {
        "path": f"/{call.path['path']}",
        "raw_path": b"/" + path,
        "root_path": "",
        "headers": [*kept, (b"authorization", f"Bearer {token}".encode())],
        "extensions": {},  # the body of a file is wanted here
        UNLOGGED: True,
    }
    found = await held({**scope, **changed}, _nothing, controls.emulation.gate.serve_untouched)
    kinds = [value.decode("latin-1") for name, value in found.headers if name == b"content-type"]
    return Response(found.body, found.status, media_type=kinds[0] if kinds else None)


async def _nothing() -> Message:
    """Returns a body that is empty."""
    return {"type": "http.request", "body": b"", "more_body": False}


CONTROLS = (Control("GET", "/view/{path:path}", view),)
