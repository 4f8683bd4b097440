"""The thread that renews the lease of a running job."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from bulkwright.domain.errors import LeaseLost
from bulkwright.domain.job import Lease
from bulkwright.runtime import lease_keeper
from bulkwright.runtime.lease_keeper import LeaseKeeper

LEASE = Lease(1, 2, "host/3")


class Claims:
    """A claim store that counts renewals."""

    def __init__(self, renew: Callable[[int], None] = lambda n: None) -> None:
        self.renewals = 0
        self.opened = 0
        self.enough = threading.Event()
        self._renew = renew

    @contextmanager
    def open(self) -> Iterator[Claims]:
        self.opened += 1
        yield self

    def end_stalled(self) -> None:
        pass

    def lease_workers(self) -> list[str]:
        """No worker is dead."""
        return []

    def renew(self, lease: Lease) -> None:
        assert lease == LEASE
        self.renewals += 1
        self._renew(self.renewals)
        if self.renewals >= 3:
            self.enough.set()


@pytest.fixture(autouse=True)
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease of 30 milliseconds."""
    monkeypatch.setattr(lease_keeper, "LEASE_SECONDS", 0.03)


def keeper(claims: Claims) -> LeaseKeeper:
    """A keeper of the lease above."""
    return LeaseKeeper(LEASE, claims.open)  # type: ignore[arg-type]


def test_it_renews_until_the_block_ends() -> None:
    """Over one store, which is opened once; the thread ends with the block."""
    claims = Claims()
    with keeper(claims):
        assert claims.enough.wait(10)
    assert claims.opened == 1
    assert not [t for t in threading.enumerate() if t.name == "lease-keeper"]


def test_a_short_job_opens_no_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first renewal comes after a third of the lease's time."""
    monkeypatch.setattr(lease_keeper, "LEASE_SECONDS", 60.0)
    claims = Claims()
    with keeper(claims):
        pass
    assert claims.opened == 0


def test_it_ends_when_the_lease_is_lost() -> None:
    """Without an error: the next chunk of the job notices it."""
    lost = threading.Event()

    def renew(n: int) -> None:
        lost.set()
        raise LeaseLost

    claims = Claims(renew)
    with keeper(claims) as running:
        assert lost.wait(10)
        running._thread.join(10)
        assert not running._thread.is_alive()
    assert claims.renewals == 1


def test_it_survives_an_outage() -> None:
    """It opens a store again and renews the lease."""

    def renew(n: int) -> None:
        if n == 1:
            raise OSError(28, "No space left on device")

    claims = Claims(renew)
    with keeper(claims):
        assert claims.enough.wait(10)
    assert claims.opened == 2
