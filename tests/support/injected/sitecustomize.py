"""Python imports this by itself when this folder is on PYTHONPATH: faults, where asked for.

The processes under test run the product as it is. With BULKWRIGHT_FAULTS naming a folder,

    setup.json       constants of modules, set when the module is imported
    full/NAME        as long as this file exists, the method NAME meets a full disk
    poison/ID        a worker that opens the upload ID is killed
    clock            seconds by which the wall clock is off, in all processes
    clock-PID        the same for one of them

and without it nothing happens.
"""

from __future__ import annotations

import errno
import importlib.abc
import importlib.machinery
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from functools import reduce, wraps
from pathlib import Path
from typing import Any

METHODS = {
    "bulkwright.files.local": (
        "LocalIncoming.write",
        "LocalIncoming.move_to",
        "LocalFiles.put_piece",
    ),
    "bulkwright.pipeline.run": ("join_pieces",),
}
"""What may meet a full disk."""


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._constants = json.loads((folder / "setup.json").read_text())

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        constants, methods = self._constants.get(name, {}), METHODS.get(name, ())
        shifted = name == "bulkwright.clock" and (self._folder / "shifts").exists()
        if not constants and not methods and not shifted:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None or spec.loader is None:
            return None
        run = spec.loader.exec_module

        def exec_module(module: Any) -> None:
            run(module)
            for constant, value in constants.items():
                getattr(module, constant)  # it must be there
                setattr(module, constant, value)
            for method in methods:
                *owners, last = method.split(".")
                owner = reduce(getattr, owners, module)
                setattr(owner, last, _full(getattr(owner, last), self._folder / "full" / last))
            if shifted:
                _shift_now(module.SystemClock, self._folder)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _full(original: Callable[..., Any], flag: Path) -> Callable[..., Any]:
    @wraps(original)
    def method(*args: Any, **more: Any) -> Any:
        if flag.exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return original(*args, **more)

    return method


def _poison(folder: Path) -> None:
    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(args[0], (str, Path)) and "worker" in sys.argv:
            place = Path(args[0])
            if place.parent.name == "uploads" and (folder / "poison" / place.stem).exists():
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def _shift_clock(folder: Path) -> None:
    seconds, nanoseconds = time.time, time.time_ns
    time.time = lambda: seconds() + _offset(folder)
    time.time_ns = lambda: nanoseconds() + int(_offset(folder) * 1_000_000_000)


def _shift_now(system_clock: Any, folder: Path) -> None:
    # `datetime.now` reads the machine's clock in C, which the lines above do not change.
    now = system_clock.now
    system_clock.now = lambda self: now(self) + timedelta(seconds=_offset(folder))


def _offset(folder: Path) -> float:
    """By how many seconds the wall clock of this process is off at this moment."""
    sum_of_files = 0.0
    for name in ("clock", f"clock-{os.getpid()}"):
        try:
            sum_of_files += float((folder / name).read_text())
        except (OSError, ValueError):
            continue
    return sum_of_files


if "BULKWRIGHT_FAULTS" in os.environ:
    _folder = Path(os.environ["BULKWRIGHT_FAULTS"])
    sys.meta_path.insert(0, _Finder(_folder))
    _poison(_folder)
    if (_folder / "shifts").exists():
        _shift_clock(_folder)
