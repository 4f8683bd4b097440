"""The sync and the async client: two thin shells around one core."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar, Unpack

import httpx2

from bulkwright.client.core import Call, Core, Credentials, Steps, WriteOptions
from bulkwright.wire.responses import JobDetails

T = TypeVar("T")
_FINAL = ("COMPLETED", "FAILED")
_LONGEST_PAUSE = 2.0


class _Shell:
    """What both clients are made of."""

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


class Client(_Shell):
    """Talks to one account and waits for each answer.

    Every operation raises `ApiError` when the service refuses, `httpx2.HTTPError` when it cannot
    be reached. A token that has run out is renewed when `credentials` are given.
    """

    def __init__(self, url: str, *, timeout: float = 60.0, **account: Any) -> None:
        super().__init__(url, **account)
        self._http = httpx2.Client(timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def upload(self, path: str | Path) -> str:
        """Upload a zip; the id of the file."""
        with Path(path).open("rb") as file:
            return self._run(self._core.upload(Path(path).name, file))

    def write(
        self, operation: str, module: str, file_id: str, **options: Unpack[WriteOptions]
    ) -> str:
        """Create a job; its id. Without mappings the header names the fields."""
        return self._run(self._core.write(operation, module, file_id, **options))

    def details(self, job_id: str) -> JobDetails:
        """Job details as they are now."""
        return self._run(self._core.details(job_id))

    def wait(
        self, job_id: str, *, pause: float = 0.05, watch: Callable[[JobDetails], None] | None = None
    ) -> JobDetails:
        """Poll until the job has ended, less often as time goes by; its last details."""
        while (details := self.details(job_id)).status not in _FINAL:
            if watch is not None:
                watch(details)
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        return details

    def download(self, details: JobDetails, path: str | Path) -> None:
        """Save the result zip of a job."""
        Path(path).write_bytes(self._run(self._core.result(details)))

    def _run(self, steps: Steps[T]) -> T:
        call = next(steps)
        while True:
            answer = self._http.request(call.method, call.url, **_arguments(call))
            try:
                call = steps.send(answer)
            except StopIteration as end:
                outcome: T = end.value
                return outcome


class AsyncClient(_Shell):
    """The same as `Client`, for asyncio."""

    def __init__(self, url: str, *, timeout: float = 60.0, **account: Any) -> None:
        super().__init__(url, **account)
        self._http = httpx2.AsyncClient(timeout=timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def upload(self, path: str | Path) -> str:
        """Upload a zip; the id of the file."""
        with Path(path).open("rb") as file:
            return await self._run(self._core.upload(Path(path).name, file))

    async def write(
        self, operation: str, module: str, file_id: str, **options: Unpack[WriteOptions]
    ) -> str:
        """Create a job; its id. Without mappings the header names the fields."""
        return await self._run(self._core.write(operation, module, file_id, **options))

    async def details(self, job_id: str) -> JobDetails:
        """Job details as they are now."""
        return await self._run(self._core.details(job_id))

    async def wait(
        self, job_id: str, *, pause: float = 0.05, watch: Callable[[JobDetails], None] | None = None
    ) -> JobDetails:
        """Poll until the job has ended, less often as time goes by; its last details."""
        while (details := await self.details(job_id)).status not in _FINAL:
            if watch is not None:
                watch(details)
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        return details

    async def download(self, details: JobDetails, path: str | Path) -> None:
        """Save the result zip of a job."""
        content = await self._run(self._core.result(details))
        await asyncio.to_thread(Path(path).write_bytes, content)

    async def _run(self, steps: Steps[T]) -> T:
        call = next(steps)
        while True:
            answer = await self._http.request(call.method, call.url, **_arguments(call))
            try:
                call = steps.send(answer)
            except StopIteration as end:
                outcome: T = end.value
                return outcome


def _arguments(call: Call) -> dict[str, Any]:
    files = None if call.file is None else {"file": call.file}
    return {
        "headers": call.headers,
        "content": call.content,
        "data": call.form,
        "files": files,
    }
