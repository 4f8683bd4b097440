"""An emulator, and programs that run behind `bulkwright intercept`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.live import Live
from tests.support.processes import clean_environment

Result = subprocess.CompletedProcess[str]
Intercept = Callable[..., Result]


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The emulator that all programs reach."""
    with Live(tmp_path_factory.mktemp("emulator") / "data") as running:
        yield running


def intercept_line(*arguments: object) -> list[str]:
    """Returns the command line of `intercept`."""
    return [sys.executable, "-m", "bulkwright", "intercept", *map(str, arguments)]


@pytest.fixture
def intercept(emulator: Live, tmp_path: Path) -> Intercept:
    """Runs a program whose calls reach the emulator."""

    def run(*command: object, options: tuple[str, ...] = (), **variables: str) -> Result:
        line = intercept_line(
            "--url", emulator.base_url, "--data", emulator.data, *options, "--", *command
        )
        return subprocess.run(
            line, cwd=tmp_path, env=clean_environment(**variables), capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip

    return run
