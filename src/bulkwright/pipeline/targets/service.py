"""Matches and writes the rows for a table of the service.

The service knows every rule of its tables, so each row that is not skipped is stored.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from bulkwright.domain.job import Split
from bulkwright.domain.module import Authorship
from bulkwright.pipeline.conform import Conformed
from bulkwright.pipeline.context import JobContext
from bulkwright.pipeline.match import Matched, match
from bulkwright.pipeline.parts import locked_groups
from bulkwright.pipeline.plan import Plan
from bulkwright.pipeline.targets.picklists import Picklists
from bulkwright.pipeline.targets.target import Decided
from bulkwright.pipeline.write import row_records, take_ids, write_records
from bulkwright.store.tables import WRITER


class ServiceTarget:
    """A `Target` over a table that the service created."""

    def __init__(self, plan: Plan, split: Split, part: int, ctx: JobContext) -> None:
        self._plan = plan
        self._split = split
        self._part = part
        self._sink = ctx.records.service
        self._parents = ctx.records.parents
        self._images = ctx.records.images
        self._clock = ctx.clock
        self._picklists = Picklists(plan, ctx.modules, ctx.limits.picklist_values)

    def lock(self, conformed: Conformed) -> None:
        """Lock the groups of the rows' keys, or the module, until the transaction ends."""
        groups = locked_groups(conformed, self._plan, self._split, self._part)
        self._sink.lock(self._plan.module, groups)

    def decide(self, conformed: Conformed) -> Decided:
        """Match the rows. Nothing is written yet."""
        matched = self._picklists.match(conformed, self._match)
        _, ids = take_ids(matched, self._plan, self._sink)
        return Decided(matched, ids)

    def write(self, decided: Decided) -> None:
        """Write the records and the new picklist values."""
        write_records(
            row_records(decided.matched, decided.ids, self._plan),
            self._plan,
            self._sink,
            exchanges_keys=decided.matched.exchanges_keys,
            additions=self._additions(),
            keep_images=self._keep_images if self._split.images else None,
        )
        self._picklists.grow(decided.matched)

    def _match(self, conformed: Conformed) -> Matched:
        return match(conformed, self._plan, self._sink, self._parents)

    def _additions(self) -> Authorship:
        """Who wrote the records and when, and the owner and layout of new ones.

        A mapped column has the values of its cells instead. An empty owner or layout of a new
        record gets the default.
        """
        given = [column.name for column in self._plan.columns]
        job = self._plan.job
        stamps = self._plan.module.authorship(job.created_by.id, self._clock.now(), given)
        writer = {WRITER: job.id}
        return replace(
            stamps,
            on_update={**stamps.on_update, **writer},
            on_insert={**stamps.on_insert, **writer},
        )

    def _keep_images(self, ids: pl.Series) -> None:
        columns = self._split.images
        assert columns is not None
        self._images.keep(self._plan.module, self._plan.job.id, ids, columns)
