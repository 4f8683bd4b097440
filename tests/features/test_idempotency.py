"""`Idempotency-Key` on upload and create: a repeated request has no second effect."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import httpx2
import pytest
from tests.support.deployment import Deployment
from tests.support.uploads import zipped

Send = Callable[[str, int], httpx2.Response]
RACED = 20


def create(server: Deployment) -> Send:
    """Sends one of two different create requests with a key."""
    bodies = [json.dumps(server.insert(ignore_empty=flag)) for flag in (False, True)]

    def send(key: str, which: int = 0) -> httpx2.Response:
        headers = server.auth() | {"Idempotency-Key": key}
        return server.http.post("/crm/bulk/v2/write", headers=headers, content=bodies[which])

    return send


def read(server: Deployment) -> Send:
    """Sends one of two different requests for a bulk read with a key."""

    def send(key: str, which: int = 0) -> httpx2.Response:
        headers = server.auth() | {"Idempotency-Key": key}
        query = {"module": "Leads", "page": which + 1}
        return server.http.post("/crm/bulk/v2/read", headers=headers, json={"query": query})

    return send


def upload(server: Deployment) -> Send:
    """Sends one of two different files with a key."""
    files = [zipped(f"Last_Name\n{name}\n") for name in ("Boyle", "Carr")]

    def send(key: str, which: int = 0) -> httpx2.Response:
        return server.upload(files[which], Idempotency_Key=key)

    return send


def made(answer: httpx2.Response) -> str:
    """The id of what a request has made."""
    assert answer.status_code in (200, 201), answer.text
    body = answer.json()
    details = body["data"][0]["details"] if "data" in body else body["details"]
    return str(details.get("id") or details["file_id"])


def count(server: Deployment) -> tuple[int, int]:
    """How many jobs and uploads the org has."""
    org = server.tenant.org.id
    jobs = server.services.job_store.newest(org, 10_000)
    usage = server.services.upload_store.usage(org)
    return len(jobs), usage.daily_uploads


@pytest.mark.parametrize("sender", [create, read, upload])
def test_a_repeated_request_has_no_second_effect(
    server: Deployment, sender: Callable[[Deployment], Send]
) -> None:
    """The response is the same to the byte; another key or no key is another request."""
    send, key = sender(server), str(uuid4())
    first = send(key, 0)
    before = count(server)
    again = send(key, 0)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert count(server) == before
    assert made(send(str(uuid4()), 0)) != made(first)


def stored_uploads(server: Deployment) -> set[int]:
    """The ids of the files of uploads, also of those that a test has deleted from the database."""
    stored = server.settings.data / "files" / "uploads"
    return {int(path.name.partition(".")[0]) for path in stored.rglob("*") if path.is_file()}


@pytest.mark.parametrize("sender", [create, read, upload])
def test_raced_requests_have_one_effect(
    server: Deployment, sender: Callable[[Deployment], Send]
) -> None:
    """All of them get the same answer, and no file stays behind."""
    send, before, kept = sender(server), count(server), stored_uploads(server)
    keys = [str(uuid4()) for _ in range(3)]
    with ThreadPoolExecutor(RACED) as threads:
        answers = list(threads.map(lambda n: (n % 3, send(keys[n % 3], 0)), range(RACED * 3)))
    found = {(n, made(answer)) for n, answer in answers}
    assert len(found) == 3
    jobs, uploads = count(server)
    assert jobs + uploads == sum(before) + 3
    org, names = server.tenant.org.id, stored_uploads(server) - kept
    assert {n for n in names if server.services.upload_store.upload(org, n)} == names


@pytest.mark.parametrize("sender", [create, read, upload])
def test_another_request_with_the_key_is_rejected(
    server: Deployment, sender: Callable[[Deployment], Send]
) -> None:
    send, key = sender(server), str(uuid4())
    send(key, 0)
    before = count(server)
    answer = send(key, 1)
    assert (answer.status_code, answer.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert count(server) == before


def test_upload_and_create_do_not_share_keys_for_different_things(server: Deployment) -> None:
    """A key stands for one request of the org, whatever its endpoint."""
    key = str(uuid4())
    assert upload(server)(key, 0).status_code == 200
    assert create(server)(key, 0).status_code == 409


def test_a_key_of_one_org_is_unknown_to_another(server: Deployment) -> None:
    key = str(uuid4())
    mine = made(upload(server)(key, 0))
    theirs = server.upload(zipped("Last_Name\nBoyle\n"), tenant=server.other, Idempotency_Key=key)
    assert made(theirs) != mine


def test_a_rejected_request_uses_up_no_key(server: Deployment) -> None:
    """The corrected request may have the same key."""
    key = str(uuid4())
    headers = server.auth() | {"Idempotency-Key": key}
    wrong = server.http.post("/crm/bulk/v2/write", headers=headers, content=b"{}")
    assert wrong.status_code == 400
    assert create(server)(key, 0).status_code == 201


def test_a_key_is_forgotten_with_time(server: Deployment) -> None:
    """And a key whose job is deleted makes a new one."""
    send, key = create(server), str(uuid4())
    first = made(send(key, 0))
    store = server.services.retention.store
    assert store.delete_idempotency_keys(timedelta(hours=1)) == 0
    assert made(send(key, 0)) == first
    while store.delete_idempotency_keys(timedelta(0)):
        pass
    assert made(send(key, 0)) != first


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "ä"])
@pytest.mark.parametrize("sender", [create, read, upload])
def test_a_key_that_cannot_be_is_rejected(
    any_server: Deployment, sender: Callable[[Deployment], Send], key: str
) -> None:
    headers = any_server.auth() | {"X-CRM-ORG": str(any_server.tenant.org.id)}
    headers |= {"feature": "bulk-write"}
    sent = [
        (k.encode(), v.encode("latin-1")) for k, v in (headers | {"Idempotency-Key": key}).items()
    ]
    if sender is create:
        answer = any_server.http.post(
            "/crm/bulk/v2/write", headers=sent, content=json.dumps(any_server.insert())
        )
    else:
        files = {"file": ("leads.zip", zipped("Last_Name\nBoyle\n"))}
        answer = any_server.http.post("/crm/v2/upload", headers=sent, files=files)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_DATA"), answer.text
    assert answer.json()["details"] == {"header": "Idempotency-Key"}


def test_the_key_belongs_to_the_org(server: Deployment) -> None:
    """Another process of it, with another token, repeats what the first one sent."""
    key = str(uuid4())
    first = made(upload(server)(key, 0))
    token = server.token("ZohoFiles.files.ALL")
    again = server.upload(zipped("Last_Name\nBoyle\n"), token=token, Idempotency_Key=key)
    assert made(again) == first
