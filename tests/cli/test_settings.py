"""Settings: one field, one option, one variable; and workers receive all of them."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import fields, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from tests.support.program import Run, refused

from bulkwright.cli import app
from bulkwright.cli.serving import worker_settings
from bulkwright.domain.limits import PROFILES
from bulkwright.domain.retention import SERVICE, ZOHO
from bulkwright.runtime.serve import is_clear_text
from bulkwright.runtime.worker_environment import worker_environment
from bulkwright.setting import help_text
from bulkwright.settings import (
    DataLocation,
    RetentionSettings,
    Settings,
    WorkerSettings,
)
from bulkwright.variables import UnusableSetting, variable
from bulkwright.wiring import open_files

OTHER: dict[str, Any] = {
    "data": Path("other folder/data"),
    "database": "postgresql://user:p%40ss@db.example/bulk?sslmode=require",
    "files": "s3://bucket/prefix",
    "profile": "zoho",
    "keep_uploads": "12h",
    "keep_results": "3d",
    "keep_jobs": "4w",
    "keep_callbacks": "forever",
    "keep_refresh_tokens": "60d",
    "keep_audit": "2w",
    "keep_idempotency_keys": "3h",
    "keep_images": "0",
    "log_format": "json",
    "log_level": "debug",
    "metrics_token": "a token with blanks",
    "formula_cells": "quote",
    "host": "::1",
    "port": 9000,
    "dev": True,
    "tls_certificate": "server.pem",
    "tls_key": "key.pem",
    "workers": 7,
    "parts": 1,
    "parts_at_once": 3,
    "public_url": "https://crm.example",
    "trusted_proxy": ("10.0.0.0/8", "fd00::/8"),
    "callback_allow": ("receiver.internal:8443", "10.1.2.3:80"),
    "strict_upload_status": True,
    "layout_mandatory": True,
    "drain_seconds": 12.5,
    "free_disk_mib": 100,
    "org_stored_mib": 2,
    "org_daily_uploads": 3,
    "org_open_jobs": 4,
    "end_with_stdin": True,
    "log_requests": True,
    "seed": "fixtures",
}
"""For each field of Settings a value that is not its default."""
TOGETHER = ("tls_certificate", "tls_key")
"""Neither is given without the other."""


def bound(*line: str) -> Any:
    """The settings object that the command line gives to its command."""
    _, arguments, _ = app.parse_args(
        line, exit_on_error=False, print_error=False, help_on_error=False
    )
    (found,) = arguments.arguments.values()
    return found


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No bulkwright.toml and no BULKWRIGHT_ variables."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("BULKWRIGHT_")]:
        monkeypatch.delenv(name)


def test_the_table_above_has_every_field() -> None:
    """A new field needs a value here; then the tests below cover it."""
    assert {f.name for f in fields(Settings)} == set(OTHER)
    default = Settings()
    assert [name for name, value in OTHER.items() if getattr(default, name) == value] == []


@pytest.mark.parametrize("name", OTHER)
def test_each_field_survives_the_way_to_a_worker(name: str) -> None:
    """By itself, in the environment that the server gives to a worker process."""
    together = TOGETHER if name in TOGETHER else (name,)
    settings = Settings(**{each: OTHER[each] for each in together})
    given = Settings.from_env(settings.to_env())
    assert getattr(given, name) == OTHER[name]
    assert given == replace(settings, profile=settings.limits_profile)
    assert (given.limits, given.retention_policy) == (settings.limits, settings.retention_policy)


def test_a_worker_process_has_the_settings_of_its_server(tmp_path: Path) -> None:
    """A real process: by its command line and environment, and whatever the server inherited."""
    settings = Settings(**OTHER)
    inherited = {**os.environ, "BULKWRIGHT_KEEP_JOBS": "1h", "BULKWRIGHT_METRICS": "127.0.0.1:9"}
    code = """
