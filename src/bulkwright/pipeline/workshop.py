"""Everything a job needs to run, in one value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bulkwright.domain.limits import CHUNK_ROWS, CHUNK_TEXT_BYTES, Limits
from bulkwright.files import Files
from bulkwright.observe import Observer
from bulkwright.ports import RecordSink
from bulkwright.store.accounts import AccountStore
from bulkwright.store.jobs import JobStore
from bulkwright.store.modules import ModuleStore


@dataclass(frozen=True, slots=True)
class Workshop:
    """The stores, the files and the rules by which a worker runs jobs."""

    jobs: JobStore
    modules: ModuleStore
    accounts: AccountStore
    sink: RecordSink
    files: Files
    limits: Limits
    observe: Observer
    stopping: Callable[[], bool]
    """Asked after every chunk: shall the job be given back here?"""
    dry: bool = False
    """Whether the caller will take everything back: new records get no id in the result."""
    chunk_rows: int = CHUNK_ROWS
    chunk_bytes: int = CHUNK_TEXT_BYTES
