"""When to kill which process: the plan that the test writes, and the marks that prove each kill.

The folder BULKWRIGHT_SABOTAGE holds

    setup.json       read once: constants to change, the planted fault, the number of the last chunk
    plan.json        the strikes that are armed now; read again whenever it changes
    hits/<passage>   one byte for each time that a passage was reached, by any process
    counts/<strike>  the same for one strike, from when it was armed
    marks/<strike>   made when the strike comes down, with the ids of those who die; then it
                     never does again
    last/<pid>       the passage that a process reached last
    disk             what was made durable, and what was not yet (power.py)
    broken           why the sabotage itself does not work: the run is worth nothing

A passage is a point and a side, `P7-before`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ["BULKWRIGHT_SABOTAGE"])
SETUP: dict[str, Any] = json.loads((FOLDER / "setup.json").read_text())
WORKER = "worker" in sys.orig_argv
"""Whether this process is a worker; else it is the server."""

_lock = threading.Lock()
_plan: list[dict[str, Any]] = []
_plan_seen: tuple[int, int] = (0, 0)
_last = -1


def broken(why: str) -> None:
    """The sabotage does not fit the product any more: say so where the test sees it, and end."""
    (FOLDER / "broken").write_text(f"{why}\n{traceback.format_exc()}")
    os._exit(70)


def reach(point: str, side: str) -> None:
    """A passage is reached; a process that is to be killed here is killed."""
    try:
        _reach(f"{point}-{side}")
    except Exception:
        broken(f"at {point}-{side}")


def _reach(passage: str) -> None:
    with _lock:
        _note(passage)
        _append("hits", passage)
        for strike in _armed():
            if strike["at"] == passage and _append("counts", strike["id"]) >= strike["nth"]:
                _strike(strike)


def _strike(strike: dict[str, Any]) -> None:
    me, act = os.getpid(), strike["act"]
    victims = _others() if act in ("other", "both") else []
    victims += [me] if act in ("self", "both") else []
    mark = FOLDER / "marks" / strike["id"]
    fresh = mark.with_suffix(f".{me}")
    fresh.write_text(" ".join(map(str, victims)))
    try:
        os.link(fresh, mark)
    except FileExistsError:
        return
    finally:
        fresh.unlink()
    for pid in victims:
        _end(pid)
    if act == "stop":
        os.kill(me, signal.SIGSTOP)


def _others() -> list[int]:
    """The server of a worker, the workers of a server; with `both`, the other workers too."""
    if not WORKER:
        return _children(os.getpid())
    parent = os.getppid()
    return [parent, *(pid for pid in _children(parent) if pid != os.getpid())]


def _children(pid: int) -> list[int]:
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # that thread has just ended
            found += [int(word) for word in path.read_text().split()]
    return found


def _end(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _armed() -> list[dict[str, Any]]:
    global _plan, _plan_seen
    state = (FOLDER / "plan.json").stat()
    seen = (state.st_mtime_ns, state.st_ino)
    if seen != _plan_seen:
        _plan = json.loads((FOLDER / "plan.json").read_text())
        _plan_seen = seen
    return _plan


def _append(folder: str, name: str) -> int:
    """Count one more; how many there are now. A file's size outlives a killed process."""
    handle = os.open(FOLDER / folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, b".")
        return os.fstat(handle).st_size
    finally:
        os.close(handle)


def _note(passage: str) -> None:
    global _last
    if _last < 0:
        _last = os.open(FOLDER / "last" / str(os.getpid()), os.O_WRONLY | os.O_CREAT, 0o600)
    os.pwrite(_last, f"{passage:<32}".encode(), 0)