import os, sys
from bulkwright.cli import app
from bulkwright.cli.serving import worker_settings
_, bound, _ = app.parse_args(sys.argv[1:], exit_on_error=False, print_error=False)
print(repr(worker_settings(bound.arguments["options"], os.environ)))
"""
    (tmp_path / "bulkwright.toml").write_text('log_level = "error"\nprofile = "service"\n')
    done = subprocess.run(
        [sys.executable, "-c", code, "worker", "--attached", "--data", str(settings.data)],
        env=worker_environment(settings, inherited),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == repr(settings)


def test_a_variable_that_the_server_overrode_does_not_reach_its_workers() -> None:
    """The server's option wins over the environment that both inherit."""
    environ = {"BULKWRIGHT_FILES": "s3://wrong", "BULKWRIGHT_KEEP_JOBS": "1h", "PATH": "/bin"}
    given = worker_environment(Settings(keep_results="1d"), environ)
    assert given["BULKWRIGHT_FILES"] == "" and "BULKWRIGHT_KEEP_JOBS" not in given
    assert (given["PATH"], given["BULKWRIGHT_KEEP_RESULTS"]) == ("/bin", "1d")


def test_a_worker_by_itself_reads_its_own_options_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """BULKWRIGHT_PORT may be an address there: a Service of Kubernetes sets it."""
    monkeypatch.setenv("BULKWRIGHT_PORT", "tcp://10.0.0.1:80")
    options = bound("worker", "--profile", "zoho")
    assert options == WorkerSettings(profile="zoho")
    assert worker_settings(options, os.environ) == Settings(profile="zoho")


def test_the_command_line_reads_what_from_env_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same variables, with the same meaning."""
    environ = Settings(**OTHER).to_env()
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert bound("serve") == Settings.from_env(environ) == Settings(**OTHER)


def test_every_option_of_serve_is_a_field() -> None:
    """And the other way round; the name of the variable follows from it."""
    arguments = app["serve"].assemble_argument_collection()
    names = {argument.names[0] for argument in arguments if argument.show}
    expected = {f"--{f.name.replace('_', '-')}" for f in fields(Settings)}
    assert names == expected
    assert variable("log_format") == "BULKWRIGHT_LOG_FORMAT"


def test_options_win_over_variables() -> None:
    """Lists of several values, too."""
    line = ("--trusted-proxy", "10.0.0.0/8", "--trusted-proxy", "127.0.0.1", "--drain-seconds", "3")
    settings = bound("serve", *line, "--no-log-requests")
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("127.0.0.1/32"))
    assert (settings.drain_seconds, settings.log_requests) == (3.0, False)


@pytest.mark.parametrize(
    ("profile", "dev", "expected"),
    [(None, False, "service"), (None, True, "zoho"), ("service", True, "service")],
)
def test_the_profile_that_holds(profile: Any, dev: bool, expected: str) -> None:
    """--dev implies zoho, unless a profile is given."""
    settings = Settings(profile=profile, dev=dev)
    assert settings.limits == PROFILES[expected]
    assert settings.retention_policy == (ZOHO if expected == "zoho" else SERVICE)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--trusted-proxy", "10.0.0.1/8"), "--trusted-proxy: 10.0.0.1/8 has host bits set; "),
        (("--trusted-proxy", "proxy.example"), "--trusted-proxy: 'proxy.example' does not appear"),
        (("--trusted-proxy", "10.0.0.0/33"), "--trusted-proxy: '10.0.0.0/33' does not appear"),
        (("--callback-allow", "somewhere"), "--callback-allow: 'somewhere' is not host:port."),
        (("--public-url", "https://crm.example/path"), "--public-url has no path"),
        (("--public-url", "crm.example"), "--public-url: "),
        (("--keep-jobs", "soon"), "--keep-jobs: 'soon' is not a time; write hours, days or weeks"),
        (("--database", "mysql://x"), "--database takes postgresql://USER@HOST/NAME"),
        (("--parts", "0"), "--parts takes a number from 1 to 64, not 0."),
        (("--parts", "2"), "--parts needs --database: on SQLite a job has one part."),
    ],
)
def test_unusable_values_are_one_line(run: Run, options: tuple[str, ...], message: str) -> None:
    """The line names the option; nothing is served and nothing is made."""
    assert message in refused(run("serve", *options))
    with pytest.raises(UnusableSetting, match=message.partition(":")[0]):
        bound("serve", *options)


def test_a_job_has_one_part_on_sqlite(run: Run, tmp_path: Path) -> None:
    """`write` refuses more before it reads the file; one part may be named."""
    (tmp_path / "leads.csv").write_text("Last_Name\nBoyle\n")
    line = ("write", tmp_path / "leads.csv", "--module", "Leads", "--operation", "insert",
            "--data", tmp_path / "data")  # fmt: skip
    assert "--parts needs --database" in refused(run(*line, "--parts", "2"))
    assert not (tmp_path / "data").exists()
    assert run(*line, "--parts", "1").returncode == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [("PORT", "tcp://10.0.0.1:80"), ("DEV", "perhaps"), ("LOG_LEVEL", "loud"), ("PROFILE", "")],
)
def test_variables_of_the_wrong_type(name: str, text: str) -> None:
    """The message names the variable."""
    with pytest.raises(UnusableSetting, match=f"BULKWRIGHT_{name} takes"):
        Settings.from_env({f"BULKWRIGHT_{name}": text})


def test_the_public_url_is_an_origin() -> None:
    """Without the last slash and a port that its scheme implies."""
    assert Settings(public_url="https://crm.example:443/").public_origin == "https://crm.example"
    assert Settings().public_origin == ""


def test_groups_merge_into_settings() -> None:
    """Fields that no group has keep their defaults; the name never shows a password."""
    location = DataLocation(Path("d"), "postgresql://u:secret@h/n")
    settings = Settings.merged(location, RetentionSettings(keep_jobs="2d"))
    assert settings == Settings(Path("d"), "postgresql://u:secret@h/n", keep_jobs="2d")
    assert settings.name == "the database"


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"BULKWRIGHT_DATABASE": "postgresql://bulkwright:CHANGE_ME@db/bulkwright"}, "DATABASE"),
        ({"BULKWRIGHT_METRICS_TOKEN": "CHANGE_ME"}, "METRICS_TOKEN"),
    ],
)
def test_the_placeholder_of_a_template_is_refused(variables: dict[str, str], named: str) -> None:
    """The message names the variable, not its value, which may hold the rest of a secret."""
    with pytest.raises(UnusableSetting, match=f"BULKWRIGHT_{named} contains CHANGE_ME;") as error:
        Settings.from_env(variables)
    assert "@db" not in str(error.value)


def test_a_placeholder_among_the_keys_of_an_object_store_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also when only the second key is one. Variables of other stores are not read."""
    monkeypatch.setenv("AZURE_STORAGE_KEY", "CHANGE_ME")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own")
    open_files(Settings(files="s3://bucket/prefix"))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "CHANGE_ME")
    with pytest.raises(UnusableSetting, match="AWS_SECRET_ACCESS_KEY contains CHANGE_ME;"):
        open_files(Settings(files="s3://bucket/prefix"))


