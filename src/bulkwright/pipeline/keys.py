"""Keys: two values that have one key mean the same record.

A key is the value without surrounding blanks, composed (NFC) and case-folded. It is made here for
every store, so that matching does not depend on the database's collation. In an existing table the
key is the value itself, and the database says which keys its index compares as equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import polars as pl

from bulkwright.pipeline.cells import keep_where


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a chunk's rows as numbers, so that texts are compared only once."""

    distinct: pl.Series
    """Each key once."""
    number: pl.Series
    """For each row the position of its key in `distinct`, UInt32; null where it has no key."""

    def per_row(self, values: pl.Series) -> pl.Series:
        """Return, for each row, the value that belongs to its key in `distinct`."""
        if self.distinct.len() == self.number.len():
            return values  # each row has a key of its own, in this order
        return values.gather(self.number)

    def merged(self, same: pl.Series | None) -> Keys:
        """Return these keys with equal ones as one, the first of them.

        `same` gives, for each key in `distinct`, the position of the first that equals it; None if
        equal keys are equal texts (`RecordSink.same_keys`).
        """
        if same is None or not same.is_duplicated().any():
            return self
        is_first = same == pl.int_range(same.len(), eager=True)
        position = (is_first.cum_sum() - 1).cast(pl.UInt32).gather(same)
        return Keys(self.distinct.filter(is_first), position.gather(self.number).alias("number"))


def number_keys(keys: pl.Series) -> Keys:
    """Number the keys of a chunk's rows in the order of their first occurrence."""
    rows = pl.int_range(keys.len(), dtype=pl.UInt32, eager=True)
    if not keys.has_nulls() and keys.n_unique() == keys.len():
        return Keys(keys.alias("key"), rows.alias("number"))
    distinct = keys.drop_nulls().unique(maintain_order=True).alias("key")
    numbered = distinct.to_frame().with_row_index("number")
    joined = keys.to_frame("key").join(numbered, on="key", how="left", maintain_order="left")
    return Keys(distinct, joined["number"])


def normalised(values: pl.Series) -> pl.Series:
    """Return the keys of text values; null where a value has nothing but blanks."""
    text = pl.first().str.strip_chars().str.to_lowercase()
    has_special = (pl.first().str.len_bytes() != pl.first().str.len_chars()).any()
    frame = values.to_frame().select(text)
    keys = frame.to_series()
    if frame.select(has_special).item():
        letters, folded = _special_foldings()
        keys = keys.str.normalize("NFC").str.replace_many(letters, folded)
        keys = keys.str.normalize("NFC")
    return keep_where(keys, keys != "")


@cache
def _special_foldings() -> tuple[list[str], list[str]]:
    # The letters whose lower case is not their case folding, such as ß and ss. There are none
    # behind these 65,536 characters; to look at all would take a second.
    pairs = [
        (c, c.casefold())
        for c in map(chr, range(0x80, 0x10000))
        if c.lower() == c and c.casefold() != c
    ]
    return [c for c, _ in pairs], [f for _, f in pairs]
