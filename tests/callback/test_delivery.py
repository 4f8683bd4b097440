"""The callback dispatcher with receivers that fail in many ways."""

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
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from pathlib import Path

import httpcore2
import pytest
from tests.callback.office import FAST, LOOPBACK, TLS, Office
from tests.support.deployment import Deployment
from tests.support.receivers import (
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

from bulkwright.callback import dispatcher as dispatcher_module
from bulkwright.callback.dispatcher import CallbackDispatcher, Pace
from bulkwright.callback.sender import WebhookSender
from bulkwright.clock import ManualClock
from bulkwright.domain.endpoint import parse_endpoint
from bulkwright.domain.job import Job, JobStatus
from bulkwright.egress import Guard
from bulkwright.events.events import CallbackDelivered, CallbackFailed, CallbackGivenUp
from bulkwright.events.log import log_event
from bulkwright.store import outbox as outbox_module
from bulkwright.wiring import make_dispatcher


def signatures(letter: Letter, secrets: Iterable[str]) -> list[str]:
    """Returns the signature of a letter by each secret, as Standard Webhooks specifies it."""
    head = f"{letter.headers['webhook-id']}.{letter.headers['webhook-timestamp']}."
    keys = [base64.b64decode(s.split("_", 1)[1]) for s in secrets]
    made = [hmac.new(key, head.encode() + letter.body, hashlib.sha256).digest() for key in keys]
    return ["v1," + base64.b64encode(m).decode() for m in made]


# The request


@pytest.mark.parametrize("version", ["v2", "v2.1", "v8"])
@pytest.mark.parametrize("status", [JobStatus.COMPLETED, JobStatus.FAILED])
def test_the_body_is_the_job_details(server: Deployment, version: str, status: JobStatus) -> None:
    """It equals the response of Get Bulk Write Job Details in the job's version."""
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


@pytest.mark.parametrize("version", ["v2", "v8"])
def test_the_body_of_a_bulk_read_is_its_details(server: Deployment, version: str) -> None:
    """As the version that created it returns them."""
    office = Office(server.services, server.tenant.org.id)
    with Receiver() as receiver:
        job = office.read(receiver.url, version)
        office.deliver(job)
    (letter,) = receiver.letters
    assert letter.body == server.get(f"/crm/bulk/{version}/read/{job.id}").content


def test_the_headers(office: Office) -> None:
    """A POST with the URL's path and query; these headers and no others, so no token."""
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


def test_two_secrets_sign_while_they_are_changed(office: Office) -> None:
    """After a rotation the new and the old secret both sign; a day later only the new."""
    signing = office.services.signing
    (old,) = signing.of(office.org_id)
    new = signing.rotate(office.org_id)
    assert new != old
    with Receiver() as receiver:
        office.deliver(office.ended(receiver.url))
    office.services.database.clock = ManualClock(datetime.now(UTC) + timedelta(hours=25))
    assert signing.of(office.org_id) == (new,)
    (letter,) = receiver.letters
    assert letter.headers["webhook-signature"].split(" ") == signatures(letter, [new, old])


def test_orgs_have_different_secrets(server: Deployment) -> None:
    """One org's secret proves nothing about another's callbacks."""
    signing = server.services.signing
    assert signing.of(server.tenant.org.id) != signing.of(server.other.org.id)
    assert signing.of(server.tenant.org.id) == signing.of(server.tenant.org.id)


# Retries


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
    """After two failures of any kind the third attempt delivers the same letter."""
    with Receiver(FAILURES[error], FAILURES[error], answer(204)) as receiver:
        job = office.ended(receiver.url)
        office.deliver(job, pace=replace(FAST, attempt=0.3))
    delivery = office.delivery(job)
    assert (delivery.state, delivery.attempts, delivery.last_status) == ("delivered", 3, 204)
    assert delivery.last_error is None
    assert delivery.ended_time is not None
    assert {x.headers["webhook-id"] for x in receiver.letters} == {f"msg_{delivery.id}"}
    assert len({x.body for x in receiver.letters}) == 1
    failed = [e for e in office.events if isinstance(e, CallbackFailed)]
    if error in ("connection reset by peer", "the connection ended before the answer"):
        # Which of the two is reported depends on timing.
        assert len(failed) == 2
    else:
        assert [e.reason for e in failed] == [error, error]
    assert isinstance(office.events[-1], CallbackDelivered)


def test_a_receiver_that_comes_up_later(office: Office) -> None:
    """At first, no server listens; when the receiver starts, the delivery arrives."""
    port = closed_port()
    job = office.ended(f"http://127.0.0.1:{port}/")
    office.run(lambda: office.delivery(job).attempts >= 3)
    assert office.delivery(job).last_error == "connection refused"
    with Receiver(port=port) as receiver:
        office.deliver(job)
    assert receiver.letters[0].headers["webhook-id"] == office.delivery(job).webhook_id


def test_redirects_are_not_followed(office: Office) -> None:
    """A redirect is a failure, whatever its target."""
    with Receiver() as canary:
        there = [answer(status, Location=canary.url) for status in (301, 302, 303, 307, 308)]
        with Receiver(*there, answer(200)) as receiver:
            job = office.ended(receiver.url)
            office.deliver(job)
        assert canary.connections == 0
    assert office.delivery(job).attempts == 6


def test_410_gives_up_at_once(office: Office) -> None:
    """410 ends the delivery at once."""
    with Receiver(answer(410)) as receiver:
        job = office.ended(receiver.url)
        office.deliver(job)
        assert len(receiver.letters) == 1
    delivery = office.delivery(job)
    assert delivery.attempts == 1
    assert (delivery.state, delivery.last_status, delivery.last_error) == (
        "given_up", 410, "HTTP 410",
    )  # fmt: skip
    assert isinstance(office.events[-1], CallbackGivenUp)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(office: Office, status: int) -> None:
    """The next attempt waits for the time of Retry-After, in seconds or as a date."""
    soon = formatdate(time.time() + 2, usegmt=True)
    with Receiver(answer(status, Retry_After="1"), answer(status, Retry_After=soon)) as receiver:
        office.ended(receiver.url)
        office.run(lambda: receiver.connections >= 2)
        first, second = receiver.letters
    assert second.time - first.time >= 1
    (failed,) = [e for e in office.events if isinstance(e, CallbackFailed)][:1]
    assert failed.wait == 1.0


def test_retry_after_has_its_bounds() -> None:
    """Retry-After is capped, and our own wait is never shorter than it."""
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
def test_an_invalid_retry_after_is_ignored(office: Office, text: str) -> None:
    """It is neither a number nor a date."""
    odd = text.encode().decode("latin-1")
    head = f"HTTP/1.1 429 X\r\nRetry-After: {odd}\r\nContent-Length: 0\r\n\r\n".encode("latin-1")
    with Receiver(raw(head), answer(200)) as receiver:
        job = office.ended(receiver.url)
        office.deliver(job, seconds=10.0)
    assert office.delivery(job).state == "delivered"


def test_given_up_after_the_last_attempt(office: Office) -> None:
    """After the last attempt fails, the delivery has the reason."""
    with Receiver(answer(500)) as receiver:
        job = office.ended(receiver.url)
        office.deliver(job, pace=replace(FAST, attempts=4))
        assert receiver.connections == 4
    assert (office.delivery(job).state, office.delivery(job).last_status) == ("given_up", 500)
    assert isinstance(office.events[-1], CallbackGivenUp)


def test_given_up_after_the_deadline(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of attempts does not matter then."""
    monkeypatch.setattr(outbox_module, "CALLBACK_LIFE_SECONDS", 0.3)
    with Receiver(answer(500)) as receiver:
        job = office.ended(receiver.url)
        office.deliver(job)
        assert receiver.connections >= 1
    assert office.delivery(job).state == "given_up"


def test_a_url_that_cannot_be_used_is_given_up_at_once(office: Office) -> None:
    """Only an old job can have such a URL; another attempt would not help."""
    job = office.ended("http://user@127.0.0.1/")
    office.deliver(job)
    delivery = office.delivery(job)
    assert (delivery.state, delivery.attempts) == ("given_up", 1)
    assert delivery.last_error == "unusable URL: odd host, port or user name"


# Slow and endless responses


def test_a_slow_response_is_cut_off(office: Office) -> None:
    """A status line that arrives byte by byte is no response when the time is over."""
    drip = endless(b"HTTP/1.1 200 OK\r\nX-Drip: ", b"x", 0.05)
    with Receiver(drip, answer(200)) as receiver:
        job = office.ended(receiver.url)
        office.deliver(job, pace=replace(FAST, attempt=0.4))
    (failed,) = [e for e in office.events if isinstance(e, CallbackFailed)]
    assert failed.reason == "no answer in time"


def test_a_received_status_counts(office: Office) -> None:
    """The callback is delivered although the body of the 200 arrives slowly."""
    drip = endless(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x", 0.05)
    with Receiver(drip) as receiver:
        job = office.ended(receiver.url)
        office.deliver(job, pace=replace(FAST, attempt=0.4))
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
    """At most 64 KiB are read, heads and bodies included."""
    with Receiver(HUGE[kind], answer(200)) as receiver:
        job = office.ended(receiver.url)
        patient = replace(FAST, attempt=30.0)
        took = office.run(lambda: office.states(job) == ["delivered"], pace=patient)
        assert receiver.sent < 16 * 1024 * 1024  # what fits into the buffers of two sockets
    assert took < 15
    assert office.delivery(job).attempts == (1 if "body" in kind or kind == "gzip" else 2)


# Destinations


def test_a_dead_host_delays_no_other(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """1,000 deliveries to a host that hangs do not delay those to another host."""
    monkeypatch.setattr(dispatcher_module, "_SHUTDOWN_SECONDS", 0.1)
    with Receiver(hang) as dead, Receiver() as alive:
        for _ in range(1_000):
            office.ended(dead.url)
        jobs = [office.ended(alive.url) for _ in range(10)]
        pace = replace(FAST, attempt=30.0, prompt=2.0)
        took = office.run(lambda: set(office.states(*jobs)) == {"delivered"}, pace=pace)
        assert dead.connections <= pace.per_destination
    assert took < 15


def test_slow_hosts_share_half_of_the_room(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow hosts leave room for others, also when there are many slow ones."""
    monkeypatch.setattr(dispatcher_module, "_SHUTDOWN_SECONDS", 0.1)
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

        office.run(delivered, pace=replace(FAST, attempt=3.0, at_once=4, per_destination=1))
        assert alive.letters[0].time - late[0][0] < 2.5


def test_a_destination_has_a_few_attempts_at_once(office: Office) -> None:
    """One host never receives more than four requests at once."""
    with Receiver(later(answer(200), 1.0)) as receiver:
        jobs = [office.ended(receiver.url) for _ in range(8)]
        office.deliver(*jobs, pace=replace(FAST, attempt=10.0, prompt=5.0))
    times = [letter.time for letter in receiver.letters]
    assert times[3] - times[0] < 0.9 <= times[4] - times[0]


# Only the checked address


class Dial(httpcore2.AsyncNetworkBackend):
    """Records the addresses that it should connect to, and connects to a receiver instead."""

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
    """Its address is public when checked, loopback later; only the checked one is used."""
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
            make_sender=lambda: WebhookSender(network=dial),
        )  # fmt: skip
        assert receiver.connections == 1
    assert dial.asked == ["93.184.216.34"]
    assert len(asked) >= 3
    assert receiver.letters[0].headers["host"] == "rebind.example"
    assert office.delivery(job).last_error == "forbidden address: loopback"


def test_the_next_address_when_one_is_dead(office: Office) -> None:
    """The first address that accepts a connection is used; four at most are tried."""
    found = ["2606:2800::1", "93.184.216.34", "1.1.1.1"]

    async def resolve(host: str, port: int) -> list[str]:
        return found

    with Receiver() as receiver:
        dial = Dial(receiver.port, found[0])
        job = office.ended("http://two.example/")
        office.deliver(
            job, guard=Guard(resolve=resolve), make_sender=lambda: WebhookSender(network=dial)
        )
    assert dial.asked == found[:2]
    endpoint = parse_endpoint("http://two.example/")
    assert len(asyncio.run(Guard(resolve=resolve).addresses(endpoint))) == 3


def test_proxies_of_the_environment_are_not_used(
    office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A callback uses neither a proxy nor a .netrc of the environment."""
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
    """With an unknown certificate or a wrong name, not one byte of the request is sent.

    If the certificate is trusted and has the right name, the request is sent.
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
            guard=guard, make_sender=lambda: WebhookSender(network=dial),
        )  # fmt: skip
        assert receiver.letters == []
        assert str(office.delivery(job).last_error).startswith("TLS: self")
        office.deliver(job, guard=guard, make_sender=lambda: WebhookSender(trusting, dial))
        assert str(office.delivery(other).last_error).startswith("TLS: ")
    (letter,) = receiver.letters
    assert (letter.headers["host"], letter.server_name) == ("hook.example", "hook.example")


# The dispatcher


def test_stopping_aborts_an_attempt_that_hangs(office: Office) -> None:
    """It does not delay the end of the server, and the delivery is due again at once."""
    with Receiver(hang) as receiver:
        job = office.ended(receiver.url)
        begun = time.monotonic()
        office.run(lambda: receiver.letters, pace=replace(FAST, attempt=30.0))
        assert time.monotonic() - begun < 15  # an attempt may last 30
    delivery = office.delivery(job)
    assert (delivery.state, delivery.attempts) == ("pending", 1)
    with Receiver(port=receiver.port) as again:
        office.deliver(job)
    assert again.letters[0].headers["webhook-id"] == receiver.letters[0].headers["webhook-id"]


def test_stopping_waits_for_a_short_time(office: Office) -> None:
    """An attempt that is answered in that time is recorded as delivered."""
    with Receiver(later(answer(200), 0.3)) as receiver:
        job = office.ended(receiver.url)
        office.run(lambda: receiver.letters)
    assert office.delivery(job).state == "delivered"


def test_the_dispatcher_survives_a_failing_database(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deliveries are late, but none is lost. The error is reported once."""
    outbox = office.services.outbox
    failures = iter(["pending", "claim"])

    def failing(name: str):  # type: ignore[no-untyped-def]
        real = getattr(type(outbox), name)

        def call(self: object, *args: object, **more: object) -> object:
            if next(failures, None):
                raise OSError("disk full")
            return real(self, *args, **more)

        return call

    monkeypatch.setattr(dispatcher_module, "_ERROR_PAUSE_SECONDS", 0.05)
    for name in ("pending_destinations", "claim"):
        monkeypatch.setattr(type(outbox), name, failing(name))
    with Receiver() as receiver:
        job = office.ended(receiver.url)
        office.deliver(job)
    assert sum(type(e).__name__ == "DispatcherFailed" for e in office.events) == 1


def test_log_lines_hold_no_secrets(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    """A failure is logged with host and reason, but without path, query, body and keys."""
    caplog.set_level(logging.DEBUG)
    with Receiver(answer(500, b"<secret body>"), answer(200)) as receiver:
        job = office.ended(receiver.url)
        office.deliver(job)
        gone = office.ended("http://user@127.0.0.1/")
        office.deliver(gone)
    for event in office.events:
        log_event(event)
    lines = [r.getMessage() for r in caplog.records if r.name == "bulkwright.callback"]
    assert f"callback to 127.0.0.1:{receiver.port} failed, attempt 1: HTTP 500; next in" in lines[0]
    assert "delivered, attempt 2" in lines[1]
    assert "given up, attempt 1: unusable URL" in lines[2]
    everything = " ".join(r.getMessage() for r in caplog.records if "httpcore" not in r.name)
    for secret in ("s3cret", "hook", "secret body", "whsec_"):
        assert secret not in everything


def _tried(office: Office, job: Job) -> Callable[[], bool]:
    def tried() -> bool:
        delivery = office.delivery(job)
        return bool(delivery.last_error or delivery.last_status)

    return tried


def test_the_dispatcher_of_a_deployment(server: Deployment) -> None:
    """`--dev` and --callback-allow allow loopback; without them it is forbidden."""
    office = Office(server.services, server.tenant.org.id)
    production = replace(server.settings, dev=False)
    with Receiver() as receiver:
        allowed = replace(production, callback_allow=(f"127.0.0.1:{receiver.port}",))
        for settings, works in ((production, False), (allowed, True), (server.settings, True)):
            dispatcher = make_dispatcher(settings, server.services, lambda event: None)
            assert isinstance(dispatcher, CallbackDispatcher)
            job = office.ended(receiver.url)
            office.run(_tried(office, job), guard=dispatcher._guard)
            assert (office.delivery(job).state == "delivered") == works
            if not works:
                office.deliver(job, guard=LOOPBACK)


def test_a_job_that_is_deleted_during_an_attempt_is_given_up(office: Office) -> None:
    """Nothing is sent, and no error is logged."""
    with Receiver() as receiver:
        job = office.ended(receiver.url)

        def make_sender() -> WebhookSender:
            office.services.job_control.delete(office.org_id, job.id)
            return WebhookSender(TLS)

        office.run(lambda: office.events, make_sender=make_sender)
    (event,) = office.events
    assert isinstance(event, CallbackGivenUp) and event.reason == "the job was deleted"
    assert receiver.letters == []
