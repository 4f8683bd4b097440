"""Callback URLs: one reading, and none for what others read in two ways."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkwright.domain.endpoint import (
    Endpoint,
    InvalidEndpoint,
    lane_of,
    parse_allowed,
    parse_endpoint,
)

SOUND = [
    ("http://a.example", Endpoint("http", "a.example", 80, "/")),
    ("HTTPS://A.Example/Path?q=1", Endpoint("https", "a.example", 443, "/Path?q=1")),
    ("https://a.example:8443?q=%20", Endpoint("https", "a.example", 8443, "/?q=%20")),
    ("http://a.example./x", Endpoint("http", "a.example", 80, "/x")),
    ("http://my_host-1:65535/", Endpoint("http", "my_host-1", 65535, "/")),
    ("http://xn--bcher-kva.example/", Endpoint("http", "xn--bcher-kva.example", 80, "/")),
    ("http://93.184.216.34:81/", Endpoint("http", "93.184.216.34", 81, "/")),
    ("http://[2606:2800:0:0::0001]/", Endpoint("http", "2606:2800::1", 80, "/")),
    ("http://[::1]:9000/", Endpoint("http", "::1", 9000, "/")),
    ("http://1.2.3.4.example/", Endpoint("http", "1.2.3.4.example", 80, "/")),
]


@pytest.mark.parametrize(("url", "endpoint"), SOUND)
def test_a_sound_url_is_taken_apart(url: str, endpoint: Endpoint) -> None:
    """Scheme and host in lower case, the scheme's port, path and query as they are."""
    assert parse_endpoint(url) == endpoint


ODD = [
    "", " ", "/relative", "//a.example/x", "a.example/x", "http:/a.example", "http://", "http:///x",
    "file:///etc/passwd", "gopher://a.example/", "ftp://a.example/", "javascript:alert(1)",
    "data:text/plain,x", "ws://a.example/", "http+unix://a.example/",
    "http://user@a.example/", "http://user:pw@a.example/", "http://a.example%40b.example/",
    "http://a.example@127.0.0.1/", "http://a%2eexample/", "http://a.example\\@b.example/",
    "http:\\\\a.example\\x", "http://a.example#@b.example/", "http://a.example/#fragment",
    "http://a.example/\r\nX: y", "http://a.example/\tx", "http://a.example/ x", "http://a b/",
    "http://a.example\x00/", "http://a.example\x7f/", " http://a.example/", "http://a.example/\n",
    "http://a.example:0/", "http://a.example:65536/", "http://a.example:99999/",
    "http://a.example:/", "http://a.example:+80/", "http://a.example:８０/",
    "http://a.example:8 0/",
    "http://a.example:80:80/", "http://a..example/", "http://.a.example/", "http://a.example../",
    "http://-a.example/", "http://a-.example/", f"http://{'a' * 64}.example/",
    f"http://{'a.' * 127}example/", "http://a,b.example/", "http://*.example/",
    "http://127.1/", "http://2130706433/", "http://0177.0.0.1/", "http://0x7f000001/",
    "http://0x7f.0.0.1/", "http://017700000001/", "http://0/", "http://127.0.0.1./",
    "http://127.0.0.01/", "http://256.1.1.1/", "http://1.2.3/", "http://a.example.0x1/",
    "http://１２７.０.０.１/", "http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/", "http://bücher.example/",
    "http://аpple.example/", "http://a.example/ä",
    "http://[::1/", "http://::1/", "http://[::1]x/", "http://[fe80::1%eth0]/", "http://[]/",
    "http://[fe80::1%25eth0]/", "http://[v1.fe80]/", "http://[1.2.3.4]/", "http://[::1]:0/",
    "http://[:::1]/",
]  # fmt: skip


@pytest.mark.parametrize("url", ODD)
def test_whatever_is_odd_is_refused(url: str) -> None:
    """No user names, odd ports, odd spellings of addresses, nor anything outside of ASCII."""
    with pytest.raises(InvalidEndpoint):
        parse_endpoint(url)
    assert lane_of(url) == ""


_BITS = st.sampled_from(
    ["http://", "https://", "a.example", "127.0.0.1", "[::1]", ":80", ":", "@", "/", "\\", "#", "?",
     "%", "%40", ".", "1", "0x7f", "é", " ", "\t", "xn--a", "-", "_", "&", "::ffff:1.2.3.4", "//"]
)  # fmt: skip


@given(st.one_of(st.text(), st.lists(_BITS, max_size=8).map("".join).map("http://{}".format)))
def test_what_is_accepted_is_read_alike_by_others(url: str) -> None:
    """Only InvalidEndpoint is ever raised; two other parsers see the very same host and port."""
    try:
        endpoint = parse_endpoint(url)
    except InvalidEndpoint:
        return
    other = urlsplit(url)
    host = (other.hostname or "").removesuffix(".")
    assert host == endpoint.host or ":" in host
    assert (other.port or {"http": 80, "https": 443}[other.scheme]) == endpoint.port
    third = httpx2.URL(url)
    assert third.host.removesuffix(".") == endpoint.host or ":" in third.host
    assert not third.userinfo


def test_host_header_and_lane() -> None:
    """The Host header leaves out the scheme's own port, the lane never does."""
    plain, other = parse_endpoint("http://a.example/"), parse_endpoint("https://[::1]:80/")
    assert (plain.authority, plain.lane) == ("a.example", "a.example:80")
    assert (other.authority, other.lane) == ("[::1]:80", "[::1]:80")


def test_entries_of_an_allow_list() -> None:
    """An entry is host:port, as it stands in a URL."""
    assert parse_allowed("127.0.0.1:9000") == "127.0.0.1:9000"
    assert parse_allowed("Receiver:80") == "receiver:80"
    assert parse_allowed("[::0001]:1") == "[::1]:1"


@pytest.mark.parametrize(
    "entry",
    ["", "a.example", "[::1]", ":80", "a:0", "a:80/", "a:80/x", "http://a:80", "*:80", "a:*"],
)
def test_bad_entries_of_an_allow_list(entry: str) -> None:
    """Everything else is refused."""
    with pytest.raises(InvalidEndpoint):
        parse_allowed(entry)
