"""What the pipeline needs of the world: where records go. The only seam for record stores."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from bulkwright.domain.module import Field, Module, Stamps
from bulkwright.domain.outcome import SkipReason

if TYPE_CHECKING:
    import polars as pl


class Refused(Exception):
    """The database does not take a record: a constraint or a trigger of the user's own says no."""

    def __init__(self, reason: SkipReason, columns: Sequence[str], rule: str) -> None:
        """`columns` are those that the error names, `rule` is what to call it where it has none."""
        super().__init__(rule)
        self.reason = reason
        self.columns = frozenset(columns)
        self.rule = rule


class RecordSink(Protocol):
    """Where records are written and found. Frames are Polars on Arrow; a call handles a chunk.

    All but `make_findable` belongs inside the chunk's transaction (`JobStore.chunk`). Keys are
    normalised by `pipeline/keys.py` before they come here, so that every store finds the same.
    """

    def make_findable(self, module: Module, field: Field) -> None:
        """Make sure that `find` by this field is driven by an index."""
        ...

    def hold(self, module: Module) -> None:
        """Let nobody else match or write records of a module until the transaction ends.

        Between the look for a key and the write of its record nobody else may write it.
        """
        ...

    def find(self, module: Module, field: Field, keys: pl.Series) -> pl.DataFrame:
        """The records that hold these keys: columns `at` (where in `keys`, UInt32) and `id`.

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
        """The records that rows of the parent's CSV became: columns `at`, `id`, as `find`."""
        ...

    def take_ids(self, module: Module, count: int) -> pl.Series:
        """Take `count` new ids of a module, ascending, Int64; nobody else is given them."""
        ...

    def attempt(self, module: Module) -> AbstractContextManager[None]:
        """What is written inside stays, or is taken back and raised as Refused.

        To be used with modules over tables of the user's own, whose rules nobody here knows.
        """
        ...

    def write_each(
        self, module: Module, each: pl.DataFrame, changed: Sequence[str], *, keep_empty: bool
    ) -> list[tuple[int, Refused]]:
        """Write rows one by one, past those that are refused: which these are, and why.

        Beside the columns of their records rows have `$new`, whether the record is to be made
        unless a row before has made it, and `$lacks`, whether the row cannot make it: then it is
        passed over. Otherwise the `changed` columns are changed. To be used inside `attempt`.
        """
        ...

    def insert(self, module: Module, records: pl.DataFrame, stamps: Stamps) -> None:
        """Add records; columns are named as those of the table (store/tables.py), `id` is one."""
        ...

    def update(
        self, module: Module, records: pl.DataFrame, stamps: Stamps, *, keep_empty: bool
    ) -> None:
        """Change the named columns of the records with these ids.

        With `keep_empty` a null leaves the value as it is.
        """
        ...

    def grow_pick_list(self, module: Module, field: Field, values: Sequence[str]) -> Field:
        """Add values that a picklist does not hold yet; returns the field as it is then."""
        ...
