"""Multipart forms: the file of an upload, streamed while it arrives, and small forms."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, aclosing
from typing import Protocol, TypeVar

from multipart import MultipartError, PushMultipartParser, parse_options_header

from bulkwright.web.errors import FilePartTooLarge, MalformedMultipart, MissingFilePart
from bulkwright.web.request import Request


class _Writable(Protocol):
    def write(self, data: bytes, /) -> object: ...


DataT = TypeVar("DataT", bytes, bytes | bytearray)
FileT = TypeVar("FileT", bound=_Writable)
T = TypeVar("T")

_MOST_PARTS = 16
_WRITE_BYTES = 1024 * 1024
"""Bytes that are collected in memory before a thread writes them."""
_OVERHEAD_BYTES = 1024 * 1024
"""Bytes of a body beside its file: boundaries, part headers, other small parts."""
_LONGEST_BOUNDARY = 200
_FIELD_BYTES = 4_096
"""Bytes of a small part of a form with a file; a longer one is left out."""
_MALFORMED = "The body is not a sound multipart form"


async def receive_file(
    request: Request,
    write: Callable[[bytes], object],
    limit: int | None,
    fields: dict[str, str] | None = None,
) -> str:
    """Writes the first file part of the body with `write`, on a thread; returns its file name.

    `fields` gets the other parts; of several with one name the last. The name of the part does not
    matter (facts 2.4), nor does its Content-Type. Raises
    FilePartTooLarge once the file is longer than `limit` bytes, MissingFilePart without a file
    part, and MalformedMultipart.
    """
    request.reject_encoded_body()
    body_limit = math.inf if limit is None else limit + _OVERHEAD_BYTES
    if (request.content_length or 0) > body_limit:
        raise FilePartTooLarge
    part = _FilePart({} if fields is None else fields)
    writer = _BufferedWriter(request, write)
    body = _limited(request.chunks(), body_limit)
    async with aclosing(part.read(request, body)) as file:
        async for data in _limited(file, math.inf if limit is None else limit):
            await writer.write(data)
    if part.name is None:
        raise MissingFilePart("Required key file is not available")
    await writer.flush()
    return part.name


async def hand_over_file(
    request: Request,
    opened: AbstractContextManager[FileT],
    limit: int | None,
    take: Callable[[str, FileT], T],
    *,
    heavy: bool = False,
    fields: dict[str, str] | None = None,
) -> T:
    """Receives a file into a new one, and returns what `take` makes of its name and the file.

    `take` runs on a thread, which owns the file: it may run longer than the request. With `heavy`
    it may keep a core busy (`Request.run_heavy`). `fields` gets the other parts of the form before
    that. Raises what `receive_file` raises.
    """
    with ExitStack() as stack:
        file = stack.enter_context(opened)
        name = await receive_file(request, file.write, limit, fields)
        run = request.run_heavy if heavy else request.run
        return await run(_take, stack.pop_all(), take, name, file)


def _take(owned: ExitStack, take: Callable[[str, FileT], T], name: str, file: FileT) -> T:
    with owned:
        return take(name, file)


async def form_fields(request: Request, limit: int) -> dict[str, str]:
    """Returns the parameters of a small multipart form; of several with one name the first.

    Raises MalformedMultipart, and BodyTooLarge if the body has more than `limit` bytes.
    """
    body = await request.body(limit)
    _, options = parse_options_header(request.header(b"content-type") or "")
    fields: dict[str, str] = {}
    name, value = "", bytearray()
    try:
        with PushMultipartParser(
            options.get("boundary", ""), max_segment_count=_MOST_PARTS
        ) as parser:
            for event in parser.parse(body):
                if event is None:
                    fields.setdefault(name, value.decode("utf-8"))
                elif isinstance(event, (bytes, bytearray)):
                    value += event
                else:
                    name, value = event.name or "", bytearray()
    except (MultipartError, UnicodeDecodeError):
        raise MalformedMultipart(_MALFORMED) from None
    return fields


class _FilePart:
    """The first file part of a form."""

    def __init__(self, fields: dict[str, str]) -> None:
        self.name: str | None = None
        """The file name, once the head of the part has arrived."""
        self._is_open = False
        self._fields = fields
        self._field, self._value = "", bytearray()
        """The name of the small part that is read, and what was read of it."""

    async def read(
        self, request: Request, body: AsyncIterator[bytes]
    ) -> AsyncGenerator[bytes | bytearray]:
        """Yields the bytes of the file. Reads the body to its end. Raises MalformedMultipart."""
        try:
            parser, chunks = await _make_parser(request, body)
            with parser:
                async for chunk in chunks:
                    if not parser.closed:  # else the bytes follow the last boundary
                        for data in self._parse(parser, chunk):
                            yield data
        except MultipartError:
            raise MalformedMultipart(_MALFORMED) from None

    def _parse(self, parser: PushMultipartParser, chunk: bytes) -> Iterator[bytes | bytearray]:
        for event in parser.parse(chunk):
            if event is None:
                if not self._is_open and self._field:
                    self._fields[self._field] = self._value.decode("utf-8", "replace")
                self._is_open = False
            elif isinstance(event, (bytes, bytearray)):
                if self._is_open:
                    yield event
                elif len(self._value) + len(event) <= _FIELD_BYTES:
                    self._value += event
            elif self.name is None and (event.filename is not None or event.name == "file"):
                self._is_open = True
                self.name = event.filename or event.name
            else:
                self._is_open = False
                self._field = "" if event.filename is not None else event.name or ""
                self._value.clear()


class _BufferedWriter:
    """Collects small pieces, so that a thread is needed once a megabyte only."""

    def __init__(self, request: Request, write: Callable[[bytes], object]) -> None:
        self._request = request
        self._write = write
        self._buffer = bytearray()

    async def write(self, data: bytes | bytearray) -> None:
        self._buffer += data
        if len(self._buffer) >= _WRITE_BYTES:
            await self.flush()

    async def flush(self) -> None:
        await self._request.run(self._write, bytes(self._buffer))
        self._buffer.clear()


async def _limited(chunks: AsyncIterator[DataT], limit: float) -> AsyncIterator[DataT]:
    """Yields the chunks. Raises FilePartTooLarge once they have more than `limit` bytes."""
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise FilePartTooLarge
        yield chunk


async def _make_parser(
    request: Request, body: AsyncIterator[bytes]
) -> tuple[PushMultipartParser, AsyncIterator[bytes]]:
    """Returns a parser for the body, and the body. The boundary is in the header or the body.

    A sample client of the vendor sends `Content-type: multipart/formdata` without a boundary
    (facts 2.4). The first line of its body is the boundary.
    """
    media, options = parse_options_header(request.header(b"content-type") or "")
    if not media.startswith("multipart/"):
        raise MalformedMultipart("The body must be multipart/form-data")
    boundary = options.get("boundary")
    head = b""
    if boundary is None:
        while b"\r\n" not in head and len(head) <= _LONGEST_BOUNDARY:
            try:
                head += await anext(body)
            except StopAsyncIteration:
                break
        line, end, _ = head.partition(b"\r\n")
        if not end or not line.startswith(b"--") or len(line) > _LONGEST_BOUNDARY:
            raise MalformedMultipart("The boundary of the multipart body is not given")
        boundary = line[2:].decode("latin-1")
    parser = PushMultipartParser(boundary, max_segment_count=_MOST_PARTS)
    return parser, _prepended(head, body)


async def _prepended(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if head:
        yield head
    async for chunk in rest:
        yield chunk
