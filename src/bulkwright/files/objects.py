"""Files in an object store: S3 and compatible stores, Google Cloud Storage, Azure.

An incoming file is written to a scratch file first, because a zip is read from its end. Then it is
sent to the store whole; other processes see it when the store has all of it. A file that is read is
copied to a scratch file and checked before the caller gets its first byte. Scratch files have no
name, so none is left however the process ends. At most two pieces of a file are in memory.

An operation on a store that does not respond fails after about ten seconds. This includes a request
that was sent before the store stopped responding.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import from_url

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.files import OWNER, Area, DamagedFile, ForeignFiles, MissingFile
from bulkwright.files.checksums import checksum, verified
from bulkwright.files.space import check_free_space
from bulkwright.folders import make_private
from bulkwright.outages import Outage
from bulkwright.variables import UnusableSetting, refuse_placeholder

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

_PIECE_BYTES = 5 * 1024 * 1024
"""Size of a piece: each is one request. S3 accepts no smaller ones."""
_MOST_PIECES = 10_000
"""The most pieces of an object that S3 accepts."""
_PIECES_AT_ONCE = 2

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

_ENVIRONMENT_OPTIONS = ("allow_http", "allow_invalid_certificates", "proxy_url", "proxy_excludes")
"""Options of the connection that the environment may set, such as AWS_ALLOW_HTTP."""
_PREFIXES = {"s3": "AWS_", "gs": "GOOGLE_", "az": "AZURE_"}


class ObjectIncoming:
    """A file that is being written, a scratch file until it is saved."""

    def __init__(self, files: ObjectFiles) -> None:
        self._files = files
        self._file = files.scratch()

    def write(self, data: bytes) -> None:
        """Appends bytes."""
        self._file.write(data)

    def reader(self) -> BinaryIO:
        """Returns the written bytes as a file, at its start; nothing may be written afterwards."""
        self._file.flush()
        self._file.seek(0)
        return self._file

    def save(self, area: Area, number: int) -> None:
        """Stores it as the upload or the result of an id; durable when this returns."""
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
    """Files in an object store; implements `Files`."""

    def __init__(
        self, url: str, scratch: Path, clock: Clock = SYSTEM_CLOCK, *, free_bytes: int = 0
    ) -> None:
        """Uses the files under `s3://BUCKET/PREFIX`, `gs://...` or `az://...`; sends nothing yet.

        `free_bytes` have to stay free on the disk of `scratch`.
        Credentials and addresses come from the environment, under their usual names, or from the
        machine's role. Raises UnusableSetting for a URL that names no store, and for a placeholder
        among the credentials.
        """
        self._url = url
        self._scratch = scratch
        self._free_bytes = free_bytes
        self._clock = clock
        self._owner: str | None = None
        """The database to which the files are bound before their next use."""
        try:
            self._opened: ObjectStore = from_url(
                url, client_options=_connection(url), retry_config=_RETRY
            )
        except (BaseError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise UnusableSetting(f"--files {url} cannot be opened: {reason}") from None

    def scratch(self) -> BinaryIO:
        """Returns a new local file, readable by its owner only; closing it deletes it."""
        make_private(self._scratch)
        return tempfile.TemporaryFile(dir=self._scratch)

    def check_space(self) -> None:
        """Raises Outage if less space is free for scratch files than has to stay free."""
        if self._free_bytes:
            make_private(self._scratch)
        check_free_space(self._scratch, self._free_bytes)

    def incoming(self) -> ObjectIncoming:
        """Returns a new file to write to."""
        return ObjectIncoming(self)

    def put(self, path: str, data: BinaryIO | bytes) -> None:
        """Stores an object, in place of an earlier one; durable when this returns."""
        size = len(data) if isinstance(data, bytes) else os.fstat(data.fileno()).st_size
        with _translated_errors():
            try:
                obstore.put(
                    self._store,
                    path,
                    data,
                    chunk_size=max(_PIECE_BYTES, -(-size // _MOST_PIECES)),
                    max_concurrency=_PIECES_AT_ONCE,
                )
            except FileNotFoundError:  # only the bucket can be missing for a PUT
                raise Outage(_NO_BUCKET) from None

    def open(self, area: Area, number: int, sha256: str | None) -> BinaryIO:
        """Returns an upload or a result, open at its start. See `Files.open` for the errors."""
        path = area.path(number)
        file = self.scratch()
        try:
            digest = hashlib.sha256()
            for piece in self._pieces(path):
                digest.update(piece)
                file.write(piece)
            if sha256 is not None and digest.hexdigest() != sha256:
                raise DamagedFile(f"{path} is not what was stored")
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file

    def size(self, area: Area, number: int) -> int:
        """Returns the size of an upload or a result in bytes. Raises FileNotFoundError."""
        return self._size(area.path(number))

    def put_piece(self, job_id: int, name: str, data: bytes) -> None:
        """Stores the result lines of a chunk; they are durable when this returns."""
        self.check_space()
        self.put(f"{Area.PIECES.path(job_id)}/{name}", data + checksum(data))

    def read_piece(self, job_id: int, name: str, size: int) -> bytes:
        """Returns the result lines of a chunk, `size` bytes. Raises MissingFile, DamagedFile."""
        try:
            stored = b"".join(self._pieces(f"{Area.PIECES.path(job_id)}/{name}"))
        except FileNotFoundError:
            raise MissingFile(f"piece {name} is missing") from None
        return verified(name, stored, size)

    def delete_pieces(self, job_id: int) -> None:
        """Deletes the pieces of a job whose result exists; the sweep deletes what remains."""
        with suppress(Outage):
            self.delete(Area.PIECES, job_id)

    def unchanged_for(self, area: Area, seconds: float) -> Iterator[int]:
        """Returns the ids whose files were not changed for `seconds`."""
        before = self._clock.now().timestamp() - seconds
        last: dict[int, float] = {}
        for path, _, changed in self._list(area.value):
            number = area.id_of(path.split("/")[1])
            if number is None:
                continue
            if area is Area.PIECES:
                last[number] = max(changed, last.get(number, 0.0))
            elif changed < before:
                yield number
        yield from (number for number, changed in last.items() if changed < before)

    def delete(self, area: Area, number: int) -> int:
        """Deletes the files of an id, if there are any; returns their size in bytes."""
        path = area.path(number)
        if area is Area.PIECES:
            sizes = {name: size for name, size, _ in self._list(path)}
        else:
            try:
                sizes = {path: self._size(path)}
            except FileNotFoundError:
                return 0
        with _translated_errors(), suppress(FileNotFoundError):
            obstore.delete(self._store, list(sizes))
        return sum(sizes.values())

    def bind(self, owner: str) -> None:
        """Binds the files to a database before their next use; sends nothing yet."""
        self._owner = owner

    def check_owner(self, owner: str) -> None:
        """Raises ForeignFiles if the files are bound to another database."""
        if self._stored_owner() not in (None, owner.encode()):
            raise ForeignFiles(self._url)

    @property
    def _store(self) -> ObjectStore:
        """The store. Raises ForeignFiles if its files belong to another database."""
        if self._owner is not None:
            if self._bound_to(self._owner.encode()) != self._owner.encode():
                raise ForeignFiles(self._url)
            self._owner = None
        return self._opened

    def _bound_to(self, owner: bytes) -> bytes:
        """Returns the id of the database that the files belong to: `owner` if there was none."""
        found = self._stored_owner()
        if found is not None:
            return found
        with _translated_errors():
            try:
                with suppress(AlreadyExistsError):  # by a process that starts at the same moment
                    obstore.put(self._opened, OWNER, owner, mode="create")
                return bytes(obstore.get(self._opened, OWNER).bytes())
            except FileNotFoundError:  # only the bucket can be missing for a PUT
                raise Outage(_NO_BUCKET) from None

    def _stored_owner(self) -> bytes | None:
        with _translated_errors(), suppress(FileNotFoundError):
            return bytes(obstore.get(self._opened, OWNER).bytes())
        return None

    def check_reachable(self) -> None:
        """Raises Outage if the store does not respond or does not have the bucket."""
        with _translated_errors():
            next(iter(obstore.list(self._store, Area.RESULTS.value, chunk_size=1)), None)

    def sweep(self) -> int:
        """Returns 0: incomplete files are never visible, and the store's own rules delete them."""
        return 0

    def _pieces(self, path: str) -> Iterator[memoryview]:
        """Returns the bytes of an object in order. Raises FileNotFoundError."""
        size = self._size(path)
        for start in range(0, size, _PIECE_BYTES):
            with _translated_errors():
                length = min(_PIECE_BYTES, size - start)
                piece = obstore.get_range(self._store, path, start=start, length=length)
            yield memoryview(piece)

    def _size(self, path: str) -> int:
        with _translated_errors():
            try:
                return obstore.head(self._store, path)["size"]
            except FileNotFoundError:
                # The bucket may be missing too; listing it raises the error that says so.
                self.check_reachable()
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from None

    def _list(self, folder: str) -> Iterator[tuple[str, int, float]]:
        """Returns the objects under a folder: path, size in bytes, change time (UNIX seconds)."""
        pages = obstore.list(self._store, folder, chunk_size=1000)
        while True:
            with _translated_errors():
                page = next(pages, None)
            if page is None:
                return
            for found in page:
                yield found["path"], found["size"], found["last_modified"].timestamp()


