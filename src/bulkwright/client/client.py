"""The sync and the async client: two thin shells around one core."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self, TypeVar, Unpack

import httpx2

from bulkwright.atomic_file import atomic_write
from bulkwright.client.core import ZOHO_ROWS, Core
from bulkwright.client.options import AccountOptions, CreateOptions, Operation, WriteOptions
from bulkwright.client.result import JobDiff
from bulkwright.client.sources import Shape, Source, pieces
from bulkwright.client.steps import Call, Pause, Running, Steps
from bulkwright.client.write_job import AsyncWriteJob, Watch, WriteJob
from bulkwright.wire.own import (
    AbortedJob,
    JobDeletion,
    JobErrors,
    JobSnapshot,
    NewJob,
    UndoSnapshot,
)
from bulkwright.wire.own_changes import HistoryOfRecord
from bulkwright.wire.responses import JobDetails

T = TypeVar("T")
_PIECE_BYTES = 256 * 1024


class _Shared:
    """The part that both clients share."""

    def __init__(self, url: str, **account: Unpack[AccountOptions]) -> None:
        self._core = Core(url, **account)

    @property
    def is_zoho(self) -> bool:
        """Whether the URL is one of Zoho's data centres, which have no API of our own."""
        return self._core.is_zoho

    def _write(
        self,
        source: Source,
        folder: Path,
        module: str,
        operation: Operation,
        options: WriteOptions,
    ) -> Steps[list[str]]:
        rows = options.get("rows_per_job") or (ZOHO_ROWS if self._core.is_zoho else None)
        shape = Shape(
            rows,
            options.get("character_encoding") or "utf-8-sig",
            options.get("delimiter", ","),
            options.get("sheet"),
        )
        with_header = isinstance(options.get("mappings"), Mapping)
        files = pieces(source, folder, shape, with_header=with_header)
        return self._core.write(files, operation, module, **options)


