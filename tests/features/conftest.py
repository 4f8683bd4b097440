"""A live service with a worker, for tests that need a job to run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.caller import Caller
from tests.support.live import Live


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The live service."""
    with Live(tmp_path_factory.mktemp("features") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def caller(live: Live) -> Iterator[Caller]:
    """A client of the live service."""
    made = Caller(live)
    with made.http:
        yield made