def _connection(url: str) -> ClientConfig:
    """Returns the options of the connection.

    The library ignores the options of the environment if it is given any, so those are added here.
    """
    options: dict[str, object] = {
        "connect_timeout": timedelta(seconds=_CONNECT_SECONDS),
        "timeout": timedelta(seconds=_REQUEST_SECONDS),
    }
    prefix = _PREFIXES[url.partition(":")[0]]
    for name, value in os.environ.items():
        if name.startswith(prefix):
            refuse_placeholder(name, value)
    for option in _ENVIRONMENT_OPTIONS:
        given = os.environ.get(prefix + option.upper())
        if given is not None:
            options[option] = given
    return options  # type: ignore[return-value]  # a dict of just these keys


_UNREACHABLE = (
    "the object store does not respond; check the network and the address (AWS_ENDPOINT_URL; "
    "plain http needs AWS_ALLOW_HTTP=true)"
)
_NO_CREDENTIALS = (
    "no credentials for the object store; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
    "GOOGLE_SERVICE_ACCOUNT, or AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY"
)
_DENIED = (
    "the object store rejects these credentials; check them and their permissions: "
    "read, write, delete and list"
)
_NO_BUCKET = "the bucket of --files does not exist; create it, or name another one"
_NO_SPACE = "no space is left in the object store; free some, or raise its quota"