class Client(_Shared):
    """Calls one account and waits for each response.

    Every operation raises `ApiError` if the service rejects the request, and `httpx2.HTTPError` if
    it cannot be reached within `timeout` seconds. While the service is busy or away (429 and 503,
    other errors of a server, an interrupted connection) a call is repeated `retries` times, after
    the time that the service asks for. A call that creates something is only repeated where that
    cannot create it twice. An expired token is renewed if `credentials` are given.
    """

    def __init__(
        self, url: str, *, timeout: float = 60.0, **account: Unpack[AccountOptions]
    ) -> None:
        super().__init__(url, **account)
        self._http = httpx2.Client(timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def write(
        self,
        source: Source,
        *,
        module: str,
        operation: Operation = "insert",
        **options: Unpack[WriteOptions],
    ) -> WriteJob:
        """Uploads a source and creates its job; returns it without waiting for its end.

        A source is a path to a CSV, TSV, JSON lines, Parquet, XLSX or a zip, such a file that is
        open for reading bytes, an iterable of dicts, or a frame of Polars, pandas or Arrow. One
        that has more rows than a job may have becomes several jobs; an update or upsert then waits
        for each of them but the last. Raises ValueError for a source that cannot be written.
        """
        with TemporaryDirectory(prefix="bulkwright-") as folder:
            steps = self._write(source, Path(folder), module, operation, options)
            return WriteJob(self, self._run(steps))

    def upload(self, path: str | Path) -> str:
        """Uploads a zip; returns the id of the file."""
        with Path(path).open("rb") as file:
            return self._run(self._core.upload(Path(path).name, file))

    def create(
        self, operation: str, module: str, file_id: str, **options: Unpack[CreateOptions]
    ) -> str:
        """Creates a job; returns its id. Without mappings the header names the fields."""
        return self._run(self._core.create(operation, module, file_id, **options))

    def create_own(self, job: NewJob) -> str:
        """Creates a job with all that the service's own API takes, such as a delimiter.

        Returns its id. Raises ApiError as `snapshot` does.
        """
        return self._run(self._core.create_own(job))

    def fields(self, module: str) -> list[dict[str, Any]]:
        """Returns the fields of a module, as the service describes them."""
        return self._run(self._core.fields(module))

    def details(self, job_id: str) -> JobDetails:
        """Returns the details of a job as they are now."""
        return self._run(self._core.details(job_id))

    def snapshot(self, job_id: str) -> JobSnapshot:
        """Returns a job as the service's own API shows it: how its file was read, and more.

        Raises ApiError if the server is Zoho's, which has no such API.
        """
        return self._run(self._core.own("GET", f"/jobs/{job_id}", JobSnapshot))

    def errors(self, job_id: str, module: str | None = None) -> JobErrors:
        """Returns how many rows of a job have which error in which column, with some of them.

        A job with several files needs `module`. Raises ApiError as `snapshot` does.
        """
        query = "" if module is None else f"?{httpx2.QueryParams(module=module)}"
        return self._run(self._core.own("GET", f"/jobs/{job_id}/errors{query}", JobErrors))

    def abort(self, job_id: str) -> AbortedJob:
        """Ends a job: no further row is stored. Raises ApiError if it has ended."""
        return self._run(self._core.own("POST", f"/jobs/{job_id}/abort", AbortedJob))

    def undo(self, job_id: str, *, dry_run: bool = False) -> UndoSnapshot:
        """Removes the records that a job created, restores those that it updated, and waits.

        Records that were written since are kept. With `dry_run` it only counts. Raises ApiError if
        the job cannot be undone.
        """
        return self._run(self._core.undo(job_id, dry_run=dry_run))

    def diff(self, job_id: str, module: str | None = None, into: JobDiff | None = None) -> JobDiff:
        """Downloads what an ended job has changed, in addition to what is `into` an earlier diff.

        A job with several files needs `module`. Raises ApiError as `snapshot` does, and if it is
        not known any more.
        """
        found = into or JobDiff()
        with found.new_file(job_id).open("wb") as file:
            self._run(self._core.diff(job_id, module, file))
        return found

    def history(self, module: str, record_id: str) -> HistoryOfRecord:
        """Returns the writes of a record, newest first: by which job, what it has changed."""
        return self._run(self._core.history(module, record_id))

    def delete(self, job_id: str) -> JobDeletion:
        """Deletes an ended job with its result and its file; the records stay."""
        return self._run(self._core.own("DELETE", f"/jobs/{job_id}", JobDeletion))

    def wait(self, job_id: str, *, pause: float = 0.05, watch: Watch | None = None) -> JobDetails:
        """Polls until the job has ended; returns its last details.

        The first pause is `pause` seconds; each further one is longer, up to 2 seconds. `watch` is
        called with the details of each poll before the last.
        """
        return self._run(self._core.wait(job_id, pause, watch))

    def download(self, details: JobDetails, path: str | Path) -> None:
        """Saves the result zip of a job, piece by piece, so that memory stays flat.

        If the download fails, an existing file at `path` is unchanged and no partial file is left.
        """
        with atomic_write(Path(path)) as file:
            self._run(self._core.result(details, file))

    def _run(self, steps: Steps[T]) -> T:
        running = Running(steps)
        step = running.advance()
        while step is not None:
            answer = None
            try:
                if isinstance(step, Pause):
                    time.sleep(step.seconds)
                else:
                    answer = self._send(step)
            except httpx2.TransportError as error:
                step = running.fail(error)
            else:
                step = running.advance(answer)
        return running.outcome

    def _send(self, call: Call) -> httpx2.Response:
        if call.save_to is None:
            return self._http.request(call.method, call.url, **_arguments(call))
        with self._http.stream(call.method, call.url, **_arguments(call)) as response:
            if response.is_success:
                for piece in response.iter_bytes(_PIECE_BYTES):
                    call.save_to.write(piece)
            else:
                response.read()
        return response


class AsyncClient(_Shared):
    """The same as `Client`, for asyncio."""

    def __init__(
        self, url: str, *, timeout: float = 60.0, **account: Unpack[AccountOptions]
    ) -> None:
        super().__init__(url, **account)
        self._http = httpx2.AsyncClient(timeout=timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def write(
        self,
        source: Source,
        *,
        module: str,
        operation: Operation = "insert",
        **options: Unpack[WriteOptions],
    ) -> AsyncWriteJob:
        """Uploads a source and creates its job, as `Client.write` does.

        The source is read on other threads, so that the event loop is not blocked.
        """
        with TemporaryDirectory(prefix="bulkwright-") as folder:
            steps = self._write(source, Path(folder), module, operation, options)
            return AsyncWriteJob(self, await self._run(steps, on_threads=True))

    async def upload(self, path: str | Path) -> str:
        """Uploads a zip; returns the id of the file."""
        with Path(path).open("rb") as file:
            return await self._run(self._core.upload(Path(path).name, file))

    async def create(
        self, operation: str, module: str, file_id: str, **options: Unpack[CreateOptions]
    ) -> str:
        """Creates a job; returns its id. Without mappings the header names the fields."""
        return await self._run(self._core.create(operation, module, file_id, **options))

    async def create_own(self, job: NewJob) -> str:
        """Creates a job with all that the service's own API takes; returns its id."""
        return await self._run(self._core.create_own(job))

    async def fields(self, module: str) -> list[dict[str, Any]]:
        """Returns the fields of a module, as the service describes them."""
        return await self._run(self._core.fields(module))

    async def details(self, job_id: str) -> JobDetails:
        """Returns the details of a job as they are now."""
        return await self._run(self._core.details(job_id))

    async def snapshot(self, job_id: str) -> JobSnapshot:
        """Returns a job as the service's own API shows it, as `Client.snapshot` does."""
        return await self._run(self._core.own("GET", f"/jobs/{job_id}", JobSnapshot))

    async def errors(self, job_id: str, module: str | None = None) -> JobErrors:
        """Returns the errors of a job in groups, as `Client.errors` does."""
        query = "" if module is None else f"?{httpx2.QueryParams(module=module)}"
        return await self._run(self._core.own("GET", f"/jobs/{job_id}/errors{query}", JobErrors))

    async def abort(self, job_id: str) -> AbortedJob:
        """Ends a job: no further row is stored. Raises ApiError if it has ended."""
        return await self._run(self._core.own("POST", f"/jobs/{job_id}/abort", AbortedJob))

    async def undo(self, job_id: str, *, dry_run: bool = False) -> UndoSnapshot:
        """Undoes a job and waits, as `Client.undo` does."""
        return await self._run(self._core.undo(job_id, dry_run=dry_run))

    async def diff(
        self, job_id: str, module: str | None = None, into: JobDiff | None = None
    ) -> JobDiff:
        """Downloads what an ended job has changed, as `Client.diff` does."""
        found = into or JobDiff()
        with found.new_file(job_id).open("wb") as file:
            await self._run(self._core.diff(job_id, module, file))
        return found

    async def history(self, module: str, record_id: str) -> HistoryOfRecord:
        """Returns the writes of a record, newest first: by which job, what it has changed."""
        return await self._run(self._core.history(module, record_id))

    async def delete(self, job_id: str) -> JobDeletion:
        """Deletes an ended job with its result and its file; the records stay."""
        return await self._run(self._core.own("DELETE", f"/jobs/{job_id}", JobDeletion))

    async def wait(
        self, job_id: str, *, pause: float = 0.05, watch: Watch | None = None
    ) -> JobDetails:
        """Polls until the job has ended, as `Client.wait` does; returns its last details."""
        return await self._run(self._core.wait(job_id, pause, watch))

    async def download(self, details: JobDetails, path: str | Path) -> None:
        """Saves the result zip of a job, as `Client.download` does."""
        with atomic_write(Path(path)) as file:
            await self._run(self._core.result(details, file))

    async def _run(self, steps: Steps[T], *, on_threads: bool = False) -> T:
        running = Running(steps)
        step = await asyncio.to_thread(running.advance) if on_threads else running.advance()
        while step is not None:
            answer = None
            try:
                if isinstance(step, Pause):
                    await asyncio.sleep(step.seconds)
                else:
                    answer = await self._send(step)
            except httpx2.TransportError as error:
                step = running.fail(error)
            else:
                step = (
                    await asyncio.to_thread(running.advance, answer)
                    if on_threads
                    else running.advance(answer)
                )
        return running.outcome

    async def _send(self, call: Call) -> httpx2.Response:
        if call.save_to is None:
            return await self._http.request(call.method, call.url, **_arguments(call))
        async with self._http.stream(call.method, call.url, **_arguments(call)) as response:
            if response.is_success:
                async for piece in response.aiter_bytes(_PIECE_BYTES):
                    await asyncio.to_thread(call.save_to.write, piece)
            else:
                await response.aread()
        return response


def _arguments(call: Call) -> dict[str, Any]:
    files = None if call.file is None else {"file": call.file}
    return {
        "headers": call.headers,
        "content": call.content,
        "data": call.form,
        "files": files,
    }
