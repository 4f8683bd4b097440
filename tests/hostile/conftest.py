"""One service in production mode for the whole corpus, with two orgs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.hostile.target import Target
from tests.hostile.values import MODULE
from tests.support.deployment import make_tenant

from bulkwright.domain import scope
from bulkwright.settings import Settings
from bulkwright.wiring import open_services


@pytest.fixture(
    scope="session", params=["sqlite", pytest.param("postgres", marks=pytest.mark.long)]
)
def target(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    """The service, on each database: a case has the same outcome on both."""
    data = tmp_path_factory.mktemp("hostile") / "data"
    on_postgres = request.param == "postgres"
    database = request.getfixturevalue("postgres").database() if on_postgres else ""
    with open_services(Settings(data, profile="zoho", database=database)) as services:
        tenant, other = make_tenant(services, "Zylker"), make_tenant(services, "Other")
        client = tenant.client
        tokens = {
            "stranger": services.tokens.issue_access(client, "ZohoCRM.users.READ"),
            "refresh": services.tokens.issue_refresh(client, scope.EVERY),
            "expired": services.tokens.issue_access(client, scope.EVERY, seconds=-1),
        }
        services.schema.apply(tenant.org.id, {"modules": [MODULE]})
    with Target(data, tenant, other, tokens, database) as running:
        running.check_good_job()  # the worker loads its modules before the first case
        yield running
