"""Power cuts: the cut itself takes what was not durable, and the product leaves it nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.crash.power import cut_power
from tests.crash.victim import sabotaged

PUT = """
import sys
from pathlib import Path
from bulkwright.files.local import LocalFiles
LocalFiles(Path(sys.argv[1])).put_piece(7, "0-00000000", b"lines")
"""


def put_piece(folder: Path, fault: str = "") -> Path:
    """A part that another process has kept in a new file area, in view of the sabotage."""
    for name in ("hits", "counts", "marks", "last"):
        (folder / name).mkdir()
    area = folder / "data" / "files"
    setup = {"files": str(area), "constants": {}, "fault": fault, "last_chunk": 0}
    (folder / "setup.json").write_text(json.dumps(setup))
    (folder / "plan.json").write_text("[]")
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
