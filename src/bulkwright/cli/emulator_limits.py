"""`emulator faults` and `emulator credits`: what calls of a program meet in tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from cyclopts import Parameter

from bulkwright.cli.emulator import control_server
from bulkwright.cli.options import DEFAULT_LOCATION, Json, Location
from bulkwright.cli.output import print_list, print_object
from bulkwright.wire.emulator import EditionName, EffectName


def add_fault(  # wide: each is an option of the command
    effect: Annotated[EffectName, Parameter(help="What becomes of the calls.")],
    /,
    *,
    method: Annotated[str | None, Parameter(help="Only calls with this method.")] = None,
    path: Annotated[str | None, Parameter(help="Only paths like this: /crm/*/Leads.")] = None,
    nth: Annotated[int | None, Parameter(help="From this call on, counted from 1.")] = None,
    times: Annotated[
        int | None, Parameter(help="So often at most. Default: once with --nth, otherwise always.")
    ] = None,
    of_org: Annotated[str | None, Parameter(help="Only calls of users of this org.")] = None,
    rate: Annotated[float | None, Parameter(help="This part of the calls, at random: 0.1.")] = None,
    delay: Annotated[str | None, Parameter(help="How long a call waits before: 90s, 15m.")] = None,
    time: Annotated[
        str | None, Parameter(help="How long a slow or late effect takes: 90s, 15m.")
    ] = None,
    json: Json = False,
    location: Location = DEFAULT_LOCATION,
) -> None:
    """Let calls that match a condition meet a fault."""
    rule = {
        "effect": effect, "method": method, "path": path, "nth": nth, "times": times,
        "org_id": of_org, "rate": rate, "delay": delay, "time": time,
    }  # fmt: skip
    with control_server(location) as server:
        added = server.control("POST", "/faults", {k: v for k, v in rule.items() if v is not None})
    print_object(added, json=json, line=f"fault rule {added['id']}: {added['effect']}")


def list_faults(*, json: Json = False, location: Location = DEFAULT_LOCATION) -> None:
    """List the fault rules, and how many calls have matched and met each of them."""
    with control_server(location) as server:
        found = server.control("GET", "/faults")["faults"]
    names = ("id", "effect", "method", "path", "nth", "times", "matched", "fired")
    print_list(found if json else [{name: one[name] for name in names} for one in found], json=json)


def clear_faults(
    fault_id: Annotated[str | None, Parameter(help="The rule to remove. Default: all.")] = None,
    /,
    *,
    json: Json = False,
    location: Location = DEFAULT_LOCATION,
) -> None:
    """Remove all fault rules; jobs that are stuck continue. Or remove one rule."""
    with control_server(location) as server:
        server.control("DELETE", "/faults" if fault_id is None else f"/faults/{fault_id}")
    print_object({"removed": fault_id or "all"}, json=json, line="removed")


def count_credits(  # wide: each is an option of the command
    *,
    edition: Annotated[
        EditionName | None,
        Parameter(help="Count as documented for this edition."),
    ] = None,
    users: Annotated[int | None, Parameter(help="Licences of the edition. Default: 1.")] = None,
    credits: Annotated[int | None, Parameter(help="Credits of 24 hours, of your own.")] = None,
    at_once: Annotated[int | None, Parameter(help="Calls at the same time.")] = None,
    spent: Annotated[int | None, Parameter(help="What each org has spent already.")] = None,
    off: Annotated[bool, Parameter(negative="", help="Count nothing any more.")] = False,
    json: Json = False,
    location: Location = DEFAULT_LOCATION,
) -> None:
    """Show the API credits that orgs have left, or count them by a plan."""
    wanted = {
        "edition": edition, "users": users, "credits": credits, "at_once": at_once, "spent": spent,
    }  # fmt: skip
    plan = {name: value for name, value in wanted.items() if value is not None}
    with control_server(location) as server:
        if off:
            server.control("DELETE", "/credits")
        shown = (
            server.control("PUT", "/credits", plan) if plan else server.control("GET", "/credits")
        )
    left = "".join(f"; org {org} has {n:,} left" for org, n in shown["remaining"].items())
    print_object(shown, json=json, line=f"{_counted(shown)}{left}")


def _counted(shown: Mapping[str, object]) -> str:
    if not shown["counted"]:
        return "nothing is counted"
    names = ("credits", "at_once", "heavy_at_once")
    return ", ".join(f"{name} {shown[name]:,}" for name in names if shown[name] is not None)
