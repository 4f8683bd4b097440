"""What jobs have changed in records: the diff of a job, and the history of a record.

In:   the images that jobs keep so that they can be undone, and the records as they are now.
Out:  values before and after, as cells of a CSV.

What a record held after a job is known if the job wrote it last, or if the next writer keeps an
image. Nothing is guessed: what is not known is said to be so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bulkwright.domain import scope
from bulkwright.domain.account import Caller
from bulkwright.domain.changes import (
    ChangeNote,
    FieldChange,
    RecordDiff,
    RecordHistory,
    RecordWrite,
)
from bulkwright.domain.errors import ResourceNotFound
from bulkwright.domain.job import Job, Resource
from bulkwright.domain.limits import REPORT_ROWS_AT_ONCE
from bulkwright.domain.module import Field, Module
from bulkwright.domain.undo_errors import CannotUndo, JobNotEnded, NoImages
from bulkwright.service.record_access import permitted_module
from bulkwright.service.records import as_cell
from bulkwright.store import changes_sql
from bulkwright.store.changes import ChangeStore, RecordImage
from bulkwright.store.database import Row
from bulkwright.store.modules import ModuleStore
from bulkwright.store.undos import UndoStore

_EXISTING = "{} is an existing table: nothing is kept of what jobs change in it."
_OF_THE_WRITE = ("Modified_Time", "Modified_By")
"""Fields with the time and the user of a write: every write sets them."""
_NO_RECORD = "The module has no record with this id, and keeps nothing of one."


@dataclass(frozen=True, slots=True)
class ChangeService:
    """Reads what jobs have changed."""

    modules: ModuleStore
    changes: ChangeStore
    undos: UndoStore

    def diff(self, caller: Caller, job: Job, resource: Resource) -> Iterator[list[RecordDiff]]:
        """Yields the records that a job has changed, some at a time: updated ones, then new ones.

        Raises the CannotUndo that says why it is not known, and ScopeMismatch if the caller may not
        read the module.
        """
        module = permitted_module(self.modules, caller, resource.module, scope.module_read)
        if not job.status.is_final:
            raise JobNotEnded(f"Job {job.id} has not ended; its status is {job.status.value}.")
        if job.dry:
            raise CannotUndo(f"Job {job.id} was a dry run: it has changed nothing.")
        if not module.table_kind.keeps_images:
            raise CannotUndo(_EXISTING.format(module.api_name))
        position = job.resources.index(resource)
        self._kept(job, position)
        return self._diffs(job, position, module)

    def before(self, caller: Caller, job: Job, resource: Resource) -> BeforeJob:
        """Returns what reads the values of the mapped fields before a job.

        Raises NoImages, and ScopeMismatch if the caller may not read the module.
        """
        module = permitted_module(self.modules, caller, resource.module, scope.module_read)
        position = job.resources.index(resource)
        kept = self._kept(job, position)
        fields = [f for f in _mapped(module, resource) if f.api_name in kept]
        return BeforeJob(self.changes, module, job.id, fields)

    def history(self, caller: Caller, module_name: str, record_id: int) -> RecordHistory:
        """Returns the writes of a record. Raises ResourceNotFound, InvalidModule, ScopeMismatch."""
        module = permitted_module(self.modules, caller, module_name, scope.module_read)
        if not module.table_kind.keeps_images:
            raise CannotUndo(_EXISTING.format(module.api_name))
        fields = changes_sql.stored(module)
        rows = self.changes.between(module, fields, record_id, record_id)
        images = self.changes.images(module, record_id)
        if not rows and not images:
            raise ResourceNotFound(_NO_RECORD)
        return _History(self.changes, module, record_id, rows[0] if rows else None, images).read()

    def _kept(self, job: Job, position: int) -> frozenset[str]:
        kept = self.changes.columns(job.id, position)
        if kept is None:
            raise NoImages(
                f"What the records held before job {job.id} is not kept: it was undone, the time "
                "of --keep-images is over or was 0 when the job ran, or it has not begun."
            )
        return kept

    def _diffs(self, job: Job, position: int, module: Module) -> Iterator[list[RecordDiff]]:
        fields = _mapped(module, job.resources[position])
        images = [f for f in fields if f.api_name in self._kept(job, position)]
        after = 0
        while rows := self.changes.updated(module, job.id, images, after, REPORT_ROWS_AT_ONCE):
            self._kept(job, position)  # a sweep has not deleted any of them
            yield [_updated(row, images, job.id) for row in rows]
            after = rows[-1]["id"]
        for first, last in self.undos.created_ranges(job.id, position):
            for begin in range(first, last + 1, REPORT_ROWS_AT_ONCE):
                end = min(last, begin + REPORT_ROWS_AT_ONCE - 1)
                found = {r["id"]: r for r in self.changes.between(module, fields, begin, end)}
                yield [_created(i, found.get(i), fields, job.id) for i in range(begin, end + 1)]


@dataclass(frozen=True, slots=True)
class BeforeJob:
    """Reads what records held before a job."""

    changes: ChangeStore
    module: Module
    job_id: int
    fields: Sequence[Field]

    @property
    def names(self) -> list[str]:
        """The API names of the fields."""
        return [field.api_name for field in self.fields]

    def of(self, ids: Sequence[int]) -> dict[str, dict[str, str | None]]:
        """Returns the former values of the records that the job has updated, by id and field."""
        rows = self.changes.before(self.module, self.job_id, self.fields, ids)
        return {
            str(row["id"]): {f.api_name: _text(f, row[f"b{n}"]) for n, f in enumerate(self.fields)}
            for row in rows
        }


def _mapped(module: Module, resource: Resource) -> list[Field]:
    """The stored fields that a resource fills, in the order of its mappings."""
    stored = {field.api_name: field for field in changes_sql.stored(module)}
    return [stored[m.api_name] for m in resource.mappings if m.api_name in stored]


def _updated(row: Row, fields: Sequence[Field], job_id: int) -> RecordDiff:
    known = row["writer"] == job_id
    note = None
    if row["gone"]:
        note = ChangeNote.DELETED
    elif not known or row["mixed"]:
        note = ChangeNote.CHANGED
    changes = []
    for n, field in enumerate(fields):
        before = _text(field, row[f"b{n}"])
        after = _text(field, row[f"a{n}"]) if known else None
        if not known or before != after:
            changes.append(FieldChange(field.api_name, before, after))
    return RecordDiff(row["id"], added=False, fields=changes, note=note)


def _created(record_id: int, row: Row | None, fields: Sequence[Field], job_id: int) -> RecordDiff:
    if row is None:
        return RecordDiff(record_id, added=True, fields=(), note=ChangeNote.DELETED)
    if row["writer"] != job_id:
        return RecordDiff(record_id, added=True, fields=(), note=ChangeNote.CHANGED)
    values = ((f.api_name, _text(f, row[f"a{n}"])) for n, f in enumerate(fields))
    changes = [FieldChange(name, None, value) for name, value in values if value is not None]
    return RecordDiff(record_id, added=True, fields=changes)


def _text(field: Field, value: object) -> str | None:
    cell = as_cell(field, value)
    return None if cell is None else str(cell)


class _History:
    """Goes back from what a record is now to what it was before each write."""

    def __init__(
        self,
        changes: ChangeStore,
        module: Module,
        record_id: int,
        row: Row | None,
        images: Sequence[RecordImage],
    ) -> None:
        self._changes = changes
        self._module = module
        self._record_id = record_id
        self._exists = row is not None
        self._fields = {field.api_name: field for field in changes_sql.stored(module)}
        self._images = list(images)
        self._state: dict[str, object] = {}
        """The values after the write that is looked at, as far as they are known."""
        self._writer: int | None = None
        self._writes: list[RecordWrite] = []
        if row is not None:
            self._writer = row["writer"]
            self._state = {name: row[f"a{n}"] for n, name in enumerate(self._fields)}

    def read(self) -> RecordHistory:
        """Returns the history."""
        creator = self._changes.created_by(self._module, self._record_id)
        complete = self._exists
        while True:
            image = next((i for i in self._images if i.job_id == self._writer), None)
            if image is not None:
                complete = complete and not image.mixed
                self._go_back(image)
            elif creator is not None and self._writer == creator:
                self._add(created=True, fields=self._all())
                break
            else:
                # A record call, or a job of which nothing is kept: what was before it is unknown.
                complete = False
                if self._state:
                    self._add(created=False, fields=None)
                if not self._images:
                    break
                self._state, self._writer = {}, self._images[0].job_id
        return RecordHistory(self._record_id, self._exists, self._writes, complete)

    def _go_back(self, image: RecordImage) -> None:
        """Add the write of a job that keeps an image, and go back to what was before it."""
        self._images.remove(image)
        changed = []
        known = bool(self._state)
        for name, old in image.columns.items():
            if name in _OF_THE_WRITE:
                continue
            field = self._fields[name]
            before = _text(field, old)
            after = _text(field, self._state.get(name))
            if name not in self._state or before != after:
                changed.append(FieldChange(name, before, after))
        self._add(created=False, fields=changed, after_known=known)
        self._state = {**self._state, **image.columns} if known else dict(image.columns)
        self._writer = image.before

    def _add(
        self, *, created: bool, fields: Sequence[FieldChange] | None, after_known: bool = True
    ) -> None:
        job_id = self._writer
        if job_id is not None and not self._changes.is_job(self._module.org_id, job_id):
            job_id = None
        self._writes.append(
            RecordWrite(
                job_id,
                _moment(self._state.get("Modified_Time")),
                _number(self._state.get("Modified_By")),
                created,
                fields,
                after_known,
            )
        )

    def _all(self) -> list[FieldChange]:
        """The values of a new record."""
        texts = ((name, _text(self._fields[name], v)) for name, v in self._state.items())
        return [FieldChange(name, None, text) for name, text in texts if text is not None]


def _moment(stored: object) -> datetime | None:
    return None if stored is None else datetime.fromisoformat(str(stored))


def _number(stored: object) -> int | None:
    return None if stored is None else int(str(stored))
