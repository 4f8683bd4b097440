"""Cuts the connection of a client, as a broken network does: no response, no error of HTTP."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path


def cut(client: tuple[str, object] | None) -> bool:
    """Shuts the connection of a client down; returns whether it was found.

    The server offers no such call, so the connection is looked up among the open files of this
    process. Works on Linux only.
    """
    files = Path("/proc/self/fd")
    if client is None or not files.is_dir():
        return False
    wanted = [str(part) for part in client]  # Granian has the port as a text
    for file in files.iterdir():
        with suppress(OSError):
            if not str(file.readlink()).startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(file.name))) as connection:
                if [str(part) for part in connection.getpeername()[:2]] == wanted:
                    connection.shutdown(socket.SHUT_RDWR)
                    return True
    return False
