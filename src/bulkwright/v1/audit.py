"""The audit log of the org."""

from __future__ import annotations

from functools import partial
from operator import itemgetter

from bulkwright.domain.account import Right
from bulkwright.domain.audit import Action, AuditEntry
from bulkwright.domain.scope import AUDIT_READ
from bulkwright.v1.endpoint import OwnCall, OwnEndpoint
from bulkwright.v1.jobs import PAGING, known_parameters, one_of, page_of, parameter
from bulkwright.v1.problems import InvalidParameter
from bulkwright.web.route import ParameterDoc, ResponseDoc
from bulkwright.wire import own_audit


def list_entries(call: OwnCall) -> own_audit.AuditPage:
    """Returns a page of the entries about the org, newest first."""
    query = known_parameters(call, _PARAMETERS)
    action = parameter(query, "action", one_of(Action))
    pages = partial(call.api.services.audit.page_of_org, call.caller.org_id, action=action)
    shown, cursor = page_of(query, pages, itemgetter(0))
    return own_audit.AuditPage(
        entries=[_entry(number, entry) for number, entry in shown],
        next_cursor=cursor,
    )


def _entry(number: int, entry: AuditEntry) -> own_audit.AuditSnapshot:
    return own_audit.AuditSnapshot(
        id=str(number),
        time=entry.time.isoformat(timespec="seconds"),
        action=entry.action.value,
        user=None if entry.user_id is None else str(entry.user_id),
        client=entry.client_id,
        address=entry.actor.address,
        operator=entry.actor.operator,
        detail=entry.detail,
    )


_PARAMETERS = (
    ParameterDoc("action", "query", "Only entries of this action.", {"enum": list(Action)}),
    *PAGING,
)

ENDPOINTS = (
    OwnEndpoint(
        "GET", "/api/v1/audit",
        name="listAuditEntries", group="audit", summary="List the audit log, newest first",
        text="Every call that has changed something in the org: who, when, from where, and what.",
        parameters=_PARAMETERS,
        answers={200: ResponseDoc("A page of entries.", (own_audit.AuditPage,))},
        errors=(InvalidParameter,),
        handler=list_entries, scopes=AUDIT_READ, right=Right.MANAGE_ACCESS,
    ),
)  # fmt: skip
