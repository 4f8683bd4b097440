"""The rows of an ended job: each row of the upload with its outcome.

In:   the upload and the result of a job, as they are stored.
Out:  the rows in file order, a few at a time.

Nothing is stored for this. The upload is read as the job has read it, so that its rows are those of
the result. Both files are checked against their checksums before the first row; memory is flat.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import compress, count, islice
from typing import BinaryIO, NamedTuple

from bulkwright.domain.any_job import AnyJob
from bulkwright.domain.cell_errors import CellError, ErrorReader
from bulkwright.domain.job import Job, JobStatus, Resource
from bulkwright.domain.limits import REPORT_ROWS_AT_ONCE, SERVICE
from bulkwright.domain.outcome import UNCHANGED, Outcome
from bulkwright.domain.report_errors import (
    NoResult,
    ResultExpired,
    ResultUnusable,
    RowsGone,
    UploadExpired,
    UploadUnusable,
)
from bulkwright.domain.result_file import member_name
from bulkwright.files import Area, DamagedFile, Files
from bulkwright.formats.csv import Dialect, FileRow, row_blocks, sniff, text_before_rows
from bulkwright.formats.stream import ByteStream
from bulkwright.formats.zip import open_archive
from bulkwright.store.ledger import LedgerStore
from bulkwright.store.modules import ModuleStore
from bulkwright.store.uploads import UploadStore

_INFLATED_BYTES = 128 * 1024
_UNREACHED = [Outcome.UNPROCESSED.value, "", ""]
_FAILED = (Outcome.SKIPPED.value, Outcome.UNPROCESSED.value)


class ReportedRow(NamedTuple):
    """One row of the upload with its outcome."""

    number: int
    """The row after the header is 1."""
    file: FileRow
    outcome: str
    record_id: str
    """Empty if the row has none."""
    errors: str
    """Its ERRORS cell."""


@dataclass(slots=True)
class JobRows:
    """The rows of one resource of an ended job."""

    job: Job
    resource: Resource
    dialect: Dialect
    head: str
    """What stands in the file before the first row."""
    errors: ErrorReader
    _text: ByteStream
    _result: BinaryIO
    _unchanged: Iterator[range]
    """The numbers, from 0, of the rows that have changed nothing, in order."""
    selected: int = 0
    """How many rows were yielded."""
    _run: range | None = range(0)
    """The last of these ranges that was reached; None behind the last one."""

    def __iter__(self) -> Iterator[list[ReportedRow]]:
        """Yields all rows, as `select` does."""
        return self.select(lambda _line: True)

    def failed(self) -> Iterator[list[ReportedRow]]:
        """Yields the rows that were not stored, as `select` does."""
        return self.select(lambda line: line[0] in _FAILED)

    def select(self, wanted: Callable[[list[str]], bool]) -> Iterator[list[ReportedRow]]:
        """Yields the rows whose result lines are wanted, a few at a time, or none.

        `wanted` gets STATUS, RECORD_ID and ERRORS of each row, in order. The outcome of a row that
        has changed nothing is UNCHANGED. Rows between wanted ones
        cost little. Only one of these iterators can be used. Raises ResultUnusable if the result
        does not have one line for each row.
        """
        results = result_lines(self._result, self.resource)
        number = 1
        for block in row_blocks(self._text, self.dialect):
            lines = self._lines(results, block.count)
            chosen = [wanted(line) for line in lines]
            if not any(chosen):
                number += len(lines)
                yield []
                continue
            found = compress(zip(count(number), block, lines, strict=False), chosen)
            while piece := [
                ReportedRow(at, row, self._outcome(at, line[0]), *line[1:])
                for at, row, line in islice(found, REPORT_ROWS_AT_ONCE)
            ]:
                self.selected += len(piece)
                yield piece
            number += len(lines)
        if next(results, None) is not None:
            raise ResultUnusable

    def errors_of(self, row: ReportedRow) -> list[CellError]:
        """Returns the errors of a row."""
        if not row.errors:
            return []
        fits = row.file.fits(len(self.dialect.header))
        return self.errors.read(row.errors, row.file.cells, fits=fits)

    def _outcome(self, number: int, status: str) -> str:
        """The outcome of a row; they are asked for in the order of the rows."""
        if status != Outcome.UPDATED:
            return status
        while self._run is not None and self._run.stop < number:
            self._run = next(self._unchanged, None)
        return UNCHANGED if self._run is not None and number - 1 in self._run else status

    def _lines(self, results: Iterator[list[str]], rows: int) -> list[list[str]]:
        """The next lines of the result. A job that has failed has perhaps not listed all rows."""
        lines = list(islice(results, rows))
        missing = rows - len(lines)
        if missing and self.job.status is not JobStatus.FAILED:
            raise ResultUnusable
        return lines + [_UNREACHED] * missing


def result_lines(result: BinaryIO, resource: Resource) -> Iterator[list[str]]:
    """Yields STATUS, RECORD_ID and ERRORS of each line of a resource in a result zip.

    A resource that was not begun has none.
    """
    name = member_name(resource.module, resource.file_name)
    result.seek(0)
    with zipfile.ZipFile(result) as archive:
        if name not in archive.namelist():
            return
        with archive.open(name) as member:
            lines = csv.reader(io.TextIOWrapper(member, "utf-8", newline=""))
            next(lines, None)
            for line in lines:
                yield line[-3:]


@dataclass(frozen=True, slots=True)
class JobRowsService:
    """Opens the rows of jobs."""

    modules: ModuleStore
    uploads: UploadStore
    files: Files
    ledger: LedgerStore

    @contextmanager
    def open(self, job: Job, resource: Resource) -> Iterator[JobRows]:
        """Opens the rows of a resource of a job.

        Raises NoResult, and RowsGone if the result or the upload is not there any more.
        """
        with ExitStack() as stack:
            result = stack.enter_context(self.open_result(job))
            upload = stack.enter_context(self._open_upload(job, resource))
            archive = open_archive(upload)
            member = archive.csv_named(resource.file_name)
            text = ByteStream(archive.stream(member, SERVICE.csv_bytes, _INFLATED_BYTES))
            reading = resource.reading
            dialect = (
                sniff(text, job.character_encoding)
                if reading is None
                else sniff(text, reading.encoding, reading.delimiter)
            )
            head = text_before_rows(text, dialect)
            yield JobRows(
                job, resource, dialect, head, self.reader(job, resource, dialect.header),
                text, result, self.ledger.unchanged.numbers(job.id, job.resources.index(resource)),
            )  # fmt: skip

    def open_result(self, job: AnyJob) -> BinaryIO:
        """Opens the result of a job, whose checksum was verified. Raises what `open` raises."""
        if not job.status.is_final:
            raise NoResult(f"Job {job.id} has no result yet; its status is {job.status}.")
        if job.result_swept:
            raise ResultExpired(f"The result of job {job.id} has expired and was deleted.")
        if not job.has_result:
            raise NoResult(f"Job {job.id} has no result; it has failed with the code {job.code}.")
        return self._open(Area.RESULTS, job.id, job.result_sha256, ResultUnusable)

    def reader(self, job: Job, resource: Resource, header: tuple[str, ...]) -> ErrorReader:
        """Returns what reads the ERRORS cells of a resource."""
        module = self.modules.module(job.org_id, resource.module)
        return ErrorReader(resource, module, header)

    def _open_upload(self, job: Job, resource: Resource) -> BinaryIO:
        upload = self.uploads.upload(job.org_id, resource.file_id)
        if upload is None:
            raise UploadExpired(f"The upload of job {job.id} has expired and was deleted.")
        return self._open(Area.UPLOADS, upload.id, upload.sha256, UploadUnusable)

    def _open(
        self, area: Area, number: int, sha256: str | None, unusable: type[RowsGone]
    ) -> BinaryIO:
        try:
            return self.files.open(area, number, sha256)
        except (FileNotFoundError, DamagedFile) as error:
            how = "damaged" if isinstance(error, DamagedFile) else "missing"
            raise unusable(
                f"{area.path(number)} is {how}; `bulkwright check` finds all errors."
            ) from error
