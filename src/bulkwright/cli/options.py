"""Options that several commands share, and what commands need to begin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from bulkwright.cli.failure import fail
from bulkwright.domain.account import Org
from bulkwright.domain.errors import ModuleNotAvailable
from bulkwright.domain.module import Module
from bulkwright.domain.spelling import did_you_mean
from bulkwright.services import Services
from bulkwright.settings import CsvSettings, DataLocation, JobSettings, OrgLocation, Settings
from bulkwright.wiring import open_services

FLAT = Parameter(name="*", negative_iterable=())
"""Makes each field of a dataclass an option of its own, without a group name before it."""

Location = Annotated[DataLocation, FLAT]
DEFAULT_LOCATION = DataLocation()
InOrg = Annotated[OrgLocation, FLAT]
"""The location for a command that works for one org."""
DEFAULT_IN_ORG = OrgLocation()
Csv = Annotated[CsvSettings, FLAT]
"""For a command that writes a CSV."""
DEFAULT_CSV = CsvSettings()
MOST = Number(gte=1, lte=100_000)
"""How many entries a list may have."""
ForJob = Annotated[JobSettings, FLAT]
"""For a command that runs a job."""
DEFAULT_FOR_JOB = JobSettings()
Json = Annotated[bool, Parameter(negative="", help="Print JSON, for other programs.")]


def require_data(location: DataLocation) -> None:
    """Ends the command with a message unless there is a database at the location."""
    if not location.database and not location.database_path.is_file():
        fail(f"{location.data} is not a Bulkwright data folder; name one with --data.")


@contextmanager
def open_existing(location: DataLocation) -> Iterator[Services]:
    """Opens the use cases of an existing data folder or database; ends the command otherwise."""
    require_data(location)
    with open_services(Settings.merged(location)) as services:
        yield services


def chosen_org(services: Services, location: OrgLocation) -> Org:
    """Returns the org that a command works for: that of --org, or the only one.

    Ends the command if there is no such org, or if there are several and none is named.
    """
    orgs = services.accounts.orgs()
    if not orgs:
        fail("There is no org yet; create one with `bulkwright init`.")
    if location.org is None and len(orgs) > 1:
        fail(f"There are {len(orgs)} orgs; name one with --org. `bulkwright org list` shows them.")
    found = [org for org in orgs if location.org in (None, org.id)]
    if not found:
        fail(f"There is no org {location.org}; `bulkwright org list` shows the orgs.")
    return found[0]


def find_module(services: Services, org_id: int, name: str) -> Module:
    """Returns a module of the org by its API name. Raises ModuleNotAvailable."""
    found = services.modules.module(org_id, name)
    if found is not None:
        return found
    names = [module.api_name for module in services.modules.modules(org_id)]
    raise ModuleNotAvailable(
        f"There is no module {name}{did_you_mean(name, names)} "
        "(`bulkwright modules list` shows the modules)"
    )
