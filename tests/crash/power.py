"""A power cut: after the kill, what was never made durable is taken from the disk.

Strict where file systems are lenient: data without fsync is gone, a rename or a new folder without
an fsync of the folder that holds it did not happen. See sabotage/disk.py for what is known.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path


def cut_power(log: Path) -> int:
    """Undo what the log of a killed deployment shows as not durable; return how many changes."""
    if not log.is_file():
        return 0
    durable: dict[Path, int] = {}
    loose: dict[Path, Path] = {}
    made: set[Path] = set()
    for line in log.read_text().splitlines():
        kind, name, more = json.loads(line)
        path = Path(name)
        match kind:
            case "file":
                durable[path] = more
            case "rename":
                durable[Path(more)] = durable.pop(path, 0)
                loose[Path(more)] = path
            case "made":
                made.add(path)
            case "folder":
                loose = {new: old for new, old in loose.items() if new.parent != path}
                made = {folder for folder in made if folder.parent != path}
    log.unlink()  # what is there after the cut is durable
    return (
        sum(_truncate(path, size) for path, size in durable.items())
        + sum(_rename_back(new, old) for new, old in loose.items())
        + sum(_remove(folder) for folder in made)
    )


def _truncate(path: Path, size: int) -> int:
    if not path.is_file() or path.stat().st_size <= size:
        return 0
    os.truncate(path, size)
    return 1


def _rename_back(new: Path, old: Path) -> int:
    if not new.exists():
        return 0
    new.rename(old)
    return 1


def _remove(folder: Path) -> int:
    if not folder.is_dir():
        return 0
    shutil.rmtree(folder)
    return 1
