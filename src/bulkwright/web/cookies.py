"""Cookies with a secret: read, and set so that no script and no other site can use them."""

from __future__ import annotations

import re

from bulkwright.web.request import Request

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
"""`secrets.token_urlsafe(32)`"""


def read_secret(request: Request, name: str) -> str | None:
    """Returns the secret in a cookie; None if the cookie is missing or malformed."""
    for header in request.headers(b"cookie"):
        for pair in header.split(";"):
            key, _, value = pair.strip().partition("=")
            if key == name and _SECRET.fullmatch(value):
                return value
    return None


def cookie_name(name: str, *, https: bool) -> str:
    """Returns the name of a cookie; browsers let no other host set one with the prefix of HTTPS."""
    return f"__Host-{name}" if https else name


def set_secret(
    name: str, secret: str, *, path: str, https: bool, seconds: int | None
) -> tuple[bytes, bytes]:
    """Returns the header that sets a cookie. Without HTTPS, it is sent to `path` only.

    The browser keeps it for `seconds`; without them until it is closed.
    """
    parts = [f"{name}={secret}", "HttpOnly", "SameSite=Lax"]
    parts.append("Path=/; Secure" if https else f"Path={path}")
    if seconds is not None:
        parts.append(f"Max-Age={seconds}")
    return b"set-cookie", "; ".join(parts).encode()
