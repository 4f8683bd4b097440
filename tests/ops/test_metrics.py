"""`/metrics`: its values, and who may read them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.deployment import Deployment
from tests.support.processes import until
from tests.support.receivers import Receiver, answer, closed_port
from tests.support.served import Scrape, Served, leads

from bulkwright.clock import SYSTEM_CLOCK
from bulkwright.events.counters import RequestCounters
from bulkwright.events.worker_metrics import WorkerMetrics
from bulkwright.ops.metrics import Metrics
from bulkwright.services import Services
from bulkwright.settings import Settings
from bulkwright.store.metrics import Backlog
from bulkwright.store.sqlite.connection import StdlibDatabase
from bulkwright.store.times import lease_now, now_micros
from bulkwright.wiring import open_services

DETAILS = "/crm/bulk/{version}/write/{job_id}"


def test_a_job_is_counted_from_its_upload_to_its_callback(tmp_path: Path) -> None:
    """Rows by outcome, chunks, the job's end, the callback, and requests by route and status."""
    with Receiver(answer(200)) as receiver, Served(tmp_path / "data") as served:
        before = served.metrics()
        served.ended(served.begin(leads(30, bad=2), receiver.url))
        served.http.get("/crm/bulk/v2/write/1")
        served.http.get("/nothing/at/all?code=1")
        delivered = ("callback_attempts_total", {"outcome": "delivered"})
        ended = ("jobs_ended_total", {"status": "COMPLETED"})
        for name, labels in (delivered, ended):
            assert until(lambda n=name, of=labels: served.metrics()(n, **of) == 1)  # type: ignore[misc]
        seen = served.metrics()
    assert before("rows_total", outcome="ADDED") == 0
    assert seen("rows_total", outcome="ADDED") == 30
    assert seen("rows_total", outcome="SKIPPED") == 2
    assert seen("rows_total", outcome="UPDATED") == 0
    assert seen("jobs_ended_total", status="COMPLETED") == 1
    assert seen("chunk_seconds_count") == seen("chunk_seconds_bucket", le="+Inf") == 1
    assert 0 < seen("chunk_seconds_sum") < 30
    assert seen("workers") == seen("store_up") == 1
    assert seen("jobs", status="ADDED") == seen("jobs", status="INPROGRESS") == 0
    assert seen("queue_age_seconds") == seen("callbacks_pending") == 0
    upload = {"method": "POST", "route": "/crm/{version}/upload"}
    assert seen("http_requests_total", **upload, status="200") == 1
    assert seen("http_request_seconds_count", **upload) == 1
    assert seen("http_requests_total", method="GET", route=DETAILS, status="404") == 1
    # Polls that are answered from memory count as well, under the same route.
    assert seen("http_requests_total", method="GET", route=DETAILS, status="200") >= 1
    assert seen("http_requests_total", method="", route="", status="404") == 1
    (info,) = seen.families["bulkwright_build_info"].samples
    assert info.labels["version"] and info.value == 1
    assert "process_resident_memory_bytes" in seen.families


def test_the_backlog_comes_from_the_database(tmp_path: Path) -> None:
    """Without a worker a job waits, and its age grows; a callback that fails stays pending."""
    nowhere = f"http://127.0.0.1:{closed_port()}/hook"
    with Served(tmp_path / "data", "--workers", "0") as served:
        served.begin(leads(3), nowhere)
        time.sleep(0.3)
        seen = served.metrics()
        assert seen("jobs", status="ADDED") == 1
        assert 0.3 <= seen("queue_age_seconds") < 30
        assert seen("workers") == 0
    with Served(tmp_path / "data") as served:
        assert until(lambda: served.metrics()("callback_attempts_total", outcome="failed") > 0)
        seen = served.metrics()
        assert seen("callbacks_pending") == 1
        assert seen("jobs", status="ADDED") == seen("queue_age_seconds") == 0


def test_the_work_of_a_killed_worker_still_counts(tmp_path: Path) -> None:
    """Counters never decrease: the server keeps those of the dead worker."""
    with Served(tmp_path / "data") as served:
        served.ended(served.begin(leads(10, "a")))
        assert until(lambda: served.metrics()("jobs_ended_total", status="COMPLETED") == 1)
        (worker,) = served.workers
        os.kill(worker, signal.SIGKILL)
        assert until(lambda: worker not in served.workers)
        assert served.metrics()("rows_total", outcome="ADDED") == 10
        served.ended(served.begin(leads(5, "b")))
        assert until(lambda: served.metrics()("rows_total", outcome="ADDED") == 15)
        assert served.metrics()("workers") == 1


def test_only_the_bearer_of_the_token_reads_them(tmp_path: Path) -> None:
    """An OAuth token does not open them; with a token they are closed under --dev too."""
    with Served(tmp_path / "data", "--metrics-token", "open-sesame-1", "--workers", "0") as served:
        for wrong in ("", "Bearer open-sesame-2", f"Bearer {served.known['access_token']}"):
            answer = served.http.get("/metrics", headers={"Authorization": wrong})
            assert answer.status_code == 401
            assert "bulkwright_" not in answer.text
        assert served.metrics("open-sesame-1")("workers") == 0


