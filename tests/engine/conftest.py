"""Each engine test has a bench of its own, on each store: a copy of one that was prepared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import Store
from tests.engine.bench import Bench, opened


@pytest.fixture
def bench(store: Store, tmp_path: Path) -> Iterator[Bench]:
    """A fresh bench."""
    with store.copy(tmp_path / "data") as database, opened(tmp_path / "data", database) as made:
        yield made
