"""Whether the service can answer requests."""

from __future__ import annotations

from bulkwright.domain.limits import LOCK_WAIT_SECONDS
from bulkwright.files import Files
from bulkwright.outages import classify
from bulkwright.store.database import Database
from bulkwright.store.migrate import mismatches


class Readiness:
    """Checks the database and the files, on which every request relies."""

    def __init__(self, database: Database, files: Files) -> None:
        self._database = database
        self._files = files

    def problem(self) -> str | None:
        """Returns why requests cannot be answered, or None if they can. Blocks on the store.

        Unknown migrations are no problem: a newer version has applied them during its rollout, and
        this version serves until it is replaced.
        """
        try:
            lacking = [m for m in mismatches(self._database) if m.problem != "unknown"]
            waited = self._database.lock_wait()
        except Exception as error:
            return f"store: {classify(error) or 'it does not answer'}"
        if lacking:
            return f"store: migration {lacking[0].name} is {lacking[0].problem}"
        if waited > LOCK_WAIT_SECONDS:
            return f"store: a lock has not been released for {waited:.0f} s"
        try:
            self._files.check_reachable()
        except Exception as error:
            return f"files: {classify(error) or 'they cannot be reached'}"
        return None
