"""SDKs and programs with Zoho's own hosts and invented credentials, behind `intercept`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.sdk.catalogue import PROGRAMS, Sdk
from tests.sdk.conftest import command_of
from tests.sdk.driver import Driver
from tests.support.live import Live
from tests.support.processes import clean_environment
from tests.support.uploads import zipped

WHO: dict[str, Any] = {
    "email": "someone@zylker.example",
    "org_id": "60001",
    "token": {
        "client_id": "1000.INVENTED",
        "client_secret": "invented",
        "refresh_token": "1000.invented.invented",
    },
}
OUTPUT = {
    "zoho-crm-connector": "True True Boyle 1 Boyle\nTrue active\n",
    "clients": "200 200 200\n",
    "zcrmsdk": "200 201 SUCCESS\n",
    "zoho-crm-mcp": "success success False\n",
}


def behind(live: Live, *command: str) -> list[str]:
    """Returns the command line of a program behind the interceptor."""
    emulator = ("--url", live.base_url, "--data", str(live.data))
    return [sys.executable, "-m", "bulkwright", "intercept", *emulator, "--", *command]


def test_an_sdk_with_its_own_hosts(sdk: Sdk, live: Live, tmp_path: Path) -> None:
    """From its token to its result. No URL is given to it."""
    with Driver(behind(live, *command_of(sdk)), tmp_path) as driver:
        assert driver.initialise(WHO) == {}
        mappings = [{"api_name": "Last_Name", "index": 0}]
        resource = {
            "module": "Leads",
            "file_id": driver.file_id(zipped("Last_Name\nBoyle\n")),
            "field_mappings": mappings,
        }
        done = driver.done(driver.job_id("insert", resource))
        report, place = driver.download(done["result"]["download_url"])
    assert (report["http"], report["class"]) == (200, "FileBodyWrapper"), report
    assert place.read_bytes().startswith(b"PK")


@pytest.mark.parametrize("package", PROGRAMS, ids=lambda package: package.name)
def test_a_published_program(package: Sdk, live: Live, tmp_path: Path) -> None:
    """It runs as it was published."""
    line = behind(live, *command_of(package))
    done = subprocess.run(
        line, cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(OUTPUT[package.name]), done.stdout
    assert "calls that reached the emulator" in done.stderr
