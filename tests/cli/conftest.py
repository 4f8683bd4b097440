"""The program as people start it: a process, its two outputs, its exit status."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

Result = subprocess.CompletedProcess[str]
Run = Callable[..., Result]

GOOD = "Last_Name,Email,City\nBoyle,p@x.example,Trier\nKay,k@x.example,Bonn\n"
MIXED = GOOD + "Lee,nonsense,Köln\n,m@x.example,Mainz\n"


def program(folder: Path, *arguments: object, **variables: str) -> Result:
    """Run `bulkwright` in a folder, without any BULKWRIGHT_ variable but those given."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("BULKWRIGHT_")}
    return subprocess.run(
        [sys.executable, "-m", "bulkwright", *map(str, arguments)],
        cwd=folder,
        env={**clean, **variables, "COLUMNS": "160"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `bulkwright` in a folder of its own."""
    return partial(program, tmp_path)


@pytest.fixture(scope="session")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder as `init` makes it, made once."""
    folder = tmp_path_factory.mktemp("initialised")
    made = program(folder, "init", "--company", "Zylker", "--email", "p@x.example", "--data", "d")
    assert made.returncode == 0, made.stderr
    return folder / "d"


@pytest.fixture
def org(initialised: Path, tmp_path: Path) -> None:
    """A data folder `d` with an org."""
    shutil.copytree(initialised, tmp_path / "d")


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A CSV of two sound leads."""
    path = tmp_path / "good.csv"
    path.write_text(GOOD)
    return path


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A CSV of two sound leads and two others."""
    path = tmp_path / "mixed.csv"
    path.write_text(MIXED)
    return path


def refused(result: Result) -> str:
    """The one line on stderr that a refusal is."""
    assert result.returncode == 1, (result.returncode, result.stdout, result.stderr)
    assert "Traceback" not in result.stderr
    (line,) = result.stderr.splitlines()
    assert line.startswith("bulkwright: ")
    assert result.stdout == ""
    return line
