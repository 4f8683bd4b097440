"""The program as people start it: a process, its two outputs, its exit status."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.support.fork_server import fork_server
from tests.support.processes import clean_environment

Result = subprocess.CompletedProcess[str]
Run = Callable[..., Result]

_OF_PYTHON = re.compile("LC_|LANG|PYTHON")

GOOD = "Last_Name,Email,City\nBoyle,p@x.example,Trier\nKay,k@x.example,Bonn\n"
MIXED = GOOD + "Lee,nonsense,Köln\n,m@x.example,Mainz\n"


def program(folder: Path, *arguments: object, **variables: str) -> Result:
    """Run `bulkwright` in a folder, without any BULKWRIGHT_ variable but those given."""
    environment = clean_environment(**{"COLUMNS": "160", **variables})
    # Coverage does not see forked processes, and Python itself reads these variables at its start.
    if "coverage" not in sys.modules and not any(map(_OF_PYTHON.match, variables)):
        return fork_server().run(list(map(str, arguments)), folder, environment)
    return subprocess.run(
        [sys.executable, "-m", "bulkwright", *map(str, arguments)],
        cwd=folder,
        env=environment,
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
