"""Which rows of jobs have changed nothing. A chunk without such rows has no entry."""

from __future__ import annotations

from collections.abc import Iterator

from bulkwright.domain.unchanged import UnchangedRows
from bulkwright.store.database import Database


class UnchangedStore:
    """Reads and adds the unchanged rows of chunks."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, job_id: int, resource: int, rows: UnchangedRows) -> None:
        """Adds those of a chunk of a part; call it inside the transaction of the chunk."""
        self._db.run(
            "add_unchanged_rows",
            job_id=job_id,
            resource=resource,
            part=rows.part,
            chunk=rows.chunk,
            first_row=rows.first_row,
            runs=rows.runs,
        )

    def chunks(self, job_id: int, resource: int) -> Iterator[list[UnchangedRows]]:
        """Yields those of each chunk of a resource, in file order: an entry for each part."""
        after = -1
        while True:
            at = {"job_id": job_id, "resource": resource, "after": after}
            found = [
                UnchangedRows(row["chunk"], row["first_row"], row["runs"], row["part"])
                for row in self._db.all("next_unchanged_rows", **at)
            ]
            if not found:
                return
            yield found
            after = found[0].chunk

    def numbers(self, job_id: int, resource: int) -> Iterator[range]:
        """Yields the numbers of these rows in their file, from 0, as ranges in order."""
        for entries in self.chunks(job_id, resource):
            ranges = [found for rows in entries for found in rows.ranges()]
            yield from sorted(ranges, key=lambda found: found.start)
