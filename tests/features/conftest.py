"""A live service with a worker, for what only a job that really runs can show."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.features.caller import Caller
from tests.sdk.live import Live


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The service."""
    with Live(tmp_path_factory.mktemp("features") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def caller(live: Live) -> Iterator[Caller]:
    """Its user."""
    made = Caller(live)
    with made.http:
        yield made
