"""The errors that the kernel itself raises. A face decides how each looks to its clients."""

from __future__ import annotations


class HttpError(Exception):
    """A request that no handler could answer. The message is for the client."""


class NoRoute(HttpError):
    """No route has this path."""


class WrongMethod(HttpError):
    """Routes have this path, but none of them has this method."""


class ForeignHost(HttpError):
    """The `Host` header has a name that this server does not serve."""


class BadRequest(HttpError):
    """The query or the body cannot be read, arrives too slowly or ends too early."""


class BodyTooLarge(HttpError):
    """The body is longer than the handler allows."""


class MalformedMultipart(HttpError):
    """The body is not a well-formed multipart form."""


class MissingFilePart(HttpError):
    """The multipart form contains no file."""


class FilePartTooLarge(HttpError):
    """The file in the multipart form is longer than the handler allows."""
