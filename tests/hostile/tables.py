"""A hostile CSV that a job inserts: the attempt of all cases of CSV text and values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.hostile.case import Done, Outcome, Rejection
from tests.support.uploads import zipped

if TYPE_CHECKING:
    from tests.hostile.target import Target

Text = str | bytes
LEADS = ("Last_Name", "Description", "City")
"""The fields of the first three columns."""


@dataclass(frozen=True)
class Table:
    """Upload a CSV and run a job on it."""

    text: Text | Callable[[], Text]
    fields: tuple[str, ...] = LEADS
    """The fields of the columns, from the first on."""
    module: str = "Leads"
    operation: str = "insert"
    find_by: str | None = None
    encoding: str | None = None
    keep: str = ""
    """A field whose stored values are part of the outcome."""
    before: Text | None = None
    """A CSV of the same columns that is inserted first, without an error."""
    changes: dict[str, Any] = field(default_factory=dict)
    """To the request's first resource."""

    def __call__(self, target: Target) -> Outcome:
        """Send it."""
        if self.before is not None:
            first = self._run(target, self.before, "insert", None)
            assert isinstance(first, Done), first
            assert set(first.rows) == {"ADDED"}, first
        return self._run(
            target,
            self.text() if callable(self.text) else self.text,
            self.operation,
            self.find_by,
        )

    def _run(self, target: Target, text: Text, operation: str, find_by: str | None) -> Outcome:
        from tests.hostile.target import insert

        file_id = target.upload(zipped(text))
        if isinstance(file_id, Rejection):
            return file_id
        body = insert(file_id, *self.fields, module=self.module, find_by=find_by, **self.changes)
        body["operation"] = operation
        if self.encoding is not None:
            body["character_encoding"] = self.encoding
        return target.run(body, self.keep)
