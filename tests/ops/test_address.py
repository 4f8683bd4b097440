"""An address that another process has: the server does not start, and reports it in one line."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.served import Served


@contextmanager
def bound(*, listening: bool) -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        if listening:
            other.listen()
        yield other.getsockname()[1]


@contextmanager
def served(folder: Path) -> Iterator[int]:
    with Served(folder / "first", "--workers", "0") as first:
        yield first.port


@pytest.mark.parametrize("whose", ["a listener's", "a socket's", "another server's"])
def test_a_port_that_is_taken_is_not_served(tmp_path: Path, whose: str) -> None:
    """Any process may have it. Two servers of ours would each receive some of the requests."""
    holder = served(tmp_path) if "server" in whose else bound(listening="listener" in whose)
    with holder as port:
        done = subprocess.run(
            [sys.executable, "-m", "bulkwright", "serve", "--dev", "--workers", "0",
             "--port", str(port), "--data", tmp_path / "data"],
            capture_output=True, text=True, timeout=300,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1:] == [
        f"bulkwright: cannot serve 127.0.0.1:{port}: Address already in use"
    ]
    assert "Traceback" not in done.stderr and "panicked" not in done.stderr
