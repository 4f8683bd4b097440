"""Where things are and how much is allowed: the settings that every command shares."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bulkwright.domain.keeping import KEEPING, Keeping
from bulkwright.domain.limits import PROFILES, Limits

_POSTGRES = ("postgresql://", "postgres://")


class UnusableSetting(Exception):
    """A setting that nothing can be made of; the message says what would do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one deployment, the same for its API, its workers and its CLI."""

    data: Path
    """The folder that holds the SQLite file and, unless `files` says otherwise, all files."""
    profile: str = "service"
    """`zoho`: the documented limits; `service`: none on rows (domain/limits.py)."""
    dev: bool = False
    """Development: credentials are made by themselves, and only loopback is served."""
    strict_upload_status: bool = False
    """Answer INVALID_FILE_FORMAT with HTTP 400, as documented, not 200, as observed (facts 2.3)."""
    layout_mandatory: bool = False
    """Refuse jobs that leave out fields which only the layout makes mandatory."""
    public_url: str = ""
    """How clients reach the server, if not by its own address: `https://crm.example`, its proxy."""
    callback_allow: tuple[str, ...] = ()
    """`host:port` entries that callbacks may go to although they are not public addresses.

    With `dev`, loopback is allowed anyway.
    """

    files: str = ""
    """Where uploads and results are: `s3://BUCKET/PREFIX`, `gs://`, `az://`, or a folder.

    Empty: in the data folder.
    """
    metrics_token: str = ""
    """Who has it may read `/metrics`; without one, only `dev` serves them on the API's port."""
    drain_seconds: float = 0.0
    """How long `/readyz` says no before a server that was told to stop closes its port."""
    log_format: str = "text"
    """`text` or `json` (logs.py); what a server says to its workers too."""
    log_level: str = "info"
    """From which level on our own lines are logged."""
    log_requests: bool = False
    """Log a line for each request."""

    kept: Keeping | None = None
    """How long uploads, results, jobs and callbacks are kept, if not as the profile says."""

    database: str = ""
    """Of a PostgreSQL server: `postgresql://USER@HOST/NAME`; empty for the SQLite file."""

    def __post_init__(self) -> None:
        """Raises UnusableSetting for a database that no store is for."""
        if self.database and not self.database.startswith(_POSTGRES):
            raise UnusableSetting("--database takes postgresql://USER@HOST/NAME, or nothing at all")

    @property
    def keeping(self) -> Keeping:
        """How long things are kept."""
        return self.kept or KEEPING[self.profile]

    @property
    def limits(self) -> Limits:
        """What the profile allows."""
        return PROFILES[self.profile]

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        return self.data / "bulkwright.sqlite"

    @property
    def files_path(self) -> Path:
        """The folder of uploads and results, where `files` names no other place."""
        return self.data / "files"

    @property
    def scratch_path(self) -> Path:
        """Where files of an object store are looked at; they have no names there."""
        return self.data / "scratch"

    @property
    def credentials_path(self) -> Path:
        """The credentials that `serve --dev` makes."""
        return self.data / "dev-credentials.json"

    def prepare(self) -> None:
        """Make the data folder, readable by its owner only."""
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
