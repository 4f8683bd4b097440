"""Downloads of results: flat in memory, all or nothing on disk. The server sends prepared bytes."""

from __future__ import annotations

import asyncio
import os
import stat
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx2
import pytest
from msgspec import UNSET, structs

from bulkwright import ApiError, AsyncClient, Client, Credentials
from bulkwright.wire.responses import JobDetails, PersonReference, Result

MiB = 2**20
BLOCK = bytes(range(256)) * 4096
"""One MiB."""

STOPPED = Event()
"""Set when the server is no longer needed."""

Download = Callable[..., None]


class Handler(BaseHTTPRequestHandler):
    """Results by path; all want the token `sound`.

    `/2` sends two blocks, and so on. `/cut` closes the connection after two of sixty blocks,
    `/stalled` sends one and no more. `/moved` is a redirect.
    """

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Send a result, or an error."""
        if self.headers["Authorization"] != "Zoho-oauthtoken sound":
            self.reply(401, b'{"code":"INVALID_TOKEN","status":"error","message":"","details":{}}')
        elif self.path[1:].isdigit():
            self.reply(200, *[BLOCK] * int(self.path[1:]))
        elif self.path == "/cut":
            self.reply(200, BLOCK, BLOCK, length=60 * MiB)
            self.close_connection = True
        elif self.path == "/stalled":
            self.reply(200, BLOCK, length=60 * MiB)
            STOPPED.wait(30)
        elif self.path == "/moved":
            self.reply(302, b"", Location="/2")
        else:
            self.reply(403, b'{"status":"error","info":"Forbidden","x-info":"Link not valid"}')

    def do_POST(self) -> None:
        """Grant a new token; below `/proxy` and `/other` another program answers."""
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith("/proxy"):
            self.reply(502, b"<html>Bad Gateway</html>")
        elif self.path.startswith("/other"):
            self.reply(200, b"[]")
        else:
            self.reply(200, b'{"access_token":"sound"}')

    def reply(self, status: int, *blocks: bytes, length: int | None = None, **more: str) -> None:
        """Send a response; `length` is the promised size if it is not that of the blocks."""
        self.send_response(status)
        for name, value in more.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length or sum(map(len, blocks))))
        self.end_headers()
        for block in blocks:
            self.wfile.write(block)

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The URL of a server on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        STOPPED.set()
        server.shutdown()
        thread.join()


@pytest.fixture(params=["sync", "async"])
def download(request: pytest.FixtureRequest, url: str) -> Download:
    """Downloads what the server has at a path, with each client in turn."""

    def by_sync(path: str, target: Path | str, **account: Any) -> None:
        with Client(url, **{"token": "sound", **account}) as client:
            client.download(details(path), target)

    async def by_async(path: str, target: Path | str, **account: Any) -> None:
        async with AsyncClient(url, **{"token": "sound", **account}) as client:
            await client.download(details(path), target)

    if request.param == "sync":
        return by_sync
    return lambda *arguments, **account: asyncio.run(by_async(*arguments, **account))


def details(path: str) -> JobDetails:
    """A completed job whose result is at a path."""
    return JobDetails(
        status="COMPLETED",
        resource=[],
        id="1",
        result=Result(download_url=path),
        created_by=PersonReference(id="2", name="Patricia Boyle"),
        operation="insert",
        created_time="2024-01-31T09:00:00+00:00",
    )


@contextmanager
def unchanged(folder: Path, **files: bytes) -> Iterator[None]:
    """The folder holds these files before and after the block, and no others."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    yield
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files


@pytest.mark.slow
def test_a_large_result_does_not_fill_the_memory(download: Download, tmp_path: Path) -> None:
    """60 MiB arrive whole, and at no moment are 8 MiB of them in memory."""
    tracemalloc.start()
    try:
        download("/60", tmp_path / "result.zip")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * MiB
    assert [path.name for path in tmp_path.iterdir()] == ["result.zip"]
    with (tmp_path / "result.zip").open("rb") as file:
        digest = sha256()
        while block := file.read(MiB):
            digest.update(block)
    assert digest.digest() == sha256(BLOCK * 60).digest()


def test_a_download_that_breaks_off_leaves_the_target(download: Download, tmp_path: Path) -> None:
    """A partial file is never seen under the name, or left under another one."""
    with unchanged(tmp_path, result=b"of yesterday"), pytest.raises(httpx2.HTTPError):
        download("/cut", tmp_path / "result")


@pytest.mark.parametrize(("path", "code"), [("/none", "Forbidden"), ("/moved", "UNREADABLE")])
def test_an_error_leaves_the_target(
    download: Download, tmp_path: Path, path: str, code: str
) -> None:
    """An error is no result, and no redirect is followed with the token."""
    with unchanged(tmp_path, result=b"of yesterday"), pytest.raises(ApiError, match=code):
        download(path, tmp_path / "result")


def test_a_token_is_renewed_before_a_download(download: Download, tmp_path: Path) -> None:
    """The body of the 401 does not reach the file."""
    known = Credentials("client", "secret", "refresh")
    download("/2", tmp_path / "result", token="old", credentials=known)
    assert (tmp_path / "result").stat().st_size == 2 * MiB


@pytest.mark.parametrize("place", ["proxy", "other"])
def test_what_is_no_token_endpoint_is_an_api_error(
    download: Download, url: str, tmp_path: Path, place: str
) -> None:
    """Such as the page of a proxy whose server is down."""
    account = {"credentials": Credentials("client", "secret", "refresh"), "token": None}
    with unchanged(tmp_path, result=b"of yesterday"), pytest.raises(ApiError, match="UNREADABLE"):
        download("/2", tmp_path / "result", accounts_url=f"{url}/{place}", **account)


def test_a_job_without_a_result(url: str, tmp_path: Path) -> None:
    """ApiError names the job."""
    bare = structs.replace(details("/2"), result=UNSET)
    with (
        Client(url, token="sound") as client,
        unchanged(tmp_path, result=b"of yesterday"),
        pytest.raises(ApiError, match="NO_RESULT: job 1 has no result"),
    ):
        client.download(bare, tmp_path / "result")


def test_a_cancelled_download_leaves_no_file(url: str, tmp_path: Path) -> None:
    """Nor does it change the target."""

    async def cancelled() -> None:
        async with AsyncClient(url, token="sound") as client:
            task = asyncio.create_task(client.download(details("/stalled"), tmp_path / "result"))
            while len(list(tmp_path.iterdir())) == 1 and not task.done():
                await asyncio.sleep(0.001)
            task.cancel()
            await task

    with unchanged(tmp_path, result=b"of yesterday"), pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())


def test_a_file_is_replaced_where_it_is(download: Download, tmp_path: Path) -> None:
    """A link still leads to it, and its permissions stay; a new file has the usual ones."""
    target, link, new = tmp_path / "target", tmp_path / "link", tmp_path / "new"
    target.write_bytes(b"of yesterday")
    target.chmod(0o640)
    link.symlink_to("target")
    download("/2", str(link))
    assert link.is_symlink()
    assert target.stat().st_size == 2 * MiB
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    download("/2", new)
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(new.stat().st_mode) == 0o666 & ~umask


def test_a_device_is_written_to(download: Download) -> None:
    """It cannot be replaced."""
    download("/2", "/dev/null")
    assert Path("/dev/null").is_char_device()
