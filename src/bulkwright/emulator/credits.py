"""Stands before the service and counts credits and calls at the same time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from bulkwright.clock import Clock
from bulkwright.domain.limits import CONTROL_BODY_BYTES
from bulkwright.emulator.credit_plan import CreditPlan, Price, Spending, price_of
from bulkwright.emulator.faults import TOO_MANY_REQUESTS
from bulkwright.web.app import CHOSEN_RESPONSE
from bulkwright.web.request import ASGIApp, Message, Receive, Scope, Send

_REMAINING = b"x-api-credits-remaining"
_WITHOUT_BODY = ("GET", "HEAD", "DELETE")
_FILES = (b"multipart/", b"application/zip", b"application/octet-stream")


class Credits:
    """The credits of the orgs of an emulator."""

    def __init__(self, clock: Clock, org_of: Callable[[bytes], int | None]) -> None:
        """`org_of` returns the org of an Authorization header; it is called on a thread."""
        self._clock = clock
        self._org_of = org_of
        self.plan: CreditPlan | None = None
        """None: nothing is counted."""
        self.spending = Spending()
        self._running: Counter[int] = Counter()
        self._heavy: Counter[int] = Counter()

    def begin(self, plan: CreditPlan | None) -> None:
        """Counts by a plan from now on; nothing is spent yet."""
        self.plan, self.spending = plan, Spending()

    def remaining(self, org_id: int) -> int:
        """Returns the credits that an org still has; 0 without a plan."""
        if self.plan is None:
            return 0
        return max(0, self.plan.credits - self.spending.of(org_id, self._clock.now()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send, serve: ASGIApp) -> None:
        """Serves a request. One without a valid token costs nothing."""
        plan = self.plan
        if plan is None or scope["method"] == "OPTIONS":
            await serve(scope, receive, send)
            return
        token = next((v for k, v in scope["headers"] if k == b"authorization"), b"")
        org_id = await asyncio.to_thread(self._org_of, token)
        body, receive = await _peeked(scope, receive)
        query = scope["query_string"].decode("latin-1")
        price = price_of(scope["method"], scope["path"], query, body)
        if org_id is None or price is None:
            await serve(scope, receive, send)
            return
        altered = self._with_headers(org_id, plan, send)
        if not self._may_run(org_id, price, plan):
            await serve({**scope, CHOSEN_RESPONSE: _REFUSED}, receive, altered)
            return
        self.spending.spend(org_id, price.credits, self._clock.now())
        self._running[org_id] += 1
        self._heavy[org_id] += price.is_heavy
        try:
            await serve(scope, receive, altered)
        finally:
            self._running[org_id] -= 1
            self._heavy[org_id] -= price.is_heavy

    def _may_run(self, org_id: int, price: Price, plan: CreditPlan) -> bool:
        return (
            self.remaining(org_id) >= price.credits
            and self._running[org_id] < plan.at_once
            and not (price.is_heavy and self._heavy[org_id] >= plan.heavy_at_once)
        )

    def _with_headers(self, org_id: int, plan: CreditPlan, send: Send) -> Send:
        """Returns `send`; responses say how many credits remain, once half of them are spent."""

        async def altered(message: Message) -> None:
            if message["type"] == "http.response.start":
                left = self.remaining(org_id)
                added = []
                if 2 * left <= plan.credits:
                    added.append((_REMAINING, b"%d" % left))
                if plan.day_headers:
                    added.append((b"x-ratelimit-day-limit", b"%d" % plan.credits))
                    added.append((b"x-ratelimit-day-remaining", b"%d" % left))
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        return altered


_REFUSED = TOO_MANY_REQUESTS._replace(
    headers=tuple(pair for pair in TOO_MANY_REQUESTS.headers if pair[0] != _REMAINING)
)


async def _peeked(scope: Scope, receive: Receive) -> tuple[bytes, Receive]:
    """Returns the body of a request, if it is JSON, and a `receive` that returns it again."""
    kind = next((v for k, v in scope["headers"] if k == b"content-type"), b"")
    if scope["method"] in _WITHOUT_BODY or kind.startswith(_FILES):
        return b"", receive
    messages: list[Message] = []
    body = bytearray()
    while True:
        message = await receive()
        messages.append(message)
        body += message.get("body", b"")
        if not message.get("more_body") or len(body) > CONTROL_BODY_BYTES:
            break

    async def again() -> Message:
        return messages.pop(0) if messages else await receive()

    return bytes(body), again
