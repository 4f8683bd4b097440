"""What a worker is called in its leases, and whether the one that is called so still lives."""

from __future__ import annotations

import os
import socket


def holder_name(pid: int) -> str:
    """The name of a worker process on this machine."""
    return f"{socket.gethostname()}/{pid}"


def is_dead(holder: str) -> bool:
    """Whether a worker is certainly gone; of other machines nothing is certain.

    A process id may have been given to another process since: then the lease has to run out.
    """
    host, _, pid = holder.rpartition("/")
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
