"""The courier against receivers of every temper."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path

import httpcore2
import pytest
from tests.callback.office import HASTY, LOOPBACK, Office
from tests.callback.receivers import (
    Letter,
    Receiver,
    answer,
    closed_port,
    endless,
    hang,
    later,
    raw,
    reset,
)
from tests.conftest import Deployment

from bulkwright.callback import courier as courier_module
from bulkwright.callback.courier import Courier, Pace
from bulkwright.callback.post import Poster
from bulkwright.domain.job import Job, JobStatus
from bulkwright.egress import Guard
from bulkwright.observe import CallbackDelivered, CallbackFailed, CallbackGivenUp, log_event
from bulkwright.store import outbox as outbox_module
from bulkwright.wiring import make_courier


def signatures(letter: Letter, secrets: Iterable[str]) -> list[str]:
    """What each secret signs a letter with, by the words of Standard Webhooks alone."""
    head = f"{letter.headers['webhook-id']}.{letter.headers['webhook-timestamp']}."
    keys = [base64.b64decode(s.split("_", 1)[1]) for s in secrets]
    made = [hmac.new(key, head.encode() + letter.body, hashlib.sha256).digest() for key in keys]
    return ["v1," + base64.b64encode(m).decode() for m in made]


# What is sent


@pytest.mark.parametrize("version", ["v2", "v2.1", "v8"])
@pytest.mark.parametrize("status", [JobStatus.COMPLETED, JobStatus.FAILED])
def test_the_body_is_the_job_details(server: Deployment, version: str, status: JobStatus) -> None:
    """Byte for byte what Get Bulk Write Job Details answers in the job's version."""
    services = server.services
    office = Office(services, server.tenant.org.id)
    with Receiver() as receiver:
        body = server.insert() | {"callback": {"url": receiver.url, "method": "post"}}
        made = server.create(body, version=version).json()["details"]["id"]
        job = services.jobs.details(office.org_id, int(made))
        office.end(job, status)
        office.deliver(job)
    details = server.get(f"/crm/bulk/{version}/write/{made}")
    (letter,) = receiver.letters
    assert letter.body == details.content
    assert json.loads(letter.body)["status"] == status.value
    assert ("callback" in json.loads(letter.body)) == (version != "v2")


def test_what_travels(office: Office) -> None:
    """K82: a POST with the URL's path and query; these headers and no others, so no token."""
    with Receiver() as receiver:
        job = office.ended(receiver.url)
        office.deliver(job)
    (letter,) = receiver.letters
    assert letter.line == "POST /hook?key=s3cret HTTP/1.1"
    assert set(letter.headers) == {
        "host", "user-agent", "accept", "accept-encoding", "connection", "content-type",
        "content-length", "webhook-id", "webhook-timestamp", "webhook-signature",
    }  # fmt: skip
    assert letter.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert letter.headers["content-type"] == "application/json"
    assert abs(int(letter.headers["webhook-timestamp"]) - time.time()) < 5


def test_the_signature_is_that_of_standard_webhooks(office: Office) -> None:
    """HMAC-SHA256 over id, timestamp and body, under the org's secret of 256 bits."""
    with Receiver() as receiver:
        office.deliver(office.ended(receiver.url))
    secrets = office.services.signing.of(office.org_id)
    assert len(base64.b64decode(secrets[0].removeprefix("whsec_"))) == 32
    (letter,) = receiver.letters
    assert letter.headers["webhook-signature"].split(" ") == signatures(letter, secrets)
    assert signatures(letter, ["whsec_AAAA"])[0] not in letter.headers["webhook-signature"]


def test_two_secrets_sign_while_they_are_changed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """K81: after a rotation the new and the old secret both sign; a day later only the new."""
    signing = office.services.signing
    (old,) = signing.of(office.org_id)
    new = signing.rotate(office.org_id)
    assert new != old
    with Receiver() as receiver:
        office.deliver(office.ended(receiver.url))
        tomorrow = outbox_module.now() + 25 * 3600 * 1_000_000
        with monkeypatch.context() as patch:
            patch.setattr(outbox_module, "now", lambda: tomorrow)
            assert signing.of(office.org_id) == (new,)
    (letter,) = receiver.letters
    assert letter.headers["webhook-signature"].split(" ") == signatures(letter, [new, old])


def test_orgs_have_different_secrets(server: Deployment) -> None:
    """One org's secret proves nothing about another's callbacks."""
    signing = server.services.signing
    assert signing.of(server.tenant.org.id) != signing.of(server.other.org.id)
    assert signing.of(server.tenant.org.id) == signing.of(server.tenant.org.id)


