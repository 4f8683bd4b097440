"""The one parser of URLs: of callbacks, redirects and settings.

The service connects to the parsed endpoint; no other code reads the URL again. If two parsers read
one URL in different ways, a check of addresses can be bypassed. So everything that browsers,
libraries and resolvers read in different ways is rejected: user names, backslashes, blanks,
non-ASCII, `127.1`, `0x7f000001`.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

_URL = re.compile(r"(https?)://([^/?]+)([/?][!-~]*)?", re.IGNORECASE | re.ASCII)
_FORBIDDEN = re.compile(r"[^!-~]|[\\#]")
_AUTHORITY = re.compile(r"(?:\[([0-9a-f:.]+)\]|([0-9a-z._-]+))(?::([0-9]{1,5}))?", re.IGNORECASE)
_LABEL = re.compile(r"[0-9a-z_](?:[0-9a-z_-]{0,61}[0-9a-z_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORTS = {"http": 80, "https": 443}
_LONGEST_NAME = 253


class InvalidEndpoint(ValueError):
    """The URL cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The parts of a URL that the service connects to, redirects to or is reached by."""

    scheme: str
    host: str
    """A DNS name in lower case, or an address in its canonical form without brackets."""
    port: int
    path: str
    """Path and query, as they are sent."""

    @property
    def destination(self) -> str:
        """`host:port`. Deliveries to different destinations do not wait for each other."""
        return f"{self._host_in_url}:{self.port}"

    @property
    def authority(self) -> str:
        """The `Host` header."""
        return self._host_in_url if self.port == _PORTS[self.scheme] else self.destination

    @property
    def origin(self) -> str:
        """The origin, as a browser writes it."""
        return f"{self.scheme}://{self.authority}"

    @property
    def _host_in_url(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


def parse_endpoint(url: str) -> Endpoint:
    """Parse a URL. Raises InvalidEndpoint for every unusual one."""
    if _FORBIDDEN.search(url):
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


def destination_of(url: str) -> str:
    """Returns the destination of a callback URL; an empty text for an unusable URL."""
    try:
        return parse_endpoint(url).destination
    except InvalidEndpoint:
        return ""


def parse_allowed(entry: str) -> str:
    """Returns the destination of an entry `host:port` of an allow-list. Raises InvalidEndpoint."""
    with suppress(InvalidEndpoint):
        endpoint = parse_endpoint(f"http://{entry}")
        if endpoint.path == "/" and entry.endswith(f":{endpoint.port}"):
            return endpoint.destination
    raise InvalidEndpoint(f"{entry!r} is not host:port")


def _address(text: str) -> str:
    try:
        return str(IPv6Address(text))
    except AddressValueError:
        raise InvalidEndpoint("unusable URL: not an IPv6 address") from None


def _name(text: str) -> str:
    name = text.removesuffix(".")
    labels = name.split(".")
    # Like browsers: a host that ends in a number is an IPv4 address, or invalid. All parsers read
    # only its plain spelling alike.
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(IPv4Address(text))
        except AddressValueError:
            raise InvalidEndpoint("unusable URL: not a plain IPv4 address") from None
    if len(name) > _LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise InvalidEndpoint("unusable URL: not a host name")
    return name
