"""`bulkwright write` is killed, again and again, and run again until it is done."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path

import pytest
from tests.support.processes import kill, start, until
from tests.support.watch import Watch

KILLS = 5


def more_than(chunks: int, process: subprocess.Popen[str], watch: Watch) -> None:
    """Wait until more chunks are committed, or the process has ended."""
    until(lambda: watch.chunks > chunks or process.poll() is not None)


@pytest.mark.slow
def test_a_killed_write_goes_on_where_it_stopped(leads: Path, tmp_path: Path, watch: Watch) -> None:
    """The outcome is that of one undisturbed run, whatever the moments of the kills."""
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    moments = random.Random(seed)
    result = tmp_path / "result.zip"
    command = (
        *("write", leads, "--module", "Leads", "--operation", "insert", "--find-by", "Email"),
        *("--data", watch.data, "--result", result),
    )

    process = start(*command)  # killed before there is any job, or in its first moments
    time.sleep(moments.uniform(0.2, 0.8))
    kill(process)

    killed = 0
    while True:
        process = start(*command)
        more_than(watch.chunks, process, watch)
        if process.poll() is not None or killed == KILLS:
            break
        time.sleep(moments.uniform(0.0, 0.1))
        kill(process)
        killed += 1
    out, err = process.communicate(timeout=600)
    assert process.returncode == 3, err  # rows were skipped
    assert "continuing job" in out
    assert killed >= 4
    assert watch.number("SELECT count(*) FROM jobs") == 1
    assert watch.chunks >= 8
    watch.check(result)
