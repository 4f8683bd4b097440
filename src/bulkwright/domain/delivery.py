"""A delivery: the callback that reports the end of one job to its URL.

    PENDING ──── answered 2xx ───────────────────────▶ DELIVERED
       │ ▲
       │ └─ any other answer, or none: again later
       └──── 410, out of time or of attempts ────────▶ GIVEN_UP

It is delivered at least once: if the dispatcher dies before it records the response, the callback
is sent again with the same id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DeliveryState(StrEnum):
    """The state of a delivery."""

    PENDING = "pending"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery in its current state; its times are in UTC."""

    id: int
    org_id: int
    job_id: int
    url: str
    destination: str
    """Host and port of the URL; empty when the URL cannot be used."""
    state: DeliveryState
    attempts: int
    """The number of attempts that were started. It only grows, so it identifies stale attempts."""
    next_time: datetime
    """When the next attempt is due."""
    deadline: datetime
    """When it is given up."""
    created_time: datetime
    ended_time: datetime | None = None
    """When it was delivered or given up."""
    last_status: int | None = None
    """The HTTP status of the last response; None if there was none."""
    last_error: str | None = None
    """Why the last attempt failed, in our words: it holds no text of the receiver."""

    @property
    def webhook_id(self) -> str:
        """The id that the receiver gets, the same in every attempt."""
        return f"msg_{self.id}"
