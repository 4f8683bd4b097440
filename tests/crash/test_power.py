"""Power cuts: the cut itself takes what was not durable, and the product leaves it nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.crash.power import cut_power
from tests.crash.victim import sabotaged, set_up_sabotage

PUT = """
import sys
from pathlib import Path
from bulkwright.files.local import LocalFiles
LocalFiles(Path(sys.argv[1])).put_piece(7, "0-00000000", b"lines")
"""


def put_piece(folder: Path, fault: str = "") -> Path:
    """A part that another process has kept in a new file area, in view of the sabotage."""
    set_up_sabotage(folder, folder / "data", fault=fault)
    area = folder / "data" / "files"
    command = [sys.executable, "-c", PUT, str(area)]
    subprocess.run(command, check=True, env={**os.environ, **sabotaged(folder)})
    assert not (folder / "broken").exists()
    return area / "parts" / "7" / "0-00000000"


def test_a_part_in_new_folders_outlives_a_power_cut(tmp_path: Path) -> None:
    """The folders that hold it were new themselves, and are durable too."""
    part = put_piece(tmp_path)
    assert cut_power(tmp_path / "disk") == 0
    assert part.read_bytes().startswith(b"lines")


@pytest.mark.parametrize("fault", ["no-fsync", "no-folder-fsync"])
def test_what_was_not_flushed_is_gone(tmp_path: Path, fault: str) -> None:
    """Its bytes, or its name."""
    part = put_piece(tmp_path, fault)
    assert part.read_bytes().startswith(b"lines")
    assert cut_power(tmp_path / "disk") > 0
    assert not part.exists() or part.read_bytes() == b""
