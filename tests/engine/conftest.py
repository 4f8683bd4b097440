"""Each engine test has a bench of its own: a copy of one prepared data folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.bench import Bench, opened


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with an org and a user, made once."""
    data = tmp_path_factory.mktemp("prepared") / "data"
    with opened(data):
        pass
    return data


@pytest.fixture
def bench(prepared: Path, tmp_path: Path) -> Iterator[Bench]:
    """A fresh bench."""
    shutil.copytree(prepared, tmp_path / "data")
    with opened(tmp_path / "data") as made:
        yield made
