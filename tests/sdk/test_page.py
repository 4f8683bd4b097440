"""docs/sdk.md: its program runs with the SDK as it is published."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from tests.sdk.catalogue import SDKS
from tests.sdk.environments import Unavailable, command
from tests.support.live import Live

PAGE = Path(__file__).parents[2] / "docs" / "sdk.md"


def test_the_program_of_the_page(tmp_path: Path) -> None:
    """It is copied from the page and stands beside the data folder of the server."""
    (sdk,) = [sdk for sdk in SDKS if sdk.name == "zohocrmsdk8-0"]
    try:
        python = command(sdk)[0]
    except Unavailable as reason:
        pytest.skip(str(reason))
    programs = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "load.py").write_text(programs[0])
    with Live(tmp_path / "D"):
        done = subprocess.run(
            [python, "load.py"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "COMPLETED 1 added 0 skipped"
    assert (tmp_path / "result.zip").is_file()