def test_without_a_token_only_a_dev_server_has_them(tmp_path: Path) -> None:
    """Behind a proxy on this machine, every client has a loopback address."""
    with Served(tmp_path / "data", "--workers", "0", dev=False) as served:
        assert served.http.get("/metrics").status_code == 404
        assert served.http.get("/readyz").status_code == 200


def test_a_start_does_not_import_the_library() -> None:
    """It is imported by the first scrape."""
    code = "import sys, bulkwright.runtime.serve; print('prometheus_client' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """The use cases over an empty folder, with one org."""
    with open_services(Settings(tmp_path / "data", dev=True)) as opened:
        opened.setup.dev_setup()
        yield opened


def test_the_backlog_to_the_second(services: Services) -> None:
    """Free jobs wait, claimed ones and ended ones do not; the oldest due callback counts."""
    add_jobs(
        services,
        ADDED=(20, 0),
        INPROGRESS=(50, lease_now(SYSTEM_CLOCK) + 5_000_000),
        COMPLETED=(90, 0),
    )
    add_callback(services, 4, "pending", due=-7)
    add_callback(services, 5, "pending", due=+60)
    add_callback(services, 6, "delivered", due=-500)
    backlog = services.backlog.backlog()
    assert (backlog.added, backlog.in_progress, backlog.callbacks) == (1, 1, 2)
    assert 20 <= backlog.queue_age < 25
    assert 7 <= backlog.callback_lag < 12


def test_a_job_with_an_expired_claim_waits_again(services: Services) -> None:
    """Its worker is dead; its age is that of the job."""
    add_jobs(services, INPROGRESS=(50, lease_now(SYSTEM_CLOCK) - 1))
    assert 50 <= services.backlog.backlog().queue_age < 55


def test_an_empty_backlog(services: Services) -> None:
    """All zero, and no negative age after the clock was set back."""
    assert services.backlog.backlog() == Backlog(0, 0, 0.0, 0, 0.0)
    add_jobs(services, ADDED=(-3600, 0))
    assert services.backlog.backlog().queue_age == 0


@pytest.mark.parametrize("name", ["open_jobs", "oldest_free_job", "pending_deliveries"])
def test_no_scrape_reads_ended_rows(services: Services, name: str) -> None:
    """Each query reads an index that contains open rows only."""
    assert isinstance(services.database, StdlibDatabase)
    query = services.database._queries[name]
    values = query.bind({"now": 0, "lease": 0})
    plan = [r["detail"] for r in services.database.sql(f"EXPLAIN QUERY PLAN {query.sql}", values)]
    steps = [step for step in plan if re.match("SCAN|SEARCH", step)]
    assert steps and all(
        re.search(r"INDEX (jobs_queue|outbox_due)\b", step) for step in steps
    ), plan


def test_every_metric_is_documented(any_server: Deployment) -> None:
    """docs/operations.md has the name of each family that the page of a server has."""
    text = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
    page = Metrics(
        workers=WorkerMetrics(), requests=RequestCounters(), store=any_server.services.backlog
    ).page()
    names = {name for name in Scrape(page.decode()).families if name.startswith("bulkwright_")}
    assert len(names) > 12
    assert {name for name in names if f"`{name}" not in text} == set()


def test_without_the_database_only_its_gauges_are_missing(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is served, and reports it."""
    metrics = Metrics(store=services.backlog)
    assert Scrape(metrics.page().decode())("store_up") == 1
    monkeypatch.setattr(StdlibDatabase, "_connection", broken)
    page = Scrape(metrics.page().decode())
    assert page("store_up") == 0
    assert "queue_age_seconds" not in page and "rows_total" in page


def broken(*_: object) -> None:
    """Fails as if the disk were missing."""
    raise OSError(5, "Input/output error")


def add_jobs(services: Services, **jobs: tuple[float, int]) -> None:
    """Adds a job of each status: its age in seconds, and until when it is claimed."""
    (org,) = services.accounts.orgs()
    (user, *_) = services.accounts.users(org.id)
    for n, (status, (age, until_time)) in enumerate(jobs.items(), start=1):
        services.database.sql(
            "INSERT INTO jobs (id, org_id, user_id, user_name, operation, created_time, time_zone,"
            " status, lease_until) VALUES (?, ?, ?, 'x', 'insert', ?, 'UTC', ?, ?)",
            (
                n,
                org.id,
                user.id,
                now_micros(SYSTEM_CLOCK) - int(age * 1_000_000),
                status,
                until_time,
            ),
        )


def add_callback(services: Services, number: int, state: str, due: float) -> None:
    """Adds a callback that is due in `due` seconds."""
    (org,) = services.accounts.orgs()
    (user, *_) = services.accounts.users(org.id)
    services.database.sql(
        "INSERT INTO jobs (id, org_id, user_id, user_name, operation, created_time, time_zone,"
        " status) VALUES (?, ?, ?, 'x', 'insert', 0, 'UTC', 'COMPLETED')",
        (number, org.id, user.id),
    )
    services.database.sql(
        "INSERT INTO outbox"
        " (id, org_id, job_id, url, lane,"  # codespell:ignore lane
        " state, next_time, deadline, created_time)"
        " VALUES (?, ?, ?, 'http://x/', 'x:80', ?, ?, 0, 0)",
        (number, org.id, number, state, now_micros(SYSTEM_CLOCK) + int(due * 1_000_000)),
    )
