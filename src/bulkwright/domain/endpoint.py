"""Where a callback goes, or a browser after signing in: the one parser of such URLs.

What it returns is what is connected to; nothing else ever looks at the URL again. Two readings of
one URL are how a guard is walked around, so whatever browsers, libraries and resolvers read in
different ways is refused: user names, backslashes, blanks, non-ASCII, `127.1`, `0x7f000001`.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

_URL = re.compile(r"(https?)://([^/?]+)([/?][!-~]*)?", re.IGNORECASE | re.ASCII)
_ODD = re.compile(r"[^!-~]|[\\#]")
_AUTHORITY = re.compile(r"(?:\[([0-9a-f:.]+)\]|([0-9a-z._-]+))(?::([0-9]{1,5}))?", re.IGNORECASE)
_LABEL = re.compile(r"[0-9a-z_](?:[0-9a-z_-]{0,61}[0-9a-z_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORTS = {"http": 80, "https": 443}
_LONGEST_NAME = 253


class InvalidEndpoint(ValueError):
    """Not a URL that a callback can go to; the message says why."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A callback URL, taken apart."""

    scheme: str
    host: str
    """A DNS name in lower case, or an address in its canonical form without brackets."""
    port: int
    path: str
    """Path and query, as they are sent."""

    @property
    def lane(self) -> str:
        """`host:port`: deliveries to different ones never wait for one another."""
        return f"{self._shown}:{self.port}"

    @property
    def authority(self) -> str:
        """The `Host` header."""
        return self._shown if self.port == _PORTS[self.scheme] else self.lane

    @property
    def origin(self) -> str:
        """As a browser writes the origin of a page from here."""
        return f"{self.scheme}://{self.authority}"

    @property
    def _shown(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


def parse_endpoint(url: str) -> Endpoint:
    """Take a callback URL apart. Raises InvalidEndpoint for everything unusual."""
    if _ODD.search(url):
        raise InvalidEndpoint("unusable URL: a character that has no place in one")
    parts = _URL.fullmatch(url)
    if parts is None:
        raise InvalidEndpoint("unusable URL: neither http:// nor https:// with a host")
    scheme, path = parts[1].lower(), parts[3] or "/"
    authority = _AUTHORITY.fullmatch(parts[2])
    if authority is None:
        raise InvalidEndpoint("unusable URL: odd host, port or user name")
    port = _PORTS[scheme] if authority[3] is None else int(authority[3])
    if not 0 < port < 65536:
        raise InvalidEndpoint("unusable URL: no such port")
    host = _address(authority[1]) if authority[1] else _name(authority[2].lower())
    return Endpoint(scheme, host, port, path if path.startswith("/") else f"/{path}")


def lane_of(url: str) -> str:
    """The lane of a callback URL; empty for one that cannot be used."""
    try:
        return parse_endpoint(url).lane
    except InvalidEndpoint:
        return ""


def parse_allowed(entry: str) -> str:
    """The lane that an entry `host:port` of an allow-list names. Raises InvalidEndpoint."""
    with suppress(InvalidEndpoint):
        endpoint = parse_endpoint(f"http://{entry}")
        if endpoint.path == "/" and entry.endswith(f":{endpoint.port}"):
            return endpoint.lane
    raise InvalidEndpoint(f"{entry!r} is not host:port")


def _address(text: str) -> str:
    try:
        return str(IPv6Address(text))
    except AddressValueError:
        raise InvalidEndpoint("unusable URL: not an IPv6 address") from None


def _name(text: str) -> str:
    name = text.removesuffix(".")
    labels = name.split(".")
    # Like browsers: what ends in a number is an IPv4 address or nothing. Only its plain spelling
    # means the same to everybody.
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(IPv4Address(text))
        except AddressValueError:
            raise InvalidEndpoint("unusable URL: not a plain IPv4 address") from None
    if len(name) > _LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise InvalidEndpoint("unusable URL: not a host name")
    return name
