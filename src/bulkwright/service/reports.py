"""What a user needs to correct an import: the full result, the failed rows, grouped errors."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from dataclasses import field as default

from bulkwright.domain.cell_errors import CellError
from bulkwright.domain.changes import FieldChange, RecordDiff
from bulkwright.domain.job import Job, Resource
from bulkwright.domain.limits import ERROR_SAMPLES, REPORT_ROWS_AT_ONCE
from bulkwright.domain.outcome import Outcome
from bulkwright.domain.report_errors import RowsGone
from bulkwright.domain.result_file import ERRORS, MESSAGE, split_errors
from bulkwright.formats.csv import CsvWriter, Quoting
from bulkwright.service.changes import BeforeJob
from bulkwright.service.job_rows import JobRows, JobRowsService, ReportedRow, result_lines

FULL_COLUMNS = (
    "row", "line", "outcome", "record_id", "code", "column", "field", "value", "message",
)  # fmt: skip
"""The first columns of a full result; those of the file follow. `code` to `value` are those of the
first error, and the message has all of them."""
# Without a comma and a quote: these two are written as they are.
_NOT_REACHED = "The job ended before it reached this row."
_NOTHING_STAYS = "The job stores all rows or none. It could not store all."
_DAMAGED_QUOTES = "The quotes of this row are damaged; delete this cell when they are corrected"


def message_of(row: ReportedRow, errors: list[CellError], job: Job) -> str:
    """Returns what a person reads about the outcome of a row; empty for a stored one."""
    if row.outcome == Outcome.UNPROCESSED:
        return _NOTHING_STAYS if job.all_or_nothing else _NOT_REACHED
    return " ".join(error.message for error in errors)


def full_csv(
    rows: JobRows, *, quote_formulas: bool, before: BeforeJob | None = None
) -> Iterator[str]:
    """Yields a CSV with a line for each row of the file, in pieces.

    A row with more cells than the header has longer lines. With `before`, there is a column
    `before_FIELD` for each field that it reads: what a record held before the job has updated it.
    """
    out = io.StringIO(newline="")
    writer = CsvWriter(out, quote_formulas=quote_formulas)
    header, verbatim = rows.dialect.header, rows.dialect.delimiter == "," and not quote_formulas
    verbatim = verbatim and before is None
    width, former = len(header), [] if before is None else before.names
    writer.write([*FULL_COLUMNS, *(f"before_{name}" for name in former), *header])
    for piece in rows:
        known = {} if before is None else before.of(updated_ids(piece))
        for row in piece:
            number, (line, cells, quoting, text), outcome, record_id, cell = row
            if verbatim and not cell and quoting is Quoting.GOOD and len(cells) == width:
                # Nothing has to be written again: this is several times as fast.
                message = message_of(row, [], rows.job)
                out.write(f"{number},{line},{outcome},{record_id},,,,,{message},")
                out.write(text.rstrip("\r\n"))
                out.write("\n")
                continue
            errors = rows.errors_of(row)
            first: tuple[object, ...] = errors[0][:4] if errors else ("", "", "", "")
            missing = [""] * (width - len(cells))
            reported = [number, line, outcome, record_id, *first, message_of(row, errors, rows.job)]
            values = known.get(record_id, {})
            cells = [*(values.get(name) or "" for name in former), *cells]
            writer.write([*reported, *cells, *missing])
        yield _taken(out)


DIFF_COLUMNS = ("record_id", "change", "field", "before", "after", "note")
"""The columns of a diff."""


def diff_csv(found: Iterable[Sequence[RecordDiff]], *, quote_formulas: bool) -> Iterator[str]:
    """Yields a CSV with a line for each field that a job has changed, in pieces.

    A record of which no field is known has one line.
    """
    out = io.StringIO(newline="")
    writer = CsvWriter(out, quote_formulas=quote_formulas)
    writer.write(list(DIFF_COLUMNS))
    for records in found:
        for record in records:
            for one in record.fields or (FieldChange("", None, None),):
                cells = (one.field, one.before or "", one.after or "", record.note or "")
                writer.write([record.record_id, record.change, *cells])
        yield _taken(out)
    yield _taken(out)


def updated_ids(rows: Iterable[ReportedRow]) -> list[int]:
    """Returns the ids of the records that rows have updated."""
    return [int(row.record_id) for row in rows if row.outcome == Outcome.UPDATED]


def failed_csv(rows: JobRows, *, with_errors: bool, quote_formulas: bool) -> Iterator[str]:
    """Yields the header and the records of the upload that were not stored, in pieces.

    Their text is that of the upload, so that the file can be uploaded again with the same mappings.
    With `with_errors`, the columns ERRORS and MESSAGE follow those of the file.

    With `quote_formulas`, no cell is a formula, and the file is not meant to be uploaded again.
    """
    failed = _FailedRows(rows, with_errors=with_errors, quote_formulas=quote_formulas)
    failed.write_head()
    for piece in rows.failed():
        for row in piece:
            failed.write(row)
        yield _taken(failed.out)


class _FailedRows:
    """Writes records of an upload again, verbatim where that is possible."""

    def __init__(self, rows: JobRows, *, with_errors: bool, quote_formulas: bool) -> None:
        self.out = io.StringIO(newline="")
        self._rows = rows
        self._header = rows.dialect.header
        self._with_errors = with_errors
        self._rewrite = quote_formulas
        self._writer = CsvWriter(
            self.out, quote_formulas=quote_formulas, delimiter=rows.dialect.delimiter
        )

    def write_head(self) -> None:
        """Writes what stands before the first row, and the names of the columns of errors."""
        names = [ERRORS, MESSAGE] if self._with_errors else []
        if self._rewrite:
            self._writer.write([*self._header, *names])
        else:
            self._append(self._rows.head, names)

    def write(self, row: ReportedRow) -> None:
        """Writes a row."""
        read, text = row.file, row.file.text
        added: list[str] = []
        if self._with_errors:
            rows = self._rows
            added = [row.errors, message_of(row, rows.errors_of(row), rows.job)]
        cells, behind = read.cells[: len(self._header)], read.cells[len(self._header) :]
        missing = [""] * (len(self._header) - len(cells))
        simple = not behind and read.quoting in (Quoting.GOOD, Quoting.INNER)
        if not self._rewrite and (simple or not added):
            self._append(text, [*missing, *added] if added else [])
            return
        # A cell behind the last column keeps the row from being read uncorrected.
        if read.quoting is Quoting.BROKEN and not behind:
            behind = [_DAMAGED_QUOTES]
        self._writer.write([*cells, *missing, *added, *behind])

    def _append(self, text: str, cells: list[str]) -> None:
        """Writes a record as it is, with further cells at its end."""
        if not cells:
            self.out.write(text)
            return
        self.out.write(text.rstrip("\r\n"))
        self._writer.write(["", *cells])


@dataclass(frozen=True, slots=True)
class ErrorSample:
    """One row of a group of errors."""

    row: int
    line: int
    value: str | None
    """The value that was rejected; None if the error is of the whole row."""
    message: str


@dataclass(slots=True)
class ErrorGroup:
    """The rows that have one code in one column."""

    code: str
    column: str
    field: str | None = None
    """None if no mapping has the column, or if the upload is not there any more."""
    rows: int = 0
    samples: list[ErrorSample] = default(default_factory=list)
    """The first of these rows; none if the upload is not there any more."""


class ErrorGroups:
    """Groups the errors of the rows of a resource, by code and column."""

    def __init__(self, service: JobRowsService, job: Job, resource: Resource) -> None:
        self._service = service
        self._job = job
        self._resource = resource
        self._groups: dict[tuple[str, str], ErrorGroup] = {}
        self._of_cell: dict[str, list[ErrorGroup]] = {"": []}
        self._labels: tuple[str, ...] = ()
        self.outcomes: Counter[str] = Counter()
        """The rows by outcome."""

    def work(self) -> Iterator[int]:
        """Does the work in pieces; yields how many rows are counted.

        Raises what `JobRowsService.open` raises for the result.
        """
        try:
            with self._service.open(self._job, self._resource) as rows:
                self._labels = rows.errors.labels
                for piece in rows.select(self._count):
                    for row in piece:
                        self._add_samples(row, rows)
                    yield self.outcomes.total()
        except RowsGone:
            # Without the upload, the groups are still in the result.
            self.outcomes.clear()
            with self._service.open_result(self._job) as result:
                for at, line in enumerate(result_lines(result, self._resource)):
                    self._count(line)
                    if at % REPORT_ROWS_AT_ONCE == 0:
                        yield at

    def groups(self) -> list[ErrorGroup]:
        """Returns the groups, the most frequent first."""
        return sorted(self._groups.values(), key=lambda g: (-g.rows, g.code, g.column))

    def _count(self, line: list[str]) -> bool:
        """Counts a line of the result; returns whether its row is one to show."""
        self.outcomes[line[0]] += 1
        groups = self._groups_of(line[2])
        for group in groups:
            group.rows += 1
        return any(group.rows <= ERROR_SAMPLES for group in groups)

    def _groups_of(self, cell: str) -> list[ErrorGroup]:
        known = self._of_cell.get(cell)
        if known is None:
            known = [
                self._groups.setdefault(found, ErrorGroup(*found))
                for found in split_errors(cell, self._labels)
            ]
            self._of_cell[cell] = known
        return known

    def _add_samples(self, row: ReportedRow, rows: JobRows) -> None:
        for error in rows.errors_of(row):
            group = self._groups[error.code, error.column]
            group.field = error.field
            if len(group.samples) < ERROR_SAMPLES:
                group.samples.append(
                    ErrorSample(row.number, row.file.line, error.value, error.message)
                )


def _taken(out: io.StringIO) -> str:
    """Returns what was written, and empties the text."""
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text
