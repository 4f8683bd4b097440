"""What a power cut would leave of the file area: fsyncs, renames and new folders are written down.

`tests/crash/power.py` reads it after a kill and undoes what was not durable. SQLite flushes in
C, out of sight from here: its file is believed.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from striking import FOLDER, SETUP, reach

AREA = SETUP["files"]
FAULT = SETUP["fault"]


def watch(place: Callable[[], str | None]) -> None:
    """Wrap what makes files durable. `place` says which point this thread is at."""
    os.fsync = _flushing(os.fsync)
    os.fdatasync = _flushing(os.fdatasync)
    os.replace = _renaming(os.replace, place)
    os.rename = _renaming(os.rename, place)
    os.mkdir = _making(os.mkdir)


def _flushing(original: Any) -> Any:
    def flush(handle: int) -> None:
        path, state = str(Path(f"/proc/self/fd/{handle}").readlink()), os.fstat(handle)
        if not _ours(path) and path != str(Path(AREA).parent):
            return original(handle)
        folder = stat.S_ISDIR(state.st_mode)
        if ("no-folder-fsync" if folder else "no-fsync") == FAULT:
            return None
        original(handle)
        return _note("folder", path) if folder else _note("file", path, state.st_size)

    return flush


def _renaming(original: Any, place: Callable[[], str | None]) -> Any:
    def rename(old: Any, new: Any, **more: Any) -> None:
        if not _ours(new):
            return original(old, new, **more)
        point = place()
        if point:
            reach(f"{point}-rename", "before")
        _note("rename", old, os.fspath(new))
        original(old, new, **more)
        if point:
            reach(f"{point}-rename", "after")
        return None

    return rename


def _making(original: Any) -> Any:
    def mkdir(path: Any, *args: Any, **more: Any) -> None:
        original(path, *args, **more)
        if _ours(path):
            _note("made", path)

    return mkdir


def _ours(path: Any) -> bool:
    return isinstance(path, str | Path) and str(path).startswith(AREA)


def _note(kind: str, path: Any, more: object = None) -> None:
    handle = os.open(FOLDER / "disk", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, json.dumps([kind, os.fspath(path), more]).encode() + b"\n")
    finally:
        os.close(handle)
