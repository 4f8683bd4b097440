"""What a check can find, and what an operator does next."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What is wrong. A word is never used for another fault."""

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
    PART_MISSING = "part-missing"
    PART_DAMAGED = "part-damaged"
    RECORD_MISSING = "record-missing"
    RECORD_DOUBLED = "record-doubled"
    RECORD_UNTOLD = "record-untold"
    UPLOAD_MISSING = "upload-missing"
    UPLOAD_DAMAGED = "upload-damaged"
    STRAY = "stray"
    NOT_TOLD = "not-told"

    @property
    def harmless(self) -> bool:
        """Whether nothing need be done."""
        return self in (Fault.STRAY, Fault.NOT_TOLD)

    @property
    def remedy(self) -> str:
        """What to do next."""
        return _REMEDIES[self]


_RESTORE = "restore the data folder from a backup"
_LEARN = (
    "restore the file from a backup; the records are stored, but nobody can tell any more "
    "which rows were skipped: run the file again as an upsert to learn it"
)
_UPLOAD = "upload the file again, and create the job anew that needs it"
_REMEDIES = {
    Fault.DATABASE_DAMAGED: (
        "stop the server and copy the data folder away; then "
        f"{_RESTORE}, or rebuild the database with `sqlite3 bulkwright.sqlite .recover`"
    ),
    Fault.MIGRATION_CHANGED: (
        "install the version that last served this folder; the database is not what this "
        "program's files say"
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
    Fault.PART_MISSING: (
        "restore the file from a backup, for the job cannot make its result without it; its "
        "committed rows are stored"
    ),
    Fault.PART_DAMAGED: (
        "restore the file from a backup, or the result of the job will be damaged; its "
        "committed rows are stored"
    ),
    Fault.RECORD_MISSING: (
        f"{_RESTORE}, or run the file again as an upsert, which adds what is missing"
    ),
    Fault.RECORD_DOUBLED: "look at the results of both jobs; one was changed or copied by hand",
    Fault.RECORD_UNTOLD: (
        "look at these records: no job wrote them, so somebody did by hand, or a ledger was lost"
    ),
    Fault.UPLOAD_MISSING: _UPLOAD,
    Fault.UPLOAD_DAMAGED: _UPLOAD,
    Fault.STRAY: "nothing; the server sweeps it a day after it was written",
    Fault.NOT_TOLD: "nothing",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be, or that an operator may wonder about."""

    fault: Fault
    where: str
    problem: str
