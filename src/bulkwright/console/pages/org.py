"""The org with its users, and its audit log."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import Response

from bulkwright.console import PREFIX
from bulkwright.console.page import Page, PageCall
from bulkwright.domain.account import Right
from bulkwright.domain.audit import Action
from bulkwright.domain.ids import parse_id

_ORG, _AUDIT = f"{PREFIX}/org", f"{PREFIX}/audit"
_ENTRIES = 100


def show_org(call: PageCall) -> Response:
    """Shows the org and its users."""
    return call.show("org.html", section="org", found=call.services.metadata.org(call.caller))


def show_audit(call: PageCall) -> Response:
    """Shows a page of the audit log, newest first."""
    named = call.query.get("action", "")
    action = Action(named) if named in {a.value for a in Action} else None
    before = parse_id(call.query.get("before", ""))
    found = call.services.audit.page_of_org(
        call.caller.org_id, _ENTRIES + 1, before=before, action=action
    )
    shown = found[:_ENTRIES]
    next_page = ""
    if len(found) > _ENTRIES:
        where = {"before": shown[-1][0]} | ({"action": named} if action else {})
        next_page = f"{_AUDIT}?{urlencode(where)}"
    return call.show(
        "audit.html",
        section="audit",
        entries=[entry for _, entry in shown],
        users={user.id: user.name for user in call.services.accounts.users(call.caller.org_id)},
        actions=[a.value for a in Action],
        action=named if action else "",
        next_page=next_page,
        is_first=before is None,
    )


PAGES = (
    Page("GET", _ORG, show_org, Right.READ_METADATA),
    Page("GET", _AUDIT, show_audit, Right.MANAGE_ACCESS),
)
