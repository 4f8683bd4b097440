"""The sync and the async client: two thin shells around one core."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar, Unpack

import httpx2

from bulkwright.client.atomic_file import atomic_write
from bulkwright.client.core import Call, Core, Credentials, Steps, WriteOptions
from bulkwright.wire.own import JobSnapshot, NewJob
from bulkwright.wire.responses import JobDetails

T = TypeVar("T")
_FINAL = ("COMPLETED", "FAILED")
_LONGEST_PAUSE = 2.0
_PIECE_BYTES = 256 * 1024


class _Account:
    """The part that both clients share: how an account is described."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        credentials: Credentials | None = None,
        accounts_url: str | None = None,
        upload_url: str | None = None,
        org_id: str | None = None,
        version: str = "v2",
    ) -> None:
        self._core = Core(
            url,
            token=token,
            credentials=credentials,
            accounts_url=accounts_url,
            upload_url=upload_url,
            org_id=org_id,
            version=version,
        )


class Client(_Account):
    """Calls one account and waits for each response.

    Every operation raises `ApiError` if the service rejects the request, and `httpx2.HTTPError` if
    it cannot be reached within `timeout` seconds. An expired token is renewed if `credentials` are
    given.
    """

    def __init__(self, url: str, *, timeout: float = 60.0, **account: Any) -> None:
        super().__init__(url, **account)
        self._http = httpx2.Client(timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def upload(self, path: str | Path) -> str:
        """Uploads a zip; returns the id of the file."""
        with Path(path).open("rb") as file:
            return self._run(self._core.upload(Path(path).name, file))

    def write(
        self, operation: str, module: str, file_id: str, **options: Unpack[WriteOptions]
    ) -> str:
        """Creates a job; returns its id. Without mappings the header names the fields."""
        return self._run(self._core.write(operation, module, file_id, **options))

    def create(self, job: NewJob) -> str:
        """Creates a job over the service's own API; returns its id.

        Raises ApiError if the server is Zoho's, which has no such API.
        """
        return self._run(self._core.create(job))

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
        return self._run(self._core.snapshot(job_id))

    def wait(
        self, job_id: str, *, pause: float = 0.05, watch: Callable[[JobDetails], None] | None = None
    ) -> JobDetails:
        """Polls until the job has ended; returns its last details.

        The first pause is `pause` seconds; each further one is longer, up to 2 seconds. `watch` is
        called with the details of each poll before the last.
        """
        while (details := self.details(job_id)).status not in _FINAL:
            if watch is not None:
                watch(details)
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        return details

    def download(self, details: JobDetails, path: str | Path) -> None:
        """Saves the result zip of a job, piece by piece, so that memory stays flat.

        If the download fails, an existing file at `path` is unchanged and no partial file is left.
        """
        with atomic_write(Path(path)) as file:
            self._run(self._core.result(details, file))

    def _run(self, steps: Steps[T]) -> T:
        call = next(steps)
        while True:
            response = self._send(call)
            try:
                call = steps.send(response)
            except StopIteration as end:
                outcome: T = end.value
                return outcome

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


class AsyncClient(_Account):
    """The same as `Client`, for asyncio."""

    def __init__(self, url: str, *, timeout: float = 60.0, **account: Any) -> None:
        super().__init__(url, **account)
        self._http = httpx2.AsyncClient(timeout=timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def upload(self, path: str | Path) -> str:
        """Uploads a zip; returns the id of the file."""
        with Path(path).open("rb") as file:
            return await self._run(self._core.upload(Path(path).name, file))

    async def write(
        self, operation: str, module: str, file_id: str, **options: Unpack[WriteOptions]
    ) -> str:
        """Creates a job; returns its id. Without mappings the header names the fields."""
        return await self._run(self._core.write(operation, module, file_id, **options))

    async def create(self, job: NewJob) -> str:
        """Creates a job over the service's own API; returns its id.

        Raises ApiError if the server is Zoho's, which has no such API.
        """
        return await self._run(self._core.create(job))

    async def fields(self, module: str) -> list[dict[str, Any]]:
        """Returns the fields of a module, as the service describes them."""
        return await self._run(self._core.fields(module))

    async def details(self, job_id: str) -> JobDetails:
        """Returns the details of a job as they are now."""
        return await self._run(self._core.details(job_id))

    async def snapshot(self, job_id: str) -> JobSnapshot:
        """Returns a job as the service's own API shows it: how its file was read, and more.

        Raises ApiError if the server is Zoho's, which has no such API.
        """
        return await self._run(self._core.snapshot(job_id))

    async def wait(
        self, job_id: str, *, pause: float = 0.05, watch: Callable[[JobDetails], None] | None = None
    ) -> JobDetails:
        """Polls until the job has ended; returns its last details.

        The first pause is `pause` seconds; each further one is longer, up to 2 seconds. `watch` is
        called with the details of each poll before the last.
        """
        while (details := await self.details(job_id)).status not in _FINAL:
            if watch is not None:
                watch(details)
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        return details

    async def download(self, details: JobDetails, path: str | Path) -> None:
        """Saves the result zip of a job, piece by piece, so that memory stays flat.

        If the download fails, an existing file at `path` is unchanged and no partial file is left.
        """
        with atomic_write(Path(path)) as file:
            await self._run(self._core.result(details, file))

    async def _run(self, steps: Steps[T]) -> T:
        call = next(steps)
        while True:
            response = await self._send(call)
            try:
                call = steps.send(response)
            except StopIteration as end:
                outcome: T = end.value
                return outcome

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
