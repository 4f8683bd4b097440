"""Processes of the program for tests: start and kill them, wait for what they do."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from bulkwright.testing import child_processes as children

__all__ = ["children", "clean_environment", "fault_environment", "free_port", "kill", "listens",
           "on_path", "processes_with", "start", "until"]  # fmt: skip

_FIRST_PAUSE_SECONDS = 0.002
INJECTED = Path(__file__).with_name("injected")


def start(*arguments: object, **more: Any) -> subprocess.Popen[str]:
    """Start `bulkwright` with these arguments; both outputs are pipes unless `more` differs."""
    more = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **more}
    return subprocess.Popen([sys.executable, "-m", "bulkwright", *map(str, arguments)], **more)


def kill(process: subprocess.Popen[str]) -> None:
    """Send SIGKILL and wait until the process has ended."""
    process.kill()
    process.communicate()


def until(happened: Callable[[], object], seconds: float = 60.0, pause: float = 0.01) -> bool:
    """Wait until a condition holds; return False if it does not within `seconds`.

    The first pauses between two looks are shorter than `pause`: most jobs of tests end soon.
    """
    deadline = time.monotonic() + seconds
    step = min(pause, _FIRST_PAUSE_SECONDS)
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(step)
        step = min(pause, 2 * step)
    return False


def processes_with(text: str) -> list[str]:
    """The command lines of running processes that have a text in them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # the process has just ended
            found.append(path.read_text(errors="replace"))
    return [line for line in found if text in line]


def free_port() -> int:
    """A port of loopback that no process listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether a process listens on this port of loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def clean_environment(**variables: str) -> dict[str, str]:
    """The environment without any BULKWRIGHT_ variable except these."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("BULKWRIGHT_")}
    return {**kept, **variables}


def on_path(folder: Path) -> str:
    """A PYTHONPATH that has this folder first."""
    return os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])


def fault_environment(
    folder: Path, constants: Mapping[str, Mapping[str, object]]
) -> dict[str, str]:
    """The environment of a process with other constants, by module, and faults on demand.

    Faults are switched by files in `folder`: see `injected/sitecustomize.py`.
    """
    for name in ("full", "poison"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "setup.json").write_text(json.dumps(constants))
    return {**os.environ, "PYTHONPATH": on_path(INJECTED), "BULKWRIGHT_FAULTS": str(folder)}
