"""Opens the results of jobs. Raises FileNotFoundError for one that is not stored."""

from __future__ import annotations

import logging
from typing import BinaryIO

from bulkwright.domain.errors import ResultDamaged
from bulkwright.domain.limits import VERIFIED_AT_ONCE_BYTES
from bulkwright.files import Area, DamagedFile, Files

_log = logging.getLogger("bulkwright.jobs")


def open_verified(files: Files, job_id: int, sha256: str | None) -> BinaryIO:
    """Opens a result after its checksum was verified. Raises ResultDamaged if it differs."""
    try:
        return files.open(Area.RESULTS, job_id, sha256)
    except DamagedFile as damage:
        _log.error("job %d: %s; restore it from a backup", job_id, damage)
        raise ResultDamaged from damage


def open_to_send(files: Files, job_id: int, sha256: str | None) -> tuple[BinaryIO, str | None]:
    """Opens a result, and returns the checksum that it should have.

    The checksum is None if it was verified. That of a large file is not, because the response would
    have to wait until the file was read: verify it while it is sent. Raises ResultDamaged.
    """
    if files.size(Area.RESULTS, job_id) <= VERIFIED_AT_ONCE_BYTES:
        return open_verified(files, job_id, sha256), None
    return files.open(Area.RESULTS, job_id, None), sha256
