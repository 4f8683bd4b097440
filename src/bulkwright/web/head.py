"""What the head of a request must have, beside what the HTTP server itself checks (RFC 9112).

The server rejects different lengths of a body. A body with a length and with chunks is read as
chunks, and the connection is closed behind the response (RFC 9112, 6.3).
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

from bulkwright.web.errors import BadRequest

_HOST = (string.ascii_letters + string.digits + "._~!$&'()*+,;=%:[]-").encode()
"""The characters of a Host."""


def check_head(scope: Mapping[str, Any]) -> None:
    """Raises BadRequest unless there is exactly one Host, and a body is chunked or has a length."""
    hosts = 0
    for name, value in scope["headers"]:
        if name == b"host":
            hosts += 1
            if value.translate(None, _HOST):
                raise BadRequest("The Host header is malformed")
            # The server adds an empty Host where there is none, as HTTP/1.0 allows.
            if not value and scope["http_version"] == "1.1":
                raise BadRequest("The Host header is missing")
        elif name == b"transfer-encoding" and value.lower() != b"chunked":
            raise BadRequest("The only Transfer-Encoding that is supported is chunked")
    if hosts > 1:
        raise BadRequest("There are several Host headers")
