"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from bulkwright.cli.show import refuse
from bulkwright.config import Settings
from bulkwright.domain.account import Org
from bulkwright.wiring import Services

Data = Annotated[Path, Parameter(help="The data folder.")]
DEFAULT_DATA = Path("bulkwright-data")
Profile = Annotated[
    Literal["zoho", "service"],
    Parameter(help="zoho: the documented limits (25 MB, 25,000 rows); service: none on rows."),
]


def known(data: Path) -> Settings:
    """The settings of a data folder that must be there already."""
    settings = Settings(data)
    if not settings.database_path.is_file():
        refuse(f"{data} is no Bulkwright data folder; name one with --data.")
    return settings


def the_org(services: Services) -> Org:
    """The org that a command at the console works for: the oldest."""
    orgs = services.accounts.orgs()
    if not orgs:
        refuse("There is no org yet; make one with `bulkwright init`.")
    return orgs[0]