# Again and again


FAILURES = {
    "HTTP 500": answer(500),
    "HTTP 404": answer(404),
    "HTTP 301": answer(301),
    "connection reset by peer": reset,
    "the connection ended before the answer": raw(b""),
    "the answer is not HTTP": raw(b"SSH-2.0-OpenSSH\r\n\r\n"),
    "no answer in time": hang,
}


@pytest.mark.parametrize("error", FAILURES)
def test_a_failure_is_tried_again_under_the_same_id(office: Office, error: str) -> None:
    """K72, K75: after two failures of any kind the third attempt delivers the same letter."""
    with Receiver(FAILURES[error], FAILURES[error], answer(204)) as receiver:
        job = office.ended(receiver.url)
        office.deliver(job, pace=replace(HASTY, attempt=0.3))
    delivery = office.delivery(job)
    assert (delivery.state, delivery.attempts, delivery.last_status) == ("delivered", 3, 204)
    assert delivery.last_error is None
    assert delivery.ended_time is not None
    assert {x.headers["webhook-id"] for x in receiver.letters} == {f"msg_{delivery.id}"}
    assert len({x.body for x in receiver.letters}) == 1
    failed = [e for e in office.events if isinstance(e, CallbackFailed)]
    if error in ("connection reset by peer", "the connection ended before the answer"):
        # Which of the two it is, is a matter of who is faster.
        assert len(failed) == 2
    else:
        assert [e.reason for e in failed] == [error, error]
    assert isinstance(office.events[-1], CallbackDelivered)


def test_a_receiver_that_comes_up_later(office: Office) -> None:
    """K77: nobody listens at first; when somebody does, the delivery arrives."""
    port = closed_port()
    job = office.ended(f"http://127.0.0.1:{port}/")
    office.run(lambda: office.delivery(job).attempts >= 3)
    assert office.delivery(job).last_error == "connection refused"
    with Receiver(port=port) as receiver:
        office.deliver(job)
    assert receiver.letters[0].headers["webhook-id"] == office.delivery(job).webhook_id


def test_redirects_are_not_followed(office: Office) -> None:
    """K67: a redirect is a failure, wherever it points to."""
    with Receiver() as canary:
        there = [answer(status, Location=canary.url) for status in (301, 302, 303, 307, 308)]
        with Receiver(*there, answer(200)) as receiver:
            job = office.ended(receiver.url)
            office.deliver(job)
        assert canary.connections == 0
    assert office.delivery(job).attempts == 6


def test_gone_means_gone(office: Office) -> None:
    """K74: 410 ends the delivery at once."""
    with Receiver(answer(410)) as receiver:
        job = office.ended(receiver.url)
        office.deliver(job)
        assert receiver.connections == 1
    delivery = office.delivery(job)
    assert (delivery.state, delivery.last_status, delivery.last_error) == (
        "given_up", 410, "HTTP 410",
    )  # fmt: skip
    assert isinstance(office.events[-1], CallbackGivenUp)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(office: Office, status: int) -> None:
    """K73: a receiver that asks for a second gets it, in seconds or as a date."""
    soon = formatdate(time.time() + 2, usegmt=True)
    with Receiver(answer(status, Retry_After="1"), answer(status, Retry_After=soon)) as receiver:
        office.ended(receiver.url)
        office.run(lambda: receiver.connections >= 2)
        first, second = receiver.letters
    assert second.time - first.time >= 1
    (failed,) = [e for e in office.events if isinstance(e, CallbackFailed)][:1]
    assert failed.wait == 1.0


def test_retry_after_has_its_bounds() -> None:
    """What a receiver asks for is capped, and never shortens our own wait to below it."""
    pace = Pace()
    assert pace.wait(1, 1e9) == 6 * 3600
    assert all(pace.wait(1, 5.0) == 5.0 for _ in range(100))


def test_waits_grow_with_full_jitter() -> None:
    """Each wait is anywhere between nothing and twice the last longest, up to an hour."""
    pace = Pace()
    for attempts, most in ((1, 2), (2, 4), (5, 32), (11, 2048), (12, 3600), (250, 3600)):
        waits = [pace.wait(attempts, None) for _ in range(400)]
        assert 0 <= min(waits) < most * 0.1
        assert most * 0.9 < max(waits) <= most


@pytest.mark.parametrize("text", ["", "soon", "-1", "1.5", "9" * 30, "Mon, 99 Foo 2020", "١"])
def test_nonsense_in_retry_after_is_ignored(office: Office, text: str) -> None:
    """A Retry-After that is neither a number nor a date asks for nothing."""
    odd = text.encode().decode("latin-1")
    head = f"HTTP/1.1 429 X\r\nRetry-After: {odd}\r\nContent-Length: 0\r\n\r\n".encode("latin-1")
    with Receiver(raw(head), answer(200)) as receiver:
        job = office.ended(receiver.url)
        office.deliver(job, seconds=2.0)
    assert office.delivery(job).state == "delivered"


