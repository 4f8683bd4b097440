"""The images of records: what columns of a record held before a job updated it.

A module of the service has a table for them, with a row for each job and record. The table is made
when the first job that keeps images writes to the module. Beside the columns of the module it has
the job, who wrote the record before it, and why the record is not restored, if it is not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bulkwright.domain.module import Module
from bulkwright.ports import Removal
from bulkwright.store import images_sql
from bulkwright.store.database import Database
from bulkwright.store.tables import images_table

if TYPE_CHECKING:
    import polars as pl


class ImageStore(ABC):
    """What the `RecordImages` (see ports.py) of both dialects have in common."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @abstractmethod
    def _numbers(
        self, columns: Sequence[str], select: str, values: Sequence[object]
    ) -> pl.DataFrame:
        """Runs a SELECT of whole numbers, none of them null, into these columns."""

    def ensure(self, module: Module) -> None:
        """Create the table of a module's images, or the columns that it lacks."""
        database = self._database
        wanted = images_sql.copied_columns(module, database.types)
        if self._known(module) >= wanted.keys():
            return
        with database.transaction():
            database.all("lock_schema")
            known = self._known(module)
            if not known:
                database.sql(images_sql.create_table(module, database.types))
                return
            for name in wanted.keys() - known:
                database.sql(images_sql.add_column(module, wanted[name]))

    def begin(self, module: Module, job_id: int) -> None:
        """Forget which records an earlier undo of a job has kept because of their keys."""
        self._database.sql(images_sql.forget_kept(module), (job_id,))

    def created(self, module: Module, job_id: int, first: int, last: int) -> pl.DataFrame:
        """Return the records with ids from `first` to `last`: `id`, `writer`, and `marked`."""
        columns = ("id", "writer", "marked")
        return self._numbers(columns, images_sql.created(module), (job_id, first, last))

    def remove(self, module: Module, job_id: int, ids: tuple[int, int], by: Removal) -> None:
        """Delete the records with ids in a range that the job wrote alone; note who did it."""
        values = (*ids, job_id, job_id)
        self._database.sql(images_sql.note_removed(module, by.user_id, by.time), values)
        self._database.sql(images_sql.remove(module), values)

    def updated(self, module: Module, job_id: int, after: int, most: int) -> pl.DataFrame:
        """Return at most `most` images of a job with ids above `after`, in the order of the ids."""
        columns = ("id", "writer", "before", "marked", "gone")
        return self._numbers(columns, images_sql.updated(module, most), (job_id, after))

    def holders(self, module: Module, job_id: int, ids: tuple[int, int], key: str) -> pl.DataFrame:
        """Return who holds the former keys of records in a range that the job wrote last."""
        columns = ("id", "holder", "writer", "imaged")
        return self._numbers(columns, images_sql.holders(module, key), (job_id, *ids, job_id))

    def keep_changes(self, module: Module, job_id: int, ids: Sequence[int]) -> None:
        """Leave these records out of `restore`, until `begin` is called."""
        for record_id in ids:
            self._database.sql(images_sql.leave_out(module), (job_id, record_id))

    def restore(
        self,
        module: Module,
        job_id: int,
        ids: tuple[int, int],
        columns: Sequence[str],
        parked: Sequence[str] = (),
    ) -> None:
        """Write the images of records with ids in a range back, where the job wrote last."""
        values = (job_id, *ids, job_id)
        if parked:
            self._database.sql(images_sql.clear(module, parked), values)
        self._database.sql(images_sql.restore(module, columns), values)

    def _known(self, module: Module) -> set[str]:
        """The names in frames of the columns that the table has; none if there is no table."""
        rows = self._database.all("columns_of_table", name=images_table(module).strip('"'))
        return {row["name"] for row in rows} - images_sql.OWN_COLUMNS
