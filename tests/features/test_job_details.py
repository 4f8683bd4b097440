"""Get Bulk Write Job Details and the download of the result (founding page; facts 4, 5)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.support.deployment import Deployment
from tests.support.uploads import zipped

from bulkwright.domain.job import Job, JobStatus, Lease, LedgerEntry, Piece, Split
from bulkwright.domain.outcome import Counts
from bulkwright.files import Area


def claimed(server: Deployment, job_id: int) -> tuple[Lease, Job]:
    """Claims a job as a worker does."""
    claim = server.services.claims.claim("test", only=job_id)
    assert claim is not None and isinstance(claim[1], Job)
    return claim[0], claim[1]


def one_chunk(counts: Counts) -> LedgerEntry:
    """Returns the ledger entry of a chunk with these counts."""
    return LedgerEntry(0, 0, 0, counts.total, counts, 0, 0, Piece("p", 0, 0, 0))


RESULT = zipped(b"x", name="Leads-leads.csv")
"""Made once, because a zip contains the time at which it was made."""


def run(server: Deployment, job_id: int, status: JobStatus = JobStatus.COMPLETED) -> None:
    """Does the work of a worker: begins, commits one chunk, ends the job."""
    claims = server.services.claims
    lease, _ = claimed(server, job_id)
    _, part = claims.begin(lease, 0, "UTF-8", Split())
    assert part is not None
    with claims.chunk(part):
        server.services.ledger.add(part, one_chunk(Counts(added=1, skipped=1)))
    done = status is JobStatus.COMPLETED
    if done:
        with server.services.files.incoming() as file:
            file.write(RESULT)
            file.save(Area.RESULTS, job_id)
    code = None if done else "FILE_NOT_SUPPORTED"
    claims.finish(lease, status, code=code, has_result=done)


def details(server: Deployment, job_id: int, version: str = "v2") -> dict[str, Any]:
    """Returns the details of a job."""
    answer = server.get(f"/crm/bulk/{version}/write/{job_id}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json;charset=utf-8"
    body: dict[str, Any] = answer.json()
    return body


def test_details_from_creation_to_the_end(server: Deployment) -> None:
    """ADDED, INPROGRESS, COMPLETED: the keys are those of the samples of the founding page."""
    job_id = server.job_id()
    claims = server.services.claims
    added = details(server, job_id)
    assert list(added) == ["status", "resource", "id", "created_by", "operation", "created_time"]
    assert added["status"] == "ADDED"
    assert added["id"] == str(job_id)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-0[78]:00", str(added["created_time"]))
    (resource,) = added["resource"]
    assert list(resource) == ["status", "type", "module", "field_mappings", "file"]
    assert (resource["status"], resource["module"]) == ("INPROGRESS", "Leads")
    assert resource["file"] == {"status": "INPROGRESS"}
    assert resource["field_mappings"][0] == {
        "api_name": "Last_Name",
        "index": 0,
        "format": None,
        "find_by": None,
        "default_value": None,
    }

    lease, _ = claimed(server, job_id)
    _, part = claims.begin(lease, 0, "UTF-8", Split())
    assert part is not None
    started = details(server, job_id)
    assert list(started)[:3] == ["status", "character_encoding", "resource"]
    assert started["status"] == "INPROGRESS"
    with claims.chunk(part):
        server.services.ledger.add(part, one_chunk(Counts(added=3, updated=2, skipped=1)))
    assert details(server, job_id)["resource"][0]["file"] == {
        "status": "INPROGRESS",
        "name": "leads.csv",
        "added_count": 3,
        "skipped_count": 1,
        "updated_count": 2,
        "total_count": 6,
    }

    claims.finish(lease, JobStatus.COMPLETED, code=None, has_result=True)
    done = details(server, job_id)
    assert done["status"] == "COMPLETED"
    assert done["result"] == {
        "download_url": f"/v2/crm/org{server.tenant.org.id}/bulk-write/{job_id}/{job_id}.zip"
    }
    assert done["resource"][0]["status"] == done["resource"][0]["file"]["status"] == "COMPLETED"


def test_a_failed_job_has_no_result(server: Deployment) -> None:
    """Details show the code from v2.1 on (facts 12)."""
    job_id = server.job_id()
    run(server, job_id, JobStatus.FAILED)
    assert "result" not in details(server, job_id)
    assert details(server, job_id)["status"] == "FAILED"
    assert details(server, job_id, "v8")["resource"][0]["code"] == "FILE_NOT_SUPPORTED"


def test_text_outside_ascii_is_escaped(server: Deployment) -> None:
    """The browser SDK reads Latin-1 (client contract 5)."""
    mappings = [
        {"api_name": "Last_Name", "index": 0, "default_value": {"value": "Zoë 😀"}},
    ]
    job_id = server.job_id(field_mappings=mappings)
    raw = server.get(f"/crm/bulk/v2/write/{job_id}").content
    assert b'"default_value":{"value":"Zo\\u00eb \\ud83d\\ude00"}' in raw


@pytest.mark.parametrize(
    "job_id",
    [
        *("abc", "0", "-1", "01", "1.0", "1e3", "9" * 18, str(2**63 - 1), str(2**63), "9" * 400),
        *("1-", "1_000", "34770619080471"),
    ],
)
def test_an_unknown_job_is_not_found(server: Deployment, job_id: str) -> None:
    """The status is 404 as documented, also for a malformed id."""
    answer = server.get(f"/crm/bulk/v2/write/{job_id}")
    assert answer.status_code == 404
    assert answer.content == (
        b'{"code":"RESOURCE_NOT_FOUND","details":{},'
        b'"message":"The requested resource doesn\'t exist.","status":"error"}'
    )


@pytest.mark.parametrize(
    "job_id", ["%31", "1%20", "1%00", "%D9%A1", "1'--", "1%20OR%201=1", "1;x", "..", "1/"]
)
def test_an_id_with_unusual_bytes_is_not_found(server: Deployment, job_id: str) -> None:
    """The status is 404 and never 500."""
    answer = server.get(f"/crm/bulk/v2/write/{job_id}")
    assert answer.status_code == 404
    assert answer.json()["code"] in ("RESOURCE_NOT_FOUND", "INVALID_URL_PATTERN")


def test_a_job_of_another_org_does_not_exist(server: Deployment) -> None:
    """The response is the same to the byte as for an unknown id."""
    job_id = server.job_id()
    theirs = server.get(f"/crm/bulk/v2/write/{job_id}", server.other.token)
    unknown = server.get("/crm/bulk/v2/write/1", server.other.token)
    assert (theirs.status_code, theirs.content) == (404, unknown.content)


def test_a_revoked_token_is_rejected_at_once(server: Deployment) -> None:
    """Also if the same request had a response a moment before."""
    token = server.token("ZohoCRM.bulk.ALL")
    job_id = server.job_id()
    assert server.get(f"/crm/bulk/v2/write/{job_id}", token).status_code == 200
    server.services.tokens.revoke(token)
    assert server.get(f"/crm/bulk/v2/write/{job_id}", token).status_code == 401


# The result


def test_the_result_is_downloaded(server: Deployment) -> None:
    """With the doubled slash of the SDKs, and in the form of the real service (facts 5)."""
    job_id = server.job_id()
    run(server, job_id)
    org = server.tenant.org.id
    for path in (
        f"/v2/crm/org{org}/bulk-write/{job_id}/{job_id}.zip",
        f"//v2/crm/org{org}/bulk-write/{job_id}/{job_id}.zip",
        f"/v8/crm/{org}/bulk-write/{job_id}/{job_id}.zip",
    ):
        answer = server.http.get(server.base_url + path, headers=server.auth())
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/zip"
        assert answer.headers["content-disposition"] == f'attachment; filename="{job_id}.zip"'
        assert answer.headers["cache-control"] == "no-store"
        assert answer.content == RESULT


def test_a_link_whose_parts_disagree_is_not_valid(server: Deployment) -> None:
    """The error has the shape of the download host."""
    job_id = server.job_id()
    run(server, job_id)
    unfinished = server.job_id()
    mine, theirs = server.tenant.org.id, server.other.org.id
    links = [
        (f"/v2/crm/org{theirs}/bulk-write/{job_id}/{job_id}.zip", None),
        (f"/v2/crm/org{mine}/bulk-write/{job_id}/{job_id}.zip", server.other.token),
        (f"/v2/crm/org{theirs}/bulk-write/{job_id}/{job_id}.zip", server.other.token),
        (f"/v2/crm/org{mine}/bulk-write/{job_id}/{unfinished}.zip", None),
        (f"/v2/crm/org{mine}/bulk-write/{unfinished}/{job_id}.zip", None),
        (f"/v2/crm/org{mine}/bulk-write/{unfinished}/{unfinished}.zip", None),
        (f"/v2/crm/org{mine}/bulk-write/x/x.zip", None),
        (f"/v2/crm/orgorg{mine}/bulk-write/{job_id}/{job_id}.zip", None),
        (f"/v2/crm/org{mine}/bulk-write/{job_id}/{job_id}", None),
    ]
    for path, token in links:
        answer = server.get(path, token)
        assert (answer.status_code, answer.json()) == (
            403,
            {
                "status": "error",
                "info": "Forbidden",
                "x-info": "Link not valid",
                "http_status": "403",
            },
        ), path


def test_a_result_needs_a_token_with_a_bulk_scope(server: Deployment) -> None:
    """Another scope is not enough."""
    path = f"/v2/crm/org{server.tenant.org.id}/bulk-write/1/1.zip"
    assert server.http.get(path).status_code == 401
    assert server.get(path, server.token("ZohoCRM.org.ALL")).json()["code"] == (
        "OAUTH_SCOPE_MISMATCH"
    )


def test_the_response_is_new_after_every_commit(server: Deployment) -> None:
    """The response cache keeps a response only until data changes."""
    job_id = server.job_id()
    lease, _ = claimed(server, job_id)
    claims = server.services.claims
    _, part = claims.begin(lease, 0, "UTF-8", Split())
    assert part is not None
    for number in range(20):
        with claims.chunk(part):
            entry = one_chunk(Counts(added=1))
            server.services.ledger.add(
                part,
                LedgerEntry(0, number, number, 1, entry.counts, 0, 0, entry.piece),
            )
        for _ in range(2):
            shown = details(server, job_id)["resource"][0]["file"]["added_count"]
            assert shown == number + 1