@pytest.mark.parametrize(
    ("host", "url", "clear"),
    [
        ("127.0.0.1", "", False),
        ("localhost", "http://localhost:8080", False),
        ("0.0.0.0", "", True),
        ("0.0.0.0", "http://bulk.example.com", True),
        ("::", "", True),
        ("0.0.0.0", "https://bulk.example.com", False),
    ],
)
def test_clear_text_beyond_this_machine_is_noticed(host: str, url: str, clear: bool) -> None:
    """`serve` warns then."""
    assert is_clear_text(Settings(host=host, public_url=url)) is clear


def test_the_quotas_in_the_help_are_those_of_the_profiles() -> None:
    """They are written as texts there, and a quota allows something."""
    for name, attribute, unit in (
        ("org_stored_mib", "org_stored_bytes", 1024 * 1024),
        ("org_daily_uploads", "org_daily_uploads", 1),
        ("org_open_jobs", "org_open_jobs", 1),
    ):
        zoho, service = (getattr(PROFILES[p], attribute) // unit for p in ("zoho", "service"))
        expected = f"Default: {zoho:,} with --profile zoho, otherwise {service:,}."
        assert help_text(Settings, name).endswith(expected)
        given: dict[str, Any] = {name: 7}
        assert getattr(Settings(**given).limits, attribute) == 7 * unit
        with pytest.raises(UnusableSetting):
            Settings(**{name: 0})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("port = ", "bulkwright.toml is not valid TOML"),
        ('datta = "x"', "no command has the option datta; did you mean data?"),
        ("[serve]\nport = 1", "no command has the option serve"),
    ],
)
def test_a_broken_settings_file_is_named(run: Run, tmp_path: Path, text: str, words: str) -> None:
    """In one line, before anything is done."""
    (tmp_path / "bulkwright.toml").write_text(text)
    line = refused(run("jobs", "list"))
    assert words in line and "?." not in line
    (tmp_path / "bulkwright.toml").write_bytes(b"\xff\xfe")
    assert "bulkwright.toml is not UTF-8 text." in refused(run("jobs", "list"))


