"""The pytest plugin: a server for a session, and the same server reset before each test.

    def test_my_program(bulkwright_server):
        bulkwright_server.seed("Leads", [{"Last_Name": "Boyle"}])
        my_program.run(bulkwright_server.base_url, bulkwright_server.access_token)
        assert len(bulkwright_server.records("Leads")) == 2

pytest imports this module in every run where Bulkwright is installed, so it imports nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bulkwright.testing.emulator import BulkwrightServer


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the settings of the plugin."""
    parser.addini(
        "bulkwright_options",
        "Further options of `bulkwright serve`, such as --profile service.",
        type="args",
    )
    parser.addini(
        "bulkwright_seed",
        "A folder of CSV and JSON files, one for a module: the records that each test begins with.",
        type="string",
    )


@pytest.fixture(scope="session")
def bulkwright_session(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BulkwrightServer]:
    """A server of this session, or of this process with pytest-xdist. Nothing resets it.

    A fixture of the session may prepare it and call `take_baseline`: then each test begins there.
    """
    from bulkwright.testing.emulator import isolated_server

    config = request.config
    options = [str(option) for option in config.getini("bulkwright_options")]
    seed = str(config.getini("bulkwright_seed"))
    if seed:
        options += ["--seed", str(config.rootpath / seed)]
    data = tmp_path_factory.mktemp("bulkwright") / "data"
    with isolated_server(data, *options) as server:
        yield server


@pytest.fixture
def bulkwright_server(bulkwright_session: BulkwrightServer) -> BulkwrightServer:
    """The server of the session, in the state of its start."""
    bulkwright_session.reset()
    return bulkwright_session
