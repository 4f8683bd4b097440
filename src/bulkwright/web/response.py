"""The response of a handler: a status with JSON, a file or nothing."""

from __future__ import annotations

from typing import BinaryIO, NamedTuple

from bulkwright.web.json import encode

JSON = b"application/json;charset=utf-8"
"""Has one parameter at most: clients cut off only the last one (client contract 1.9)."""
JSON_HEADERS = ((b"content-type", JSON),)
"""The headers of a JSON response of its own: nearly every response."""


EVERY_RESPONSE: tuple[tuple[bytes, bytes], ...] = (
    (b"server", b"bulkwright"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
"""The headers of every response that has none of these names: a browser stores and guesses nothing,
and what it shows of a response loads nothing and stands in no frame."""
HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000")
"""The browser uses HTTPS alone for this host, for a year."""


class Response(NamedTuple):
    """A status, headers, and a body or a file."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    file: BinaryIO | None = None
    """An open file, sent instead of `body`. The kernel closes it."""
    sha256: str | None = None
    """The checksum of the file, if it still has to be checked."""
    size: int | None = None
    """The length of the body that a GET would get, in the response to a HEAD without a body."""


def json_response(body: object, status: int = 200) -> Response:
    """Returns a response with a JSON body."""
    return Response(status, encode(body), JSON_HEADERS)


NO_CONTENT = Response(204)
"""The response to a preflight, for an empty list and for an unknown record (facts 9)."""
