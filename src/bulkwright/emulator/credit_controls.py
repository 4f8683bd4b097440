"""The controls of credits."""

from __future__ import annotations

from starlette.responses import Response

from bulkwright.emulator.control import Control, ControlCall, InvalidControlBody
from bulkwright.emulator.credit_plan import EDITIONS, CreditPlan
from bulkwright.wire import emulator as wire

_MOST = 10**9


async def show_credits(call: ControlCall) -> object:
    """Returns the plan, and what each org still has."""
    return _shown(call)


async def change_credits(call: ControlCall) -> object:
    """Counts by another plan from now on."""
    wanted = await call.body(wire.NewCreditPlan)
    plan = _plan(wanted)
    controls = call.controls
    controls.count_credits(plan)
    if wanted.spent:
        now = controls.emulation.clock.now()
        for org in await call.request.run(controls.services.accounts.orgs):
            controls.credits.spending.spend(org.id, wanted.spent, now)
    return _shown(call)


async def stop_credits(call: ControlCall) -> object:
    """Counts nothing any more."""
    call.controls.count_credits(None)
    return Response(status_code=204)


def _plan(wanted: wire.NewCreditPlan) -> CreditPlan:
    numbers = {
        "credits": wanted.credits, "at_once": wanted.at_once, "users": wanted.users,
        "heavy_at_once": wanted.heavy_at_once, "spent": wanted.spent,
    }  # fmt: skip
    for name, number in numbers.items():
        if number is not None and not 0 <= number <= _MOST:
            raise InvalidControlBody(f"`{name}` is a whole number from 0 to {_MOST}.")
    if (wanted.edition is None) == (wanted.credits is None):
        raise InvalidControlBody(
            f"A plan has either `credits` or an `edition`: {', '.join(EDITIONS)}."
        )
    if wanted.edition is not None:
        found = CreditPlan.documented(wanted.edition, 1 if wanted.users is None else wanted.users)
    else:
        assert wanted.credits is not None
        found = CreditPlan(wanted.credits, _MOST, _MOST)
    return CreditPlan(
        found.credits,
        found.at_once if wanted.at_once is None else wanted.at_once,
        found.heavy_at_once if wanted.heavy_at_once is None else wanted.heavy_at_once,
        wanted.day_headers,
    )


def _shown(call: ControlCall) -> wire.ShownCredits:
    credits = call.controls.credits
    plan = credits.plan
    if plan is None:
        return wire.ShownCredits(counted=False)
    return wire.ShownCredits(
        counted=True,
        credits=plan.credits,
        at_once=plan.at_once,
        heavy_at_once=plan.heavy_at_once,
        remaining={str(org_id): credits.remaining(org_id) for org_id in credits.spending.orgs()},
    )


CONTROLS = (
    Control("GET", "/credits", show_credits),
    Control("PUT", "/credits", change_credits),
    Control("DELETE", "/credits", stop_credits),
)
