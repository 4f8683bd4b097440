"""A deployment whose connections to its database can be disturbed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.dbfaults.proxy import Proxy
from tests.support.postgres import OwnServer, Server, own_server
from tests.support.site import Api, Site


@dataclass(frozen=True)
class Stand:
    """An API with its own connection, and a worker behind a proxy."""

    site: Site
    api: Api
    proxy: Proxy


@pytest.fixture(scope="module")
def stand(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """One deployment for all tests of a module: each has its own org."""
    database = postgres.database()
    folder = tmp_path_factory.mktemp("stand")
    with Proxy(database) as proxy, Site(folder, database) as site:
        site.customers()
        api = site.api()
        site.worker(proxy.url)
        yield Stand(site, api, proxy)
    postgres.drop(database)


@pytest.fixture(scope="module")
def own() -> Iterator[OwnServer]:
    """A server that may be stopped, and has few connections."""
    with own_server(
        settings=("-c fsync=off", "-c full_page_writes=off", "-c max_connections=24")
    ) as server:
        yield server
