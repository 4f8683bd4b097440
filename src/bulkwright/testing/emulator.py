"""Servers for the tests of other programs: one in a process of its own, or one that runs already.

with temporary_server() as server:
    server.seed("Leads", [{"Last_Name": "Boyle"}])
    ...
    server.reset()
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bulkwright.testing.controls import EmulatorControls
from bulkwright.testing.server import ServerProcess


class BulkwrightServer(ServerProcess, EmulatorControls):
    """A `bulkwright serve --dev` in a process of its own, and its controls."""

    def stop(self, seconds: float = 60.0) -> int:
        """Stop the server, as `ServerProcess.stop` does."""
        self.disconnect()
        return super().stop(seconds)


class RunningServer(EmulatorControls):
    """A `bulkwright serve --dev` that some process has started on a data folder."""

    def __init__(self, data: Path) -> None:
        self._path = data / "dev-credentials.json"
        self.base_url = str(self.credentials["base_url"])

    @property
    def credentials(self) -> dict[str, Any]:
        """The development credentials. Raises FileNotFoundError without a server on the folder."""
        found: dict[str, Any] = json.loads(self._path.read_text("utf-8"))
        return found


def isolated_server(data: Path, *options: str) -> BulkwrightServer:
    """Return a server that takes nothing from the variables and the bulkwright.toml of a user.

    They may name a database that is none of a test.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BULKWRIGHT_")}
    data.mkdir(parents=True, exist_ok=True)
    return BulkwrightServer(data, *options, environment=environment, directory=data)


@contextmanager
def temporary_server(*options: str, seed: Path | None = None) -> Iterator[BulkwrightServer]:
    """Start a server on a folder that is deleted at the end of the block.

    `options` are further command line options of `bulkwright serve`; `seed` is a folder of records
    that it has at its start (docs/emulator.md).
    """
    with tempfile.TemporaryDirectory(prefix="bulkwright-") as folder:
        data = Path(folder) / "data"
        given = ["--seed", str(seed.absolute())] if seed else []
        with isolated_server(data, *given, *options) as server:
            yield server
