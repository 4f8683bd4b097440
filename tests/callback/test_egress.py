"""The guard: no callback connects to the network of the service."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.callback.office import FAST, TLS, Office
from tests.support.deployment import Deployment
from tests.support.effort import tries
from tests.support.receivers import Receiver

from bulkwright.callback.sender import WebhookSender
from bulkwright.domain.endpoint import InvalidEndpoint, parse_endpoint
from bulkwright.egress import EgressRefused, Guard, NoAnswer, Resolver, why_forbidden

FORBIDDEN = {
    "0.0.0.0": "this network",
    "0.255.255.255": "this network",
    "10.0.0.1": "private",
    "100.64.0.1": "carrier-grade NAT",
    "100.127.255.255": "carrier-grade NAT",
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "168.63.129.16": "cloud metadata",
    "169.254.169.254": "link-local",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.0.0.192": "protocol assignments",
    "192.0.2.1": "documentation",
    "192.88.99.1": "6to4 relay",
    "192.168.1.1": "private",
    "198.18.0.1": "benchmarking",
    "198.19.255.255": "benchmarking",
    "198.51.100.1": "documentation",
    "203.0.113.1": "documentation",
    "224.0.0.1": "multicast",
    "239.255.255.255": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "reserved",
    "::": "unspecified",
    "::1": "loopback",
    "::7f00:1": "IPv4-compatible",
    "::ffff:127.0.0.1": "IPv4-mapped",
    "::ffff:93.184.216.34": "IPv4-mapped",
    "::ffff:0:127.0.0.1": "IPv4-translated",
    "64:ff9b::7f00:1": "loopback",
    "64:ff9b::a9fe:a9fe": "link-local",
    "64:ff9b:1::1": "local NAT64",
    "100::1": "discard",
    "2001::1": "Teredo",
    "2001:0:4136:e378:8000:63bf:80ff:fffe": "Teredo",
    "2001:2::1": "protocol assignments",
    "2001:10::1": "protocol assignments",
    "2001:db8::1": "documentation",
    "2002:7f00:1::": "6to4",
    "2002:5db8:d822::1": "6to4",
    "2606:2800::5efe:7f00:1": "loopback",
    "2606:2800::200:5efe:a00:1": "private",
    "3fff::1": "documentation",
    "4000::1": "not assigned",
    "5f00::1": "segment routing",
    "fc00::1": "unique local",
    "fd00:ec2::254": "unique local",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "fec0::1": "site-local",
    "ff02::1": "multicast",
    "example": "not an address",
    "127.1": "not an address",
}
PERMITTED = [
    "1.1.1.1", "9.255.255.255", "11.0.0.0", "93.184.216.34", "100.63.255.255", "100.128.0.0",
    "126.255.255.255", "128.0.0.0", "169.253.255.255", "172.15.255.255", "172.32.0.0",
    "192.167.255.255", "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "2606:2800:220:1:248:1893:25c8:1946", "2001:4860:4860::8888", "2a00::1", "64:ff9b::5db8:d822",
]  # fmt: skip


@pytest.mark.parametrize("address", FORBIDDEN)
def test_forbidden_addresses(address: str) -> None:
    """Each range is forbidden by its name; embedded IPv4 addresses are checked too."""
    assert why_forbidden(address) == FORBIDDEN[address]


@pytest.mark.parametrize("address", PERMITTED)
def test_permitted_addresses(address: str) -> None:
    """Public addresses are allowed, up to the limits of the forbidden ranges."""
    assert why_forbidden(address) is None


@tries(100)
@given(st.ip_addresses())
def test_the_table_allows_no_more_than_the_standard_library(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    """An address that `ipaddress` does not call global is forbidden."""
    if not ip.is_global or ip.is_multicast or ip.is_reserved:
        assert why_forbidden(str(ip)) or str(ip).startswith("64:ff9b::")


@pytest.fixture(scope="module")
def canary() -> Iterator[Receiver]:
    """Listens on 127.0.0.1 and, on the same port, on ::1; counts connections."""
    with Receiver() as four:
        try:
            six = Receiver(host="::1", port=four.port)
        except OSError:  # no IPv6 here
            yield four
            return
        with six:
            yield four
            assert six.connections == 0
    assert four.connections == 0


def to(*addresses: str) -> Resolver:
    """Returns a resolver that returns these addresses for every name."""

    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    return resolve


def call(url: str, guard: Guard) -> str | None:
    """Sends a request. Returns None if it was sent, otherwise why it was not."""

    async def main() -> None:
        endpoint = parse_endpoint(url)
        addresses = await guard.addresses(endpoint)
        deadline = asyncio.get_running_loop().time() + 20
        await WebhookSender(tls=TLS).post(endpoint, addresses, {}, b"{}", deadline)

    try:
        asyncio.run(main())
    except (InvalidEndpoint, EgressRefused, NoAnswer) as reason:
        return str(reason)
    return None


LOOPBACKS = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "017700000001", "0177.0.0.1", "0x7f000001",
    "0x7f.0.0.1", "localhost", "localhost.", "LOCALHOST", "0.0.0.0", "0", "[::1]", "[::]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]", "[::7f00:1]", "[::127.0.0.1]", "[0:0:0:0:0:0:0:1]", "127.0.0.2",
]  # fmt: skip
INSIDE = [
    "169.254.169.254", "[fe80::1%lo]", "[fe80::1]", "[fd00::1]", "[fd00:ec2::254]", "10.0.0.1",
    "172.16.0.1", "192.168.0.1", "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1",
    "198.18.0.1",
]  # fmt: skip
TRICKS = [
    "http://user@127.0.0.1:{p}/", "http://a.example@127.0.0.1:{p}/",
    "http://a.example%40127.0.0.1:{p}/", "http://127.0.0.1:{p}\\@a.example/",
    "http://a.example\\@127.0.0.1:{p}/", "http://127.0.0.1:{p}#@a.example/",
    "http://a.example#@127.0.0.1:{p}/", "http://１２７.0.0.1:{p}/", "http://①②⑦.0.0.1:{p}/",
    "http://127。0。0。1:{p}/", "http://localhost:{p}%2f@a.example/", "http://127.0.0.1:{p}",
    "file://127.0.0.1:{p}/", "gopher://127.0.0.1:{p}/_x", "ftp://127.0.0.1:{p}/",
    "javascript:fetch('http://127.0.0.1:{p}')", "data:text/html,http://127.0.0.1:{p}",
    "127.0.0.1:{p}", "//127.0.0.1:{p}/", "", " ", "http://127.0.0.1:{p}/\r\nX: y",
    "http://127.0.0.1\t:{p}/", "http://127.0.0.1:0/", "http://127.0.0.1:99999/", "http://:{p}/",
    "http:///127.0.0.1:{p}/", "http:127.0.0.1:{p}", "http://[::1]:{p}@a.example/",
    "http://lоcalhost:{p}/", "http://" + "a" * 20_000, "dict://127.0.0.1:{p}/",
]  # fmt: skip
CORPUS = [*(f"http://{host}:{{p}}/x" for host in LOOPBACKS + INSIDE), *TRICKS]


@pytest.mark.parametrize("url", CORPUS, ids=lambda url: url[:40])
def test_no_url_reaches_the_network_of_the_service(canary: Receiver, url: str) -> None:
    """Every spelling of a forbidden address is rejected before a single packet."""
    before = canary.connections
    reason = call(url.replace("{p}", str(canary.port)), Guard())
    assert reason is not None
    assert reason.startswith(("unusable URL", "forbidden address", "the host has no address"))
    assert canary.connections == before


@pytest.mark.parametrize("address", [a for a in FORBIDDEN if "." in a or ":" in a])
def test_no_name_reaches_the_network_of_the_service(canary: Receiver, address: str) -> None:
    """A name with such an address is rejected too."""
    guard = Guard(resolve=to(address))
    assert str(call(f"http://a.example:{canary.port}/", guard)).startswith("forbidden address")


@pytest.mark.parametrize(
    "addresses", [("93.184.216.34", "127.0.0.1"), ("10.0.0.1", "93.184.216.34"), ("1.1.1.1", "::1")]
)
def test_one_forbidden_address_forbids_a_name(addresses: tuple[str, ...]) -> None:
    """Of several addresses every one must be public."""
    assert str(call("http://a.example/", Guard(resolve=to(*addresses)))).startswith("forbidden")


def test_a_name_without_address(office: Office) -> None:
    """An unknown name has no address."""
    assert call("http://unknown.invalid/", Guard(resolve=to())) == "the host has no address"


def test_the_system_resolves_localhost() -> None:
    """The system's resolver is called on a thread, not on the loop."""
    guard = Guard(loopback=True)
    found = asyncio.run(guard.addresses(parse_endpoint("http://localhost:9/")))
    assert set(found) <= {"127.0.0.1", "::1"}
    assert found


