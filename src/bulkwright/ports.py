"""What the pipeline needs of the world: where records go. The only seam for record stores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from bulkwright.domain.module import Field, Module

if TYPE_CHECKING:
    import polars as pl


class RecordSink(Protocol):
    """Where records are written and found. Frames are Polars on Arrow; a call handles a chunk.

    `find`, `keys_of`, `take_ids`, `insert`, `update` and `grow_pick_list` belong inside the
    chunk's transaction (`JobStore.chunk`). Keys are normalised by `pipeline/keys.py` before they
    come here, so that every store finds the same.
    """

    def make_findable(self, module: Module, field: Field) -> None:
        """Make sure that `find` by this field is driven by an index."""
        ...

    def find(self, module: Module, field: Field, keys: pl.Series) -> pl.DataFrame:
        """The records that hold these keys: columns `key`, `id`.

        `keys` are distinct and not null. Of several records with one key, two come back.
        """
        ...

    def keys_of(self, module: Module, ids: pl.Series, fields: Sequence[Field]) -> pl.DataFrame:
        """The keys that these records hold now: `id` and one column for each field."""
        ...

    def remember_parents(self, job_id: int, column: int, keys: pl.Series, ids: pl.Series) -> None:
        """Keep which records the rows of a job's parent CSV became, by the text of a column.

        Rows whose key or id is null became none.
        """
        ...

    def find_parents(self, job_id: int, column: int, keys: pl.Series) -> pl.DataFrame:
        """The records that rows of the parent's CSV became: columns `key`, `id`, as `find`."""
        ...

    def take_ids(self, count: int) -> int:
        """Take `count` consecutive new ids and return the first."""
        ...

    def insert(self, module: Module, records: pl.DataFrame) -> None:
        """Add records; the columns are named by `columns_of` (store/tables.py), `id` is one."""
        ...

    def update(self, module: Module, records: pl.DataFrame, *, keep_empty: bool) -> None:
        """Change the named columns of the records with these ids.

        With `keep_empty` a null leaves the value as it is.
        """
        ...

    def grow_pick_list(self, module: Module, field: Field, values: Sequence[str]) -> Field:
        """Add values that a picklist does not hold yet; returns the field as it is then."""
        ...
