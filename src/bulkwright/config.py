"""Where things are and how much is allowed: the settings that every command shares."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bulkwright.domain.limits import PROFILES, Limits


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one deployment, the same for its API, its workers and its CLI."""

    data: Path
    """The folder that holds the SQLite file, the uploads and the results."""
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
        """The folder of uploads and results."""
        return self.data / "files"

    @property
    def credentials_path(self) -> Path:
        """The credentials that `serve --dev` makes."""
        return self.data / "dev-credentials.json"

    def prepare(self) -> None:
        """Make the data folder, readable by its owner only."""
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
