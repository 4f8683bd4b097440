"""A data folder that outlives its processes, and workers that can be stopped at any seam.

A seam is a moment of a job at which a process may be killed or paused. A kill is simulated: the
folder is copied byte for byte at that moment, with uncommitted pages and half-written files, and
the test continues with the copy. The stage has its own clock for leases.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from bulkwright.clock import SystemClock
from bulkwright.domain.job import LedgerEntry, PartLease
from bulkwright.domain.upload import Upload
from bulkwright.events.events import ChunkCommitted, Event, JobStarted
from bulkwright.files import Area
from bulkwright.files.local import LocalFiles
from bulkwright.pipeline.context import StopSignal
from bulkwright.runtime.worker import Worker, open_worker
from bulkwright.services import Services
from bulkwright.settings import Settings
from bulkwright.store.claims import ClaimStore
from bulkwright.store.ledger import LedgerStore
from bulkwright.store.uploads import UploadStore

Hook = Callable[[str], None]
"""Called with the name of a seam when a process reaches it."""
WORKERS = ("a", "b")
INSIDE = frozenset({"before piece", "after piece", "before commit"})
"""Seams inside a chunk's transaction: no other process can write there."""


class Killed(BaseException):
    """The process was killed."""


class Stage:
    """One data folder, with a process for the API and one for each worker."""

    def __init__(self, template: Path, room: Path) -> None:
        self._room = room
        self._lives = 0
        self._open: ExitStack | None = None
        self.moment = 10**15
        """The time by which leases run, in microseconds."""
        self.data = template
        self.freeze()
        self.revive()

    def restart(self) -> None:
        """Stop all processes in order and start new ones."""
        self._close()
        self._start()

    def freeze(self) -> None:
        """Copy the disk as it is at this moment; later writes are lost."""
        self._lives += 1
        self._frozen = self._room / f"life-{self._lives}"
        shutil.copytree(self.data, self._frozen)

    def revive(self) -> None:
        """Replace all processes by new ones, which find the copied disk."""
        self._close()
        if self._lives > 1:
            shutil.rmtree(self.data)
        self.data = self._frozen
        self._start()

    def close(self) -> None:
        """Stop all processes."""
        self._close()

    def work(self, name: str, only: int | None, hook: Hook, rows: int, size: int) -> list[Event]:
        """Let a worker claim a job once and return its events. Chunks have `rows` rows at most.

        It releases the job after a chunk if `hook` raises StopIteration at "after commit".
        """
        services, events = self.processes[name][0], list[Event]()
        stop = StopSignal()

        def observe(event: Event) -> None:
            events.append(event)
            if isinstance(event, JobStarted):
                hook("start")
            if isinstance(event, ChunkCommitted):
                try:
                    hook("after commit")
                except StopIteration:
                    stop.is_set = True

        made = self.processes[name][1]
        ctx = replace(
            made._ctx,
            claims=_Claims(services, hook),
            ledger=_Ledger(services, hook),
            files=_Files(self.data / "files", hook),
            observe=observe,
            stop=stop,
            chunk_rows=rows,
            chunk_bytes=size,
        )
        worker = Worker(ctx, made._open_claim_store, made._open_trial)
        worker._identity = name
        worker.run_one(only)
        return events

    def upload(self, hook: Hook) -> Services:
        """The use cases of the API; an upload passes seams."""
        files = _Files(self.data / "files", hook)
        uploads = replace(self.api.uploads, files=files, uploads=_Uploads(self.api, hook))
        made = replace(self.api, files=files)
        vars(made)["uploads"] = uploads  # what its first use would make
        return made

    @property
    def api(self) -> Services:
        """The use cases of the API's process."""
        return self.processes["api"][0]

    def _start(self) -> None:
        self._open = ExitStack()
        settings, clock = Settings(self.data), _LeaseClock(self)
        self.processes = {
            name: self._open.enter_context(open_worker(settings, lambda _: None, clock=clock))
            for name in ("api", *WORKERS)
        }

    def _close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


class _LeaseClock(SystemClock):
    """The clock of the machine, whose monotonic reading is that of the stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def monotonic(self) -> float:
        return self._stage.moment / 1_000_000


class _Files(LocalFiles):
    def __init__(self, root: Path, hook: Hook) -> None:
        super().__init__(root)
        self._hook = hook

    def path(self, area: Area, number: int) -> Path:
        if area is not Area.PIECES:
            self._hook(f"before {area.value.removesuffix('s')}")
        return super().path(area, number)

    def put_piece(self, job_id: int, name: str, data: bytes) -> None:
        self._hook("before piece")
        super().put_piece(job_id, name, data)
        self._hook("after piece")

    def delete_pieces(self, job_id: int) -> None:
        self._hook("after end")
        super().delete_pieces(job_id)


class _Uploads(UploadStore):
    def __init__(self, services: Services, hook: Hook) -> None:
        super().__init__(services.database)
        self._hook = hook

    def add(self, upload: Upload, user_id: int) -> None:
        self._hook("before acknowledgement")
        super().add(upload, user_id)


class _Ledger(LedgerStore):
    def __init__(self, services: Services, hook: Hook) -> None:
        super().__init__(services.database)
        self._hook = hook

    def add(self, lease: PartLease, entry: LedgerEntry) -> None:
        super().add(lease, entry)
        self._hook("before commit")


class _Claims(ClaimStore):
    def __init__(self, services: Services, hook: Hook) -> None:
        super().__init__(services.database)
        self._hook = hook

    def finish(self, *words: Any, **more: Any) -> None:
        self._hook("after result")
        super().finish(*words, **more)
