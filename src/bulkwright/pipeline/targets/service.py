"""Matches and writes the rows for a table of the service.

The service knows every rule of its tables, so each row that is not skipped is stored.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from bulkwright.domain.job import Split
from bulkwright.domain.module import Authorship
from bulkwright.domain.outcome import Outcome
from bulkwright.pipeline.conform import Conformed
from bulkwright.pipeline.context import JobContext
from bulkwright.pipeline.match import Matched, match
from bulkwright.pipeline.parts import locked_groups
from bulkwright.pipeline.plan import Plan
from bulkwright.pipeline.targets.picklists import Picklists
from bulkwright.pipeline.targets.target import Decided
from bulkwright.pipeline.unchanged import may_change_all, unchanged_rows
from bulkwright.pipeline.write import SomeUnchanged, row_records, take_ids, write_records
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
        self._all_changed = False
        """Whether the chunk before was written without a comparison of each row."""
        self._some_unchanged = False
        """Whether rows were found to change nothing where a sample had not shown it."""

    def lock(self, conformed: Conformed) -> None:
        """Lock the groups of the rows' keys, or the module, until the transaction ends."""
        groups = locked_groups(conformed, self._plan, self._split, self._part)
        self._sink.lock(self._plan.module, groups)

    def decide(self, conformed: Conformed) -> Decided:
        """Match the rows. Nothing is written yet."""
        # The errors that are found belong to this transaction, which may be rolled back.
        conformed = replace(conformed, row_errors=conformed.row_errors.copy())
        matched = self._picklists.match(conformed, self._match)
        _, ids = take_ids(matched, self._plan, self._sink)
        return Decided(matched, ids)

    def write(self, decided: Decided) -> pl.Series | None:
        """Write the records and the new picklist values.

        Return a mask of the rows that change nothing, None if there are none. Raises SomeUnchanged.
        """
        matched, plan, sink, additions = decided.matched, self._plan, self._sink, self._additions()
        records = row_records(matched, decided.ids, plan)
        unchanged, all_change = None, False
        if plan.operation.updates and not records.is_empty():
            if not (matched.exchanges_keys or self._some_unchanged):
                all_change = may_change_all(records, plan, sink, sampled=self._all_changed)
            if not all_change:
                same = unchanged_rows(records, plan, sink, additions.defaults)
                if same.any():
                    changed = records.filter(~same)["id"].implode()
                    records = records.filter(pl.col("id").is_in(changed))
                    stored = matched.outcome != Outcome.SKIPPED.value
                    unchanged = _spread(same, stored)
        try:
            write_records(
                records,
                plan,
                sink,
                exchanges_keys=matched.exchanges_keys,
                additions=additions,
                keep_images=self._keep_images if self._split.images else None,
                all_change=all_change,
            )
        except SomeUnchanged:
            self._some_unchanged = True
            raise
        self._all_changed = all_change
        self._picklists.grow(matched)
        return unchanged

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


def _spread(mask: pl.Series, stored: pl.Series) -> pl.Series:
    """A mask of the stored rows as one of all rows."""
    if mask.len() == stored.len():
        return mask
    at = stored.arg_true().filter(mask).cast(pl.Int64)
    return pl.int_range(stored.len(), eager=True).is_in(at.implode())