_REASONS = (
    (
        re.compile(r"status code: 507|<Code>[A-Za-z]*(Quota|StorageFull|InsufficientStorage)"),
        _NO_SPACE,
    ),
    # The addresses that give the credentials of a machine's role, if none are set.
    (
        re.compile(r"/latest/(api/token|meta-data)|169\.254\.170\.2|computeMetadata|/identity/"),
        _NO_CREDENTIALS,
    ),
    (re.compile(r"status code: 40[13]|<Code>(Expired|Invalid)Token</Code>"), _DENIED),
    (re.compile(r"status code: 404"), _NO_BUCKET),
)
"""Expressions that an error's text may match, and the outage of each; the first match counts.

The library has the status and the code of a response only in the text of its errors.
"""
_STATUS = re.compile(r"status code: ([0-9]{3})")
_CODE = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Raises Outage instead of the library's errors; FileNotFoundError passes through.

    The texts of the library are long and contain responses of the store: they are not passed on.
    """
    try:
        yield
    except BaseError as error:
        raise Outage(_reason(str(error))) from None


def _reason(text: str) -> str:
    for pattern, reason in _REASONS:
        if pattern.search(text):
            return reason
    status, code = _STATUS.search(text), _CODE.search(text)
    if status is None:
        return _UNREACHABLE
    response = f"{status[1]} {code[1] if code else ''}".strip()
    return f"the object store responds {response}; check its log"