def test_given_up_after_so_many_attempts(office: Office) -> None:
    """A receiver that always fails is given up at last, and the delivery says why."""
    with Receiver(answer(500)) as receiver:
        job = office.ended(receiver.url)
        office.deliver(job, pace=replace(HASTY, attempts=4))
        assert receiver.connections == 4
    assert (office.delivery(job).state, office.delivery(job).last_status) == ("given_up", 500)
    assert isinstance(office.events[-1], CallbackGivenUp)


def test_given_up_after_so_long(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once its time is over a delivery is given up, however few its attempts."""
    monkeypatch.setattr(outbox_module, "CALLBACK_LIFE_SECONDS", 0.3)
    with Receiver(answer(500)) as receiver:
        job = office.ended(receiver.url)
        office.deliver(job)
        assert receiver.connections >= 1
    assert office.delivery(job).state == "given_up"


def test_a_url_that_cannot_be_used_is_given_up_at_once(office: Office) -> None:
    """Such a job can only be an old one; nothing will make its URL better."""
    job = office.ended("http://user@127.0.0.1/")
    office.deliver(job)
    delivery = office.delivery(job)
    assert (delivery.state, delivery.attempts) == ("given_up", 1)
    assert delivery.last_error == "unusable URL: odd host, port or user name"


# Rude receivers


def test_a_slow_drip_is_cut_off(office: Office) -> None:
    """K69: an answer of a byte now and then counts as none when the time is over."""
    drip = endless(b"HTTP/1.1 200 OK\r\nX-Drip: ", b"x", 0.05)
    with Receiver(drip, answer(200)) as receiver:
        job = office.ended(receiver.url)
        office.deliver(job, pace=replace(HASTY, attempt=0.4))
    (failed,) = [e for e in office.events if isinstance(e, CallbackFailed)]
    assert failed.reason == "no answer in time"


def test_a_status_that_has_come_counts(office: Office) -> None:
    """However slowly the body of a 200 drips, it was delivered."""
    drip = endless(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x", 0.05)
    with Receiver(drip) as receiver:
        job = office.ended(receiver.url)
        office.deliver(job, pace=replace(HASTY, attempt=0.4))
    assert office.delivery(job).attempts == 1


BLOCK = b"x" * 65536
HUGE = {
    "body": endless(b"HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n", BLOCK),
    "body to the end": endless(b"HTTP/1.1 200 OK\r\n\r\n", BLOCK),
    "gzip": endless(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", BLOCK),
    "header": endless(b"HTTP/1.1 200 OK\r\nX-Long: ", BLOCK),
    "headers": endless(b"HTTP/1.1 200 OK\r\n", b"X-Many: 1\r\n" * 4096),
    "status line": endless(b"HTTP/1.1 200 ", BLOCK),
    "early answers": endless(b"", b"HTTP/1.1 103 Early\r\n\r\n" * 2048),
}


@pytest.mark.parametrize("kind", HUGE)
def test_endless_answers_are_cut_off(office: Office, kind: str) -> None:
    """K70, K71: after 64 KiB nothing more is read, of heads and bodies alike."""
    with Receiver(HUGE[kind], answer(200)) as receiver:
        job = office.ended(receiver.url)
        patient = replace(HASTY, attempt=30.0)
        took = office.run(lambda: office.states(job) == ["delivered"], pace=patient)
        assert receiver.sent < 16 * 1024 * 1024  # what fits into the buffers of two sockets
    assert took < 15
    assert office.delivery(job).attempts == (1 if "body" in kind or kind == "gzip" else 2)


# Lanes


def test_a_dead_host_delays_nobody(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """K80: beside 1,000 deliveries to a host that hangs, another host's arrive at once."""
    monkeypatch.setattr(courier_module, "_PARTING_SECONDS", 0.1)
    with Receiver(hang) as dead, Receiver() as alive:
        for _ in range(1_000):
            office.ended(dead.url)
        jobs = [office.ended(alive.url) for _ in range(10)]
        pace = replace(HASTY, attempt=30.0, prompt=2.0)
        took = office.run(lambda: set(office.states(*jobs)) == {"delivered"}, pace=pace)
        assert dead.connections <= pace.per_lane
    assert took < 15


def test_slow_hosts_share_half_of_the_room(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts that are known to be slow leave room for others, however many they are."""
    monkeypatch.setattr(courier_module, "_PARTING_SECONDS", 0.1)
    with Receiver() as alive, ExitStack() as stack:
        slow = [stack.enter_context(Receiver(hang)) for _ in range(4)]
        for _ in range(2):
            for receiver in slow:
                office.ended(receiver.url)
        late: list[tuple[float, Job]] = []

        def delivered() -> bool:
            # Four at first; of the second round only two have begun.
            if not late and sum(r.connections for r in slow) >= 6:
                job = office.ended(alive.url)
                late.append((time.monotonic(), job))
            return bool(late) and office.states(late[0][1]) == ["delivered"]

        office.run(delivered, pace=replace(HASTY, attempt=3.0, at_once=4, per_lane=1))
        assert alive.letters[0].time - late[0][0] < 2.5


def test_a_lane_has_a_width(office: Office) -> None:
    """One host never gets more than a few calls at once."""
    with Receiver(later(answer(200), 1.0)) as receiver:
        jobs = [office.ended(receiver.url) for _ in range(8)]
        office.deliver(*jobs, pace=replace(HASTY, attempt=10.0, prompt=5.0))
    times = [letter.time for letter in receiver.letters]
    assert times[3] - times[0] < 0.9 <= times[4] - times[0]


# To the checked address, and no other


class Dial(httpcore2.AsyncNetworkBackend):
    """Notes where it is told to connect to, and connects to a receiver instead."""

    def __init__(self, port: int, *dead: str) -> None:
        self.asked: list[str] = []
        self._port = port
        self._dead = dead

    async def connect_tcp(self, host: str, port: int, timeout: float | None = None, **_: object):  # type: ignore[no-untyped-def,override]
        """Connect, unless the address is dead."""
        self.asked.append(host)
        if host in self._dead:
            raise httpcore2.ConnectError("dead")
        return await httpcore2.AnyIOBackend().connect_tcp("127.0.0.1", self._port, timeout)


def test_a_name_that_changes_its_address(office: Office) -> None:
    """K64: public when it is checked, loopback later: only the checked address is connected to."""
    answers = [["93.184.216.34"], ["127.0.0.1"], ["::1"]]
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    with Receiver(answer(500)) as receiver:
        dial = Dial(receiver.port)
        job = office.ended("http://rebind.example/")
        guard = Guard(resolve=rebinding)
        office.run(
            lambda: office.delivery(job).attempts >= 4, guard=guard,
            poster=lambda: Poster(dial=dial),
        )  # fmt: skip
        assert receiver.connections == 1
    assert dial.asked == ["93.184.216.34"]
    assert len(asked) >= 3
    assert receiver.letters[0].headers["host"] == "rebind.example"
    assert office.delivery(job).last_error == "forbidden address: loopback"


def test_the_next_address_when_one_is_dead(office: Office) -> None:
    """Of several checked addresses the first that accepts is taken, four at most are tried."""
    found = ["2606:2800::1", "93.184.216.34", "1.1.1.1"]

    async def resolve(host: str, port: int) -> list[str]:
        return found

    with Receiver() as receiver:
        dial = Dial(receiver.port, found[0])
        job = office.ended("http://two.example/")
        office.deliver(job, guard=Guard(resolve=resolve), poster=lambda: Poster(dial=dial))
    assert dial.asked == found[:2]
    assert len(asyncio.run(Guard(resolve=resolve).addresses(_endpoint()))) == 3


def _endpoint():  # type: ignore[no-untyped-def]
    from bulkwright.domain.endpoint import parse_endpoint

    return parse_endpoint("http://two.example/")


def test_proxies_of_the_environment_are_not_used(
    office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither a proxy nor a .netrc of the environment has a part in a callback."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login a password b\n")
    with Receiver() as proxy, Receiver() as receiver:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NETRC", str(netrc))
        office.deliver(office.ended(receiver.url))
        assert proxy.connections == 0
    assert "authorization" not in receiver.letters[0].headers


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for hook.example and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key, made = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
               "-subj", "/CN=hook.example", "-addext", "subjectAltName=DNS:hook.example",
               "-keyout", str(key), "-out", str(made)]  # fmt: skip
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is needed to make a certificate")
    return made, key


def test_tls_is_always_verified(office: Office, certificate: tuple[Path, Path]) -> None:
    """K76: an unknown certificate is refused before a byte of the letter is sent; the name counts.

    Trusted, and under its own name, the same certificate will do.
    """
    import ssl

    async def resolve(host: str, port: int) -> list[str]:
        return ["93.184.216.34"]

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*certificate)
    trusting = ssl.create_default_context(cafile=str(certificate[0]))
    guard = Guard(resolve=resolve)
    with Receiver(tls=tls) as receiver:
        dial = Dial(receiver.port)
        job = office.ended("https://hook.example/")
        other = office.ended("https://other.example/")
        office.run(
            lambda: office.delivery(job).last_error and office.delivery(other).last_error,
            guard=guard, poster=lambda: Poster(dial=dial),
        )  # fmt: skip
        assert receiver.letters == []
        assert str(office.delivery(job).last_error).startswith("TLS: self")
        office.deliver(job, guard=guard, poster=lambda: Poster(trusting, dial))
        assert str(office.delivery(other).last_error).startswith("TLS: ")
    (letter,) = receiver.letters
    assert (letter.headers["host"], letter.server_name) == ("hook.example", "hook.example")


# The courier itself


def test_stopping_breaks_off_what_hangs(office: Office) -> None:
    """An attempt that hangs does not hold up the end of the server; it is due again at once."""
    with Receiver(hang) as receiver:
        job = office.ended(receiver.url)
        begun = time.monotonic()
        office.run(lambda: receiver.letters, pace=replace(HASTY, attempt=30.0))
        assert time.monotonic() - begun < 5
    delivery = office.delivery(job)
    assert (delivery.state, delivery.attempts) == ("pending", 1)
    with Receiver(port=receiver.port) as again:
        office.deliver(job)
    assert again.letters[0].headers["webhook-id"] == receiver.letters[0].headers["webhook-id"]


def test_stopping_waits_for_what_is_nearly_done(office: Office) -> None:
    """An attempt that is answered shortly after is noted as delivered."""
    with Receiver(later(answer(200), 0.3)) as receiver:
        job = office.ended(receiver.url)
        office.run(lambda: receiver.letters)
    assert office.delivery(job).state == "delivered"


def test_the_courier_survives_its_database(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that fails for a while costs time, never the courier or a delivery.

    It is told once.
    """
    outbox = office.services.outbox
    troubles = iter(["lanes", "end"])

    def failing(name: str):  # type: ignore[no-untyped-def]
        real = getattr(type(outbox), name)

        def call(self: object, *args: object, **more: object) -> object:
            if next(troubles, None):
                raise OSError("disk full")
            return real(self, *args, **more)

        return call

    monkeypatch.setattr(courier_module, "_TRIPPED_SECONDS", 0.05)
    for name in ("pending_lanes", "claim"):
        monkeypatch.setattr(type(outbox), name, failing(name))
    with Receiver() as receiver:
        job = office.ended(receiver.url)
        office.deliver(job)
    assert sum(type(e).__name__ == "CourierTripped" for e in office.events) == 1


def test_log_lines_hold_no_secrets(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    """Failures are logged with host and reason; path, query, body and keys are not."""
    caplog.set_level(logging.DEBUG)
    with Receiver(answer(500, b"<secret body>"), answer(200)) as receiver:
        job = office.ended(receiver.url)
        office.deliver(job)
        gone = office.ended("http://user@127.0.0.1/")
        office.deliver(gone)
    for event in office.events:
        log_event(event)
    lines = [r.getMessage() for r in caplog.records if r.name == "bulkwright.callback"]
    assert f"callback to 127.0.0.1:{receiver.port} failed (1): HTTP 500; next in" in lines[0]
    assert "delivered, attempt 2" in lines[1]
    assert "given up (1): unusable URL" in lines[2]
    everything = " ".join(r.getMessage() for r in caplog.records if "httpcore" not in r.name)
    for secret in ("s3cret", "hook", "secret body", "whsec_"):
        assert secret not in everything


def _tried(office: Office, job: Job) -> Callable[[], bool]:
    def tried() -> bool:
        delivery = office.delivery(job)
        return bool(delivery.last_error or delivery.last_status)

    return tried


def test_the_courier_of_a_deployment(server: Deployment) -> None:
    """`--dev` allows loopback, a setting allows more; without either nothing inside is."""
    office = Office(server.services, server.tenant.org.id)
    production = replace(server.settings, dev=False)
    with Receiver() as receiver:
        allowed = replace(production, callback_allow=(f"127.0.0.1:{receiver.port}",))
        for settings, works in ((production, False), (allowed, True), (server.settings, True)):
            courier = make_courier(settings, server.services, lambda event: None)
            assert isinstance(courier, Courier)
            job = office.ended(receiver.url)
            office.run(_tried(office, job), guard=courier._guard)
            assert (office.delivery(job).state == "delivered") == works
            if not works:
                office.deliver(job, guard=LOOPBACK)
