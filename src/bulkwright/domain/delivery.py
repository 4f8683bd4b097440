"""A delivery: the telling of one job's end to its callback URL.

    PENDING ──── answered 2xx ───────────────────────▶ DELIVERED
       │ ▲
       │ └─ any other answer, or none: again later
       └──── 410, out of time or of attempts ────────▶ GIVEN_UP

At least once: whoever dies between sending and noting the answer is followed by somebody who
sends again, under the same id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery as it stands now; its times are in UTC."""

    id: int
    org_id: int
    job_id: int
    url: str
    lane: str
    """Host and port; empty when the URL cannot be used."""
    state: DeliveryState
    attempts: int
    """Begun so far. It only grows, and so tells a stale attempt from the current one."""
    next_time: datetime
    """When the next attempt is due."""
    deadline: datetime
    """When to give up."""
    created_time: datetime
    ended_time: datetime | None = None
    """When it was delivered or given up."""
    last_status: int | None = None
    """The HTTP status of the last answer; None when there was none."""
    last_error: str | None = None
    """Why the last attempt failed, in our words: nothing that the other side sent."""

    @property
    def webhook_id(self) -> str:
        """What the receiver knows it by, the same in every attempt."""
        return f"msg_{self.id}"
