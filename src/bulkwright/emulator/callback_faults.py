"""Gives callbacks the faults of the rules: lost, doubled or late."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence

import msgspec

from bulkwright.callback.sender import WebhookResponse, WebhookSender
from bulkwright.domain.endpoint import Endpoint
from bulkwright.emulator.fault_rules import FaultEffect, FaultRule

_LOST = 200
_LATE = 503


class FaultySender(WebhookSender):
    """Sends callbacks as another sender does, unless a rule concerns the job."""

    def __init__(self, sender: WebhookSender, rules: MutableMapping[int, FaultRule]) -> None:
        """`rules` are those of the jobs whose callbacks have a fault; each is removed when used."""
        self._sender = sender
        self._rules = rules

    async def post(
        self,
        endpoint: Endpoint,
        addresses: Sequence[str],
        headers: Mapping[str, str],
        body: bytes,
        deadline: float,
    ) -> WebhookResponse:
        """Posts as another sender does. Raises NoAnswer."""
        rule = self._rules.pop(_job_of(body), None)
        if rule is not None and rule.effect is FaultEffect.CALLBACK_LOST:
            return WebhookResponse(_LOST)
        if rule is not None and rule.effect is FaultEffect.CALLBACK_LATE:
            # The attempt is repeated after that time on the emulated clock.
            return WebhookResponse(_LATE, rule.time.total_seconds())
        response = await self._sender.post(endpoint, addresses, headers, body, deadline)
        if rule is not None:
            await self._sender.post(endpoint, addresses, headers, body, deadline)
        return response


def _job_of(body: bytes) -> int:
    """Returns the id of the job that a callback reports; 0 if it has none."""
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return 0
    if isinstance(found, dict) and isinstance(found.get("data"), list) and found["data"]:
        found = found["data"][0]
    text = found.get("id") if isinstance(found, dict) else None
    return int(text) if isinstance(text, str) and text.isdigit() else 0
