"""The control that adds records."""

from __future__ import annotations

from bulkwright.domain.account import Caller
from bulkwright.domain.ids import parse_id
from bulkwright.domain.limits import SEED_BODY_BYTES
from bulkwright.emulator.control import Control, ControlCall, InvalidControlParameter
from bulkwright.emulator.controls import Controls
from bulkwright.emulator.seeding import add_records, first_user, records_of_csv, records_of_json
from bulkwright.wire import emulator as wire


async def seed(call: ControlCall) -> object:
    """Adds the records of a JSON document or a CSV; returns their ids."""
    kind = (call.request.header(b"content-type") or "").partition(";")[0].strip().lower()
    body = await call.request.body(SEED_BODY_BYTES)
    module = call.query.get("module")
    if kind == "text/csv":
        if module is None:
            raise InvalidControlParameter("A CSV needs the parameter module: /seed?module=Leads.")
        given = {module: records_of_csv(body)}
    else:
        given = records_of_json(body)
    caller = _caller(call.controls, call.query.get("org_id"))
    added = await call.request.run_heavy(add_records, call.controls.services, caller, given)
    return wire.Seeds(
        modules=[
            wire.Seeded(module=name, added=len(ids), ids=[str(number) for number in ids])
            for name, ids in added.items()
        ]
    )


def _caller(controls: Controls, org_id: str | None) -> Caller:
    """Returns the user that adds the records."""
    number = None if org_id is None else parse_id(org_id)
    found = first_user(controls.services.accounts, number)
    if found is None or (org_id is not None and number is None):
        raise InvalidControlParameter("The parameter org_id is the id of an org of this server.")
    return found


CONTROLS = (Control("POST", "/seed", seed),)