def test_keys_of_other_commands_are_left_to_them(run: Run, tmp_path: Path) -> None:
    """`--find-by` is an option of `write`, not of `jobs list`."""
    (tmp_path / "bulkwright.toml").write_text('find_by = "Email"\nport = 9000\n')
    assert "not a Bulkwright data folder" in refused(run("jobs", "list"))


@pytest.mark.parametrize(
    "line", [("serve",), ("worker",), ("init", "--company=a", "--email=b@c.d")]
)
def test_a_data_folder_that_cannot_be_made(run: Run, tmp_path: Path, line: tuple[str, ...]) -> None:
    """A file, or below one: each command says so in one line."""
    (tmp_path / "file").write_text("")
    assert "--data file is a file" in refused(run(*line, "--data", "file"))
    assert "--data file/below cannot be made" in refused(run(*line, "--data", "file/below"))


@pytest.mark.parametrize("line", [("jobs", "list"), ("worker",), ("serve", "--port", "0")])
def test_a_database_that_is_none(run: Run, tmp_path: Path, line: tuple[str, ...]) -> None:
    """Another file has its name."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "bulkwright.sqlite").write_text("a text of more than a few bytes")
    assert "bulkwright.sqlite is no SQLite database" in refused(run(*line, "--data", "d"))


def test_the_port_of_a_database_is_a_number() -> None:
    """Of each host; an IPv6 address has colons of its own."""
    for good in ("h:5432", "[::1]", "[::1]:5432", "u:p%40ss@a:1,b:2", "h"):
        assert Settings(database=f"postgresql://{good}/x").database
    for bad in ("h:5432x", "[::1]:x", "u:p@a:1,b:y"):
        with pytest.raises(UnusableSetting, match="which is no number"):
            Settings(database=f"postgresql://{bad}/x")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("free_disk_mib", -1), ("workers", -1), ("workers", 1_001), ("port", 65_536), ("port", -1),
        ("drain_seconds", float("nan")), ("drain_seconds", float("inf")), ("drain_seconds", -0.5),
        ("org_stored_mib", 0), ("org_daily_uploads", -1), ("org_open_jobs", 2**64),
    ],
)  # fmt: skip
def test_a_number_that_cannot_be_meant(name: str, value: float) -> None:
    """The message names the option and what it takes."""
    option = name.replace("_", "-")
    with pytest.raises(UnusableSetting, match=f"--{option} takes a number from [01] to [0-9]+,"):
        Settings(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["0.9", "1.5", "true", "1e3"])
def test_a_number_that_is_not_whole(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is neither rounded nor cut: in the file, in the environment and on the command line."""
    with pytest.raises(UnusableSetting, match="--workers takes a whole number"):
        bound("serve", "--workers", text)
    (tmp_path / "bulkwright.toml").write_text(f"workers = {text}\n")
    with pytest.raises(UnusableSetting, match="toml: workers takes a whole number"):
        bound("serve")
    monkeypatch.setenv("BULKWRIGHT_WORKERS", text)
    with pytest.raises(UnusableSetting, match="BULKWRIGHT_WORKERS takes a whole number"):
        bound("serve")


@pytest.mark.parametrize("text", ["", " "])
def test_a_path_that_is_empty(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be the current folder."""
    with pytest.raises(UnusableSetting, match="--data takes a path, and is empty"):
        bound("serve", "--data", text)
    write = ("write", "f.csv", "--module", "Leads", "--operation", "insert")
    with pytest.raises(UnusableSetting, match="--result takes a path, and is empty"):
        bound(*write, "--result", text)
    monkeypatch.setenv("BULKWRIGHT_DATA", text)
    with pytest.raises(UnusableSetting, match="BULKWRIGHT_DATA takes a path, and is empty"):
        bound("serve")
