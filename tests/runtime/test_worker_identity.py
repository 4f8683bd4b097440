"""Whether a worker is certainly dead."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.support.processes import until

from bulkwright.runtime.worker_identity import is_dead, worker_identity


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows the state of a process")
def test_a_process_whose_status_is_not_read_yet_is_dead() -> None:
    """It has ended, and holds its id until its parent asks for its status."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = worker_identity(process.pid)
    assert not is_dead(identity)
    assert process.stdin is not None
    process.stdin.close()
    until(lambda: is_dead(identity))
    process.wait()
    assert is_dead(identity)
    assert not is_dead(f"another-machine/{process.pid}")
