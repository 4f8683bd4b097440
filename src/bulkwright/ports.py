"""What the pipeline needs from a database: the only seam between it and the record stores.

Frames are Polars on Arrow, and a call handles a chunk. All calls but `ensure_index` belong inside
the chunk's transaction (`ClaimStore.chunk`). Keys are normalised by `pipeline/keys.py` before they
reach a store, so that every store finds the same records.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeAlias

from bulkwright.domain.module import Field, Module, Stamps
from bulkwright.domain.outcome import SkipReason
from bulkwright.domain.read_job import Selection

if TYPE_CHECKING:
    import polars as pl


class RecordRejected(Exception):
    """The database rejected a record: it violates a constraint, or a trigger raised an error."""

    def __init__(self, reason: SkipReason, columns: Sequence[str], rule: str) -> None:
        """`columns` are those that the error names; `rule` names the constraint otherwise."""
        super().__init__(rule)
        self.reason = reason
        self.columns = frozenset(columns)
        self.rule = rule


class RecordSink(Protocol):
    """Finds and writes the records of modules, all of one kind of table."""

    def ensure_index(self, module: Module, field: Field) -> None:
        """Create the index that `find` by this field needs, if the service has to create it."""
        ...

    def lock(self, module: Module, groups: Sequence[int] | None = None) -> None:
        """Lock groups of keys of the module until the transaction ends; None locks all of it.

        No other transaction can match or write records with these keys, so the records that `find`
        returns do not change before the write. Groups are ascending (`pipeline/parts.py`); they
        belong to the field by which all divided jobs on the module find records at the time
        (`PartStore.divide`).
        """
        ...

    def find(self, module: Module, field: Field, keys: pl.Series) -> pl.DataFrame:
        """Return the records that hold these keys, whatever kind of table the module has.

        Columns: `at` (UInt32), the position in `keys`, and `id`. `keys` are distinct and not null.
        If several records hold one key, two of them are returned.
        """
        ...

    def same_keys(self, module: Module, field: Field, keys: pl.Series) -> pl.Series | None:
        """Return, for each key, the position of the first one that is equal by the field's index.

        `keys` are distinct texts. None if different texts are never equal, as in the service's
        tables, whose keys are compared byte by byte.
        """
        ...

    def keys_of(self, module: Module, ids: pl.Series, fields: Sequence[Field]) -> pl.DataFrame:
        """Return the keys that these records hold: `id` and one column for each field."""
        ...

    def take_ids(self, module: Module, count: int) -> pl.Series:
        """Return `count` new ids of a module, ascending, Int64. No id is returned twice.

        There are fewer only if the id column of an existing table, or its sequence, has no more.
        """
        ...

    def insert(self, module: Module, records: pl.DataFrame, stamps: Stamps) -> None:
        """Add records. Columns have their names in frames (store/tables.py); `id` is one."""
        ...

    def update(
        self, module: Module, records: pl.DataFrame, stamps: Stamps, *, keep_empty: bool
    ) -> None:
        """Change the given columns of the records with these ids.

        With `keep_empty` a null leaves the stored value as it is.
        """
        ...

    def update_differing(
        self,
        module: Module,
        records: pl.DataFrame,
        stamps: Stamps,
        compared: Sequence[str],
        *,
        keep_empty: bool,
    ) -> int:
        """Do what `update` does, but only to records that differ in one of the compared columns.

        Return how many were changed. Only for the tables that the service created, as `equal`.
        """
        ...

    def equal(self, module: Module, rows: pl.DataFrame, *, keep_empty: bool) -> pl.Series:
        """Return which rows hold what the records with their ids hold already, Int64.

        A row is named by its `$at`. With `keep_empty` a null is equal to every value.
        """
        ...


class ExistingSink(RecordSink, Protocol):
    """Writes to existing tables, whose constraints and triggers may reject records.

    Call `insert` and `update` inside `savepoint`, which raises RecordRejected for such a record.
    """

    def savepoint(self, module: Module) -> AbstractContextManager[None]:
        """Open a savepoint.

        If the database rejects a record inside, the savepoint is rolled back and RecordRejected is
        raised.
        """
        ...

    def write_each(
        self, module: Module, rows: pl.DataFrame, changed: Sequence[str], *, keep_empty: bool
    ) -> list[tuple[int, RecordRejected]]:
        """Write rows one by one and return the positions of the rejected ones, with the reason.

        Beside the columns of their records, rows have two flags. `$new`: the row creates its
        record, unless a row before has created it. `$incomplete`: the row cannot create a record;
        if it would have to, it is left out. Otherwise the row updates the `changed` columns.
        Call it inside `savepoint`.
        """
        ...


class RecordImages(Protocol):
    """The former values of records that a job has updated, and the undo of what a job has written.

    Only for the tables that the service created. Their column WRITER (store/tables.py) says who
    wrote a record last. `created` and `updated` return columns of whole numbers; 0 stands for no
    writer. All calls but `ensure` belong inside the chunk's transaction, which has locked the
    records.
    """

    def ensure(self, module: Module) -> None:
        """Create the table of a module's images, or the columns that it lacks."""
        ...

    def begin(self, module: Module, job_id: int) -> None:
        """Forget which records an earlier undo of a job has kept because of their keys."""
        ...

    def keep(self, module: Module, job_id: int, ids: pl.Series, columns: Sequence[str]) -> None:
        """Keep columns of these records as they are now, unless the job wrote the record last.

        If it has an image already, another writer came between: the image is marked, because the
        record cannot be restored without the loss of what that writer has written.
        """
        ...

    def created(self, module: Module, job_id: int, first: int, last: int) -> pl.DataFrame:
        """Return the records with ids from `first` to `last`: `id`, `writer`, and `marked`.

        A record is marked if another writer came between two writes of the job.
        """
        ...

    def remove(self, module: Module, job_id: int, ids: tuple[int, int], by: Removal) -> None:
        """Delete the records with ids in a range that the job wrote alone; note who did it."""
        ...

    def updated(self, module: Module, job_id: int, after: int, most: int) -> pl.DataFrame:
        """Return at most `most` images of a job with ids above `after`, in the order of the ids.

        Columns: `id`; `writer` of the record now and `before` the job; `marked`; `gone`, whether
        the record does not exist any more.
        """
        ...

    def holders(self, module: Module, job_id: int, ids: tuple[int, int], key: str) -> pl.DataFrame:
        """Return who holds the former keys of records with ids in a range that the job wrote last.

        `key` is the column of a unique field. Columns: `id`; `holder`, another record with this
        key; its `writer`; `imaged`: 1 if it has an image of the job that can be restored, 2 if it
        has another image of the job.
        """
        ...

    def keep_changes(self, module: Module, job_id: int, ids: Sequence[int]) -> None:
        """Leave these records out of `restore`, until `begin` is called."""
        ...

    def restore(
        self,
        module: Module,
        job_id: int,
        ids: tuple[int, int],
        columns: Sequence[str],
        parked: Sequence[str] = (),
    ) -> None:
        """Write the images of records with ids in a range back, where the job wrote last.

        The columns `parked` are set to null first, because records may exchange their keys.
        Records that are marked or left out stay as they are.
        """
        ...


