"""The picklists of a resource: new values of stored rows join them (facts 3.4).

A picklist takes new values until it has as many as the limits profile allows. From the next row on,
a cell with a value that is not in the picklist is invalid. So the outcome of a row depends on the
rows before it, and never on the size of the chunks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from bulkwright.domain.module import Module
from bulkwright.domain.outcome import Outcome, SkipReason
from bulkwright.pipeline.choices import exploded
from bulkwright.pipeline.conform import Conformed
from bulkwright.pipeline.match import Matched
from bulkwright.pipeline.plan import MappedColumn, Plan
from bulkwright.store.modules import ModuleStore


class Picklists:
    """Every picklist that the rows of a resource may add values to."""

    def __init__(self, plan: Plan, modules: ModuleStore, most: int) -> None:
        """`most` is the number of values from which on a picklist takes no new ones."""
        self._picklists = [
            _Picklist(column, plan.module, modules, most)
            for column in plan.written
            if column.field.accepts_new_values
        ]

    def match(self, conformed: Conformed, match: Callable[[Conformed], Matched]) -> Matched:
        """Return what `match` decides, once the rows that full picklists reject have their errors.

        Belongs inside the chunk's transaction. If there are new values, no other transaction can
        add values to the picklists of the module until it ends.
        """
        full = [p for p in self._picklists if p.may_fill(conformed)]
        if not full:
            return match(conformed)
        rejected: dict[str, pl.Series] = {}
        while True:
            # A picklist that fills in this chunk is full behind a row that is stored. Rows behind
            # it may then be invalid, which changes the outcomes behind them, but none before.
            matched = match(_with_errors(conformed, self._picklists, rejected))
            fills = [(p.row_that_fills(matched), p) for p in full if p.name not in rejected]
            first = min((at for at, _ in fills if at is not None), default=None)
            if first is None:
                return matched
            for at, picklist in fills:
                if at == first:
                    rejected[picklist.name] = picklist.rejected_rows(matched, first)

    def grow(self, matched: Matched) -> None:
        """Add the new values of stored rows to their picklists."""
        for picklist in self._picklists:
            picklist.grow(matched)


class _Picklist:
    """One picklist."""

    def __init__(
        self, column: MappedColumn, module: Module, modules: ModuleStore, most: int
    ) -> None:
        self._column = column
        self._module = module
        self._modules = modules
        self._most = most
        self._known = dict.fromkeys(column.field.pick_list_values)
        """The values in order, as far as they were read or added."""
        self._new: list[str] = []
        """The values of the chunk that are not known, of all its rows."""

    @property
    def name(self) -> str:
        return self._column.name

    @property
    def label(self) -> str:
        return self._column.label

    def may_fill(self, conformed: Conformed) -> bool:
        """Whether the chunk has more new values than the picklist takes.

        Takes note of the new values, and of those that other jobs have added.
        """
        values = conformed.choices[self.name]
        self._new = [value for value in values if value not in self._known]
        if self._new:
            self._modules.lock_picklists(self._module)
            added = self._modules.picklist_values(
                self._module, self._column.field, len(self._known)
            )
            self._known.update(dict.fromkeys(added))
            self._new = [value for value in self._new if value not in self._known]
        return bool(self._new) and len(self._known) + len(self._new) >= self._most

    def row_that_fills(self, matched: Matched) -> int | None:
        """Return the row whose new value is the last one that is taken; None if none is.

        It is -1 if the picklist is full already.
        """
        places = self._most - len(self._known)
        if places <= 0:
            return -1
        firsts = self._first_rows(matched)
        return firsts["row"][places - 1] if firsts.height >= places else None

    def rejected_rows(self, matched: Matched, full_from: int) -> pl.Series:
        """Return a mask of the rows behind `full_from` with a value that is not in the picklist."""
        firsts = self._first_rows(matched).filter(pl.col("row") <= full_from)
        entries = self._entries(matched.fields[self.name])
        rejected = entries.filter(
            (pl.col("row") > full_from) & ~pl.col("value").is_in(firsts["value"].implode())
        )
        rows = pl.int_range(matched.fields.height, dtype=pl.UInt32, eager=True)
        return rows.is_in(rejected["row"].unique().implode())

    def grow(self, matched: Matched) -> None:
        """Add the new values of stored rows."""
        if not self._new:
            return
        values = self._first_rows(matched)["value"].to_list()
        if values:
            self._modules.grow_picklist(self._module, self._column.field, len(self._known), values)
            self._known.update(dict.fromkeys(values))

    def _first_rows(self, matched: Matched) -> pl.DataFrame:
        """The new values of stored rows, each with the first row that has it, in file order."""
        cells = matched.fields[self.name]
        stored = pl.select(
            pl.when(matched.outcome != Outcome.SKIPPED.value).then(cells)
        ).to_series()
        return self._entries(stored.alias(self.name)).unique(
            "value", keep="first", maintain_order=True
        )

    def _entries(self, cells: pl.Series) -> pl.DataFrame:
        """The new values in these cells, with their rows, in file order."""
        entries = exploded(cells, self._column.field)
        new = pl.Series(self._new, dtype=pl.String)
        return entries.filter(pl.col("value").is_in(new.implode()))


def _with_errors(
    conformed: Conformed, picklists: list[_Picklist], rejected: dict[str, pl.Series]
) -> Conformed:
    """The chunk as it was before it was matched, with errors in the rejected rows."""
    row_errors = conformed.row_errors.copy()
    for picklist in picklists:
        if picklist.name in rejected:
            row_errors.add(SkipReason.INVALID_DATA, picklist.label, rejected[picklist.name])
    return replace(conformed, row_errors=row_errors)
