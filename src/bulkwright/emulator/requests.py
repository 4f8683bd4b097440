"""The controls of the request log."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from bulkwright.domain.ids import parse_id
from bulkwright.domain.limits import LOGGED_REQUESTS
from bulkwright.emulator.control import Control, ControlCall, InvalidControlParameter
from bulkwright.emulator.exchanges import Exchange, ExchangeFilter
from bulkwright.emulator.har import har
from bulkwright.web.json import encode
from bulkwright.wire import emulator as wire

_PARAMETERS = frozenset(
    ("method", "path", "status", "org_id", "not_implemented", "after", "most", "format")
)


async def list_requests(call: ControlCall) -> object:
    """Returns the requests that were answered, oldest first, or a HAR of them."""
    query = call.query
    unknown = sorted(query.keys() - _PARAMETERS)
    if unknown:
        raise InvalidControlParameter(
            f"There is no parameter {unknown[0]}; there are {', '.join(sorted(_PARAMETERS))}."
        )
    found = list(call.controls.emulation.exchanges.find(_filter(query)))
    most = _number(query, "most", LOGGED_REQUESTS)
    found = found[len(found) - most :] if len(found) > most else found
    match query.get("format", "json"):
        case "json":
            return wire.Requests(requests=[_shown(one) for one in found])
        case "har":
            document = har(found, call.controls.base_url)
            return Response(encode(document), media_type="application/json")
    raise InvalidControlParameter("The parameter format is json or har.")


async def clear_requests(call: ControlCall) -> object:
    """Forgets all requests."""
    call.controls.emulation.exchanges.clear()
    return Response(status_code=204)


def _filter(query: Mapping[str, str]) -> ExchangeFilter:
    org_id = query.get("org_id")
    if org_id is not None and parse_id(org_id) is None:
        raise InvalidControlParameter("The parameter org_id is the id of an org.")
    return ExchangeFilter(
        method=query.get("method"),
        path=query.get("path"),
        status=query.get("status"),
        org_id=None if org_id is None else parse_id(org_id),
        not_implemented=_flag(query, "not_implemented"),
        after=_number(query, "after", 0),
    )


def _flag(query: Mapping[str, str], name: str) -> bool:
    match query.get(name, "false"):
        case "true":
            return True
        case "false":
            return False
    raise InvalidControlParameter(f"The parameter {name} is true or false.")


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise InvalidControlParameter(f"The parameter {name} is a number.")
    return int(text)


def _shown(one: Exchange) -> wire.LoggedRequest:
    caller = one.caller
    return wire.LoggedRequest(
        number=one.number,
        time=one.time.isoformat(timespec="milliseconds"),
        method=one.method,
        path=one.shown_path,
        query=one.shown_query,
        operation=" ".join(one.route).strip(),
        org_id=None if caller is None else str(caller.org_id),
        user_id=None if caller is None else str(caller.user_id),
        scopes=[] if caller is None else caller.scopes.split(","),
        status=one.status,
        code=one.code,
        milliseconds=round(one.seconds * 1000, 3),
        not_implemented=not one.is_implemented,
        body=one.shown_body(one.sent) or None,
        answer=one.shown_body(one.answered) or None,
    )


CONTROLS = (
    Control("GET", "/requests", list_requests),
    Control("DELETE", "/requests", clear_requests),
)
