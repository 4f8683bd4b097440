"""The response to a link whose result was deleted."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.retention.paths import path_of
from tests.support.deployment import Deployment

from bulkwright.clock import SYSTEM_CLOCK
from bulkwright.files import Area
from bulkwright.files.local import LocalFiles
from bulkwright.store.times import now_micros


def link(server: Deployment, job_id: int) -> str:
    """The path of a result."""
    return f"/v2/crm/org{server.tenant.org.id}/bulk-write/{job_id}/{job_id}.zip"


def job_ended_days_ago(server: Deployment, days: int) -> int:
    """The id of a job with a result that ended `days` ago."""
    job_id = server.job_id()
    path_of(server.services, Area.RESULTS, job_id).write_bytes(b"a zip")
    server.services.database.sql(
        "UPDATE jobs SET status = 'COMPLETED', has_result = TRUE, finished_time = ? WHERE id = ?",
        (now_micros(SYSTEM_CLOCK) - days * 86_400_000_000, job_id),
    )
    return job_id


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_result_that_vanishes_before_it_is_sent(
    server: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """It existed at the lookup; the response is that of any dead link."""
    job_id = job_ended_days_ago(server, 0)
    monkeypatch.setattr(LocalFiles, "path", lambda *_: tmp_path / "swept.zip")
    path = link(server, job_id)
    answer = server.http.request(method, path, headers=server.auth())
    assert answer.status_code == 403, answer.text
    if method == "GET":
        assert answer.json()["x-info"] == "Link not valid"


def test_the_profile_zoho_keeps_results_for_seven_days(server: Deployment) -> None:
    """After six days it exists; after eight the details still have the link, but it is dead."""
    young, old = job_ended_days_ago(server, 6), job_ended_days_ago(server, 8)
    assert [server.get(link(server, i)).status_code for i in (young, old)] == [200, 200]
    assert server.services.retention.sweep().results == 1
    assert server.get(link(server, young)).content == b"a zip"
    dead = server.get(link(server, old))
    assert dead.status_code == 403 and dead.json()["x-info"] == "Link not valid"
    details = server.get(f"/crm/bulk/v2/write/{old}").json()
    assert details["status"] == "COMPLETED"
    assert details["result"]["download_url"] == link(server, old)


def test_a_download_continues_while_its_result_is_swept(server: Deployment) -> None:
    """A reader that has opened it reads it to the end."""
    job_id = job_ended_days_ago(server, 8)
    content = b"x" * 20_000_000  # more than sockets hold
    path_of(server.services, Area.RESULTS, job_id).write_bytes(content)
    path = link(server, job_id)
    with server.http.stream("GET", path, headers=server.auth()) as answer:
        assert answer.status_code == 200
        assert server.services.retention.sweep().results == 1
        assert not path_of(server.services, Area.RESULTS, job_id).exists()
        assert b"".join(answer.iter_bytes()) == content
    assert server.get(path).status_code == 403
