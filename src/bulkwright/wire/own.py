"""The bodies of `/api/v1`, the service's own API. Ids are strings of digits, times have offsets."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from bulkwright.wire.own_progress import ProgressSnapshot

LongText = Annotated[str, Meta(min_length=1, max_length=50_000)]


class NewColumn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A field, and the column that fills it: `header` or `index` names the column."""

    field: str
    """API name."""
    header: str | None = None
    """The text of the column in the header line."""
    index: int | None = None
    """The first column has 0."""
    format: str | None = None
    """Of dates, times, numbers and boolean words: `dd.MM.yyyy`."""
    find_by: str | None = None
    """Of a lookup: the field by which its record is found; without it the record's id."""
    default: LongText | None = None
    """The value of empty cells; of every row, if no column is named."""


class StopAfter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A job stops behind the chunk in which more rows than this are skipped. One of the two."""

    stop_after: Annotated[int, Meta(ge=0, le=10**15)] | None = None
    """Rows."""
    stop_after_percent: Annotated[float, Meta(ge=0, lt=100)] | None = None
    """Percent of the rows that are processed then; from 1,000 rows on, and at the end."""


class NewJob(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A job to create."""

    operation: Literal["insert", "update", "upsert"]
    module: str
    """API name."""
    file_id: str
    file_name: str | None = None
    """The CSV in the zip, if there are several."""
    find_by: str | None = None
    """API name of the field that identifies a record. Update and upsert need it."""
    ignore_empty: bool = False
    """Whether an empty cell leaves its field unchanged."""
    columns: Annotated[list[NewColumn], Meta(min_length=1)] | None = None
    """Which columns fill which fields. Without it, the header names the fields."""
    formats: dict[str, str] | None = None
    """Without `columns`: formats by column or by field. A column of `columns` has its own."""
    date_format: str | None = None
    """Of columns that fill dates and have no format of their own: `dd.MM.yyyy`."""
    datetime_format: str | None = None
    number_format: str | None = None
    """Of those that fill numbers: `#.###,##`."""
    boolean_format: str | None = None
    """Of those that fill booleans: `ja/nein`."""
    encoding: str | None = None
    """Of the CSV; without it, the one that was found."""
    delimiter: Literal[",", ";", "\t", "|", ":"] | None = None
    """Of the CSV; without it, the one that was found."""
    callback_url: str | None = None
    """Where the end of the job is reported."""
    on_error: Literal["continue", "all_or_nothing"] | StopAfter = "continue"
    """What becomes of the job when rows are skipped. All or nothing: one skipped row ends it, and
    what it has stored is undone."""
    dry_run: bool = False
    """Whether nothing is stored: the result is the one that a real run would have."""
    priority: Literal["low", "normal", "high"] = "normal"
    """Which jobs of the org are run first."""


class CsvSnapshot(Struct, frozen=True, kw_only=True):
    """A CSV of an upload, and how it is read."""

    name: str
    encoding: str
    encoding_by: str
    """`named`, `content` or `guess`."""
    delimiter: str
    """The most likely one. The fields of the module may decide for another one."""
    delimiters_that_fit_too: list[str]
    header: list[str]
    rows: int | None
    """Null if they are not counted."""


class FileSnapshot(Struct, frozen=True, kw_only=True):
    """An upload."""

    id: str
    name: str
    format: str
    """`zip`, `csv`, `tsv`, `jsonl`, `parquet` or `xlsx`."""
    format_by: str
    """`named`, `content` or `file_name`."""
    gzip: bool
    """Whether it was in a gzip."""
    bytes: int
    """Of the zip that is stored."""
    created_time: str
    csvs: list[CsvSnapshot]
    problem: str | None
    """Why no job can read it."""


class RowCounts(Struct, frozen=True, kw_only=True):
    """Rows by outcome, as far as they are processed."""

    processed: int
    added: int
    updated: int
    """They have changed a record."""
    unchanged: int
    """Their records held the values already. The Zoho API counts them as updated."""
    skipped: int


class Creator(Struct, frozen=True, kw_only=True):
    """The user who created a job."""

    id: str
    name: str


