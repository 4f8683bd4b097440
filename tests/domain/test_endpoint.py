"""Callback URLs: a URL that parsers read in different ways is rejected."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.effort import tries

from bulkwright.domain.endpoint import (
    Endpoint,
    InvalidEndpoint,
    destination_of,
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
def test_a_valid_url_is_parsed(url: str, endpoint: Endpoint) -> None:
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
def test_unusual_urls_are_rejected(url: str) -> None:
    """No user names, odd ports, odd spellings of addresses, nor anything outside of ASCII."""
    with pytest.raises(InvalidEndpoint):
        parse_endpoint(url)
    assert destination_of(url) == ""


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://a.example/ä", "a character that has no place in one"),
        ("http://a.example/#x", "a character that has no place in one"),
        ("ftp://a.example/", "neither http:// nor https:// with a host"),
        ("http:///x", "neither http:// nor https:// with a host"),
        ("http://user@a.example/", "odd host, port or user name"),
        ("http://a.example:65536/", "no such port"),
        ("http://a.example:0/", "no such port"),
        ("http://[:::1]/", "not an IPv6 address"),
        ("http://127.1/", "not a plain IPv4 address"),
        ("http://a..example/", "not a host name"),
    ],
)
def test_the_message_names_the_problem_without_the_url(url: str, problem: str) -> None:
    """A URL may hold a secret."""
    with pytest.raises(InvalidEndpoint) as caught:
        parse_endpoint(url)
    assert str(caught.value) == f"unusable URL: {problem}"


@pytest.mark.parametrize("port", [1, 80, 65_535])
def test_every_port_of_tcp_is_one(port: int) -> None:
    """65536 and 0 are not."""
    assert parse_endpoint(f"https://a.example:{port}").port == port


def test_a_host_name_has_253_characters_at_most() -> None:
    """Without the dot at its end; each label has 63."""
    longest = f"{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 61}"
    assert parse_endpoint(f"http://{longest}/").host == longest
    assert parse_endpoint(f"http://{longest}./").host == longest
    with pytest.raises(InvalidEndpoint):
        parse_endpoint(f"http://{longest}d/")


def test_the_destination_of_a_url_is_host_and_port() -> None:
    """In the canonical form of the host."""
    assert destination_of("https://A.example/x?y") == "a.example:443"
    assert destination_of("http://[::0001]:9000") == "[::1]:9000"


_BITS = st.sampled_from(
    ["http://", "https://", "a.example", "127.0.0.1", "[::1]", ":80", ":", "@", "/", "\\", "#", "?",
     "%", "%40", ".", "1", "0x7f", "é", " ", "\t", "xn--a", "-", "_", "&", "::ffff:1.2.3.4", "//"]
)  # fmt: skip


@example("HTTP://_XN--0")
@tries(100)
@given(st.one_of(st.text(), st.lists(_BITS, max_size=8).map("".join).map("http://{}".format)))
def test_other_parsers_read_accepted_urls_alike(url: str) -> None:
    """Only InvalidEndpoint is raised; two other parsers read the same host and port."""
    try:
        endpoint = parse_endpoint(url)
    except InvalidEndpoint:
        return
    other = urlsplit(url)
    host = (other.hostname or "").removesuffix(".")
    assert host == endpoint.host or ":" in host
    assert (other.port or {"http": 80, "https": 443}[other.scheme]) == endpoint.port
    third = httpx2.URL(url)
    # Not `host`, which shows an international name and fails if there is none.
    sent = third.raw_host.decode("ascii")
    assert sent.removesuffix(".") == endpoint.host or ":" in sent
    assert not third.userinfo


def test_a_name_that_only_idna_rejects_is_no_failure() -> None:
    """`0xn--_` is a DNS name with an underscore; IDNA cannot decode it."""
    assert parse_endpoint("HTTP://0XN--_").host == "0xn--_"


def test_host_header_and_destination() -> None:
    """The Host header omits the scheme's own port, the destination never does."""
    plain, other = parse_endpoint("http://a.example/"), parse_endpoint("https://[::1]:80/")
    assert (plain.authority, plain.destination) == ("a.example", "a.example:80")
    assert (other.authority, other.destination) == ("[::1]:80", "[::1]:80")


def test_entries_of_an_allow_list() -> None:
    """An entry is host:port, as in a URL."""
    assert parse_allowed("127.0.0.1:9000") == "127.0.0.1:9000"
    assert parse_allowed("Receiver:80") == "receiver:80"
    assert parse_allowed("[::0001]:1") == "[::1]:1"


@pytest.mark.parametrize(
    "entry",
    [
        "", "a.example", "[::1]", ":80", "a:0", "a:80/", "a:80/x", "http://a:80", "*:80", "a:*",
        "a:080", "a?:80",
    ],
)  # fmt: skip
def test_bad_entries_of_an_allow_list(entry: str) -> None:
    """Everything else is rejected; the message repeats the entry, which the operator wrote."""
    with pytest.raises(InvalidEndpoint) as caught:
        parse_allowed(entry)
    assert str(caught.value) == f"{entry!r} is not host:port"
