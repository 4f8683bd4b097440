"""Each callback test has an office of its own: a copy of one prepared data folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.callback.office import Office

from bulkwright.settings import Settings
from bulkwright.wiring import open_services


@pytest.fixture(scope="session")
def office_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with an org, made once."""
    data = tmp_path_factory.mktemp("office") / "data"
    with open_services(Settings(data)) as services:
        org = services.setup.create_org("Zylker", time_zone="America/Los_Angeles")
        services.setup.create_user(org, "Patricia", "Boyle", "patricia.boyle@zylker.example")
    return data


@pytest.fixture
def office(office_folder: Path, tmp_path: Path) -> Iterator[Office]:
    """A new office."""
    shutil.copytree(office_folder, tmp_path / "data")
    with open_services(Settings(tmp_path / "data")) as services:
        yield Office(services, services.accounts.orgs()[0].id)
