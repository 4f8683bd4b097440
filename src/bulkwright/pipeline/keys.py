"""Keys: what makes two values the same record.

A key is the value without surrounding blanks, composed (NFC) and case-folded. It is made here,
once, for every store, so that no database's idea of letters decides who is whom.
"""

from __future__ import annotations

import sys
import unicodedata
from functools import cache

import polars as pl


def normalised(values: pl.Series) -> pl.Series:
    """The keys of text values; null where nothing but blanks is left."""
    keys = values.str.strip_chars().str.to_lowercase()
    if (keys.str.len_bytes() != keys.str.len_chars()).any():
        letters, folded = _foldings()
        keys = keys.str.normalize("NFC").str.replace_many(letters, folded)
        keys = keys.str.normalize("NFC")
    return pl.select(pl.when(keys != "").then(keys)).to_series().alias(values.name)


@cache
def _foldings() -> tuple[list[str], list[str]]:
    # The letters that lower case leaves different from their case folding, as ß and ss.
    pairs = [
        (c, c.casefold())
        for c in map(chr, range(0x80, sys.maxunicode + 1))
        if c.lower() == c and c.casefold() != c and unicodedata.category(c) != "Cs"
    ]
    return [c for c, _ in pairs], [f for _, f in pairs]
