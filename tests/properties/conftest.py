"""One bench for all examples of a test; in CI the examples are the same every time."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from tests.engine.bench import Bench, opened
from tests.properties.model import Model

settings.register_profile("bulkwright", deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile("ci", parent=settings.get_profile("bulkwright"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "bulkwright")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A bench whose Leads have two unique fields more."""
    with opened(tmp_path_factory.mktemp("properties") / "data") as made:
        made.apply({"api_name": "Leads", "fields": Model.FIELDS})
        yield made
