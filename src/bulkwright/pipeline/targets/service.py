"""Matches and writes the rows for a table of the service.

The service knows every rule of its tables, so each row that is not skipped is stored.
"""

from __future__ import annotations

import polars as pl

from bulkwright.clock import Clock
from bulkwright.domain.module import Stamps, StorageType
from bulkwright.domain.outcome import Outcome
from bulkwright.pipeline.conform import Conformed
from bulkwright.pipeline.match import match
from bulkwright.pipeline.plan import Plan
from bulkwright.pipeline.targets.target import Decided
from bulkwright.pipeline.write import Additions, row_records, take_ids, write_records
from bulkwright.ports import RecordStores
from bulkwright.store.modules import ModuleStore


class ServiceTarget:
    """A `Target` over a table that the service created."""

    def __init__(
        self, plan: Plan, records: RecordStores, modules: ModuleStore, clock: Clock
    ) -> None:
        self._plan = plan
        """Its picklists have the values that earlier chunks added."""
        self._sink = records.service
        self._parents = records.parents
        self._modules = modules
        self._clock = clock

    def lock(self) -> None:
        """Lock the module until the transaction ends."""
        self._sink.lock(self._plan.module)

    def decide(self, conformed: Conformed) -> Decided:
        """Match the rows. Nothing is written yet."""
        matched = match(conformed, self._plan, self._sink, self._parents)
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
        )
        self._grow_pick_lists(decided)

    def _additions(self) -> Additions:
        """Who wrote the records and when, and the owner and layout of new ones.

        A mapped column has the values of its cells instead. An empty owner or layout of a new
        record gets the default.
        """
        author, now = self._plan.job.created_by.id, self._clock.now()
        defaults = {"Owner": author, "Layout": self._plan.module.layout_id}
        modified: Stamps = {"Modified_By": author, "Modified_Time": now}
        created: Stamps = {"Created_By": author, "Created_Time": now}
        return Additions(
            on_update=self._unmapped(modified),
            on_insert=self._unmapped({**modified, **created, **defaults}),
            defaults=defaults,
        )

    def _unmapped(self, stamps: Stamps) -> Stamps:
        """The stamps of fields that the module has and that no mapping fills."""
        plan = self._plan
        return {
            name: stamp
            for name, stamp in stamps.items()
            if plan.module.field(name) is not None and plan.column(name) is None
        }

    def _grow_pick_lists(self, decided: Decided) -> None:
        """Add the new picklist values of stored rows to their picklists (facts 3.4)."""
        for column in self._plan.written:
            if not column.field.accepts_new_values:
                continue
            values = (
                decided.matched.fields[column.name]
                .filter(decided.matched.outcome != Outcome.SKIPPED.value)
                .drop_nulls()
                .unique(maintain_order=True)
            )
            if column.field.storage_type is StorageType.LIST:
                lists = values.str.json_decode(pl.List(pl.String))
                values = lists.explode().unique(maintain_order=True)
            new = [v for v in values.to_list() if v not in column.field.pick_list_values]
            if new:
                grown = self._modules.grow_pick_list(self._plan.module, column.field, new)
                self._plan = self._plan.with_field(grown)
