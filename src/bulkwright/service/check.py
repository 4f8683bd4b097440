"""Checks a deployment against the results of its jobs: `bulkwright check`.

Each row has exactly one result line, in file order (I1). The counters are the sum of the lines
(I2). The records are those that the lines report, and no others (I3). Nothing is written. Each
read but the first is short, so that a server may run meanwhile: a job that changes during its
check is checked again. Lines are read a chunk at a time and compared as sets, so memory does not
grow with the results.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bulkwright.domain.module import Module
from bulkwright.files import Area, DamagedFile, Files
from bulkwright.service.check_job import JobCheck, record_count
from bulkwright.service.findings import Fault, Finding
from bulkwright.store.check import CheckStore, JobState, StoredUpload, StoreUnreadable

YOUNG_SECONDS = 60.0
"""A file that was changed more recently may belong to a request that is not finished."""

_ATTEMPTS = 3
"""How often a job that changes during its check is checked."""

_DATABASE = "bulkwright.sqlite"


class Check:
    """One check of one deployment; `run` it once."""

    def __init__(self, store: CheckStore, files: Files) -> None:
        self._store = store
        self._files = files
        self._modules: dict[int, Module] = {}
        self._unreadable: set[int] = set()
        """Ids of modules with unreadable lines: not all of their records can be compared."""
        self.checked: Counter[str] = Counter()
        """How many jobs, lines, modules and uploads were checked."""

    def run(self) -> Iterator[Finding]:
        """Yields each finding as soon as it is found.

        Raises ForeignFiles if the files are those of another database.
        """
        try:
            found = list(self._database())
            yield from found
            if found:
                return  # no other read of this database is reliable
            self._files.check_owner(self._store.id())
            before = self._store.begin()
            self._modules = {module.id: module for module in self._store.modules()}
            for job_id in self._store.job_ids():
                yield from self._job(job_id)
            yield from self._unreported_records(before)
            for upload in self._store.uploads():
                yield from self._upload(upload)
            yield from self._strays()
        except StoreUnreadable as error:
            yield Finding(Fault.DATABASE_DAMAGED, _DATABASE, f"cannot be read: {error}")

    def _database(self) -> Iterator[Finding]:
        for fault in self._store.faults():
            yield Finding(Fault.DATABASE_DAMAGED, _DATABASE, fault)
        faults = {
            "changed": Fault.MIGRATION_CHANGED,
            "not applied": Fault.STORE_OLDER,
            "unknown": Fault.STORE_NEWER,
        }
        for mismatch in self._store.mismatches():
            problem = f"this migration is {mismatch.problem}"
            yield Finding(faults[mismatch.problem], mismatch.name, problem)

    def _job(self, job_id: int) -> Iterator[Finding]:
        self.checked["jobs"] += 1
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._store.forget_reported(job_id)
            job = self._store.job(job_id)
            if job is None:
                return  # a sweep deleted it
            check = JobCheck(self._store, self._files, self._modules, job)
            found = list(check.run())
            now = self._store.job(job_id)
            if not found or (now is not None and _same_files(job, now)):
                break
            # A worker ended the job, or a sweep deleted it: its files moved during the check.
        self.checked["lines"] += check.lines
        self._unreadable |= check.unreadable
        yield from found

    def _unreported_records(self, before: int) -> Iterator[Finding]:
        """Records with an id below `before` that no line reports."""
        for module in self._modules.values():
            if not module.table_kind.one_writer:
                continue
            where = f"org {module.org_id}, {module.api_name}"
            if module.id in self._unreadable:
                problem = "its records are not compared, because some lines cannot be read"
                yield Finding(Fault.NOT_COMPARED, where, problem)
                continue
            unreported = self._store.find_unreported(module, before)
            if unreported is not None and unreported.count:
                problem = f"{record_count(unreported.count)} that no result line reports"
                yield Finding(
                    Fault.RECORD_UNREPORTED, where, f"{problem}, first {unreported.first}"
                )
            self.checked["modules"] += 1

    def _upload(self, upload: StoredUpload) -> Iterator[Finding]:
        self.checked["uploads"] += 1
        where = f"upload {upload.id}"
        needed = "; an unfinished job needs it" if upload.needed else ""
        try:
            self._files.open(Area.UPLOADS, upload.id, upload.sha256).close()
        except OSError as error:
            if self._store.upload_known(upload.id):
                problem = f"cannot be read: {error.strerror}{needed}"
                yield Finding(Fault.UPLOAD_MISSING, where, problem)
        except DamagedFile:
            yield Finding(Fault.UPLOAD_DAMAGED, where, f"is not what was acknowledged{needed}")

    def _strays(self) -> Iterator[Finding]:
        needs = (
            (Area.UPLOADS, self._store.upload_known),
            (Area.RESULTS, self._store.result_needed),
            (Area.PIECES, self._store.pieces_needed),
        )
        for area, is_needed in needs:
            for number in self._files.unchanged_for(area, YOUNG_SECONDS):
                if not is_needed(number):
                    where = f"files/{area.value}/{number}{area.suffix}"
                    yield Finding(Fault.STRAY, where, "belongs to nothing; a crash left it")


def _same_files(before: JobState, now: JobState) -> bool:
    """Whether a job's lines are in the same files; new chunks do not matter."""
    return (before.status.is_final, before.has_result, before.result_swept) == (
        now.status.is_final,
        now.has_result,
        now.result_swept,
    )
