"""The parts of another worker's job that a worker has claimed: their leases, and their ends."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from bulkwright.domain.errors import LeaseLost
from bulkwright.domain.job import Lease, PartLease
from bulkwright.outages import classify
from bulkwright.pipeline.context import JobContext
from bulkwright.pipeline.run import Interrupted
from bulkwright.runtime.lease_keeper import LeaseKeeper
from bulkwright.wiring import OpenClaimStore


class HeldParts:
    """Renews the leases of parts until each of them is released, or the `with` block ends."""

    def __init__(
        self,
        parts: Sequence[PartLease],
        ctx: JobContext,
        open_claim_store: OpenClaimStore,
        unreleased: dict[Lease | PartLease, bool],
    ) -> None:
        """`unreleased` takes the parts that an outage kept from being released.

        Its values say whether the attempt counts.
        """
        self._parts = ctx.parts
        self._unreleased = unreleased
        self._open_claim_store = open_claim_store
        self._keepers = {part: ExitStack() for part in parts}

    def release(self, part: PartLease, error: BaseException) -> None:
        """Ends the claim on a part whose run this error has ended. Any thread may call it.

        Other workers may claim it at once, while this worker still has its other parts or runs a
        job between two chunks of them.
        """
        keeper = self._keepers.pop(part, None)
        if keeper is None:
            return
        keeper.close()
        if isinstance(error, Exception):  # else the process ends, and so does the lease
            stopped = isinstance(error, (LeaseLost, Interrupted))
            counted = not stopped and classify(error) is None
            try:
                self._parts.release(part, counted=counted)
            except Exception as outage:
                if classify(outage) is None:
                    raise
                self._unreleased[part] = counted

    def __enter__(self) -> Self:
        for part, keeper in self._keepers.items():
            keeper.enter_context(LeaseKeeper(part, self._open_claim_store))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for part in list(self._keepers):
            if error is None:
                self._keepers.pop(part).close()
            else:
                self.release(part, error)
