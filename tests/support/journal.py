"""What the outside saw of a deployment: what was asked, what was acknowledged, what was polled."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self


@dataclass
class Journal:
    """Everything that a checker needs to know beside the data folder."""

    uploads: list[tuple[str, str | None]] = field(default_factory=list)
    """SHA-256 of each upload that was sent, and its file id if that was acknowledged."""
    creates: list[tuple[str, str, int | None]] = field(default_factory=list)
    """File id and operation of each job that was asked for, and its id if that was acknowledged."""
    polls: list[tuple[int, str, int, int, int]] = field(default_factory=list)
    """Job, status, added, updated and skipped of each answer that differed from the one before."""
    letters: list[tuple[int, str]] = field(default_factory=list)
    """Job and webhook id of each callback that arrived."""
    results: list[tuple[int, str]] = field(default_factory=list)
    """Job and SHA-256 of each result that was downloaded."""
    called: list[int] = field(default_factory=list)
    """Jobs that asked for a callback."""
    may_fail: list[int] = field(default_factory=list)
    """Jobs that have ended their workers so often that they may be given up."""

    swept: list[tuple[int, str]] = field(default_factory=list)
    """Jobs whose time is over, and their uploads: nothing of them may be left but the records."""

    def save(self, path: Path) -> None:
        """Write it down."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> Self:
        """What `save` wrote."""
        return cls(**json.loads(path.read_text()))
