"""The identity of a worker in its leases, and whether that worker is dead."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def worker_identity(pid: int) -> str:
    """Returns the identity of a worker process on this machine: host name and process id."""
    return f"{socket.gethostname()}/{pid}"


def is_dead(identity: str) -> bool:
    """Returns whether a worker is certainly dead; False for workers of other machines.

    The process id may belong to another process by now. Then the lease has to expire.
    """
    host, _, pid = identity.rpartition("/")
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _is_zombie(pid)


def _is_zombie(pid: str) -> bool:
    """Returns whether a process has ended, but its parent has not read its status yet."""
    try:
        facts = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False  # not Linux, or it has ended in this moment
    # The name of the program is in brackets and may hold any character.
    return facts.rpartition(b")")[2].split()[:1] in ([b"Z"], [b"X"])
