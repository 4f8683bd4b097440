"""Workers that are stopped, killed or cut off in the middle of a job: others continue it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from tests.support.postgres import OwnServer, own_server
from tests.support.processes import until
from tests.support.site import LEASE, SHORT_WAITS, Asked, Site, own_rows
from tests.support.site_checks import judge

Deploy = Callable[..., Site]

STATEMENT = 4.0
"""Of site.SHORT_WAITS: how long a statement may take."""
SLACK = 4.0
"""For a busy machine."""
COPYING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND query LIKE 'COPY %' AND state = 'active' AND wait_event = 'ClientRead'"
)


def _stop_while(site: Site, pid: int, holds: Callable[[], object]) -> None:
    """Stops a process at a moment when `holds()` is true."""
    for _ in range(2_000):
        os.kill(pid, signal.SIGSTOP)
        time.sleep(0.002)
        if holds():
            return
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.002)
    raise AssertionError(site.log)


LONG = pytest.mark.long


@pytest.mark.parametrize(
    "where",
    [
        pytest.param("between chunks", marks=LONG),
        pytest.param("in a transaction", marks=LONG),
        "in a copy",
    ],
)
def test_a_worker_that_is_stopped_past_its_lease(deploy: Deploy, where: str) -> None:
    """Another one finishes the job; when the first one wakes up, it changes nothing."""
    site = deploy(constants=_long_chunks()) if where == "in a copy" else deploy()
    (customer,) = site.customers()
    api = site.api()
    job = api.ask(customer, own_rows("s", 40_000), "insert")
    first = site.worker()
    moments = {
        "between chunks": lambda: site.chunks(job) >= 2 and not _in_transaction(site),
        "in a transaction": lambda: site.chunks(job) >= 2 and _in_transaction(site),
        "in a copy": lambda: site.number(COPYING),
    }
    assert until(lambda: site.holder(job))
    _stop_while(site, first.pid, moments[where])
    stopped = time.monotonic()
    other = site.worker()
    assert until(lambda: site.holder(job) == other.pid, pause=0.05), site.log
    most = LEASE + SLACK + (STATEMENT + LEASE if where == "in a copy" else LEASE)
    assert time.monotonic() - stopped < most
    assert api.ended(job) == "COMPLETED", site.log
    result = api.result(job)
    first.send_signal(signal.SIGCONT)
    after = api.ask(customer, own_rows("t", 50))
    other.terminate()
    other.wait(300)
    assert api.ended(after) == "COMPLETED", site.log
    assert api.result(job) == result
    findings = judge(site, api, [job, after])
    assert findings.sound, findings
    assert "Traceback" not in site.log


def _long_chunks() -> dict[str, dict[str, object]]:
    return {
        **SHORT_WAITS,
        "bulkwright.domain.limits": {"CHUNK_ROWS": 20_000, "LEASE_SECONDS": LEASE},
    }


def _in_transaction(site: Site) -> int:
    return site.number(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name = 'bulkwright' AND state LIKE 'idle in transaction%'"
    )


def _two_at_work(site: Site, job: Asked) -> tuple[subprocess.Popen[str], subprocess.Popen[str]]:
    """Starts two workers; returns the one that runs the job, and the idle one."""
    first, other = site.worker(), site.worker()
    assert until(lambda: site.chunks(job) >= 2, pause=0.005), site.log
    return (first, other) if site.holder(job) == first.pid else (other, first)


def test_a_worker_that_is_killed(deploy: Deploy) -> None:
    """Its job waits until the lease expires, and no longer."""
    site = deploy()
    (customer,) = site.customers()
    api = site.api()
    job = api.ask(customer, own_rows("k", 30_000))
    first, other = _two_at_work(site, job)
    first.kill()
    killed = time.monotonic()
    assert api.details(job)["status"] == "INPROGRESS"
    assert until(lambda: site.holder(job) == other.pid), site.log
    assert time.monotonic() - killed < LEASE + SLACK
    assert api.ended(job) == "COMPLETED", site.log
    findings = judge(site, api, [job])
    assert findings.sound, findings


NET = f"198.18.{os.getpid() % 256}"
HERE = f"{NET}.1"
"""The address of the host for a worker in a network of its own."""


@pytest.fixture
def distant() -> Iterator[tuple[OwnServer, str, Callable[[], None]]]:
    """A database server, a network that reaches it, and a function that cuts the network off."""
    name = f"bw{os.getpid()}"
    here, there = f"{name}a", f"{name}b"
    up = [
        f"ip netns add {name}",
        f"ip link add {here} type veth peer name {there} netns {name}",
        f"ip addr add {HERE}/30 dev {here}",
        f"ip link set {here} up",
        f"ip -n {name} addr add {NET}.2/30 dev {there}",
        f"ip -n {name} link set {there} up",
    ]
    try:
        for line in up:
            subprocess.run(line.split(), check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        _tear_down(name, here)
        pytest.skip(f"no network of its own can be made here: {error}")
    try:
        with own_server(address=f"127.0.0.1,{HERE}", admits=f"{NET}.2/32") as server:
            yield server, name, lambda: _run(f"ip link set {here} down")
    finally:
        _tear_down(name, here)


def _run(line: str) -> None:
    subprocess.run(line.split(), check=True)


def _tear_down(name: str, here: str) -> None:
    for line in (f"ip link del {here}", f"ip netns del {name}"):
        with suppress(OSError):
            subprocess.run(line.split(), check=False, capture_output=True)


@pytest.mark.long
def test_a_host_that_is_cut_off(
    tmp_path: Path, distant: tuple[OwnServer, str, Callable[[], None]]
) -> None:
    """No process notices the end of the worker: its job waits for the lease and the chunk."""
    server, network, cut = distant
    with Site(tmp_path, server.database()) as site:
        (customer,) = site.customers()
        api = site.api()
        far = urlunsplit(urlsplit(site.database)._replace(netloc=f"postgres@{HERE}:{server.port}"))
        first = site.worker(far, prefix=("ip", "netns", "exec", network))
        job = api.ask(customer, own_rows("c", 30_000))
        assert until(lambda: site.chunks(job) >= 2, pause=0.005), site.log
        other = site.worker()
        cut()
        gone = time.monotonic()
        assert until(lambda: site.holder(job) == other.pid), site.log
        assert time.monotonic() - gone < LEASE + STATEMENT + LEASE + SLACK
        assert api.ended(job) == "COMPLETED", site.log
        assert first.poll() is None
        findings = judge(site, api, [job])
        assert findings.sound, findings
