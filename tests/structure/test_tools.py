"""The tools beside the tests fail when what they run has failed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.structure.tree import ROOT


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "status"), [("def test_red(): assert False", 1), ("# there is no test", 5)]
)
def test_coverage_fails_if_the_tests_fail(tmp_path: Path, text: str, status: int) -> None:
    """With the status of pytest, whatever the rates are."""
    path = tmp_path / "test_some.py"
    path.write_text(text)
    environment = {**os.environ, "COVERAGE_FILE": str(tmp_path / ".coverage")}
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "measure_coverage.py", "--numprocesses=0", path],
        env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    assert f"pytest ended with status {status}" in done.stderr
