"""Renews the lease of a job, or of a part of one, while its worker runs it."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from bulkwright.domain.errors import LeaseLost
from bulkwright.domain.job import Lease, PartLease
from bulkwright.domain.limits import LEASE_SECONDS
from bulkwright.outages import classify
from bulkwright.runtime.worker_identity import is_dead
from bulkwright.store.claims import ClaimStore
from bulkwright.wiring import OpenClaimStore


def end_dead_leases(claims: ClaimStore) -> None:
    """Ends the leases of workers of this machine that are dead, before their time has passed."""
    for identity in claims.lease_workers():
        if is_dead(identity):
            claims.end_leases(identity)


class LeaseKeeper:
    """A thread that renews a lease until the `with` block ends.

    The first renewal comes after a third of the lease's time, so a short job never opens a second
    store. The thread ends without a message when the lease is lost: the next chunk notices that
    before it changes anything.
    """

    def __init__(self, lease: Lease | PartLease, open_claim_store: OpenClaimStore) -> None:
        self._lease = lease
        self._open_claim_store = open_claim_store
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease-keeper", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        if self._done.wait(LEASE_SECONDS / 3):
            return
        while not self._done.is_set():
            try:
                self._renew_until_done()
            except LeaseLost:
                return
            except Exception as error:
                if classify(error) is None:
                    raise
                # The current chunk meets the same outage and reports it.
                self._done.wait(LEASE_SECONDS / 10)

    def _renew_until_done(self) -> None:
        with self._open_claim_store() as claims:
            while True:
                claims.end_stalled()
                end_dead_leases(claims)
                claims.renew(self._lease)
                if self._done.wait(LEASE_SECONDS / 3):
                    return
