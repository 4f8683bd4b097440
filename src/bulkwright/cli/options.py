"""Options that several commands share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from bulkwright.cli.show import refuse
from bulkwright.config import Settings
from bulkwright.domain.account import Org
from bulkwright.domain.keeping import KEEPING, Keeping, parse_time
from bulkwright.wiring import Services


@Parameter(name="*")
@dataclass(frozen=True)
class Place:
    """Where state, records and files are."""

    data: Annotated[Path, Parameter(help="The data folder.")] = Path("bulkwright-data")
    database: Annotated[
        str,
        Parameter(help="postgresql://USER@HOST/NAME; default: a SQLite file in the data folder."),
    ] = ""
    files: Annotated[
        str,
        Parameter(
            help="Where uploads and results are: s3://BUCKET/PREFIX, gs://, az:// or a folder; "
            "credentials come from the environment. Default: in the data folder."
        ),
    ] = ""

    @property
    def name(self) -> str:
        """What to call it in a message: never by the URL, which may hold a password."""
        return "the database" if self.database else str(self.data)

    def settings(self, profile: str = "service") -> Settings:
        """The settings of this place. Raises UnusableSetting."""
        return Settings(self.data, profile, database=self.database, files=self.files)


HERE = Place()
"""What is meant where nothing is said."""

Profile = Annotated[
    Literal["zoho", "service"],
    Parameter(help="zoho: the documented limits (25 MB, 25,000 rows); service: none on rows."),
]


def _keep(what: str, zoho: str, service: str) -> Parameter:
    return Parameter(
        help=f"How long {what}: 12h, 7d, 4w, forever. "
        f"Default: {zoho} with --profile zoho, otherwise {service}."
    )


KeepUploads = Annotated[
    str | None, _keep("uploads are kept (longer while a job needs them)", "7d", "30d")
]
KeepResults = Annotated[str | None, _keep("results are kept after the end of a job", "7d", "90d")]
KeepJobs = Annotated[str | None, _keep("jobs can be asked for after their end", "90d", "365d")]
KeepCallbacks = Annotated[str | None, _keep("callbacks that are over are listed", "7d", "30d")]


def keeping(profile: str, **asked: str | None) -> Keeping:
    """How long things are kept: as asked, and where nothing was asked, as the profile says."""
    kept = KEEPING[profile]
    for what, text in asked.items():
        if text is not None:
            try:
                kept = replace(kept, **{what: parse_time(text)})
            except ValueError as error:
                refuse(f"--keep-{what}: {error}.")
    return kept


def known(place: Place) -> Settings:
    """The settings of a place that must be there already."""
    settings = place.settings()
    if not settings.database and not settings.database_path.is_file():
        refuse(f"{place.data} is no Bulkwright data folder; name one with --data.")
    return settings


def the_org(services: Services) -> Org:
    """The org that a command at the console works for: the oldest."""
    orgs = services.accounts.orgs()
    if not orgs:
        refuse("There is no org yet; make one with `bulkwright init`.")
    return orgs[0]
