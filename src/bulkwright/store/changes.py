"""What the images of records and the records themselves say about the writes of jobs.

The images are those that jobs keep so that they can be undone (`images.py`). The statements run on
the API's database.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bulkwright.domain.module import Field, Module
from bulkwright.store import changes_sql
from bulkwright.store.database import Database, Row


@dataclass(frozen=True, slots=True)
class RecordImage:
    """The image of one record that one job keeps."""

    job_id: int
    before: int | None
    """Who wrote the record before the job."""
    mixed: bool
    """Whether another writer came between two writes of the job."""
    columns: Row
    """The former values by API name."""


class ChangeStore:
    """Reads images and records, a few at a time."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def columns(self, job_id: int, resource: int) -> frozenset[str] | None:
        """Returns the columns of which a job keeps images; None if it keeps none any more."""
        row = self._db.one("kept_images", job_id=job_id, resource=resource)
        if row is None or row["images"] is None:
            return None
        return frozenset(json.loads(row["images"]))

    def updated(
        self, module: Module, job_id: int, fields: Sequence[Field], after: int, most: int
    ) -> list[Row]:
        """Returns images of a job with their records, with ids above `after`, in their order.

        `b0`, `b1` ... are the values of the fields before the job, `a0` ... those of now. `writer`
        is the last writer, `mixed` and `gone` are 1 or 0.
        """
        return self._db.sql(changes_sql.updated(module, fields, most), (job_id, after))

    def between(self, module: Module, fields: Sequence[Field], first: int, last: int) -> list[Row]:
        """Returns the records with ids in a range: `id`, `writer`, and the fields as `a0` ..."""
        return self._db.sql(changes_sql.between(module, fields), (first, last))

    def before(
        self, module: Module, job_id: int, fields: Sequence[Field], ids: Sequence[int]
    ) -> list[Row]:
        """Returns the images of records that a job keeps: `id`, and the fields as `b0` ..."""
        if not ids:
            return []
        statement = changes_sql.before(module, fields, len(ids))
        return self._db.sql(statement, (job_id, *ids))

    def images(self, module: Module, record_id: int) -> list[RecordImage]:
        """Returns all images of a record, those of newer jobs first."""
        jobs = {
            row["job_id"]: frozenset(json.loads(row["images"]))
            for row in self._db.all("jobs_with_images", module_id=module.id)
        }
        if not jobs:
            return []
        statement = changes_sql.heads(module)
        found = []
        for head in self._db.sql(statement, (record_id, module.id)):
            of_job = [f for f in changes_sql.stored(module) if f.api_name in jobs[head["job"]]]
            values = self._db.sql(changes_sql.before(module, of_job, 1), (head["job"], record_id))
            columns = {f.api_name: values[0][f"b{n}"] for n, f in enumerate(of_job)}
            found.append(RecordImage(head["job"], head["before"], bool(head["mixed"]), columns))
        return sorted(found, key=lambda image: -image.job_id)

    def created_by(self, module: Module, record_id: int) -> int | None:
        """Returns the job that created a record; None if no ledger says so."""
        row = self._db.one("creator_of_record", module_id=module.id, id=record_id)
        return None if row is None else int(row["job_id"])

    def is_job(self, org_id: int, number: int) -> bool:
        """Returns whether a number is that of a job that is still listed."""
        return self._db.one("job_of_org", id=number, org_id=org_id) is not None