class MappingSnapshot(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which column fills which field. A key without a value is absent."""

    api_name: str
    index: int | None = None
    format: str | None = None
    find_by: str | None = None
    default: str | None = None
    module: str | None = None
    parent_column_index: int | None = None


class ReadingSnapshot(Struct, frozen=True, kw_only=True):
    """How a CSV is read. `guess` as a reason says that others are possible."""

    encoding: str
    encoding_by: str
    """`named`, `content` or `guess`."""
    delimiter: str
    delimiter_by: str
    delimiters_that_fit_too: list[str]
    columns_left_out: list[str]
    """Header texts of the columns that fill no field, in file order."""
    rows_with_stray_quotes: int
    first_row_with_stray_quotes: int | None
    """The row after the header is 1."""
    formats_assumed: dict[str, str]
    """By column: the format that was assumed where a cell fits another one too."""


class PartsSnapshot(Struct, frozen=True, kw_only=True):
    """How the rows of a resource are divided into parts."""

    count: int
    by: str | None
    """The field whose keys decide the part of a row; empty if the number of the row does."""
    reason: str | None
    """Why there is only one part."""


class ResourceSnapshot(Struct, frozen=True, kw_only=True):
    """The part of a job that writes one file into one module."""

    module: str
    file_id: str
    file_name: str
    status: str
    code: str | None
    """Why it failed."""
    rows: RowCounts
    find_by: str | None
    ignore_empty: bool
    mapped_by_header: bool
    mappings: list[MappingSnapshot]
    reading: ReadingSnapshot | None
    """Null for a job of version 0.1.0."""
    parts: PartsSnapshot | None
    """Null until its first row is read."""


class JobSnapshot(Struct, frozen=True, kw_only=True):
    """A job as it is now."""

    id: str
    status: str
    """`ADDED`, `INPROGRESS`, `COMPLETED` or `FAILED`."""
    code: str | None
    """Why it failed."""
    operation: str
    dry_run: bool
    """Whether nothing of it is stored."""
    priority: str
    """`low`, `normal` or `high`."""
    created_by: Creator
    created_time: str
    ended_time: str | None
    rows: RowCounts
    """Over all resources."""
    progress: ProgressSnapshot | None = None
    """How far it is; null if it has ended."""
    rows_unprocessed: int | None
    """The rows that it did not reach, as its result lists them; null without a result."""
    on_error: Literal["continue", "all_or_nothing"] | StopAfter
    """What becomes of the job when rows are skipped."""
    undo: str | None
    """The id of its newest undo, without dry runs."""
    has_result: bool
    """Whether its result can be downloaded."""
    abort_requested_time: str | None
    """After this no row was stored. The job ends with the code `ABORTED`."""
    callback_url: str | None
    resources: list[ResourceSnapshot]


class NewUndo(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a job is to be undone."""

    dry_run: bool = False
    """Whether nothing is changed, and the result only says what would be."""
    callback_url: str | None = None
    """Where the end of the undo is reported to."""


class UndoneRecords(Struct, frozen=True, kw_only=True):
    """Records by what the undo has done with them; of a dry run, by what it would do."""

    removed: int
    """They were created by the job."""
    restored: int
    """They hold what they held before the job."""
    kept: int
    """They were written since, or cannot be restored; the result says why."""


class UndoSnapshot(Struct, frozen=True, kw_only=True):
    """The undo of a job as it is now."""

    id: str
    job: str
    """The id of the job that is undone."""
    dry_run: bool
    status: str
    """`ADDED`, `INPROGRESS`, `COMPLETED` or `FAILED`."""
    code: str | None
    """Why it failed. A new undo continues it."""
    created_by: Creator
    created_time: str
    ended_time: str | None
    records: UndoneRecords
    has_result: bool
    """Whether its result can be downloaded."""
    callback_url: str | None


class UndoPage(Struct, frozen=True, kw_only=True):
    """Some undos, newest first."""

    undos: list[UndoSnapshot]
    next_cursor: str | None
    """The `cursor` of the next page; null on the last one."""


class AbortedJob(Struct, frozen=True, kw_only=True):
    """A job whose abort was requested."""

    id: str
    operation: str
    """`insert`, `update`, `upsert`, `read` or `undo`."""
    status: str
    code: str | None
    """Why it failed."""
    abort_requested_time: str | None


class JobDeletion(Struct, frozen=True, kw_only=True):
    """What was deleted with a job. The records that it has stored stay."""

    id: str
    result_deleted: bool
    files_deleted: list[str]
    files_kept: list[str]
    """Ids of its files that another job uses."""
    callback_dropped: bool
    """Whether its end was not reported yet, and never will be."""


class CallbackSnapshot(Struct, frozen=True, kw_only=True):
    """The delivery of a job's callback."""

    url: str
    state: str
    """`pending`, `delivered` or `given_up`."""
    attempts: int
    next_attempt_time: str | None
    """Null if there will be none."""
    ended_time: str | None
    last_status: int | None
    """The HTTP status of the last response; null if there was none."""
    last_error: str | None
    """Why the last attempt failed."""


class JobPage(Struct, frozen=True, kw_only=True):
    """Some jobs, newest first."""

    jobs: list[JobSnapshot]
    next_cursor: str | None
    """The `cursor` of the next page; null on the last one."""


class RowError(Struct, frozen=True, kw_only=True):
    """One error of a row."""

    code: str
    column: str
    """The header text of the column; the API name of a field without a column."""
    field: str | None
    value: str | None
    """The value that was rejected; null if the error is of the whole row."""
    message: str


class ResultRow(Struct, frozen=True, kw_only=True):
    """One row of the file with its outcome: a line of a full result in JSON lines."""

    row: int
    """The row after the header is 1."""
    line: int
    """The line of the file in which the row begins."""
    outcome: str
    """`ADDED`, `UPDATED`, `UNCHANGED`, `SKIPPED` or `UNPROCESSED`."""
    record_id: str | None
    message: str
    """Why it was not stored; empty for a stored row."""
    errors: list[RowError]
    cells: dict[str, str]
    """All columns of the file by their names. An empty or repeated name is followed by `#` and the
    number of the column."""
    more_cells: list[str]
    """The cells behind the last column of the header."""
    before: dict[str, str | None] | None
    """What the record held before the job, by field. Null unless it was requested, if the row has
    updated no record, and if the job has created it."""


class ErrorSampleRow(Struct, frozen=True, kw_only=True):
    """One row of a group of errors."""

    row: int
    line: int
    value: str | None
    message: str


class ErrorGroupRows(Struct, frozen=True, kw_only=True):
    """The rows that have one code in one column."""

    code: str
    column: str
    field: str | None
    rows: int
    """How many rows these are."""
    samples: list[ErrorSampleRow]
    """The first of them; none if the upload is not there any more."""


class JobErrors(Struct, frozen=True, kw_only=True):
    """The errors of the rows of a job, grouped; the most frequent group first."""

    module: str
    skipped: int
    """Rows with an error. One with several errors is in several groups."""
    unprocessed: int
    """Rows that the job did not reach."""
    groups: list[ErrorGroupRows]


class ProblemDetails(Struct, frozen=True, kw_only=True):
    """An error (RFC 9457). `code` names it for programs, `detail` says what to do."""

    type: str
    """Always `about:blank`: `status` and `code` say what kind of error it is."""
    title: str
    status: int
    code: str
    detail: str
    details: dict[str, object]
