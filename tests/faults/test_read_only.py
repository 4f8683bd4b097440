"""The data folder can be read but no longer written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from tests.faults.conftest import SmallDisk
from tests.faults.served import FaultedServer, is_coded, leads, waits
from tests.support.processes import until

from bulkwright.settings import Settings
from bulkwright.wiring import open_services

Serve = Callable[..., FaultedServer]
OTHER_USER = 65534


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Removes the write permission of a folder and everything in it."""
    paths = [folder, *folder.rglob("*")]
    modes = [(path, path.stat().st_mode) for path in paths]
    for path, mode in modes:
        path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in modes:
            if path.exists():
                path.chmod(mode)


@pytest.fixture
def unprivileged(tmp_path: Path) -> dict[str, Any]:
    """How to start a server as a user without privileges, because root ignores permissions."""
    if os.getuid():
        return {}
    # That user must be able to open every folder above.
    (tmp_path / "data").mkdir()
    os.chown(tmp_path / "data", OTHER_USER, OTHER_USER)
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == 0 and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    try:
        usable = not subprocess.run(
            [sys.executable, "-c", "import bulkwright, polars, granian"],
            user=OTHER_USER,
            group=OTHER_USER,
        ).returncode
    except PermissionError:  # not even the program can be opened
        usable = False
    if not usable:
        pytest.skip("this Python can be used only by root, and permissions do not apply to root")
    return {"user": OTHER_USER}


def test_a_folder_that_becomes_read_only(serve: Serve, unprivileged: dict[str, Any]) -> None:
    """Uploads fail with a code, jobs wait; with the permission all continues without a restart."""
    served = serve(**unprivileged)
    file_id = served.file_id(leads(300, "a"))
    (worker,) = served.workers
    with read_only(served.data):
        # Every thread of the API gets the error, some of them with their first statement.
        for _ in range(10):
            assert is_coded(served.upload(leads(10, "b")))
        asked = served.ask(file_id)
        if asked.status_code == 201:  # the database was open for writing already
            job = str(asked.json()["details"]["id"])
            waits(served, lambda: served.details(job)["status"] != "FAILED", 1.5)
        else:
            assert is_coded(asked)
        with suppress(ProcessLookupError):  # it may have ended by itself
            os.kill(worker, signal.SIGKILL)  # another one cannot start like this
        assert until(lambda: "cannot work on" in served.log)
        served.answers()
        assert "cannot be written to" in served.log
    for n in range(10):
        served.file_id(leads(10, f"c{n}-"))
    if asked.status_code == 201:
        assert served.ended(job) == "COMPLETED"
    assert until(lambda: served.files("incoming") == set())
    served.works("w")


def test_a_start_on_a_read_only_disk_says_so(disk: SmallDisk) -> None:
    """One line that says what to do, for the server, a worker, and the embedded command."""
    data = disk.path / "data"
    program = [sys.executable, "-m", "bulkwright"]
    with open_services(Settings(data)):
        pass
    subprocess.run(["mount", "-o", "remount,ro", str(disk.path)], check=True)
    for command in (["serve", "--dev", "--port", "0"], ["worker"]):
        ended = subprocess.run(
            [*program, *command, "--data", str(data)], capture_output=True, text=True, timeout=300
        )
        assert ended.returncode == 1, ended
        assert "permissions" in ended.stderr and "Traceback" not in ended.stderr
