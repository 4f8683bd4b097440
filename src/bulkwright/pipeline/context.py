"""Everything that a job needs to run, in one value."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.domain.limits import CHUNK_ROWS, CHUNK_TEXT_BYTES, Limits
from bulkwright.events.events import Observer
from bulkwright.files import Files
from bulkwright.pipeline.chunk_limit import ChunkLimit
from bulkwright.ports import RecordStores
from bulkwright.store.accounts import AccountStore
from bulkwright.store.claims import ClaimStore
from bulkwright.store.jobs import JobStore
from bulkwright.store.ledger import LedgerStore
from bulkwright.store.modules import ModuleStore
from bulkwright.store.parts import PartStore
from bulkwright.store.reads import ReadStore
from bulkwright.store.undos import UndoStore
from bulkwright.store.uploads import UploadStore


class StopSignal:
    """Stops a worker after the current chunk. A signal handler may set it.

    It is not a `threading.Event`, because a handler may run while its own thread holds the lock of
    the event.
    """

    __slots__ = ("is_set",)

    def __init__(self) -> None:
        self.is_set = False


@dataclass(frozen=True, slots=True)
class JobContext:
    """The stores, the files and the limits with which a worker runs jobs."""

    jobs: JobStore
    uploads: UploadStore
    claims: ClaimStore
    parts: PartStore
    ledger: LedgerStore
    reads: ReadStore
    undos: UndoStore
    modules: ModuleStore
    accounts: AccountStore
    records: RecordStores
    files: Files
    limits: Limits
    observe: Observer
    threads: Executor
    """Two threads that work beside the one that writes records."""
    stop: StopSignal = field(default_factory=StopSignal)
    """Checked after every chunk. If it is set, the worker releases the job."""
    dry: bool = False
    """Whether the caller rolls everything back: new records have no id in the result."""
    keep_images: bool = False
    """Whether the former values of updated records are kept, so that jobs can be undone."""
    quote_formulas: bool = False
    """Whether cells of the result that begin like a formula get an apostrophe."""
    chunk_limit: ChunkLimit = field(default_factory=lambda: ChunkLimit(limited=False))
    """How many rows a chunk has, below `chunk_rows`."""
    most_parts: int | None = 1
    """Into how many parts the rows of a resource are divided at most; None: one for each worker."""
    parts_at_once: int = 1
    """How many parts of one job this worker runs at the same time, each on a thread."""
    short_jobs_beside: bool = False
    """Whether short jobs run on a thread beside a longer one; otherwise between its chunks."""
    after_chunk: Callable[[], None] | None = None
    """Called after each chunk of a job that this worker has claimed; it may raise Interrupted."""
    chunk_rows: int = CHUNK_ROWS
    chunk_bytes: int = CHUNK_TEXT_BYTES
    clock: Clock = SYSTEM_CLOCK
