"""Each test has its own data folder: a copy of one that is made once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.support.finished_jobs import Change, Jobs, changing, make_folder

from bulkwright.settings import Settings


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Jobs]:
    """The folder, made once."""
    data = tmp_path_factory.mktemp("retention") / "data"
    return data, make_folder(data)


@pytest.fixture
def jobs(made: tuple[Path, Jobs], tmp_path: Path) -> Jobs:
    """The jobs of the test's own folder `data`."""
    shutil.copytree(made[0], tmp_path / "data")
    return made[1]


@pytest.fixture
def data(jobs: Jobs, tmp_path: Path) -> Path:
    """That folder."""
    return tmp_path / "data"


@pytest.fixture
def settings(data: Path) -> Settings:
    """Its settings: an hour for uploads and results, two for jobs."""
    return Settings(data, keep_uploads="1h", keep_results="1h", keep_jobs="2h")


@pytest.fixture
def change(data: Path) -> Change:
    """Query or change the folder's database by hand."""
    return changing(data)
