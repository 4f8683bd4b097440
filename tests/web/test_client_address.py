"""The address of the client behind trusted proxies."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.effort import tries

from bulkwright.web.client_address import client_address

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def scope(peer: str | None, *forwarded: str) -> dict[str, object]:
    """The scope of a request over a connection from `peer`."""
    headers = [(b"host", b"x"), *((b"x-forwarded-for", f.encode("latin-1")) for f in forwarded)]
    return {"client": None if peer is None else (peer, 50_000), "headers": headers}


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        # Only a trusted proxy can name another address.
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", [" 198.51.100.1 "], "198.51.100.1"),
        # The client wrote the left part of the header.
        ("10.0.0.1", ["192.0.2.7, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.7", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["10.9.9.9, 198.51.100.1"], "198.51.100.1"),
        # Several trusted proxies
        ("10.0.0.1", ["198.51.100.1, 10.0.0.3, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, 10.0.0.3", "10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        # A malformed entry ends the walk.
        ("10.0.0.1", ["198.51.100.1, unknown, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["198.51.100.1, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1,"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["010.1.1.1"], "10.0.0.1"),
        # IPv6, and IPv4 on a socket for both
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        ("fd00::1", ["2001:0DB8::0007"], "2001:db8::7"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        # No address at all: a socket of the file system
        ("", ["198.51.100.1"], ""),
        (None, ["198.51.100.1"], ""),
    ],
)
def test_the_address_behind_proxies(peer: str | None, forwarded: list[str], client: str) -> None:
    """Read from the right; trusted addresses are skipped."""
    assert client_address(scope(peer, *forwarded), TRUSTED) == client


def test_nothing_is_trusted_by_default() -> None:
    """Without trusted networks the header is not read."""
    assert client_address(scope("10.0.0.1", "198.51.100.1"), ()) == "10.0.0.1"


@tries(100)
@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_a_client_cannot_choose_its_address(sent: str) -> None:
    """Whatever the client sends, the proxy appends the address that it saw."""
    for header in ([f"{sent}, 198.51.100.1"], [sent, "198.51.100.1"]):
        assert client_address(scope("10.0.0.1", *header), TRUSTED) == "198.51.100.1"


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        ("198.51.100.1:1234", "198.51.100.1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("198.51.100.1:", "10.0.0.1"),
        ("name:80", "10.0.0.1"),
    ],
)
def test_a_proxy_may_write_the_port_too(entry: str, address: str) -> None:
    """The address counts without its port; an entry that is no address is never the client."""
    assert client_address(scope("10.0.0.1", entry), TRUSTED) == address
