# ruff: noqa: RUF009 - option only calls dataclasses.field
"""The settings of a deployment, each declared once.

A field is an option of the command line, an environment variable (`variable`), a key of
`bulkwright.toml` and a row of docs/settings.md. Commands take the groups of fields that they use;
`Settings` has all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Literal, Self, get_type_hints
from urllib.parse import urlsplit

from bulkwright.domain.endpoint import InvalidEndpoint, parse_allowed, parse_endpoint
from bulkwright.domain.limits import KEY_GROUPS, PARTS_AT_ONCE, PROFILES, Limits, MiB
from bulkwright.domain.retention import NOT_KEPT, RETENTION_POLICIES, RetentionPolicy, parse_time
from bulkwright.folders import make_root
from bulkwright.setting import SettingsGroup, option
from bulkwright.variables import UnusableSetting, parsed, variable, written

_POSTGRES = ("postgresql://", "postgres://")

Profile = Literal["zoho", "service"]
LogFormat = Literal["text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]
FormulaCells = Literal["keep", "quote"]


def _keep_option(what: str, zoho: str, service: str) -> str | None:
    return option(
        None,
        f"How long {what}. 12h, 7d, 4w, forever. "
        f"Default: {zoho} with --profile zoho, otherwise {service}.",
    )


def _quota_option(what: str, zoho: int, service: int) -> int | None:
    text = f"{what}. Default: {zoho:,} with --profile zoho, otherwise {service:,}."
    return option(None, text, least=1)


def _parts_option(what: str) -> int | None:
    return option(None, f"PostgreSQL: {what}", least=1, most=KEY_GROUPS)


@dataclass(frozen=True)
class DataLocation(SettingsGroup):
    """Where state, records and files are."""

    data: Path = option(Path("bulkwright-data"), "The data folder.")
    database: str = option(
        "", "postgresql://USER@HOST/NAME. Default: a SQLite file in the data folder."
    )
    files: str = option(
        "",
        "Where uploads and results are. s3://BUCKET/PREFIX, gs://, az:// or a folder. "
        "Credentials come from the environment. Default: in the data folder.",
    )
    free_disk_mib: int = option(
        256, "MiB that stay free on the disk: with less, uploads are rejected and jobs wait."
    )

    def __post_init__(self) -> None:
        """Raises UnusableSetting for a database that is not PostgreSQL."""
        super().__post_init__()
        if self.database and not self.database.startswith(_POSTGRES):
            raise UnusableSetting("--database takes postgresql://USER@HOST/NAME, or nothing at all")
        for host in urlsplit(self.database).netloc.rpartition("@")[2].split(","):
            port = host.rpartition("]")[2].partition(":")[2]
            if port and not port.isdigit():
                raise UnusableSetting(f"--database has the port {port}, which is no number.")

    @property
    def name(self) -> str:
        """The name of this location in messages. Never the URL, which may hold a password."""
        return "the database" if self.database else str(self.data)

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        return self.data / "bulkwright.sqlite"

    @property
    def files_path(self) -> Path:
        """The folder of uploads and results, used when `files` is empty."""
        return self.data / "files"

    @property
    def scratch_path(self) -> Path:
        """The folder for copies of an object store's files. A copy is a file without a name."""
        return self.data / "scratch"

    @property
    def credentials_path(self) -> Path:
        """The credentials that `serve --dev` makes."""
        return self.data / "dev-credentials.json"

    @property
    def emulator_path(self) -> Path:
        """The folder of what `serve --dev` keeps for the controls of the emulator."""
        return self.data / "emulator"

    def prepare(self) -> None:
        """Makes the data folder, in which only its owner writes.

        Raises UnusableSetting if it cannot be made.
        """
        try:
            make_root(self.data)
        except OSError as error:
            why = "is a file" if self.data.is_file() else f"cannot be made: {error.strerror}"
            raise UnusableSetting(f"--data {self.data} {why}.") from None


@dataclass(frozen=True)
class OrgLocation(DataLocation):
    """Where data is, and the org that a command works for."""

    org: int | None = option(
        None, "The id of the org. It is needed if there are several orgs.", least=1
    )


@dataclass(frozen=True)
class LimitsSettings(SettingsGroup):
    """The limits profile (domain/limits.py), and the quotas of an org where they differ from it."""

    profile: Profile | None = option(
        None,
        "The limits that hold. zoho: the documented ones (25 MB, 25,000 rows); service: no limit "
        "on rows. "
        "Default: service; with `serve --dev`, zoho.",
    )

    org_stored_mib: int | None = _quota_option("MiB of stored uploads of one org", 10_240, 262_144)
    org_daily_uploads: int | None = _quota_option("Uploads of one org in 24 hours", 10_000, 100_000)
    org_open_jobs: int | None = _quota_option("Jobs of one org that are not ended", 5_000, 10_000)

    @property
    def limits_profile(self) -> Profile:
        """The profile that holds: the given one, or the default."""
        return self.profile or "service"

    @property
    def limits(self) -> Limits:
        """The limits of the profile, with the given quotas."""
        return replace(
            profile := PROFILES[self.limits_profile],
            org_stored_bytes=(self.org_stored_mib or 0) * MiB or profile.org_stored_bytes,
            org_daily_uploads=self.org_daily_uploads or profile.org_daily_uploads,
            org_open_jobs=self.org_open_jobs or profile.org_open_jobs,
        )


