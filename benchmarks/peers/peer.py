"""What a peer's script is: four steps over one file and one folder, each a process of its own.

    python PEER.py prepare|load|account|close CSV FOLDER

prepare  make the empty target, with the types and rules that it can hold; not timed
load     load the file; timed as a whole process
account  say which rows are in the target, and which were answered with a reason of their own
close    leave nothing running

Only the standard library, so that it can be imported in the environment of any peer.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Task:
    """One load: from where, and the folder that holds the target and all else that is made."""

    csv: Path
    folder: Path

    def loaded(self, rows: Iterable[object]) -> None:
        """Note the numbers of the rows that are in the target."""
        _write(self.folder / "loaded.txt", rows)

    def explained(self, rows: Iterable[object]) -> None:
        """Note the numbers of the rows that were answered with a reason of their own."""
        _write(self.folder / "explained.txt", rows)


Step = Callable[[Task], None]


def _write(path: Path, rows: Iterable[object]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{row}\n" for row in rows)


def noted(path: Path) -> Iterator[int]:
    """The row numbers that a peer's script has noted."""
    with path.open(encoding="utf-8") as lines:
        yield from map(int, lines)


def nothing(task: Task) -> None:
    """A step with nothing to do."""


def main(prepare: Step, load: Step, account: Step, close: Step = nothing) -> None:
    """Do the step named on the command line."""
    step, source, folder = sys.argv[1:]
    steps = {"prepare": prepare, "load": load, "account": account, "close": close}
    steps[step](Task(Path(source), Path(folder)))
