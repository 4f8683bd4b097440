"""The outbox: whose end is still to be told to whom, and the secrets that sign it.

A row is written in the transaction that ends its job (`JobStore.finish`), so that neither is ever
there without the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bulkwright.domain.delivery import Delivery, DeliveryState
from bulkwright.domain.endpoint import lane_of
from bulkwright.domain.limits import CALLBACK_LEASE_SECONDS, CALLBACK_LIFE_SECONDS
from bulkwright.store.clock import from_micros, now
from bulkwright.store.database import Database, Row


class OutboxStore:
    """Deliveries and signing secrets."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, org_id: int, job_id: int, url: str) -> None:
        """Remember that a job's end is to be told; to be called in the transaction that ends it."""
        taken = self._db.one("take_ids", n=1)
        assert taken is not None
        moment = now()
        self._db.run(
            "add_delivery",
            id=taken["first"],
            org_id=org_id,
            job_id=job_id,
            url=url,
            lane=lane_of(url),
            now=moment,
            deadline=moment + _micros(CALLBACK_LIFE_SECONDS),
        )

    def pending_lanes(self) -> dict[str, datetime]:
        """The lanes with something pending, each with when its first row is due."""
        rows = self._db.all("pending_lanes")
        return {row["lane"]: from_micros(row["due"], "UTC") for row in rows}

    def claim(self, lanes: Mapping[str, int]) -> list[Delivery]:
        """Claim what is due: of each lane so many at most. An attempt has begun with it."""
        claimed: list[Row] = []
        with self._db.transaction():
            moment = now()
            until = moment + _micros(CALLBACK_LEASE_SECONDS)
            for lane, most in lanes.items():
                claimed += self._db.all(
                    "claim_deliveries", lane=lane, most=most, now=moment, until=until
                )
        return [_delivery(row) for row in claimed]

    def release_all(self) -> None:
        """Void all claims; for the only server of a data folder, when it starts."""
        self._db.run("release_deliveries", now=now())

    def postpone(
        self, delivery: Delivery, seconds: float, *, status: int | None, error: str
    ) -> None:
        """Try again after so many seconds."""
        self._db.run(
            "postpone_delivery",
            id=delivery.id,
            attempts=delivery.attempts,
            next=now() + _micros(seconds),
            status=status,
            error=error,
        )

    def break_off(self, delivery: Delivery) -> None:
        """An attempt was stopped half-way: due again at once."""
        self._db.run("break_off_delivery", id=delivery.id, attempts=delivery.attempts, now=now())

    def end(
        self, delivery: Delivery, state: DeliveryState, *, status: int | None, error: str | None
    ) -> None:
        """Delivered, or given up."""
        self._db.run(
            "end_delivery",
            id=delivery.id,
            attempts=delivery.attempts,
            state=state.value,
            now=now(),
            status=status,
            error=error,
        )

    def of_job(self, org_id: int, job_id: int) -> Delivery | None:
        """The delivery of a job of an org; None while the job runs and for one without callback."""
        row = self._db.one("delivery_of_job", org_id=org_id, job_id=job_id)
        return None if row is None else _delivery(row)

    def newest(self, org_id: int, most: int) -> list[Delivery]:
        """The newest deliveries of an org, newest first."""
        return [_delivery(r) for r in self._db.all("newest_deliveries", org_id=org_id, most=most)]

    def secrets(self, org_id: int) -> tuple[str, ...]:
        """The secrets that sign an org's callbacks now, newest first; none before the first."""
        row = self._db.one("signing_secrets", org_id=org_id)
        if row is None:
            return ()
        if row["previous"] is None or row["previous_until"] <= now():
            return (row["current"],)
        return (row["current"], row["previous"])

    def add_secret(self, org_id: int, secret: str) -> None:
        """Give an org its first secret; one that is there already stays."""
        self._db.run("add_signing_secret", org_id=org_id, secret=secret)

    def rotate_secret(self, org_id: int, secret: str, overlap_seconds: float) -> None:
        """Sign with a new secret; the one before signs too for so long."""
        until = now() + _micros(overlap_seconds)
        self._db.run("rotate_signing_secret", org_id=org_id, secret=secret, until=until)


def _micros(seconds: float) -> int:
    return int(seconds * 1_000_000)


def _delivery(row: Row) -> Delivery:
    ended = row["ended_time"]
    return Delivery(
        id=row["id"],
        org_id=row["org_id"],
        job_id=row["job_id"],
        url=row["url"],
        lane=row["lane"],
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        next_time=from_micros(row["next_time"], "UTC"),
        deadline=from_micros(row["deadline"], "UTC"),
        created_time=from_micros(row["created_time"], "UTC"),
        ended_time=None if ended is None else from_micros(ended, "UTC"),
        last_status=row["last_status"],
        last_error=row["last_error"],
    )
