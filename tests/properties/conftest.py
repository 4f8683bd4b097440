"""One bench for all examples of a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.properties.model import Model
from tests.support.bench import Bench, opened
from tests.support.stores import Store


@pytest.fixture(scope="module")
def bench(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A bench whose Leads have two more unique fields."""
    data = tmp_path_factory.mktemp("properties") / "data"
    with store.copy(data) as database, opened(data, database) as made:
        made.apply({"api_name": "Leads", "fields": Model.FIELDS})
        yield made
