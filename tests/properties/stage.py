"""A data folder that outlives its processes, and workers that can be stopped at any seam.

A seam is a moment in a job's life at which a process may die or be paused. Dying is played as it
is: the folder is copied byte for byte at that moment, uncommitted pages and half-written files
included, and everything goes on with the copy. Leases run by a clock of the stage.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

from bulkwright.config import Settings
from bulkwright.domain.job import Lease, LedgerEntry
from bulkwright.domain.upload import Upload
from bulkwright.files import Area
from bulkwright.files.local import LocalFiles
from bulkwright.observe import ChunkCommitted, Event, JobStarted
from bulkwright.store.jobs import JobStore
from bulkwright.wiring import Services, open_bench
from bulkwright.worker import Worker

Hook = Callable[[str], None]
"""Called with a seam's name when it is reached."""
WORKERS = ("a", "b")
INSIDE = frozenset({"before part", "after part", "before commit"})
"""Seams within a chunk's transaction: nobody else can write there."""


class Killed(BaseException):
    """The process is no more."""


class Stage:
    """One data folder, with a process for the API and one for each worker."""

    def __init__(self, template: Path, room: Path) -> None:
        self._room = room
        self._lives = 0
        self._open: ExitStack | None = None
        self.moment = 10**15
        """What leases take for the time, in microseconds."""
        self._clock = ExitStack()
        for module in ("jobs", "clock"):
            clock = f"bulkwright.store.{module}.lease_now"
            self._clock.enter_context(mock.patch(clock, lambda: self.moment))
        self.data = template
        self.freeze()
        self.revive()

    def restart(self) -> None:
        """All processes end in peace, and new ones start."""
        self._close()
        self._start()

    def freeze(self) -> None:
        """Keep what is on the disk at this moment; whatever is done after it never was."""
        self._lives += 1
        self._frozen = self._room / f"life-{self._lives}"
        shutil.copytree(self.data, self._frozen)

    def revive(self) -> None:
        """All processes are gone, and new ones find what was frozen."""
        self._close()
        if self._lives > 1:
            shutil.rmtree(self.data)
        self.data = self._frozen
        self._start()

    def close(self) -> None:
        """The end."""
        self._close()
        self._clock.close()

    def work(self, name: str, only: int | None, hook: Hook, rows: int, size: int) -> list[Event]:
        """Let a worker look for a job once; what it tells. Chunks hold `rows` rows at most.

        It gives the job back after a chunk when `hook` answers "after commit" with StopIteration.
        """
        services, events = self.processes[name][0], list[Event]()
        stop = False

        def observe(event: Event) -> None:
            nonlocal stop
            events.append(event)
            if isinstance(event, JobStarted):
                hook("start")
            if isinstance(event, ChunkCommitted):
                try:
                    hook("after commit")
                except StopIteration:
                    stop = True

        made = self.processes[name][1]
        shop = replace(
            made._shop,
            jobs=_Jobs(services, hook),
            files=_Files(self.data / "files", hook),
            observe=observe,
            stopping=lambda: stop,
            chunk_rows=rows,
            chunk_bytes=size,
        )
        worker = Worker(shop, made._heart)
        worker._holder = name
        worker.run_one(only)
        return events

    def upload(self, hook: Hook) -> Services:
        """The API's use cases, receiving with seams."""
        files = _Files(self.data / "files", hook)
        jobs = _Jobs(self.api, hook)
        uploads = replace(self.api.uploads, files=files, jobs=jobs)
        return replace(self.api, files=files, uploads=uploads)

    @property
    def api(self) -> Services:
        """The use cases of the API's process."""
        return self.processes["api"][0]

    def _start(self) -> None:
        self._open = ExitStack()
        settings = Settings(self.data)
        self.processes = {
            name: self._open.enter_context(open_bench(settings, lambda _: None))
            for name in ("api", *WORKERS)
        }

    def _close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


class _Files(LocalFiles):
    def __init__(self, root: Path, hook: Hook) -> None:
        super().__init__(root)
        self._hook = hook

    def place(self, area: Area, number: int) -> Path:
        if area is not Area.PARTS:
            self._hook(f"before {area.value.removesuffix('s')}")
        return super().place(area, number)

    def put_part(self, job_id: int, name: str, data: bytes) -> None:
        self._hook("before part")
        super().put_part(job_id, name, data)
        self._hook("after part")

    def drop_parts(self, job_id: int) -> None:
        self._hook("after end")
        super().drop_parts(job_id)


class _Jobs(JobStore):
    def __init__(self, services: Services, hook: Hook) -> None:
        super().__init__(services.database)
        self._hook = hook

    def add_upload(self, upload: Upload, user_id: int) -> None:
        self._hook("before acknowledgement")
        super().add_upload(upload, user_id)

    def enter(self, lease: Lease, entry: LedgerEntry) -> None:
        super().enter(lease, entry)
        self._hook("before commit")

    def finish(self, *words: Any, **more: Any) -> None:
        self._hook("after result")
        super().finish(*words, **more)
