"""The guard of outgoing requests: a callback never connects to the network of the service.

A name is resolved once, all of its addresses must be public, and only these addresses are
connected to. So a name that resolves differently the next time has no effect (DNS rebinding).
The table below is our own, because `ipaddress` counts mapped loopback, NAT64, 6to4 and multicast
as global and 100.64.0.0/10 as not private, and both have changed between versions of Python.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from bulkwright.domain.endpoint import Endpoint
from bulkwright.domain.limits import CALLBACK_ADDRESSES

Resolver = Callable[[str, int], Awaitable[list[str]]]
"""Returns the addresses of a name for a port, best first; an empty list if it has none."""

_V4 = tuple(
    (ip_network(network), name)
    for network, name in (
        ("0.0.0.0/8", "this network"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "carrier-grade NAT"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "cloud metadata"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "protocol assignments"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)
_V6 = tuple(
    (ip_network(network), name)
    for network, name in (
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("::/96", "IPv4-compatible"),
        ("::ffff:0:0/96", "IPv4-mapped"),
        ("::ffff:0:0:0/96", "IPv4-translated"),
        ("64:ff9b:1::/48", "local NAT64"),
        ("100::/64", "discard"),
        ("2001::/32", "Teredo"),
        ("2001::/23", "protocol assignments"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4"),
        ("3fff::/20", "documentation"),
        ("5f00::/16", "segment routing"),
        ("fc00::/7", "unique local"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    )
)
_GLOBAL_UNICAST = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


class EgressRefused(Exception):
    """The request is not sent. The message says why, without the addresses of a name."""


class NoAnswer(Exception):
    """The request was sent, but no HTTP response came. The message says why, in our words."""


def why_forbidden(address: str) -> str | None:
    """Returns why an address is forbidden, in a word or two; None for an allowed address."""
    try:
        ip = ip_address(address)
    except ValueError:
        return "not an address"
    return _why_v4(ip) if isinstance(ip, IPv4Address) else _why_v6(ip)


def _why_v4(ip: IPv4Address) -> str | None:
    return next((name for network, name in _V4 if ip in network), None)


def _why_v6(ip: IPv6Address) -> str | None:
    for network, name in _V6:
        if ip in network:
            return name
    if ip not in _GLOBAL_UNICAST and ip not in _NAT64:
        return "not assigned"
    # A gateway of the network would connect to the IPv4 address inside.
    if ip in _NAT64 or int(ip) >> 32 & 0xFFFF_FFFF in _ISATAP:
        return _why_v4(IPv4Address(int(ip) & 0xFFFF_FFFF))
    return None


async def system_resolver(host: str, port: int) -> list[str]:
    """Resolves by the system. A slow name server blocks only a thread of this call."""
    loop = asyncio.get_running_loop()
    addresses: asyncio.Future[list[str]] = loop.create_future()

    def set_result(found: list[str]) -> None:
        if not addresses.done():
            addresses.set_result(found)

    def resolve() -> None:
        found: list[str] = []
        with suppress(OSError, UnicodeError):
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found = list(dict.fromkeys(str(info[4][0]) for info in infos))
        with suppress(RuntimeError):  # the loop may have ended
            loop.call_soon_threadsafe(set_result, found)

    # A daemon thread, because the resolver cannot be interrupted and must not delay the exit.
    threading.Thread(target=resolve, name="resolver", daemon=True).start()
    return await addresses


@dataclass(frozen=True, slots=True)
class Guard:
    """Decides which addresses outgoing requests may connect to."""

    allow: frozenset[str] = frozenset()
    """Destinations that are allowed although they are not public (parse_allowed)."""
    loopback: bool = False
    """Allows 127.0.0.0/8 and ::1, for development."""
    resolve: Resolver = system_resolver

    async def addresses(self, endpoint: Endpoint) -> list[str]:
        """Returns the addresses to connect to, best first. Raises EgressRefused.

        One forbidden address among several forbids them all.
        """
        if _is_address(endpoint.host):
            found = [endpoint.host]
        else:
            found = await self.resolve(endpoint.host, endpoint.port)
        if not found:
            raise EgressRefused("the host has no address")
        if endpoint.destination not in self.allow:
            reasons = (self._why_refused(address, endpoint) for address in found)
            if reason := next(filter(None, reasons), None):
                raise EgressRefused(f"forbidden address: {reason}")
        return found[:CALLBACK_ADDRESSES]

    def why_never(self, endpoint: Endpoint) -> str | None:
        """Returns why an endpoint can never be connected to, whatever a name resolves to later.

        None unless its host is an address, or a name of this machine.
        """
        host = endpoint.host
        if endpoint.destination in self.allow:
            return None
        if host == "localhost" or host.endswith(".localhost"):
            fixed = ["127.0.0.1", "::1"]
        else:
            fixed = [host] if _is_address(host) else []
        reasons = [self._why_refused(address, endpoint) for address in fixed]
        return reasons[0] if all(reasons) and reasons else None

    def _why_refused(self, address: str, endpoint: Endpoint) -> str | None:
        reason = why_forbidden(address)
        if reason is not None and _is_address(address):
            ip = ip_address(address)
            if self.loopback and any(ip in network for network in _LOOPBACK):
                return None
            if Endpoint(endpoint.scheme, str(ip), endpoint.port, "").destination in self.allow:
                return None
        return reason


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
