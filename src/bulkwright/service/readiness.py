"""Whether requests can be answered as they should."""

from __future__ import annotations

from bulkwright.files import Files
from bulkwright.store.database import Database
from bulkwright.store.migrate import seals
from bulkwright.trouble import trouble


class Readiness:
    """Looks at what every request relies on."""

    def __init__(self, database: Database, files: Files) -> None:
        self._database = database
        self._files = files

    def wrong(self) -> str | None:
        """What is in the way, as a reason to show; None when nothing is. Waits for the store.

        Migrations that this program does not know are in nobody's way: they are those of a newer
        one that is being rolled out, and until it has taken over, this one serves.
        """
        try:
            lacking = [s for s in seals(self._database) if s.problem != "unknown"]
        except Exception as error:
            return f"store: {trouble(error) or 'it does not answer'}"
        if lacking:
            return f"store: migration {lacking[0].name} is {lacking[0].problem}"
        try:
            self._files.look()
        except Exception as error:
            return f"files: {trouble(error) or 'they cannot be reached'}"
        return None
