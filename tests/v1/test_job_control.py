"""`POST /api/v1/jobs/ID/abort`, on both stores, and with a worker."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.support.deployment import Deployment
from tests.support.processes import fault_environment, until
from tests.support.receivers import Receiver
from tests.support.served import Served, leads
from tests.v1.test_jobs import JOBS, get, problem

from bulkwright.domain.audit import Action
from bulkwright.domain.job import JobStatus

Json = dict[str, Any]
ROWS = 5_000


def abort(server: Deployment, job: int | str, token: str | None = None) -> httpx2.Response:
    """POST the abort of a job."""
    return server.http.post(f"{JOBS}/{job}/abort", headers=server.auth(token))


def end(server: Deployment, job: int) -> None:
    """End a job, as a worker does."""
    claims = server.services.claims
    claimed = claims.claim("test", job)
    assert claimed is not None
    claims.finish(claimed[0], JobStatus.COMPLETED, code=None, has_result=False)


def test_a_job_is_aborted(server: Deployment) -> None:
    """Its claim is refused to no worker: one must end it. The request can be repeated."""
    job = server.job_id()
    answer = abort(server, job)
    assert answer.status_code == 202, answer.text
    state = answer.json()
    assert (state["id"], state["operation"], state["status"]) == (str(job), "insert", "ADDED")
    assert state["abort_requested_time"] is not None
    assert abort(server, job).json() == state
    shown = get(server, f"{JOBS}/{job}")
    assert shown["abort_requested_time"] == state["abort_requested_time"]
    entries = server.services.audit.newest(100, action=Action.JOB_ABORTED)
    (entry,) = (one for one in entries if one.detail == str(job))
    assert (entry.org_id, entry.user_id) == (server.tenant.org.id, server.tenant.user.id)
    assert entry.actor.address == "127.0.0.1"


def test_a_bulk_read_is_aborted(server: Deployment) -> None:
    sent = server.http.post(
        "/crm/bulk/v8/read",
        headers=server.auth(),
        json={"query": {"module": {"api_name": "Leads"}}},
    )
    job = sent.json()["data"][0]["details"]["id"]
    state = abort(server, job).json()
    assert (state["id"], state["operation"], state["status"]) == (job, "read", "ADDED")


def test_an_ended_job_is_not_aborted(server: Deployment) -> None:
    job = server.job_id()
    end(server, job)
    assert "COMPLETED" in problem(abort(server, job), 409, "JOB_HAS_ENDED")["detail"]
    assert get(server, f"{JOBS}/{job}")["abort_requested_time"] is None


def test_who_may_abort(server: Deployment) -> None:
    """A job of another org does not exist; a token needs the scope."""
    job = server.job_id()
    problem(abort(server, job, server.other.token), 404, "NO_SUCH_JOB")
    for wrong in ("1", "x", "9" * 19):
        problem(abort(server, wrong), 404, "NO_SUCH_JOB")
    alone = server.token("bulkwright.jobs.READ,bulkwright.jobs.CREATE,ZohoCRM.bulk.ALL")
    denied = problem(abort(server, job, alone), 403, "OAUTH_SCOPE_MISMATCH")
    assert "bulkwright.jobs.UPDATE" in denied["detail"]
    assert get(server, f"{JOBS}/{job}")["abort_requested_time"] is None
    assert abort(server, job, server.token("bulkwright.jobs.UPDATE")).status_code == 202


@pytest.mark.slow
def test_a_running_job_is_aborted(tmp_path: Path) -> None:
    """From the request to the result, the callback and the last event; a second job runs then."""
    limits = {"bulkwright.domain.limits": {"CHUNK_ROWS": 50, "CHUNK_TEXT_BYTES": 3_000}}
    environment = fault_environment(tmp_path / "faults", limits)
    with (
        Receiver() as receiver,
        Served(tmp_path / "data", environment=environment) as served,
    ):
        job = served.begin(leads(ROWS), receiver.url)
        path = f"{JOBS}/{job}"

        def stored() -> int:
            return int(served.http.get(path).json()["rows"]["processed"])

        assert until(lambda: stored() > 0, pause=0.005)
        assert served.http.post(f"{path}/abort").status_code in (200, 202)
        after = stored()
        assert served.ended(job, statuses=("FAILED",)) == "FAILED"
        shown = served.http.get(path).json()
        assert (shown["code"], shown["has_result"]) == ("ABORTED", True)
        assert 0 < shown["rows"]["added"] == after < ROWS
        assert served.http.post(f"{path}/abort").status_code == 200
        details = served.details(job)
        with zipfile.ZipFile(
            io.BytesIO(served.http.get(details["result"]["download_url"]).content)
        ) as archive:
            text = archive.read(archive.namelist()[0]).decode()
        counts = Counter(row["STATUS"] for row in csv.DictReader(io.StringIO(text)))
        assert counts == {"ADDED": after, "UNPROCESSED": ROWS - after}
        assert until(lambda: bool(receiver.letters))
        assert json.loads(receiver.letters[0].body)["status"] == "FAILED"
        served.ended(served.begin(leads(5, "b")))


def delete(server: Deployment, job: int | str, token: str | None = None) -> httpx2.Response:
    """DELETE a job."""
    return server.http.delete(f"{JOBS}/{job}", headers=server.auth(token))


def test_an_ended_job_is_deleted(server: Deployment) -> None:
    """The response says what went with it and what stays."""
    file_id = server.file_id()
    job, other = server.job_id(file_id=file_id), server.job_id(file_id=file_id)
    assert "abort it first" in problem(delete(server, job), 409, "JOB_IS_OPEN")["detail"]
    end(server, job)
    end(server, other)
    answer = delete(server, job)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "id": str(job),
        "result_deleted": False,
        "files_deleted": [],
        "files_kept": [file_id],
        "callback_dropped": False,
    }
    assert delete(server, other).json()["files_deleted"] == [file_id]
    problem(server.get(f"{JOBS}/{job}"), 404, "NO_SUCH_JOB")
    problem(delete(server, job), 404, "NO_SUCH_JOB")
    assert server.get(f"/crm/bulk/v2/write/{job}").status_code == 404
    entries = server.services.audit.newest(100, action=Action.JOB_DELETED)
    (entry,) = (one for one in entries if one.detail == str(job))
    assert (entry.user_id, entry.actor.address) == (server.tenant.user.id, "127.0.0.1")


def test_who_may_delete(server: Deployment) -> None:
    job = server.job_id()
    end(server, job)
    problem(delete(server, job, server.other.token), 404, "NO_SUCH_JOB")
    alone = server.token("bulkwright.jobs.UPDATE,bulkwright.jobs.CREATE,bulkwright.jobs.READ")
    denied = problem(delete(server, job, alone), 403, "OAUTH_SCOPE_MISMATCH")
    assert "bulkwright.jobs.DELETE" in denied["detail"]
    assert delete(server, job, server.token("bulkwright.jobs.DELETE")).status_code == 200
