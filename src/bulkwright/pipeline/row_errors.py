"""The errors of rows, column by column, and the ERRORS cells made of them."""

from __future__ import annotations

import polars as pl

from bulkwright.domain.outcome import SkipReason
from bulkwright.pipeline.cells import repeated


class RowErrors:
    """The errors of the rows of one chunk: for each reason and column, which rows have it.

    A column without errors stores nothing, so a chunk without errors costs almost nothing.
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._found: list[tuple[SkipReason, str, pl.Series]] = []

    def copy(self) -> RowErrors:
        """Return the same errors, to which others can be added."""
        copied = RowErrors(self._rows)
        copied._found = list(self._found)
        return copied

    def add(self, reason: SkipReason, label: str, rows: pl.Series) -> None:
        """Give an error to every row where the mask is true; null counts as false."""
        if rows.any():
            self._found.append((reason, label, rows.fill_null(value=False)))

    def bad(self) -> pl.Series:
        """Return a mask of the rows that have an error."""
        bad = no_rows(self._rows)
        for _, _, rows in self._found:
            bad = bad | rows
        return bad

    def counts(self) -> dict[tuple[SkipReason, str], int]:
        """Return how many rows each reason and column was found in."""
        masks: dict[tuple[SkipReason, str], pl.Series] = {}
        for reason, label, rows in self._found:
            before = masks.get((reason, label))
            masks[reason, label] = rows if before is None else before | rows
        return {found: int(rows.sum()) for found, rows in masks.items()}

    def cells(self) -> pl.Series:
        """Return the ERRORS cell of each row, empty where it has no error (facts 5.1).

        `CODE-A,B:CODE-C`: codes in the order of SkipReason, columns in the order found.
        """
        bad = self.bad()
        if not bad.any():
            return repeated("", self._rows, pl.String)
        at = bad.arg_true()
        codes = []
        for reason in SkipReason:
            labels: dict[str, pl.Series] = {}
            for found, label, rows in self._found:
                if found is reason:
                    bad_rows = rows.gather(at)
                    labels[label] = labels[label] | bad_rows if label in labels else bad_rows
            if labels:
                named = [pl.when(rows).then(pl.lit(label)) for label, rows in labels.items()]
                joined = pl.concat_str(*named, separator=",", ignore_nulls=True)
                code = pl.when(joined != "").then(pl.lit(f"{reason}-") + joined)
                codes.append(code.alias(reason))
        cells = pl.select(*codes).select(
            at.alias("row"), pl.concat_str(pl.all(), separator=":", ignore_nulls=True).alias("cell")
        )
        all_rows = pl.int_range(self._rows, eager=True).cast(at.dtype).to_frame("row")
        joined_rows = all_rows.join(cells, on="row", how="left", maintain_order="left")
        return joined_rows["cell"].fill_null("")


def no_rows(count: int) -> pl.Series:
    """Return a mask of `count` rows that is false everywhere."""
    return pl.Series([False]).new_from_index(0, count)
