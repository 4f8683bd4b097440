"""Files in an object store: S3 and what speaks like it, Google Cloud Storage, Azure.

What comes in is written to a scratch file first, for a zip is read from its end; then it goes to
the store, whole, and is there for everybody once that is done. What is read comes to a scratch
file and is proven before anybody sees its first byte. Scratch files have no name: however this
process ends, none is left. No more than two pieces of a file are in memory.

An operation on a store that does not answer gives up after some ten seconds, a request that was
sent before it stopped answering included.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self

import obstore
from obstore.exceptions import BaseError
from obstore.store import from_url

from bulkwright.config import UnusableSetting
from bulkwright.files import Area, Damaged, Gone
from bulkwright.files.sealing import seal, unsealed
from bulkwright.trouble import Trouble

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

_PIECE = 5 * 1024 * 1024
"""Bytes a request; S3 takes no smaller ones."""
_PIECES = 10_000
"""What S3 takes for one object."""
_AT_ONCE = 2

_CONNECT_SECONDS = 3
_REQUEST_SECONDS = 10
_RETRY: RetryConfig = {
    "max_retries": 10,
    "retry_timeout": timedelta(seconds=5),
    "backoff": {
        "init_backoff": timedelta(seconds=0.1),
        "max_backoff": timedelta(seconds=1),
        "base": 2,
    },
}

_FROM_ENVIRONMENT = ("allow_http", "allow_invalid_certificates", "proxy_url", "proxy_excludes")
"""Options of the connection that the environment may set: AWS_ALLOW_HTTP."""
_PREFIXES = {"s3": "AWS_", "gs": "GOOGLE_", "az": "AZURE_"}


class ObjectIncoming:
    """A file being written, in scratch until it is kept."""

    def __init__(self, files: ObjectFiles) -> None:
        self._files = files
        self._file = files.scratch()

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._file.write(data)

    def reader(self) -> BinaryIO:
        """What was written so far, from the start; not to be written to any more."""
        self._file.flush()
        self._file.seek(0)
        return self._file

    def keep(self, area: Area, number: int) -> None:
        """Put it into the store as the upload or the result of an id; there when this returns."""
        self._files.put(area.path(number), self.reader())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


class ObjectFiles:
    """Files in an object store: a `Files`."""

    def __init__(self, url: str, scratch: Path) -> None:
        """The files under `s3://BUCKET/PREFIX`, `gs://...` or `az://...`; nothing is sent yet.

        Credentials and addresses are those of the environment, under their usual names, or of the
        machine's role. Raises UnusableSetting for a URL that names no store.
        """
        self._scratch = scratch
        try:
            self._store: ObjectStore = from_url(
                url, client_options=_connection(url), retry_config=_RETRY
            )
        except (BaseError, ValueError) as error:
            told = str(error).splitlines()[0]
            raise UnusableSetting(f"--files {url} cannot be opened: {told}") from None

    def scratch(self) -> BinaryIO:
        """A new file on the local disk, readable by its owner only, that goes when it is closed."""
        self._scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        return tempfile.TemporaryFile(dir=self._scratch)

    def incoming(self) -> ObjectIncoming:
        """A new file to write to."""
        return ObjectIncoming(self)

    def put(self, path: str, data: BinaryIO | bytes) -> None:
        """Keep an object, over whatever was there; durable when this returns."""
        size = len(data) if isinstance(data, bytes) else os.fstat(data.fileno()).st_size
        with _told():
            try:
                obstore.put(
                    self._store,
                    path,
                    data,
                    chunk_size=max(_PIECE, -(-size // _PIECES)),
                    max_concurrency=_AT_ONCE,
                )
            except FileNotFoundError:  # a PUT finds everything but the bucket
                raise Trouble(_NO_BUCKET) from None

    def open(self, area: Area, number: int, sha256: str | None) -> BinaryIO:
        """An upload or a result, open at its start. Raises FileNotFoundError and Damaged."""
        path = area.path(number)
        file = self.scratch()
        try:
            digest = hashlib.sha256()
            for piece in self._pieces(path):
                digest.update(piece)
                file.write(piece)
            if sha256 is not None and digest.hexdigest() != sha256:
                raise Damaged(f"{path} is not what was kept")
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file

    def put_part(self, job_id: int, name: str, data: bytes) -> None:
        """Keep a chunk's result lines; durable when this returns."""
        self.put(f"{Area.PARTS.path(job_id)}/{name}", data + seal(data))

    def part(self, job_id: int, name: str, size: int) -> bytes:
        """A chunk's result lines of that many bytes. Raises Gone and Damaged."""
        try:
            sealed = b"".join(self._pieces(f"{Area.PARTS.path(job_id)}/{name}"))
        except FileNotFoundError:
            raise Gone(f"part {name} is gone") from None
        return unsealed(name, sealed, size)

    def drop_parts(self, job_id: int) -> None:
        """Forget a job's parts, their result being whole; what cannot go now is swept later."""
        with suppress(Trouble):
            self.drop(Area.PARTS, job_id)

    def idle(self, area: Area, seconds: float) -> Iterator[int]:
        """The ids that have something there which nobody has changed for so many seconds."""
        before = time.time() - seconds
        last: dict[int, float] = {}
        for path, _, changed in self._list(area.value):
            number = area.number(path.split("/")[1])
            if number is None:
                continue
            if area is Area.PARTS:
                last[number] = max(changed, last.get(number, 0.0))
            elif changed < before:
                yield number
        yield from (number for number, changed in last.items() if changed < before)

    def drop(self, area: Area, number: int) -> int:
        """Remove what belongs to an id, if it is there; the bytes that it held."""
        path = area.path(number)
        if area is Area.PARTS:
            sizes = {name: size for name, size, _ in self._list(path)}
        else:
            try:
                sizes = {path: self._size(path)}
            except FileNotFoundError:
                return 0
        with _told(), suppress(FileNotFoundError):
            obstore.delete(self._store, list(sizes))
        return sum(sizes.values())

    def look(self) -> None:
        """See whether the store answers and has the bucket. Raises Trouble where it does not."""
        with _told():
            next(iter(obstore.list(self._store, Area.RESULTS.value, chunk_size=1)), None)

    def sweep(self) -> int:
        """Nothing half-written is ever left here; the store's own rules end stopped uploads."""
        return 0

    def _pieces(self, path: str) -> Iterator[memoryview]:
        """An object's bytes in order. Raises FileNotFoundError."""
        size = self._size(path)
        for start in range(0, size, _PIECE):
            with _told():
                length = min(_PIECE, size - start)
                piece = obstore.get_range(self._store, path, start=start, length=length)
            yield memoryview(piece)

    def _size(self, path: str) -> int:
        with _told():
            try:
                return obstore.head(self._store, path)["size"]
            except FileNotFoundError:
                # It may be the bucket that is not there; that is told when it is listed.
                self.look()
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from None

    def _list(self, folder: str) -> Iterator[tuple[str, int, float]]:
        """What lies in a folder and below it: path, size, when it was changed (UNIX seconds)."""
        pages = obstore.list(self._store, folder, chunk_size=1000)
        while True:
            with _told():
                page = next(pages, None)
            if page is None:
                return
            for found in page:
                yield found["path"], found["size"], found["last_modified"].timestamp()


