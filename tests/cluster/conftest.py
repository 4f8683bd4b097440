"""A database for a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.postgres import Server
from tests.support.site import Site


@pytest.fixture
def site(postgres: Server, tmp_path: Path) -> Iterator[Site]:
    """A deployment as it is, with nothing in a hurry."""
    database = postgres.database()
    with Site(tmp_path, database, constants={}) as made:
        yield made
    postgres.drop(database)