@dataclass(frozen=True)
class ImageSettings(SettingsGroup):
    """Whether jobs can be undone."""

    keep_images: str | None = _keep_option(
        "a job can be undone after its end: what records held before is kept; 0: not at all",
        "7d",
        "30d",
    )

    @property
    def keeps_images(self) -> bool:
        """Whether jobs keep what the records held that they update."""
        return (self.keep_images or "").strip() != NOT_KEPT


@dataclass(frozen=True)
class RetentionSettings(ImageSettings, LimitsSettings):
    """How long what is not a record is kept."""

    keep_uploads: str | None = _keep_option(
        "uploads are kept, and longer while needed", "7d", "30d"
    )
    keep_results: str | None = _keep_option("results are kept after their job", "7d", "90d")
    keep_jobs: str | None = _keep_option("jobs are kept after their end", "90d", "365d")
    keep_callbacks: str | None = _keep_option("callbacks are listed after their end", "7d", "30d")
    keep_refresh_tokens: str | None = _keep_option(
        "refresh tokens are valid after their last use", "forever", "180d"
    )
    keep_audit: str | None = _keep_option("entries of the audit log are kept", "90d", "365d")
    keep_idempotency_keys: str | None = _keep_option("idempotency keys are kept", "24h", "24h")

    def __post_init__(self) -> None:
        """Raises UnusableSetting for a duration that cannot be read."""
        super().__post_init__()
        _ = self.retention_policy

    @property
    def retention_policy(self) -> RetentionPolicy:
        """The given durations; the profile's where none is given."""
        default = RETENTION_POLICIES[self.limits_profile]
        kept = {}
        for name in (policy.name for policy in fields(RetentionPolicy)):
            text = getattr(self, f"keep_{name}")
            try:
                kept[name] = getattr(default, name)
                if text is not None:
                    kept[name] = parse_time(text, may_be_none=name == "images")
            except ValueError as error:
                raise UnusableSetting(f"--keep-{name.replace('_', '-')}: {error}.") from None
        return RetentionPolicy(**kept)


@dataclass(frozen=True)
class LogSettings(SettingsGroup):
    """The log lines of a process."""

    log_format: LogFormat = option("text", "text, or json: one object a line.")
    log_level: LogLevel = option("info", "Log from this level on.")


@dataclass(frozen=True)
class MetricsSettings(SettingsGroup):
    """Who may read the metrics."""

    metrics_token: str = option("", "Token that opens /metrics. Set it by environment variable.")


@dataclass(frozen=True)
class CsvSettings(SettingsGroup):
    """The CSVs that are written: results, failed rows and exported records."""

    formula_cells: FormulaCells = option(
        "keep",
        "What becomes of a cell that a spreadsheet program would run as a formula. keep: it is "
        "written as it is; quote: with an apostrophe before it, for people who open the CSV.",
    )

    @property
    def quotes_formulas(self) -> bool:
        """Whether such a cell gets an apostrophe."""
        return self.formula_cells == "quote"


@dataclass(frozen=True)
class JobSettings(ImageSettings, CsvSettings):
    """How jobs are run."""

    parts: int | None = _parts_option(
        "the most parts that the rows of a job are divided into. Default: as many as its workers "
        "run at once; of `write`, one for two cores, if the file is large and sessions are free.",
    )
    parts_at_once: int | None = _parts_option(
        "parts of one job that a process runs at once, each on a thread with a session. Default: "
        f"half the cores divided by workers, at most {PARTS_AT_ONCE}; `write`: {PARTS_AT_ONCE}.",
    )

    def __post_init__(self) -> None:
        """Raises UnusableSetting for several parts on SQLite."""
        super().__post_init__()
        if (self.parts or 1) > 1 and not getattr(self, "database", "not known here"):
            raise UnusableSetting("--parts needs --database: on SQLite a job has one part.")


@dataclass(frozen=True)
class WorkerSettings(JobSettings, MetricsSettings, LogSettings, LimitsSettings, DataLocation):
    """The settings of `bulkwright worker`."""

    metrics: str = option("", "HOST:PORT of its /metrics and /healthz.")
    attached: bool = option(
        False, "Used by `serve`. Ends with standard input; its counters go to standard output."
    )
    helps: int | None = option(None, "Used by `write`: the job to help.", most=2**63 - 1)


