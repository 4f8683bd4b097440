"""Holds a store against its results: is everything that was answered there, and nothing else?

Each row has exactly one result line, in file order (I1); the counters are the sum of the lines
(I2); the records are what the lines say, and no others (I3). Nothing is written, and each read is
short but the first, so that it may be done while a server runs: what changed under its eyes is
looked at again. Lines are read a chunk at a time and compared in sets, so memory does not grow
with the results.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator

from bulkwright.csvzip.archive import Archive, Member, open_archive
from bulkwright.domain.errors import InvalidFileFormat
from bulkwright.domain.job import JobStatus, LedgerEntry, Part
from bulkwright.domain.module import Module
from bulkwright.domain.outcome import Counts
from bulkwright.files import Area, Damaged, Files, Gone
from bulkwright.service.answers import Answers, Unreadable, read_answers
from bulkwright.service.findings import Fault, Finding
from bulkwright.store.check import CheckStore, JobState, KeptUpload, StoreUnreadable, Written

YOUNG_SECONDS = 60.0
"""A file that was touched so recently may just be on its way."""

_LOOKS = 3
"""How often a job that changes under our eyes is looked at."""


class Check:
    """One check of one deployment; to be run once."""

    def __init__(self, store: CheckStore, files: Files) -> None:
        self._store = store
        self._files = files
        self._modules: dict[int, Module] = {}
        self._blind: set[int] = set()
        """Modules some of whose lines could not be read: who wrote a record is not known there."""
        self.checked: Counter[str] = Counter()
        """How much of each kind was looked at."""

    def run(self) -> Iterator[Finding]:
        """Everything that is found, as it is found."""
        try:
            found = list(self._database())
            yield from found
            if found:
                return  # nothing else can be relied upon
            before = self._store.begin()
            self._modules = {module.id: module for module in self._store.modules()}
            for job_id in self._store.job_ids():
                yield from self._job(job_id)
            yield from self._untold(before)
            for upload in self._store.uploads():
                yield from self._upload(upload)
            yield from self._strays()
        except StoreUnreadable as error:
            yield Finding(Fault.DATABASE_DAMAGED, "bulkwright.sqlite", f"cannot be read: {error}")

    def _database(self) -> Iterator[Finding]:
        for fault in self._store.faults():
            yield Finding(Fault.DATABASE_DAMAGED, "bulkwright.sqlite", fault)
        kinds = {
            "changed": Fault.MIGRATION_CHANGED,
            "not applied": Fault.STORE_OLDER,
            "unknown": Fault.STORE_NEWER,
        }
        for seal in self._store.seals():
            yield Finding(kinds[seal.problem], seal.name, f"this migration is {seal.problem}")

    # Jobs

    def _job(self, job_id: int) -> Iterator[Finding]:
        self.checked["jobs"] += 1
        for _ in range(_LOOKS):
            job = self._store.job(job_id)
            if job is None:
                return  # swept
            lines = self.checked["lines"]
            blind: set[int] = set()
            found = list(self._look(job, blind))
            now = self._store.job(job_id)
            if not found or (now is not None and _same(job, now)):
                break
            # A worker ended it, or a sweep took it: what was missing is elsewhere by now.
            self._store.untell(job_id)
            self.checked["lines"] = lines
        self._blind |= blind
        yield from found

    def _look(self, job: JobState, blind: set[int]) -> Iterator[Finding]:
        for resource in job.resources:
            yield from self._ledger(job, resource)
        if not job.status.final:
            yield from self._parts(job, blind)
        elif job.swept:
            return
        elif job.has_result:
            yield from self._result(job, blind)
        elif any(resource.entries for resource in job.resources):
            blind.update(resource.module_id for resource in job.resources)
            yield Finding(
                Fault.RESULT_MISSING, f"job {job.id}", "it has a ledger, and yet it has no result"
            )

    def _ledger(self, job: JobState, resource: Written) -> Iterator[Finding]:
        """Chunks follow one another without a gap, and their sum is what the counters say."""
        where = _where(job, resource)
        row = 0
        for number, entry in enumerate(resource.entries):
            if entry.chunk != number or entry.first_row != row:
                problem = f"row {row} should follow, but chunk {entry.chunk} begins at row "
                yield Finding(Fault.LEDGER_GAP, where, problem + str(entry.first_row))
                break
            row += entry.rows
        told = sum((entry.counts for entry in resource.entries), Counts())
        if told != resource.counts:
            yield Finding(
                Fault.COUNTERS_DIFFER,
                where,
                f"the job says {_shown(resource.counts)}; its chunks say {_shown(told)}",
            )
        if job.status is JobStatus.COMPLETED:
            yield from self._total(job, resource, sum(entry.rows for entry in resource.entries))

    def _total(self, job: JobState, resource: Written, rows: int) -> Iterator[Finding]:
        csv = self._store.csv(job.org_id, resource.file_id, resource.file_name)
        counted = csv is not None and csv.rows is not None and csv.encoding == job.encoding
        if csv is not None and counted and csv.rows != rows:
            yield Finding(
                Fault.ROWS_DIFFER,
                _where(job, resource),
                f"its file has {csv.rows} rows; {rows} were answered",
            )

    def _result(self, job: JobState, blind: set[int]) -> Iterator[Finding]:
        """The zip opens, and each member is the lines of its ledger, chunk by chunk."""
        told = [resource for resource in job.resources if resource.entries]
        seen = 0
        try:
            with self._files.open(Area.RESULTS, job.id, job.sha256) as file:
                archive = open_archive(file)
                if len(archive.csvs) != len(told):
                    raise InvalidFileFormat(
                        f"It holds {len(archive.csvs)} CSV files, and not {len(told)}"
                    )
                for resource, member in zip(told, archive.csvs, strict=True):
                    yield from self._member(job, resource, archive, member, blind)
                    seen += 1
        except OSError as error:
            problem = f"its result cannot be opened: {error.strerror}"
            yield Finding(Fault.RESULT_MISSING, f"job {job.id}", problem)
        except (Damaged, InvalidFileFormat) as error:
            yield Finding(Fault.RESULT_DAMAGED, f"job {job.id}", f"its result: {error}")
        blind.update(resource.module_id for resource in told[seen:])

    def _member(
        self,
        job: JobState,
        resource: Written,
        archive: Archive,
        member: Member,
        blind: set[int],
    ) -> Iterator[Finding]:
        size = sum(entry.part.plain_bytes for entry in resource.entries)
        if size != member.size:
            blind.add(resource.module_id)
            yield Finding(
                Fault.LINES_DIFFER,
                _where(job, resource),
                f"its result has {member.size} bytes; its chunks have {size}",
            )
        stream = archive.stream(member, member.size)
        for entry, text in _pieces(stream, resource.entries):
            yield from self._lines(job, resource, entry, text, blind)

    def _parts(self, job: JobState, blind: set[int]) -> Iterator[Finding]:
        """The job goes on: what its committed chunks answered lies in parts."""
        for resource in job.resources:
            for entry in resource.entries:
                part = entry.part
                where = f"{_where(job, resource)}, part {part.name}"
                try:
                    text = _inflated(self._files.part(job.id, part.name, part.deflated_bytes), part)
                except (Damaged, OSError) as error:
                    blind.add(resource.module_id)
                    gone = isinstance(error, Gone | FileNotFoundError)
                    fault = Fault.PART_MISSING if gone else Fault.PART_DAMAGED
                    yield Finding(fault, where, f"cannot be read: {error}")
                else:
                    yield from self._lines(job, resource, entry, text, blind)

    def _lines(
        self, job: JobState, resource: Written, entry: LedgerEntry, text: bytes, blind: set[int]
    ) -> Iterator[Finding]:
        """The lines of one chunk: as many as committed, and their records are there."""
        where = f"{_where(job, resource)}, chunk {entry.chunk}"
        if zlib.crc32(text) != entry.part.crc32:
            blind.add(resource.module_id)
            yield Finding(Fault.LINES_DIFFER, where, "these are not the lines that were committed")
            return
        try:
            answers = read_answers(text, header=entry.chunk == 0)
        except Unreadable as error:
            blind.add(resource.module_id)
            yield Finding(Fault.LINES_DIFFER, where, f"its lines cannot be read: {error}")
            return
        self.checked["lines"] += answers.rows
        if (answers.rows, answers.counts) != (entry.rows, entry.counts):
            yield Finding(
                Fault.LINES_DIFFER,
                where,
                f"{answers.rows} lines, {_shown(answers.counts)}; "
                f"the ledger says {entry.rows}, {_shown(entry.counts)}",
            )
        yield from self._records(job, resource, answers, where, blind)

    # Records

    def _records(
        self, job: JobState, resource: Written, answers: Answers, where: str, blind: set[int]
    ) -> Iterator[Finding]:
        module = self._modules.get(resource.module_id)
        if module is None or module.table is not None:
            return  # in the user's own tables others write and delete too
        missing = self._store.missing(module, {*answers.added, *answers.updated})
        if missing.count:
            problem = f"{_records(missing.count)} of its lines not in {module.api_name}"
            yield Finding(Fault.RECORD_MISSING, where, f"{problem}, first {missing.first}")
        fresh = self._store.tell(module, job.id, answers.added)
        if fresh != len(answers.added):
            again = len(answers.added) - fresh
            problem = f"{_records(again)} that another line had added already"
            yield Finding(Fault.RECORD_DOUBLED, where, problem)

    def _untold(self, before: int) -> Iterator[Finding]:
        for module in self._modules.values():
            if module.table is not None:
                continue
            where = f"org {module.org_id}, {module.api_name}"
            if module.id in self._blind:
                problem = "some lines cannot be read, so nobody can tell who wrote each record"
                yield Finding(Fault.NOT_TOLD, where, problem)
                continue
            untold = self._store.untold(module, before)
            if untold is not None and untold.count:
                problem = f"{_records(untold.count)} that no result line tells of"
                yield Finding(Fault.RECORD_UNTOLD, where, f"{problem}, first {untold.first}")
            self.checked["modules"] += 1

    # Files

    def _upload(self, upload: KeptUpload) -> Iterator[Finding]:
        self.checked["uploads"] += 1
        where = f"upload {upload.id}"
        needed = "; an unfinished job needs it" if upload.needed else ""
        try:
            self._files.open(Area.UPLOADS, upload.id, upload.sha256).close()
        except OSError as error:
            if self._store.upload_known(upload.id):
                problem = f"cannot be read: {error.strerror}{needed}"
                yield Finding(Fault.UPLOAD_MISSING, where, problem)
        except Damaged:
            yield Finding(Fault.UPLOAD_DAMAGED, where, f"is not what was acknowledged{needed}")

    def _strays(self) -> Iterator[Finding]:
        needs = (
            (Area.UPLOADS, self._store.upload_known),
            (Area.RESULTS, self._store.result_needed),
            (Area.PARTS, self._store.parts_needed),
        )
        for area, needed in needs:
            for number in self._files.idle(area, YOUNG_SECONDS):
                if not needed(number):
                    where = f"files/{area.value}/{number}{area.ending}"
                    yield Finding(Fault.STRAY, where, "belongs to nothing; a crash left it")


def _same(before: JobState, now: JobState) -> bool:
    """Whether a job's files are where they were: chunks may have been added meanwhile."""
    return (before.status.final, before.has_result, before.swept) == (
        now.status.final,
        now.has_result,
        now.swept,
    )


def _pieces(
    stream: Iterator[bytes], entries: Iterable[LedgerEntry]
) -> Iterator[tuple[LedgerEntry, bytes]]:
    """A member's text, cut where its chunks were; read to its end, which checks the whole of it."""
    held = bytearray()
    for entry in entries:
        wanted = entry.part.plain_bytes
        while len(held) < wanted and (piece := next(stream, b"")):
            held += piece
        yield entry, bytes(held[:wanted])
        del held[:wanted]
    for _ in stream:
        pass


def _inflated(packed: bytes, part: Part) -> bytes:
    try:
        return zlib.decompressobj(-15).decompress(packed, part.plain_bytes + 1)
    except zlib.error as error:
        raise Damaged("its compressed data are no such data") from error


def _where(job: JobState, resource: Written) -> str:
    return f"job {job.id}, {resource.module}"


def _shown(counts: Counts) -> str:
    return f"added {counts.added} updated {counts.updated} skipped {counts.skipped}"


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count:,} records"
