"""The outbox: the callbacks of jobs that have ended, and the secrets that sign them.

A row is written in the transaction that ends its job (`ClaimStore.finish`), so neither exists
without the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bulkwright.domain.delivery import Delivery, DeliveryState
from bulkwright.domain.endpoint import destination_of
from bulkwright.domain.limits import CALLBACK_LEASE_SECONDS, CALLBACK_LIFE_SECONDS
from bulkwright.store.database import Database, Row
from bulkwright.store.modules import ModuleStore
from bulkwright.store.times import from_micros, micros, now_micros
from bulkwright.store.wakeups import Topic, Wakeups


class OutboxStore:
    """Reads and changes deliveries and signing secrets."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, org_id: int, job_id: int, url: str) -> None:
        """Adds the delivery of a job, due at once; call it in the transaction that ends the job."""
        moment = now_micros(self._db.clock)
        self._db.wake(Topic.CALLBACKS)
        self._db.run(
            "add_delivery",
            id=ModuleStore(self._db).take_ids(1),
            org_id=org_id,
            job_id=job_id,
            url=url,
            destination=destination_of(url),
            now=moment,
            deadline=moment + micros(CALLBACK_LIFE_SECONDS),
        )

    def of_job(self, org_id: int, job_id: int) -> Delivery | None:
        """Returns the delivery of a job; None before the job has ended, and when it is swept."""
        row = self._db.one("delivery_of_job", org_id=org_id, job_id=job_id)
        return None if row is None else _delivery(row)

    def replay(self, org_id: int, job_id: int, url: str) -> bool:
        """Replaces the delivery of an ended job by a new one; returns whether none is pending.

        Call it inside a transaction.
        """
        self._db.one("lock_job", id=job_id, org_id=org_id)  # of two replays one adds a delivery
        self._db.run("delete_ended_delivery", job_id=job_id)
        if self.of_job(org_id, job_id) is not None:
            return False
        self.add(org_id, job_id, url)
        return True

    def wakeups(self) -> Wakeups:
        """Returns the wake-ups of added deliveries."""
        return self._db.wakeups(Topic.CALLBACKS)

    def pending_destinations(self) -> dict[str, datetime]:
        """Returns the destinations with pending deliveries, and when the first of each is due."""
        rows = self._db.all("pending_destinations")
        return {row["destination"]: from_micros(row["due"], "UTC") for row in rows}

    def claim(self, most: Mapping[str, int]) -> list[Delivery]:
        """Claims due deliveries, of each destination at most the given number.

        Each claim begins an attempt; it ends by itself after CALLBACK_LEASE_SECONDS.
        """
        claimed: list[Row] = []
        with self._db.transaction():
            moment = now_micros(self._db.clock)
            until = moment + micros(CALLBACK_LEASE_SECONDS)
            for destination, count in most.items():
                claimed += self._db.all(
                    "claim_deliveries",
                    destination=destination,
                    most=count,
                    now=moment,
                    until=until,
                )
        return [_delivery(row) for row in claimed]

    def release_all(self) -> None:
        """Ends all claims; only for the single server of a data folder, when it starts."""
        self._db.run("release_deliveries", now=now_micros(self._db.clock))

    def postpone(
        self, delivery: Delivery, seconds: float, *, status: int | None, error: str
    ) -> None:
        """Sets the next attempt to `seconds` from now."""
        self._db.run(
            "postpone_delivery",
            id=delivery.id,
            attempts=delivery.attempts,
            next=now_micros(self._db.clock) + micros(seconds),
            status=status,
            error=error,
        )

    def break_off(self, delivery: Delivery) -> None:
        """Ends the claim of an attempt that was stopped; the delivery is due at once."""
        self._db.run(
            "break_off_delivery",
            id=delivery.id,
            attempts=delivery.attempts,
            now=now_micros(self._db.clock),
        )

    def end(
        self, delivery: Delivery, state: DeliveryState, *, status: int | None, error: str | None
    ) -> None:
        """Marks a delivery as delivered or given up."""
        self._db.run(
            "end_delivery",
            id=delivery.id,
            attempts=delivery.attempts,
            state=state.value,
            now=now_micros(self._db.clock),
            status=status,
            error=error,
        )

    def newest(self, org_id: int, most: int) -> list[Delivery]:
        """Returns at most `most` deliveries of an org, newest first."""
        return [_delivery(r) for r in self._db.all("newest_deliveries", org_id=org_id, most=most)]

    def secrets(self, org_id: int) -> tuple[str, ...]:
        """Returns the secrets that sign an org's callbacks now, newest first; may be empty."""
        row = self._db.one("signing_secrets", org_id=org_id)
        if row is None:
            return ()
        if row["previous"] is None or row["previous_until"] <= now_micros(self._db.clock):
            return (row["current"],)
        return (row["current"], row["previous"])

    def add_secret(self, org_id: int, secret: str) -> None:
        """Adds the first secret of an org; changes nothing if it has one."""
        self._db.run("add_signing_secret", org_id=org_id, secret=secret)

    def rotate_secret(self, org_id: int, secret: str, overlap_seconds: float) -> None:
        """Signs with a new secret; the previous one signs too for `overlap_seconds`."""
        until = now_micros(self._db.clock) + micros(overlap_seconds)
        self._db.run("rotate_signing_secret", org_id=org_id, secret=secret, until=until)


def _delivery(row: Row) -> Delivery:
    ended = row["ended_time"]
    return Delivery(
        id=row["id"],
        org_id=row["org_id"],
        job_id=row["job_id"],
        url=row["url"],
        destination=row["destination"],
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        next_time=from_micros(row["next_time"], "UTC"),
        deadline=from_micros(row["deadline"], "UTC"),
        created_time=from_micros(row["created_time"], "UTC"),
        ended_time=None if ended is None else from_micros(ended, "UTC"),
        last_status=row["last_status"],
        last_error=row["last_error"],
    )