def _connection(url: str) -> ClientConfig:
    """How to connect. What the environment says about it would be lost if it were left out."""
    told: dict[str, object] = {
        "connect_timeout": timedelta(seconds=_CONNECT_SECONDS),
        "timeout": timedelta(seconds=_REQUEST_SECONDS),
    }
    prefix = _PREFIXES[url.partition(":")[0]]
    for option in _FROM_ENVIRONMENT:
        value = os.environ.get(prefix + option.upper())
        if value is not None:
            told[option] = value
    return told  # type: ignore[return-value]  # a dict of just these keys


_UNREACHABLE = (
    "the object store does not answer; look at the network and at the address (AWS_ENDPOINT_URL; "
    "plain http needs AWS_ALLOW_HTTP=true)"
)
_NO_CREDENTIALS = (
    "no credentials for the object store; set them in the environment (AWS_ACCESS_KEY_ID, "
    "AWS_SECRET_ACCESS_KEY) or give the machine a role"
)
_REFUSED = (
    "the object store refuses these credentials; look at them, and at what they may do: "
    "read, write, delete and list"
)
_NO_BUCKET = "the bucket of --files is not there; make it, or name another one"
_NO_ROOM = "no space is left in the object store; free some, or raise its quota"

_STATUS = re.compile(r"status code: ([0-9]{3})")
_CODE = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
_FULL = re.compile(r"Quota|StorageFull|InsufficientStorage")
_ROLE = re.compile(r"/latest/(api/token|meta-data)|169\.254\.170\.2|computeMetadata|/identity/")
"""Where a machine's role is asked for, which is done where no credentials are set."""


@contextmanager
def _told() -> Iterator[None]:
    """Turn the library's errors into Trouble; FileNotFoundError goes through.

    Their texts are long and hold what the store has answered: they go nowhere.
    """
    try:
        yield
    except BaseError as error:
        raise Trouble(_reason(error)) from None


def _reason(error: BaseError) -> str:
    text = str(error)
    found, coded = _STATUS.search(text), _CODE.search(text)
    status, code = found[1] if found else "", coded[1] if coded else ""
    if status == "507" or _FULL.search(code):
        return _NO_ROOM
    if _ROLE.search(text):
        return _NO_CREDENTIALS
    if status in ("401", "403") or code in ("ExpiredToken", "InvalidToken"):
        return _REFUSED
    if status == "404":
        return _NO_BUCKET
    if status:
        return f"the object store answers {f'{status} {code}'.strip()}; look at its log"
    return _UNREACHABLE
