"""The live events of a job, over real connections."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.support.deployment import Deployment
from tests.support.processes import until
from tests.support.served import Served
from tests.v1.conftest import Working
from tests.v1.test_jobs import JOBS, problem

from bulkwright.domain.limits import EVENT_STREAMS_OF_ORG

pytestmark = pytest.mark.slow  # it starts servers with workers

Json = dict[str, Any]
Event = tuple[str, Json]
ROWS = 20_000


@pytest.fixture
def served(working: Working) -> Served:
    """A server with a worker, on each store in turn."""
    return working.served


@contextmanager
def stream(http: httpx2.Client, job: str, **headers: str) -> Iterator[Iterator[Event]]:
    """The events of a job as they arrive: their ids and data."""

    def parse(lines: Iterator[str]) -> Iterator[Event]:
        found: dict[str, str] = {}
        for line in lines:
            if line:
                name, _, value = line.partition(": ")
                found[name] = value
            elif "data" in found:
                assert found["event"] == "job"
                yield found["id"], json.loads(found["data"])
                found = {}

    with http.stream("GET", f"{JOBS}/{job}/events", headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        yield parse(answer.iter_lines())


def test_a_job_is_followed_to_its_end(served: Served) -> None:
    """Counts only grow, each event differs from the one before, and the last has the end."""
    job = served.begin("Last_Name\n" + "Boyle\n" * ROWS)
    with stream(served.http, job) as events:
        found = list(events)
    ids = [event_id for event_id, _ in found]
    assert len(set(ids)) == len(ids)
    counts = [data["rows"]["processed"] for _, data in found]
    assert counts == sorted(counts)
    final = found[-1][1]
    assert (final["status"], final["rows"]["added"], final["has_result"]) == (
        "COMPLETED",
        ROWS,
        True,
    )
    assert final["ended_time"] is not None
    assert final == served.http.get(f"{JOBS}/{job}").json()


def test_a_client_continues_after_its_last_event(served: Served) -> None:
    """It gets what has changed since; after the last event of all, the end of its attempts."""
    job = served.begin("Last_Name\nBoyle\n")
    served.ended(job)
    with stream(served.http, job, **{"Last-Event-ID": "INPROGRESS-0"}) as events:
        ((last, data),) = events
    assert data["rows"]["added"] == 1
    answer = served.http.get(f"{JOBS}/{job}/events", headers={"Last-Event-ID": last})
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_stream_ends_with_its_token(any_server: Deployment) -> None:
    """What may not be read any more is not sent any more."""
    job = any_server.job_id()
    token = any_server.token("bulkwright.jobs.READ")
    headers = {"Authorization": f"Bearer {token}"}
    with stream(any_server.http, str(job), **headers) as events:
        assert next(events)[1]["status"] == "ADDED"
        any_server.services.tokens.revoke(token)
        with pytest.raises((StopIteration, httpx2.RemoteProtocolError)):
            next(events)


def test_an_org_has_a_number_of_streams(any_server: Deployment) -> None:
    """A client that leaves gives its place back; another org has places of its own."""
    path = f"{JOBS}/{any_server.job_id()}/events"
    with httpx2.Client(base_url=any_server.base_url, headers=any_server.auth()) as http:
        opened = []
        for _ in range(EVENT_STREAMS_OF_ORG):
            answer = http.send(http.build_request("GET", path), stream=True)
            assert answer.status_code == 200
            pieces = answer.iter_raw()  # to drop it would close the response
            assert next(pieces).startswith(b"id: ADDED-0\n")
            opened.append((answer, pieces))
        problem(any_server.get(path), 429, "TOO_MANY_STREAMS")
        opened.pop()[0].close()

        def is_free() -> bool:
            with http.stream("GET", path) as answer:
                return answer.status_code == 200

        assert until(is_free)
        for answer, _ in opened:
            answer.close()


def test_a_foreign_or_unknown_job_has_no_events(any_server: Deployment) -> None:
    path = f"{JOBS}/{any_server.job_id()}/events"
    problem(any_server.get(path, any_server.other.token), 404, "NO_SUCH_JOB")
    problem(any_server.http.get(path), 401, "AUTHENTICATION_FAILURE")


def test_a_server_stops_while_clients_follow_jobs(tmp_path: Path) -> None:
    """The stream ends, so that the server does not wait for the end of the job."""
    with Served(tmp_path / "data", "--workers", "0") as running:
        job = running.begin("Last_Name\nBoyle\n")
        with stream(running.http, job) as events:
            assert next(events)[1]["status"] == "ADDED"
            running.process.terminate()
            assert list(events) == []
            assert running.process.wait(60) == 0