def test_an_entry_allows_one_destination() -> None:
    """An entry allows its host and port, and no other port."""
    with Receiver() as receiver:
        guard = Guard(frozenset({f"127.0.0.1:{receiver.port}"}))
        assert call(receiver.url, guard) is None
        assert (
            call(f"http://localhost:{receiver.port}/", Guard(guard.allow, False, to("127.0.0.1")))
            is None
        )
        assert str(call(f"http://127.0.0.1:{receiver.port + 1}/", guard)).startswith("forbidden")
        assert str(call(f"http://127.0.0.2:{receiver.port}/", guard)).startswith("forbidden")
        by_name = Guard(frozenset({f"receiver:{receiver.port}"}), resolve=to("127.0.0.1"))
        assert call(f"http://receiver:{receiver.port}/", by_name) is None
        assert str(call(f"http://other:{receiver.port}/", by_name)).startswith("forbidden")


def test_development_allows_loopback_only() -> None:
    """With --dev, plain loopback addresses are allowed, and no other private ones."""
    guard = Guard(loopback=True)
    with Receiver() as receiver:
        assert call(receiver.url, guard) is None
        assert call(f"http://localhost:{receiver.port}/", Guard(loopback=True)) is None
        for host in ("[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "10.0.0.1", "169.254.169.254"):
            assert str(call(f"http://{host}:{receiver.port}/", guard)).startswith("forbidden")
        assert receiver.connections == 2


def test_a_forbidden_delivery_is_visible(office: Office) -> None:
    """The job keeps its status; its delivery has the reason, and is tried again."""
    with Receiver() as canary:
        job = office.ended(canary.url)
        office.run(lambda: office.delivery(job).attempts >= 3, guard=Guard(), pace=FAST)
        delivery = office.delivery(job)
        assert canary.connections == 0
    assert (delivery.state, delivery.last_status) == ("pending", None)
    assert delivery.last_error == "forbidden address: loopback"
    assert office.services.jobs.details(job.org_id, job.id).status == "COMPLETED"


SHAPES = [
    ({"url": "https://a.example/", "method": "get"}, "INVALID_CALLBACK_METHOD"),
    ({"url": "https://a.example/", "method": "put"}, "INVALID_CALLBACK_METHOD"),
    ({"url": "https://a.example/", "method": "post\r\nX: y"}, "INVALID_CALLBACK_METHOD"),
    ({"url": "https://a.example/", "method": 1}, "INVALID_DATA"),
    ({"url": "https://a.example/", "method": None}, "MISSING_REQUIRED_KEY"),
    ({"url": "https://a.example/"}, "MISSING_REQUIRED_KEY"),
    ({"url": 1, "method": "post"}, "INVALID_DATA"),
    ({}, "MISSING_REQUIRED_KEY"),
    ("https://a.example/", "INVALID_DATA"),
    (["https://a.example/"], "INVALID_DATA"),
]


@pytest.mark.parametrize(("callback", "code"), SHAPES)
def test_malformed_callbacks_are_rejected(
    any_server: Deployment, callback: object, code: str
) -> None:
    """Another method or another shape is rejected when the job is created."""
    answer = any_server.create(any_server.insert(file_id="1") | {"callback": callback})
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize("url", [u for u in TRICKS if u != "http://127.0.0.1:{p}"], ids=str)
def test_unusual_urls_are_rejected_at_once(any_server: Deployment, url: str) -> None:
    """The parser of the dispatcher also rejects them when the job is created."""
    callback = {"url": url.replace("{p}", "80"), "method": "post"}
    answer = any_server.create(any_server.insert(file_id="1") | {"callback": callback})
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_CALLBACK_URL"), url


def is_plain(host: str) -> bool:
    """Whether a URL may have this address."""
    return why_forbidden(host) != "not an address" and "%" not in host


NAMES = ("localhost", "crm.localhost", "LocalHost")


def quoted(host: str) -> str:
    """A host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


@pytest.mark.parametrize("host", [*(h for h in FORBIDDEN if is_plain(h)), *NAMES])
def test_a_url_that_can_never_be_called_is_rejected_at_once(host: str) -> None:
    """Its address stands in the URL, or it is a name of this machine."""
    endpoint = parse_endpoint(f"https://{quoted(host)}:8443/hook")
    assert Guard().why_never(endpoint) == FORBIDDEN.get(host, "loopback")
    assert Guard(frozenset({endpoint.destination})).why_never(endpoint) is None
    assert Guard(frozenset({"10.9.8.7:8443"})).why_never(endpoint) is not None


def test_a_url_that_may_be_called_is_accepted() -> None:
    """Public addresses, and every name: what it resolves to is known at each attempt only."""
    for host in ("93.184.216.34", "[2606:4700::1111]", "a.example", "localhost.example"):
        assert Guard().why_never(parse_endpoint(f"http://{host}/")) is None
    for host in ("127.0.0.1", "[::1]", "localhost"):
        assert Guard(loopback=True).why_never(parse_endpoint(f"http://{host}/")) is None
    assert Guard(loopback=True).why_never(parse_endpoint("http://10.0.0.1/")) == "private"
    allowed = Guard(frozenset({"127.0.0.1:80"}))
    assert allowed.why_never(parse_endpoint("http://localhost/")) is None


@pytest.mark.parametrize("host", ["10.0.0.1", "169.254.169.254", "[::ffff:10.0.0.1]", "0.0.0.0"])
def test_a_job_with_such_a_callback_is_not_created(server: Deployment, host: str) -> None:
    """The message says what the operator can do."""
    callback = {"url": f"http://{host}:9000/hook", "method": "post"}
    answer = server.create(server.insert() | {"callback": callback})
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_CALLBACK_URL")
    assert answer.json()["details"] == {"json_path": "$.callback.url"}
    assert "--callback-allow" in answer.json()["message"]


def test_a_slow_name_server_does_not_block_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long lookup delays neither the loop nor the end of the program."""
    import threading

    gate = threading.Event()

    def slow(*args: object, **more: object) -> list[object]:
        gate.wait(5)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", slow)

    async def main() -> None:
        async with asyncio.timeout(0.1):
            await Guard().addresses(parse_endpoint("http://a.example/"))

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    gate.set()
