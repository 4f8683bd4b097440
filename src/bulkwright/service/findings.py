"""The findings of a check, and what an operator does next."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """The kinds of faults. Scripts may match the values, so a value never changes its meaning."""

    DATABASE_DAMAGED = "database-damaged"
    MIGRATION_CHANGED = "migration-changed"
    STORE_OLDER = "store-older"
    STORE_NEWER = "store-newer"
    LEDGER_GAP = "ledger-gap"
    COUNTERS_DIFFER = "counters-differ"
    ROWS_DIFFER = "rows-differ"
    RESULT_MISSING = "result-missing"
    RESULT_DAMAGED = "result-damaged"
    LINES_DIFFER = "lines-differ"
    PIECE_MISSING = "piece-missing"
    PIECE_DAMAGED = "piece-damaged"
    RECORD_MISSING = "record-missing"
    RECORD_DOUBLED = "record-doubled"
    RECORD_UNREPORTED = "record-unreported"
    UPLOAD_MISSING = "upload-missing"
    UPLOAD_DAMAGED = "upload-damaged"
    STRAY = "stray"
    NOT_COMPARED = "not-compared"

    @property
    def harmless(self) -> bool:
        """Whether the operator need not do anything."""
        return self in (Fault.STRAY, Fault.NOT_COMPARED)

    @property
    def remedy(self) -> str:
        """The next step of the operator, as text."""
        return _REMEDIES[self]


_RESTORE = "restore the data folder from a backup"
_LEARN = (
    "restore the file from a backup; the records are stored, but which rows were skipped is not "
    "known any more: run the file again as an upsert to find out"
)
_UPLOAD = "upload the file again, and create the job that needs it again"
_REMEDIES = {
    Fault.DATABASE_DAMAGED: (
        "stop the server and copy the data folder away; then "
        f"{_RESTORE}, or rebuild the database with `sqlite3 bulkwright.sqlite .recover`"
    ),
    Fault.MIGRATION_CHANGED: (
        "install the version that last served this folder; the database differs from the "
        "migration files of this program"
    ),
    Fault.STORE_OLDER: "run `bulkwright jobs list` on it once, which upgrades it; then check again",
    Fault.STORE_NEWER: "upgrade Bulkwright, then check again",
    Fault.LEDGER_GAP: (
        f"{_RESTORE}; without one, run the file again as an upsert, which stores no row twice"
    ),
    Fault.COUNTERS_DIFFER: "rely on the result, not on the counts in the job's details",
    Fault.ROWS_DIFFER: "run the file again as an upsert, which stores no row twice",
    Fault.RESULT_MISSING: _LEARN,
    Fault.RESULT_DAMAGED: _LEARN,
    Fault.LINES_DIFFER: f"compare the result with the ledger of a backup, and {_RESTORE} if needed",
    Fault.PIECE_MISSING: (
        "restore the file from a backup, because the job cannot make its result without it; its "
        "committed rows are stored"
    ),
    Fault.PIECE_DAMAGED: (
        "restore the file from a backup, or the result of the job will be damaged; its "
        "committed rows are stored"
    ),
    Fault.RECORD_MISSING: (
        f"{_RESTORE}, or run the file again as an upsert, which adds what is missing"
    ),
    Fault.RECORD_DOUBLED: "inspect the results of both jobs; one was changed or copied by hand",
    Fault.RECORD_UNREPORTED: (
        "inspect these records: no job wrote them, so they were written by hand, or a ledger was "
        "lost"
    ),
    Fault.UPLOAD_MISSING: _UPLOAD,
    Fault.UPLOAD_DAMAGED: _UPLOAD,
    Fault.STRAY: "nothing; the server deletes it a day after it was written",
    Fault.NOT_COMPARED: "nothing",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault at one place."""

    fault: Fault
    where: str
    """The place, for an operator: `job 12, Leads, chunk 3`, a file, a migration."""
    problem: str
