"""The program as people start it: a process, its two outputs, its exit status."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.support.processes import clean_environment

Result = subprocess.CompletedProcess[str]
Run = Callable[..., Result]

GOOD = "Last_Name,Email,City\nBoyle,p@x.example,Trier\nKay,k@x.example,Bonn\n"
MIXED = GOOD + "Lee,nonsense,Köln\n,m@x.example,Mainz\n"


def program(folder: Path, *arguments: object, **variables: str) -> Result:
    """Run `bulkwright` in a folder, without any BULKWRIGHT_ variable but those given."""
    return subprocess.run(
        [sys.executable, "-m", "bulkwright", *map(str, arguments)],
        cwd=folder,
        env=clean_environment(**{"COLUMNS": "160", **variables}),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def refused(result: Result) -> str:
    """The one line on stderr of a command that failed."""
    assert result.returncode == 1, (result.returncode, result.stdout, result.stderr)
    assert "Traceback" not in result.stderr
    (line,) = result.stderr.splitlines()
    assert line.startswith("bulkwright: ")
    assert result.stdout == ""
    return line