@dataclass(frozen=True)
class Settings(JobSettings, MetricsSettings, LogSettings, RetentionSettings, DataLocation):
    """The settings of a deployment, the same for its API and the workers that it starts."""

    host: str = option("127.0.0.1", "The address to listen on.")
    port: int = option(8080, "The port to listen on; 0 chooses a free one.", most=65_535)
    dev: bool = option(
        False, "For development, on loopback only. Makes credentials and implies --profile zoho."
    )
    tls_certificate: str = option(
        "", "PEM file with the certificate of the server, and those between it and its root."
    )
    tls_key: str = option("", "PEM file with the private key of --tls-certificate.")
    workers: int = option(1, "Number of worker processes.", most=1_000)
    public_url: str = option("", "The URL for clients behind a proxy. https://HOST[:PORT].")
    trusted_proxy: tuple[str, ...] = option(
        (),
        "Network of a proxy before the server: 10.0.0.0/8. The server takes the "
        "client's address from the X-Forwarded-For header of requests from there. Repeatable.",
    )
    callback_allow: tuple[str, ...] = option(
        (),
        "HOST:PORT that callbacks may connect to. Its address need not be public. "
        "Repeatable. With --dev, loopback is always allowed.",
    )
    strict_upload_status: bool = option(
        False, "Answer 400 to an upload that is not a zip. As documented; otherwise 200."
    )
    layout_mandatory: bool = option(False, "Demand mandatory fields of layouts: Company of Leads.")
    drain_seconds: float = option(
        0.0,
        "Seconds to continue after a stop signal. Meanwhile /readyz answers 503, so that a "
        "balancer sends no more requests. A second signal ends this at once.",
        most=24 * 3600,
    )
    seed: str = option(
        "", "With --dev: folder of CSV and JSON files, whose records are added. Default: DATA/seed."
    )
    end_with_stdin: bool = option(False, "Stop when the program that writes to stdin has ended.")
    log_requests: bool = option(False, "Log each request; --log-level debug does too.")

    def __post_init__(self) -> None:
        """Raises UnusableSetting for a value that cannot be used."""
        super().__post_init__()
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise UnusableSetting("--tls-certificate and --tls-key are given together.")
        _ = self.public_origin, self.trusted_proxies, self.allowed_destinations

    @property
    def limits_profile(self) -> Profile:
        """The profile that holds: the given one, or the default."""
        return self.profile or ("zoho" if self.dev else "service")

    @property
    def scheme(self) -> str:
        """The scheme that the server itself speaks: `http` or `https`."""
        return "https" if self.tls_certificate else "http"

    @property
    def public_origin(self) -> str:
        """The origin of `public_url` in canonical form; empty when it is not given.

        Raises UnusableSetting for a URL that is none, or that has a path.
        """
        if not self.public_url:
            return ""
        try:
            endpoint = parse_endpoint(self.public_url)
        except InvalidEndpoint as error:
            raise UnusableSetting(f"--public-url: {error}.") from None
        if endpoint.path != "/":
            raise UnusableSetting("--public-url has no path: https://HOST[:PORT].")
        return endpoint.origin

    @property
    def trusted_proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks of `trusted_proxy`."""
        try:
            return tuple(map(ip_network, self.trusted_proxy))
        except ValueError as error:
            raise UnusableSetting(
                f"--trusted-proxy: {error}; give a network such as 10.0.0.0/8, or one address."
            ) from None

    @property
    def allowed_destinations(self) -> frozenset[str]:
        """The entries of `callback_allow`, each as `host:port` in canonical form."""
        try:
            return frozenset(map(parse_allowed, self.callback_allow))
        except InvalidEndpoint as error:
            raise UnusableSetting(f"--callback-allow: {error}.") from None

    @classmethod
    def merged(cls, *groups: SettingsGroup) -> Self:
        """Returns the settings of the groups, with defaults for the rest."""
        values: dict[str, Any] = {}
        for group in groups:
            names = {f.name for f in fields(cls)}
            values |= {f.name: getattr(group, f.name) for f in fields(group) if f.name in names}
        return cls(**values)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Reads the settings from environment variables, as the command line reads them.

        A variable that is not set gives the default. Raises UnusableSetting.
        """
        hints = get_type_hints(cls)
        values: dict[str, Any] = {
            f.name: parsed(environ[variable(f.name)], hints[f.name], variable(f.name))
            for f in fields(cls)
            if variable(f.name) in environ
        }
        return cls(**values)

    def to_env(self) -> dict[str, str]:
        """Returns environment variables from which `from_env` makes equal settings.

        `profile` is written as it holds. A value that is None, or an empty tuple, has no variable.
        """
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        values["profile"] = self.limits_profile
        return {
            variable(name): written(value)
            for name, value in values.items()
            if value is not None and value != ()
        }
