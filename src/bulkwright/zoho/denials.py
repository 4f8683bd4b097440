"""Log lines for requests that were rejected because of their token, scopes, a role or a limit.

They are no entries of the audit log, because a read that is rejected must not write to the
database. How many lines one caller, and all of them, can cause is limited like those entries.
"""

from __future__ import annotations

import logging

from bulkwright.clock import Clock
from bulkwright.domain.errors import (
    AccessError,
    AuthenticationFailure,
    InvalidToken,
    QuotaExceeded,
    TooManyTokenRequests,
)
from bulkwright.domain.limits import (
    AUDIT_A_SECOND,
    AUDIT_AT_ONCE,
    AUDIT_FAILURES_A_SECOND,
    AUDIT_FAILURES_AT_ONCE,
)
from bulkwright.service.throttle import Allowance, network_of
from bulkwright.web.request import Request

_log = logging.getLogger("bulkwright.security")
_ALL = "all"


class Denials:
    """The denials of one API process."""

    def __init__(self, clock: Clock) -> None:
        self._of_one = Allowance(AUDIT_AT_ONCE, AUDIT_A_SECOND, clock)
        self._of_all = Allowance(AUDIT_FAILURES_AT_ONCE, AUDIT_FAILURES_A_SECOND, clock)
        self._left_out = 0

    def note(self, request: Request, error: Exception) -> None:
        """Logs a line if the error is a denial: who asked for which route, and the code.

        A caller whose token is not valid is known by address only. Every token expires, so that
        line is no warning.
        """
        if not isinstance(error, AccessError | QuotaExceeded | TooManyTokenRequests):
            return
        caller, address = request.caller, request.address
        user = "" if caller is None else f"org={caller.org_id} user={caller.user_id} "
        if not (self._of_one.take(f"{network_of(address)} {user}") and self._of_all.take(_ALL)):
            self._left_out += 1
            return
        left_out, self._left_out = self._left_out, 0
        more = f"; {left_out} more lines were left out" if left_out else ""
        is_unknown = isinstance(error, AuthenticationFailure | InvalidToken)
        _log.log(
            logging.INFO if is_unknown else logging.WARNING,
            "access-denied %saddress=%s: %s %s: %s%s",
            user, address, *request.route, error.code, more,
        )  # fmt: skip
