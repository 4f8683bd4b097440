"""Each test has a data folder of its own: a copy of one that was made once."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.retention.folder import Change, Jobs, changing, make_folder

from bulkwright.config import Settings
from bulkwright.domain.keeping import SERVICE


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Jobs]:
    """The folder, made once."""
    data = tmp_path_factory.mktemp("kept") / "data"
    return data, make_folder(data)


@pytest.fixture
def jobs(made: tuple[Path, Jobs], tmp_path: Path) -> Jobs:
    """The jobs of a folder `data` of one's own."""
    shutil.copytree(made[0], tmp_path / "data")
    return made[1]


@pytest.fixture
def data(jobs: Jobs, tmp_path: Path) -> Path:
    """That folder."""
    return tmp_path / "data"


@pytest.fixture
def settings(data: Path) -> Settings:
    """Its settings: an hour for uploads and results, two for jobs."""
    hour = timedelta(hours=1)
    return Settings(data, kept=replace(SERVICE, uploads=hour, results=hour, jobs=2 * hour))


@pytest.fixture
def change(data: Path) -> Change:
    """Ask or change the folder's database by hand."""
    return changing(data)
