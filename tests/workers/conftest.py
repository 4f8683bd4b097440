"""Deployments on PostgreSQL that several workers share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.support.postgres import Server
from tests.support.site import Site


@pytest.fixture
def deploy(postgres: Server, tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Makes the deployment of a test; its processes end with the test."""
    database = postgres.database()
    with ExitStack() as stack:

        def make(**more: Any) -> Site:
            return stack.enter_context(Site(tmp_path, database, **more))

        yield make
    postgres.drop(database)
