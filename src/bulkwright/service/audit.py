"""Records who changed what: a row of the audit table and a log line.

The row is written in the transaction of the caller, so that there is none without the other. What
callers of the API can cause as often as they like is limited: further entries are counted, and the
next entry of that action says how many there were. Calls that store data are never left out, and
have no log line: each call has an entry, however many records it writes.
"""

from __future__ import annotations

import logging
import os
import pwd
import threading
from collections import Counter
from datetime import datetime
from functools import cache

from bulkwright.clock import Clock
from bulkwright.domain.account import Caller
from bulkwright.domain.audit import Action, Actor, AuditEntry
from bulkwright.domain.limits import (
    AUDIT_A_SECOND,
    AUDIT_AT_ONCE,
    AUDIT_FAILURES_A_SECOND,
    AUDIT_FAILURES_AT_ONCE,
)
from bulkwright.service.throttle import Allowance
from bulkwright.store.audit import AuditStore

_log = logging.getLogger("bulkwright.security")
_ALL = "all"
_DETAIL_CHARACTERS = 500


class AuditLog:
    """The audit log of a deployment."""

    def __init__(self, store: AuditStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._of_one = Allowance(AUDIT_AT_ONCE, AUDIT_A_SECOND, clock)
        self._of_all = Allowance(AUDIT_FAILURES_AT_ONCE, AUDIT_FAILURES_A_SECOND, clock)
        self._left_out: Counter[Action] = Counter()
        self._lock = threading.Lock()

    def record_call(self, action: Action, caller: Caller, detail: str) -> None:
        """Records what a user has done: over HTTP, or an operator as this user."""
        actor = Actor(address=caller.address) if caller.address else None
        self.record(action, actor, org_id=caller.org_id, user_id=caller.user_id, detail=detail)

    def record(
        self,
        action: Action,
        actor: Actor | None = None,
        *,
        org_id: int | None = None,
        user_id: int | None = None,
        client_id: str | None = None,
        detail: str = "",
    ) -> None:
        """Records an act of `actor`; without one, the operator of this process acts.

        `org_id`, `user_id` and `client_id` are those of accounts that exist; `detail` holds no
        secret, and nothing that an unknown caller sent.
        """
        actor = actor or Actor(operator=operator())
        if actor.user_id not in (None, user_id):
            detail = "; ".join(part for part in (detail, f"by user {actor.user_id}") if part)
        if not (action.is_administrative or action.is_of_data):
            if not self._is_allowed(action, f"{actor.address} {client_id or user_id or ''}"):
                return
            detail = self._with_left_out(action, detail)
        entry = AuditEntry(
            self._clock.now(),
            action,
            actor,
            org_id,
            user_id,
            client_id,
            detail[:_DETAIL_CHARACTERS],
        )
        self._store.add(entry)
        if action.is_of_data:
            return
        _log.log(logging.WARNING if action.is_failure else logging.INFO, "%s", _line(entry))

    def newest(
        self,
        most: int,
        *,
        since: datetime | None = None,
        org_id: int | None = None,
        action: Action | None = None,
    ) -> list[AuditEntry]:
        """Returns up to `most` entries, newest first; with `since`, none that is older."""
        return self._store.newest(most, since=since, org_id=org_id, action=action)

    def page_of_org(
        self, org_id: int, most: int, *, before: int | None = None, action: Action | None = None
    ) -> list[tuple[int, AuditEntry]]:
        """Returns up to `most` entries of an org with their ids, newest first.

        With `before`, those with lower ids.
        """
        return self._store.page_of_org(org_id, most, before=before, action=action)

    def _is_allowed(self, action: Action, caller: str) -> bool:
        allowed = self._of_one.take(f"{action} {caller}") and (
            not action.is_failure or self._of_all.take(_ALL)
        )
        if not allowed:
            with self._lock:
                self._left_out[action] += 1
        return allowed

    def _with_left_out(self, action: Action, detail: str) -> str:
        with self._lock:
            count = self._left_out.pop(action, 0)
        more = f"{count} more entries of this action were left out" if count else ""
        return "; ".join(part for part in (detail, more) if part)


@cache
def operator() -> str:
    """Returns the name of the account that this process runs as."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def _line(entry: AuditEntry) -> str:
    """Returns an entry as a log line: `token-issued org=1 client=1000.X address=::1: refresh`."""
    values = {
        "org": entry.org_id,
        "user": entry.user_id,
        "client": entry.client_id,
        "address": entry.actor.address,
        "operator": entry.actor.operator,
    }
    known = [f"{name}={value}" for name, value in values.items() if value]
    return " ".join([entry.action.value, *known]) + (f": {entry.detail}" if entry.detail else "")
