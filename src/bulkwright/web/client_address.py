"""The address of the client, also behind trusted proxies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

Networks = tuple[IPv4Network | IPv6Network, ...]

_PORT = re.compile(r"^(\[.*\]|[0-9.]+):[0-9]+$")


def client_address(scope: Mapping[str, Any], trusted: Networks) -> str:
    """Returns the address that the request came from.

    It is the address of the connection. If that is a trusted proxy, `X-Forwarded-For` is read
    from the right: each proxy appends the address of its own client. The first address outside of
    `trusted` is the client. An entry that is no address ends the walk, and the proxy that wrote
    it counts as the client: a client can send this header too, but only to the left.
    """
    client = scope.get("client")
    if not client:
        return ""
    peer = str(client[0])
    if not trusted:
        return peer
    address = _parse(peer)
    if address is None:
        return peer
    entries = _forwarded_for(scope["headers"])
    while entries and _is_in(address, trusted):
        previous = _parse(entries.pop())
        if previous is None:
            break
        address = previous
    return str(address)


def _forwarded_for(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    """Returns the entries of all `X-Forwarded-For` headers; they count as one list."""
    values = [value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for"]
    return [entry.strip() for entry in ",".join(values).split(",")] if values else []


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """Returns an address, which some proxies write with a port: `192.0.2.1:80`, `[::1]:80`."""
    text = _PORT.sub(r"\1", text)
    try:
        address = ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
    # A socket for both families shows an IPv4 client as ::ffff:192.0.2.1.
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


def _is_in(address: IPv4Address | IPv6Address, networks: Networks) -> bool:
    return any(address in network for network in networks)