@dataclass(frozen=True, slots=True)
class Removal:
    """Who removes records, and when."""

    user_id: int
    time: datetime


class ParentRecords(Protocol):
    """The records that the rows of a job's parent CSV became, for the children in the same job."""

    def remember(self, job_id: int, column: int, keys: pl.Series, ids: pl.Series) -> None:
        """Store the record of each row by the key of its text in a CSV column.

        A row whose key or id is null is left out.
        """
        ...

    def find(self, job_id: int, column: int, keys: pl.Series) -> pl.DataFrame:
        """Return the records of the rows with these keys, as `RecordSink.find` does."""
        ...


ReadRecords: TypeAlias = "pl.DataFrame | Sequence[bytes]"
"""Records that were read: a column for each field, or each record as a line of a CSV, whichever the
database makes faster.

Columns are String or Int64; one without any value may be either. An empty value is an empty text or
a null."""


@dataclass(frozen=True, slots=True)
class ChunkSize:
    """How large a chunk of records may be; it may exceed `bytes` by one record."""

    rows: int
    bytes: int


class RecordReader(Protocol):
    """Reads many records of a module, of all or some fields."""

    def snapshot(self) -> AbstractContextManager[None]:
        """All calls of `read` inside see the records of one moment. No writer waits for them."""
        ...

    def read(
        self, module: Module, fields: Sequence[Field], wanted: Selection, size: ChunkSize
    ) -> Generator[ReadRecords]:
        """Yield records in the order of their ids, with their values in the order of `fields`.

        At least one chunk is yielded; the last one may be empty. Close the iterator if it is not
        read to its end. Date-times are in UTC (`2024-02-29T23:59:59Z`), lists are JSON arrays.
        """
        ...


@dataclass(frozen=True, slots=True)
class RecordStores:
    """Everything that a database offers the pipeline for records."""

    service: RecordSink
    """For the tables that the service created."""
    existing: ExistingSink
    """For existing tables."""
    parents: ParentRecords
    reader: RecordReader
    images: RecordImages
