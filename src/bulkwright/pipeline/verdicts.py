"""The reasons found against rows, column by column, and the ERRORS cells made of them."""

from __future__ import annotations

import polars as pl

from bulkwright.domain.outcome import SkipReason


class Verdicts:
    """Collects, for the rows of one chunk, which column speaks against which row, and why.

    Nothing is kept for a column without bad rows, so a clean chunk costs next to nothing.
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._found: list[tuple[SkipReason, str, pl.Series]] = []

    def copy(self) -> Verdicts:
        """The same verdicts, to which others can be added."""
        made = Verdicts(self._rows)
        made._found = list(self._found)
        return made

    def add(self, reason: SkipReason, label: str, rows: pl.Series) -> None:
        """Hold `reason` against every row where the mask is true; null counts as false."""
        if rows.any():
            self._found.append((reason, label, rows.fill_null(value=False)))

    def bad(self) -> pl.Series:
        """A mask of the rows that something was found against."""
        bad = pl.repeat(value=False, n=self._rows, dtype=pl.Boolean, eager=True)
        for _, _, rows in self._found:
            bad = bad | rows
        return bad

    def errors(self) -> pl.Series:
        """The ERRORS cell of each row, empty where nothing was found (facts 5.1).

        `CODE-A,B:CODE-C`: codes in the order of SkipReason, columns in the order found.
        """
        bad = self.bad()
        if not bad.any():
            return pl.repeat("", n=self._rows, dtype=pl.String, eager=True)
        at = bad.arg_true()
        codes = []
        for reason in SkipReason:
            labels: dict[str, pl.Series] = {}
            for found, label, rows in self._found:
                if found is reason:
                    here = rows.gather(at)
                    labels[label] = labels[label] | here if label in labels else here
            if labels:
                named = [pl.when(rows).then(pl.lit(label)) for label, rows in labels.items()]
                joined = pl.concat_str(*named, separator=",", ignore_nulls=True)
                code = pl.when(joined != "").then(pl.lit(f"{reason}-") + joined)
                codes.append(code.alias(reason))
        cells = pl.select(*codes).select(
            at.alias("row"), pl.concat_str(pl.all(), separator=":", ignore_nulls=True).alias("e")
        )
        everything = pl.int_range(self._rows, eager=True).cast(at.dtype).to_frame("row")
        joined_rows = everything.join(cells, on="row", how="left", maintain_order="left")
        return joined_rows["e"].fill_null("")
