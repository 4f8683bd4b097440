"""The space that has to stay free on a disk, so that jobs that run can end and logs be written."""

from __future__ import annotations

import os
from pathlib import Path

from bulkwright.outages import Outage


def check_free_space(folder: Path, least: int) -> None:
    """Raises Outage if the disk of a folder has less than `least` bytes free."""
    if not least:
        return
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    if free < least:
        raise Outage(
            f"less than {least // (1024 * 1024)} MiB are free for the data folder; "
            "free some, or set --free-disk-mib"
        )
