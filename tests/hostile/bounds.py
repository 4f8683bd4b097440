"""The bounds of one case: CPU time and memory of every process of the service, and disk.

Linux reports the peak memory of a process (VmHWM in /proc/PID/status). Writing 5 to
/proc/PID/clear_refs resets it to the memory in use, so that no peak between two checks is missed.
Disk is checked every few milliseconds.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MiB = 1024 * 1024
MOST_MEMORY = (256 + 32) * MiB
"""Growth of one process; 32 MiB of it are modules that a young server imports meanwhile."""
MOST_DISK = 64 * MiB
"""Growth of the data folder without uploads and results, which are kept on purpose."""
_CHECK_SECONDS = 0.02


def family(pid: int) -> list[int]:
    """A process and all that it has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(p for child in children for p in family(int(child)))]


@contextmanager
def held(pid: int, data: Path, seconds: float) -> Iterator[None]:
    """Assert that the block keeps within the bounds, and that no process ends or is replaced.

    `seconds` is CPU time of all processes together.
    """
    pids = family(pid)
    for one in pids:
        Path(f"/proc/{one}/clear_refs").write_text("5")
    before = {one: _memory(one, "VmRSS") for one in pids}
    begun = sum(map(_cpu_seconds, pids))
    with _DiskWatch(data) as disk:
        yield
    assert family(pid) == pids, "a process of the service has died"
    used = sum(map(_cpu_seconds, pids)) - begun
    assert used <= seconds, f"{used:.1f} s of CPU time"
    grown = {one: _memory(one, "VmHWM") - before[one] for one in pids}
    assert max(grown.values()) <= MOST_MEMORY, grown
    assert disk.grown <= MOST_DISK, disk.grown


def _cpu_seconds(pid: int) -> float:
    """The CPU time of a process so far: the time of a clock depends on what else runs here."""
    used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int, what: str) -> int:
    found = re.search(rf"^{what}:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.M)
    assert found
    return int(found[1]) * 1024


class _DiskWatch:
    """The most that a data folder takes while the block runs."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._done = threading.Event()
        self._before = self._most = self._size()
        self._thread = threading.Thread(target=self._watch)

    @property
    def grown(self) -> int:
        """Bytes."""
        return self._most - self._before

    def _size(self) -> int:
        files = self._data / "files"
        places = (self._data, files / "incoming", *(files / "parts").iterdir())
        size = 0
        for place in places:
            with suppress(FileNotFoundError):
                for path in place.iterdir():
                    with suppress(FileNotFoundError):
                        size += path.stat().st_size
        return size

    def _watch(self) -> None:
        while not self._done.wait(_CHECK_SECONDS):
            self._most = max(self._most, self._size())

    def __enter__(self) -> _DiskWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._most = max(self._most, self._size())
