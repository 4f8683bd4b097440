"""The commands of a page, run as a reader types them: in order, from an empty folder."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.support.processes import clean_environment, free_port

ROOT = Path(__file__).parents[2]
_SECONDS = 300

_START = """
set -euo pipefail
newest() { bulkwright jobs list --most 1 --json | python3 -c \
'import json, sys; print(json.load(sys.stdin)[0]["job_id"])'; }
# What runs until it is stopped: started, seen to work, and stopped by its signal.
briefly() {
    "$@" > briefly.txt 2>&1 &
    local pid=$! tries=0
    until grep -q '^ready' briefly.txt || { [ "$2" = worker ] && [ $tries -gt 50 ]; }; do
        kill -0 $pid || { cat briefly.txt >&2; return 1; }
        tries=$((tries + 1)); sleep 0.1
    done
    kill -TERM $pid
    # A worker that has nothing to do says nothing; the signal may end it while it starts.
    wait $pid || [ "$2$?" = worker143 ] || { cat briefly.txt >&2; return 1; }
}
"""
_SHIM = """#!{python}
import sys
from bulkwright.cli import main

try:
    main()
except SystemExit as ended:
    # 3: rows were skipped, as the page says.
    sys.exit(0 if ended.code == 3 else ended.code)
"""


def blocks(text: str) -> list[str]:
    """The indented blocks of a page, without fenced ones."""
    plain = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"(?:^\n|\A)((?:^ {4}.*\n(?:\n(?= {4}))?)+)", plain, re.MULTILINE)
    return [re.sub(r"^ {4}", "", block, flags=re.MULTILINE) for block in found]


def script(commands: str) -> str:
    """The commands with the placeholders of pages filled in."""
    lines = []
    for line in commands.splitlines():
        stays = re.match(r"bulkwright (serve|worker)\b", line) and not line.rstrip().endswith("&")
        lines.append(f"briefly {line}" if stays else line)
    return "\n".join(lines).replace("JOB_ID", "$(newest)").replace("8080", str(free_port()))


def run(commands: str, folder: Path, **variables: str) -> str:
    """Runs commands in a folder; returns what they print. Fails with their output otherwise."""
    tools = folder / ".tools"
    tools.mkdir()
    (tools / "bulkwright").write_text(_SHIM.format(python=sys.executable))
    (tools / "bulkwright").chmod(0o755)
    path = os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]])
    process = subprocess.Popen(
        ["bash", "-c", _START + script(commands)],
        cwd=folder,
        env=clean_environment(PATH=path, HOME=str(folder), COLUMNS="80", **variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, errors = process.communicate("correct horse battery staple\n" * 3, _SECONDS)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, f"{output}\n{errors}"
    return output
