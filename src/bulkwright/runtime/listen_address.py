"""The address that a server listens on."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """A host, a port, and the scheme that is spoken there."""

    host: str
    port: int
    scheme: str = "http"

    @property
    def url(self) -> str:
        """The base URL of everything that is served here."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Returns whether a host is a loopback address or `localhost`."""
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


@contextmanager
def hold_port(host: str, port: int, scheme: str = "http") -> Iterator[Address]:
    """Holds an address for this server; port 0 chooses a free port.

    Raises OSError when another server has the address. Granian listens with SO_REUSEPORT, so it
    would start beside another such server, and each would receive some of the requests. Therefore
    this socket is bound without SO_REUSEPORT first, which fails when another server has the port.
    Then the option is set, so that Granian can bind too. This socket never listens.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((host, port))
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        yield Address(host, int(held.getsockname()[1]), scheme)
