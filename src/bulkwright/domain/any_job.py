"""What a worker can run: a bulk write, a bulk read, or an undo."""

from __future__ import annotations

from typing import TypeAlias

from bulkwright.domain.job import Job
from bulkwright.domain.read_job import ReadJob
from bulkwright.domain.undo_job import UndoJob

AnyJob: TypeAlias = Job | ReadJob | UndoJob
