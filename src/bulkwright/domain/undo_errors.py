"""Why a job cannot be undone.

BulkwrightError
└── CannotUndo                    CANNOT_UNDO (own: its records are in an existing table)
    ├── JobNotEnded                 JOB_NOT_ENDED (own)
    ├── AlreadyUndone               ALREADY_UNDONE (own)
    └── NoImages                    NO_IMAGES (own)
"""

from __future__ import annotations

from bulkwright.domain.errors import BulkwrightError


class CannotUndo(BulkwrightError):
    """The job cannot be undone now; the message says why, and what to do."""

    code = "CANNOT_UNDO"


class JobNotEnded(CannotUndo):
    """The job has not ended."""

    code = "JOB_NOT_ENDED"


class AlreadyUndone(CannotUndo):
    """There is an undo of the job already."""

    code = "ALREADY_UNDONE"


class NoImages(CannotUndo):
    """What the records held before the job is not kept."""

    code = "NO_IMAGES"
