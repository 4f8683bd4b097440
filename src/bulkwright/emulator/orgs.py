"""The control that makes another org, for tests that run at the same time."""

from __future__ import annotations

from starlette.responses import Response

from bulkwright.domain.errors import InvalidData
from bulkwright.emulator.control import Control, ControlCall, InvalidControlBody
from bulkwright.emulator.credentials import credentials
from bulkwright.web.json import encode
from bulkwright.wire import emulator as wire


async def add_org(call: ControlCall) -> object:
    """Makes an org with the standard modules, a user and a client; returns its credentials."""
    wanted = await call.body(wire.NewOrg)
    setup = call.controls.services.setup
    try:
        made = await call.request.run_heavy(setup.another_dev_setup, wanted.company_name)
    except InvalidData as error:
        raise InvalidControlBody(f"{error.message}.") from None
    body = encode(credentials(made, call.controls.base_url))
    return Response(body, 201, media_type="application/json")


CONTROLS = (Control("POST", "/orgs", add_org),)
