"""Checks one job: its ledger, its counters, its result lines, and the records that they report."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterable, Iterator, Mapping

from bulkwright.domain.errors import InvalidFileFormat
from bulkwright.domain.job import MERGED, LedgerEntry, Piece, ResourceStatus
from bulkwright.domain.module import Module
from bulkwright.domain.outcome import Counts
from bulkwright.files import Area, DamagedFile, Files, MissingFile
from bulkwright.formats.zip import Archive, open_archive
from bulkwright.formats.zip_directory import ArchiveMember
from bulkwright.service.findings import Fault, Finding
from bulkwright.service.result_lines import ResultLines, UnreadableLines, read_result_lines
from bulkwright.store.check import CheckStore, JobState, ResourceState


class JobCheck:
    """The check of one job, as it is at one moment."""

    def __init__(
        self, store: CheckStore, files: Files, modules: Mapping[int, Module], job: JobState
    ) -> None:
        self._store = store
        self._files = files
        self._modules = modules
        self._job = job
        self.lines = 0
        """How many result lines were read."""
        self.unreadable: set[int] = set()
        """Ids of modules for which this job has lines that cannot be read."""

    def run(self) -> Iterator[Finding]:
        """Yields each finding; marks the records that the lines report in the store."""
        job = self._job
        if job.dry:
            return  # no record came of it
        if job.read is not None:
            yield from self._exported(job.read)
            return
        for resource in job.resources:
            yield from self._ledger(resource)
        if not job.status.is_final:
            yield from self._pieces()
        elif job.result_swept:
            return
        elif job.has_result:
            yield from self._result()
        elif any(entries for resource in job.resources for entries in resource.by_part):
            self.unreadable.update(resource.module_id for resource in job.resources)
            problem = "it has a ledger but no result"
            yield Finding(Fault.RESULT_MISSING, f"job {job.id}", problem)

    # Ledger and counters

    def _ledger(self, resource: ResourceState) -> Iterator[Finding]:
        """The chunks have no gap between them, and the counters are their sum."""
        where = self._where(resource)
        for entries in resource.by_part:
            row = 0
            for number, entry in enumerate(entries):
                if entry.chunk != number or entry.first_row != row:
                    problem = f"row {row} should follow, but chunk {entry.chunk} begins at row "
                    yield Finding(Fault.LEDGER_GAP, where, problem + str(entry.first_row))
                    break
                row += entry.rows
        total = sum((e.counts for entries in resource.by_part for e in entries), Counts())
        if total != resource.counts:
            yield Finding(
                Fault.COUNTERS_DIFFER,
                where,
                f"the job says {_counts_text(resource.counts)}; "
                f"its chunks say {_counts_text(total)}",
            )
        if resource.status is ResourceStatus.COMPLETED:
            yield from self._rows(resource, sum(entry.rows for entry in resource.entries))

    def _rows(self, resource: ResourceState, rows: int) -> Iterator[Finding]:
        """As many rows have lines as the file had when it was uploaded, if they were counted."""
        csv = self._store.csv(self._job.org_id, resource.file_id, resource.file_name)
        counted = csv is not None and csv.rows is not None and csv.encoding == self._job.encoding
        if csv is not None and counted and csv.rows != rows:
            problem = f"its file has {csv.rows} rows; {rows} have a result line"
            yield Finding(Fault.ROWS_DIFFER, self._where(resource), problem)

    # Bulk reads

    def _exported(self, entries: tuple[LedgerEntry, ...]) -> Iterator[Finding]:
        """The CSV of a bulk read opens, and has the chunks that were committed."""
        job, where = self._job, f"job {self._job.id}"
        if not job.has_result or job.result_swept:
            return  # its parts are made again if one is lost
        try:
            with self._files.open(Area.RESULTS, job.id, job.result_sha256) as file:
                archive = open_archive(file)
                if len(archive.csvs) != 1:
                    raise InvalidFileFormat(f"It holds {len(archive.csvs)} CSV files, and not 1")
                (member,) = archive.csvs
                stream = archive.stream(member, member.size)
                for entry, text in _chunk_texts(stream, entries):
                    if zlib.crc32(text) != entry.piece.crc32:
                        problem = f"chunk {entry.chunk} is not what was committed"
                        yield Finding(Fault.LINES_DIFFER, where, problem)
        except OSError as error:
            problem = f"its result cannot be opened: {error.strerror}"
            yield Finding(Fault.RESULT_MISSING, where, problem)
        except (DamagedFile, InvalidFileFormat) as error:
            yield Finding(Fault.RESULT_DAMAGED, where, f"its result: {error}")

    # Result lines

    def _result(self) -> Iterator[Finding]:
        """The zip opens, and each member has the lines of its ledger, chunk by chunk."""
        job = self._job
        expected = [resource for resource in job.resources if resource.entries]
        complete = 0
        try:
            with self._files.open(Area.RESULTS, job.id, job.result_sha256) as file:
                archive = open_archive(file)
                if len(archive.csvs) != len(expected):
                    raise InvalidFileFormat(
                        f"It holds {len(archive.csvs)} CSV files, and not {len(expected)}"
                    )
                for resource, member in zip(expected, archive.csvs, strict=True):
                    yield from self._member(resource, archive, member)
                    complete += 1
        except OSError as error:
            problem = f"its result cannot be opened: {error.strerror}"
            yield Finding(Fault.RESULT_MISSING, f"job {job.id}", problem)
        except (DamagedFile, InvalidFileFormat) as error:
            yield Finding(Fault.RESULT_DAMAGED, f"job {job.id}", f"its result: {error}")
        self.unreadable.update(resource.module_id for resource in expected[complete:])

    def _member(
        self, resource: ResourceState, archive: Archive, member: ArchiveMember
    ) -> Iterator[Finding]:
        size = sum(entry.piece.plain_bytes for entry in resource.entries)
        if size != member.size:
            self.unreadable.add(resource.module_id)
            problem = f"its result has {member.size} bytes; its chunks have {size}"
            yield Finding(Fault.LINES_DIFFER, self._where(resource), problem)
        stream = archive.stream(member, member.size)
        for entry, text in _chunk_texts(stream, resource.entries):
            yield from self._lines(resource, entry, text)

    def _pieces(self) -> Iterator[Finding]:
        """The job is unfinished: the lines of its committed chunks are in pieces.

        Of a divided resource, only those of merged chunks can be compared with the records.
        """
        for resource in self._job.resources:
            parts = itertools.chain(*resource.by_part) if resource.is_divided else ()
            for entry in (*parts, *resource.entries):
                piece = entry.piece
                try:
                    packed = self._files.read_piece(self._job.id, piece.name, piece.deflated_bytes)
                    if resource.is_divided and entry.part != MERGED:
                        continue
                    text = _inflated(packed, piece)
                except (DamagedFile, OSError) as error:
                    self.unreadable.add(resource.module_id)
                    missing = isinstance(error, MissingFile | FileNotFoundError)
                    fault = Fault.PIECE_MISSING if missing else Fault.PIECE_DAMAGED
                    where = f"{self._where(resource)}, piece {piece.name}"
                    yield Finding(fault, where, f"cannot be read: {error}")
                else:
                    yield from self._lines(resource, entry, text)

    def _lines(self, resource: ResourceState, entry: LedgerEntry, text: bytes) -> Iterator[Finding]:
        """The lines of one chunk are those that were committed, and their records exist."""
        where = f"{self._where(resource)}, chunk {entry.chunk}"
        if zlib.crc32(text) != entry.piece.crc32:
            self.unreadable.add(resource.module_id)
            yield Finding(Fault.LINES_DIFFER, where, "these are not the lines that were committed")
            return
        try:
            lines = read_result_lines(text, header=entry.chunk == 0)
        except UnreadableLines as error:
            self.unreadable.add(resource.module_id)
            yield Finding(Fault.LINES_DIFFER, where, f"its lines cannot be read: {error}")
            return
        self.lines += lines.rows
        if (lines.rows, lines.counts) != (entry.rows, entry.counts):
            yield Finding(
                Fault.LINES_DIFFER,
                where,
                f"{lines.rows} lines, {_counts_text(lines.counts)}; "
                f"the ledger says {entry.rows}, {_counts_text(entry.counts)}",
            )
        yield from self._records(resource, lines, where)

    # Records

    def _records(
        self, resource: ResourceState, lines: ResultLines, where: str
    ) -> Iterator[Finding]:
        module = self._modules.get(resource.module_id)
        if module is None or not module.table_kind.one_writer:
            return  # other programs write and delete in existing tables too
        missing = self._store.find_missing(module, {*lines.added, *lines.updated})
        if missing.count:
            problem = f"{record_count(missing.count)} of its lines not in {module.api_name}"
            yield Finding(Fault.RECORD_MISSING, where, f"{problem}, first {missing.first}")
        first_reports = self._store.mark_reported(module, self._job.id, lines.added)
        repeated = len(lines.added) - first_reports
        if repeated:
            problem = f"{record_count(repeated)} that another line had added already"
            yield Finding(Fault.RECORD_DOUBLED, where, problem)

    def _where(self, resource: ResourceState) -> str:
        return f"job {self._job.id}, {resource.module}"


def record_count(count: int) -> str:
    """Returns a number of records as text: `1 record`, `2,000 records`."""
    return "1 record" if count == 1 else f"{count:,} records"


def _chunk_texts(
    stream: Iterator[bytes], entries: Iterable[LedgerEntry]
) -> Iterator[tuple[LedgerEntry, bytes]]:
    """Cuts a member's text where its chunks end.

    Reads the stream to its end, which verifies the checksum of the member.
    """
    buffer = bytearray()
    for entry in entries:
        size = entry.piece.plain_bytes
        while len(buffer) < size and (piece := next(stream, b"")):
            buffer += piece
        yield entry, bytes(buffer[:size])
        del buffer[:size]
    for _ in stream:
        pass


def _inflated(packed: bytes, piece: Piece) -> bytes:
    try:
        return zlib.decompressobj(-15).decompress(packed, piece.plain_bytes + 1)
    except zlib.error as error:
        raise DamagedFile("its compressed data are no such data") from error


def _counts_text(counts: Counts) -> str:
    return f"added {counts.added} updated {counts.updated} skipped {counts.skipped}"
