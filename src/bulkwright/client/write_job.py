"""What one call of `write` has created: a job, or several if its source was split."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import UNSET

from bulkwright.client.result import JobDiff, JobResult, WrittenRow
from bulkwright.wire.own import UndoSnapshot
from bulkwright.wire.responses import JobDetails

Watch = Callable[[JobDetails], None]
"""Is called with the details of each poll."""


class _Calls(Protocol):
    """The calls of a client that a job makes."""

    def wait(self, job_id: str, *, pause: float = ..., watch: Watch | None = ...) -> JobDetails: ...

    def download(self, details: JobDetails, path: Path) -> None: ...

    def diff(self, job_id: str, *, into: JobDiff) -> JobDiff: ...

    def undo(self, job_id: str, *, dry_run: bool = ...) -> UndoSnapshot: ...


class _AsyncCalls(Protocol):
    """The same for asyncio."""

    async def wait(
        self, job_id: str, *, pause: float = ..., watch: Watch | None = ...
    ) -> JobDetails: ...

    async def download(self, details: JobDetails, path: Path) -> None: ...

    async def diff(self, job_id: str, *, into: JobDiff) -> JobDiff: ...

    async def undo(self, job_id: str, *, dry_run: bool = ...) -> UndoSnapshot: ...


class _Jobs:
    """What one call of `write` has created."""

    def __init__(self, ids: Sequence[str]) -> None:
        self.ids = tuple(ids)
        """The ids of its jobs, in the order of the rows; several if the source was split."""

    @property
    def id(self) -> str:
        """The id of the only job. Raises ValueError if there are several."""
        (only,) = self.ids
        return only


class WriteJob(_Jobs):
    """The job of a `write`, or its jobs if the source was split."""

    def __init__(self, client: _Calls, ids: Sequence[str]) -> None:
        super().__init__(ids)
        self._client = client

    def wait(self, *, watch: Watch | None = None) -> list[JobDetails]:
        """Waits until all jobs have ended; returns their last details.

        `watch` is called with the details of each poll.
        """
        return [self._client.wait(job_id, watch=watch) for job_id in self.ids]

    def errors(self) -> Iterator[WrittenRow]:
        """Waits until all jobs have ended, and yields the rows that are not stored."""
        return self.result().errors()

    def diff(self) -> JobDiff:
        """Waits until all jobs have ended, and downloads which records they have changed."""
        self.wait()
        found = JobDiff()
        for job_id in self.ids:
            self._client.diff(job_id, into=found)
        return found

    def undo(self, *, dry_run: bool = False) -> list[UndoSnapshot]:
        """Undoes all jobs, the last one first, and waits; returns the undos in that order.

        Their `records` say how many were removed, restored and kept, because they were written
        since. With `dry_run` nothing is changed.
        """
        return [self._client.undo(i, dry_run=dry_run) for i in reversed(self.ids)]

    def result(self) -> JobResult:
        """Waits until all jobs have ended, and downloads their results.

        A job that failed before its first row has none. Raises ApiError if that is the only one.
        """
        result = JobResult()
        for details in self.wait():
            if _has_result(details, self.ids):
                self._client.download(details, result.new_file(details.id))
        return result


class AsyncWriteJob(_Jobs):
    """The same as `WriteJob`, for asyncio."""

    def __init__(self, client: _AsyncCalls, ids: Sequence[str]) -> None:
        super().__init__(ids)
        self._client = client

    async def wait(self, *, watch: Watch | None = None) -> list[JobDetails]:
        """Waits until all jobs have ended; returns their last details.

        `watch` is called with the details of each poll.
        """
        return [await self._client.wait(job_id, watch=watch) for job_id in self.ids]

    async def errors(self) -> Iterator[WrittenRow]:
        """Waits until all jobs have ended, and returns the rows that are not stored."""
        return (await self.result()).errors()

    async def diff(self) -> JobDiff:
        """Waits until all jobs have ended, and downloads which records they have changed."""
        await self.wait()
        found = JobDiff()
        for job_id in self.ids:
            await self._client.diff(job_id, into=found)
        return found

    async def undo(self, *, dry_run: bool = False) -> list[UndoSnapshot]:
        """Undoes all jobs, the last one first, and waits; returns the undos in that order.

        Their `records` say how many were removed, restored and kept, because they were written
        since. With `dry_run` nothing is changed.
        """
        return [await self._client.undo(i, dry_run=dry_run) for i in reversed(self.ids)]

    async def result(self) -> JobResult:
        """Waits until all jobs have ended, and downloads their results.

        A job that failed before its first row has none. Raises ApiError if that is the only one.
        """
        result = JobResult()
        for details in await self.wait():
            if _has_result(details, self.ids):
                await self._client.download(details, result.new_file(details.id))
        return result


def _has_result(details: JobDetails, ids: Sequence[str]) -> bool:
    """Whether to download the result of a job: the download of the only job says why not."""
    return details.result is not UNSET or len(ids) == 1
