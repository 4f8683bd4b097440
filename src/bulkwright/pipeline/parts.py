"""How the rows of a resource are divided into parts, so that several processes work on one job.

The key of a row decides its group, and the group its part. So rows of one key are in one part and
take effect in file order, and the outcome does not depend on the number of parts. The groups are
also what a chunk locks, so that two jobs never write one key at the same time.

Locks and running jobs depend on the group of a key: it must be the same in every process and in
every version. So the hash is computed here with plain arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from bulkwright.domain.job import ONE_WORKER, Split
from bulkwright.domain.limits import KEY_GROUPS
from bulkwright.domain.module import StorageType
from bulkwright.pipeline.conform import Conformed, key_values
from bulkwright.pipeline.plan import MappedColumn, Plan
from bulkwright.pipeline.read import Chunk

GROUPS = KEY_GROUPS
_FEW_ROWS = 1_024
"""In a chunk of fewer rows, the groups that occur are computed; in others nearly all occur."""
_WORD_BYTES = 8
_MOST_WORDS = 16
"""Of a longer key, what is behind these words does not decide its group."""
_FEW_KEYS = 64
"""Up to this number, keys are hashed one by one, because Polars begins each operation slowly."""
_FACTOR = 0x9E3779B97F4A7C15
"""2^64 divided by the golden ratio, made odd: a product with it spreads over all bits."""


def divide(plan: Plan, *, text_bytes: int, most: int, chunk_rows: int, chunk_bytes: int) -> Split:
    """Return how the rows of a resource are divided into at most `most` parts.

    A text that is no longer than a chunk is not divided.
    """
    by, reason = _key(plan)
    if by is None:
        return Split(1, None, reason, chunk_rows, chunk_bytes)
    parts = max(1, min(most, GROUPS, -(-text_bytes // chunk_bytes)))
    if parts == 1:
        reason = ONE_WORKER if most <= 1 else "the file is one chunk"
    return Split(parts, by, reason, chunk_rows, chunk_bytes)


def _key(plan: Plan) -> tuple[str | None, str | None]:
    """The field by which rows can be divided, or None and the reason why they cannot."""
    if not plan.module.table_kind.divides:
        return None, "constraints and triggers of an existing table may connect its rows"
    if len(plan.job.resources) > 1:
        return None, "the files of one job refer to each other"
    if any(c.lookup_module is not None and c.lookup_module.id == plan.module.id
           for c in plan.columns):  # fmt: skip
        return None, "a lookup refers to records of the same module"
    if len(plan.matched_by) > 1:
        names = ", ".join(c.name for c in plan.matched_by)
        return None, f"several fields may connect rows: {names}"
    if not plan.matched_by:
        return "", None
    (key,) = plan.matched_by
    if key.is_lookup or key.field.storage_type not in (StorageType.TEXT, StorageType.INTEGER):
        return None, f"rows cannot be divided by a field of the type {key.field.data_type}"
    return key.name, None


def take_part(chunk: Chunk, plan: Plan, split: Split, part: int) -> Chunk:
    """Return the rows of a chunk that belong to a part, in file order."""
    if not split.is_divided:
        return chunk
    of_part = _groups(chunk, _column(plan, split)) % split.parts == part
    at = of_part.arg_true()
    own = set(at.to_list()) if chunk.stray_quotes else ()
    return replace(
        chunk,
        cells=chunk.cells.filter(of_part),
        rest=chunk.rest.filter(of_part),
        damaged=chunk.damaged.filter(of_part),
        stray_quotes=tuple(r for r in chunk.stray_quotes if r - chunk.first_row in own),
        at=at,
    )


def locked_groups(
    conformed: Conformed, plan: Plan, split: Split, part: int
) -> Sequence[int] | None:
    """Return the groups of keys that a chunk of a part may match or write, ascending.

    None if the whole module must be locked; empty if rows are not matched by a key.
    """
    if split.by is None:
        return None
    column = _column(plan, split)
    if column is None:
        return ()
    if conformed.chunk.rows >= _FEW_ROWS:
        return range(part, GROUPS, split.parts)
    return group_of(conformed.keys[column.name].distinct).unique().sort().to_list()


def group_of(keys: pl.Series) -> pl.Series:
    """Return the group of each key, from 0; null where a key is null.

    Keys are normalised texts or whole numbers.
    """
    if len(keys) <= _FEW_KEYS:
        hashes = [None if key is None else _hash(key) for key in keys.to_list()]
        return pl.Series([h and h * GROUPS >> 64 for h in hashes], dtype=pl.UInt64)
    return _stable_hash(keys) // pl.Series([2**64 // GROUPS], dtype=pl.UInt64)


def _column(plan: Plan, split: Split) -> MappedColumn | None:
    return plan.column(split.by) if split.by else None


def _groups(chunk: Chunk, column: MappedColumn | None) -> pl.Series:
    """The group of each row. A row without a key has that of its number."""
    number = pl.int_range(
        chunk.first_row, chunk.first_row + chunk.rows, dtype=pl.UInt64, eager=True
    )
    by_number = number % GROUPS
    if column is None:
        return by_number
    by_key = group_of(key_values(chunk, column))
    return pl.select(pl.coalesce(by_key, by_number)).to_series()


def _stable_hash(keys: pl.Series) -> pl.Series:
    """Hash the words of eight bytes of each key, the last one filled up with zeros."""
    factor = pl.Series([_FACTOR], dtype=pl.UInt64)
    half = pl.Series([2**32], dtype=pl.UInt64)
    if keys.dtype != pl.String:
        mixed = keys.cast(pl.UInt64, wrap_numerical=True) * factor
        return (mixed ^ (mixed // half)) * factor
    longest = pl.select(keys.str.len_bytes().max()).item() or 0
    words = min(_MOST_WORDS, int(longest) // _WORD_BYTES + 1)
    padded = (keys + "\0" * _WORD_BYTES).cast(pl.Binary)
    hashed = pl.select(pl.when(keys.is_not_null()).then(pl.lit(0, pl.UInt64))).to_series()
    for word in range(words):
        part = padded.bin.slice(word * _WORD_BYTES, _WORD_BYTES)
        number = part.bin.reinterpret(dtype=pl.UInt64, endianness="little")
        mixed = (hashed ^ number) * factor
        # A key that has no such word keeps its hash: it must not depend on other keys.
        hashed = pl.select(pl.coalesce(mixed ^ (mixed // half), hashed)).to_series()
    return hashed * factor


def _hash(key: str | int) -> int:
    """Do for one key what `_stable_hash` does for many."""
    if isinstance(key, int):
        return _mixed(key) * _FACTOR & (2**64 - 1)
    padded = key.encode() + bytes(_WORD_BYTES)
    hashed = 0
    for at in range(0, min(len(padded) // _WORD_BYTES, _MOST_WORDS) * _WORD_BYTES, _WORD_BYTES):
        number = int.from_bytes(padded[at : at + _WORD_BYTES], "little")
        hashed = _mixed(hashed ^ number)
    return hashed * _FACTOR & (2**64 - 1)


def _mixed(word: int) -> int:
    product = word * _FACTOR & (2**64 - 1)
    return product ^ product >> 32
