"""The file part of an upload, streamed to disk while it comes in."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator

from multipart import MultipartError, PushMultipartParser, parse_options_header

from bulkwright.api.http import Request
from bulkwright.domain.errors import FileTooLarge, InvalidData, MandatoryNotFound
from bulkwright.domain.limits import FORM_BODY_BYTES, MULTIPART_PARTS, MiB
from bulkwright.files import Incoming

_WRITE_BYTES = MiB
"""What is gathered in memory before a thread writes it."""
_OVERHEAD = MiB
"""Bytes of a body beside its file: boundaries, part headers, small other parts."""
_LONGEST_BOUNDARY = 200


async def receive_file(request: Request, incoming: Incoming, most: int | None) -> str:
    """Write the first file part of the body to `incoming`; returns its file name.

    The part's name does not matter (facts 2.4), nor does its Content-Type. Raises FileTooLarge as
    soon as the file is longer than `most`, MandatoryNotFound without a file part, and InvalidData
    for a body that is no sound multipart form.
    """
    request.refuse_encoded()
    total = math.inf if most is None else most + _OVERHEAD
    if (request.content_length or 0) > total:
        raise FileTooLarge
    name: str | None = None
    inside, size, seen = False, 0, 0
    gathered = bytearray()
    try:
        parser, body = await _parser(request)
        with parser:
            async for chunk in body:
                seen += len(chunk)
                if seen > total:
                    raise FileTooLarge
                if parser.closed:
                    continue  # what follows the last boundary is no concern of ours
                for event in parser.parse(chunk):
                    if event is None:
                        inside = False
                    elif not isinstance(event, (bytes, bytearray)):
                        inside = name is None and (
                            event.filename is not None or event.name == "file"
                        )
                        name = (event.filename or event.name) if inside else name
                    elif inside:
                        size += len(event)
                        if most is not None and size > most:
                            raise FileTooLarge
                        gathered += event
                if len(gathered) >= _WRITE_BYTES:
                    await request.run(incoming.write, bytes(gathered))
                    gathered.clear()
    except MultipartError:
        raise InvalidData("The body is not a sound multipart form") from None
    if name is None:
        raise MandatoryNotFound("Required key file is not available")
    await request.run(incoming.write, bytes(gathered))
    return name


async def form_fields(request: Request) -> dict[str, str]:
    """The parameters of a small multipart form. Raises InvalidData, and LimitExceeded."""
    body = await request.body(FORM_BODY_BYTES)
    _, options = parse_options_header(request.header(b"content-type") or "")
    fields: dict[str, str] = {}
    name, value = "", bytearray()
    try:
        with PushMultipartParser(
            options.get("boundary", ""), max_segment_count=MULTIPART_PARTS
        ) as parser:
            for event in parser.parse(body):
                if event is None:
                    fields.setdefault(name, value.decode("utf-8"))
                elif isinstance(event, (bytes, bytearray)):
                    value += event
                else:
                    name, value = event.name or "", bytearray()
    except (MultipartError, UnicodeDecodeError):
        raise InvalidData("The body is not a sound multipart form") from None
    return fields


async def _parser(request: Request) -> tuple[PushMultipartParser, AsyncIterator[bytes]]:
    """A parser for the body, and the body; the boundary comes from the header or the body.

    A sample client of the vendor sends `Content-type: multipart/formdata` without a boundary
    (facts 2.4); its first line is the boundary then.
    """
    kind, options = parse_options_header(request.header(b"content-type") or "")
    if not kind.startswith("multipart/"):
        raise InvalidData("The body must be multipart/form-data")
    boundary = options.get("boundary")
    chunks = request.chunks()
    head = b""
    if boundary is None:
        while b"\r\n" not in head and len(head) <= _LONGEST_BOUNDARY:
            try:
                head += await anext(chunks)
            except StopAsyncIteration:
                break
        line, end, _ = head.partition(b"\r\n")
        if not end or not line.startswith(b"--") or len(line) > _LONGEST_BOUNDARY:
            raise InvalidData("The boundary of the multipart body is not given")
        boundary = line[2:].decode("latin-1")
    parser = PushMultipartParser(boundary, max_segment_count=MULTIPART_PARTS)
    return parser, _after(head, chunks)


async def _after(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if head:
        yield head
    async for chunk in rest:
        yield chunk
