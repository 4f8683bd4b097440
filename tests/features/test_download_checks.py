"""A download is checked without a wait: a small result before it is sent, a large one meanwhile."""

from __future__ import annotations

import hashlib
import os

import httpx2
import pytest
from tests.support.deployment import Deployment

from bulkwright.domain.job import JobStatus
from bulkwright.domain.limits import VERIFIED_AT_ONCE_BYTES
from bulkwright.files import Area

LARGE = VERIFIED_AT_ONCE_BYTES + 300_000


def ended(server: Deployment, result: bytes, *, sha256: str | None = None) -> str:
    """The download link of a job that has ended with this result."""
    job_id, store = server.job_id(), server.services.claims
    claimed = store.claim("here/1", job_id)
    assert claimed is not None
    with server.services.files.incoming() as file:
        file.write(result)
        file.save(Area.RESULTS, job_id)
    digest = sha256 or hashlib.sha256(result).hexdigest()
    store.finish(claimed[0], JobStatus.COMPLETED, code=None, has_result=True, result_sha256=digest)
    return f"/v2/crm/org{server.tenant.org.id}/bulk-write/{job_id}/{job_id}.zip"


@pytest.mark.parametrize("size", [1_000, LARGE])
def test_head_and_get_have_the_same_length(server: Deployment, size: int) -> None:
    """A HEAD reads nothing of the file, so that it does not matter whether that is damaged."""
    result = os.urandom(size)
    link = ended(server, result)
    head = server.http.head(link, headers=server.auth())
    assert (head.status_code, head.content) == (200, b"")
    got = server.get(link)
    assert got.content == result
    for name in ("content-length", "content-type", "content-disposition"):
        assert head.headers[name] == got.headers[name]


def test_a_small_damaged_result_is_an_error(server: Deployment) -> None:
    """Nothing of it is sent."""
    answer = server.get(ended(server, b"x" * 1_000, sha256="0" * 64))
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL_ERROR")


def test_a_large_damaged_result_is_never_whole(server: Deployment) -> None:
    """It is checked while it is sent, and its end is missing; the connection shows that."""
    link = ended(server, b"x" * LARGE, sha256="0" * 64)
    with pytest.raises(httpx2.RemoteProtocolError, match="without sending complete"):
        server.get(link)
    assert server.http.head(link, headers=server.auth()).status_code == 200
