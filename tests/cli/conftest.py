"""The program in a folder of its own, and files for it."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest
from tests.support.finished_jobs import change, data, jobs, made
from tests.support.program import GOOD, MIXED, Run, program

__all__ = ["change", "data", "jobs", "made"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `bulkwright` in a folder of its own."""
    return partial(program, tmp_path)


@pytest.fixture(scope="session")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder as `init` makes it, made once."""
    folder = tmp_path_factory.mktemp("initialised")
    done = program(folder, "init", "--company", "Zylker", "--email", "p@x.example", "--data", "d")
    assert done.returncode == 0, done.stderr
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
