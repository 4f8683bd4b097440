"""`POST /api/v1/jobs/ID/undo` and the undo that it creates, with a worker, on both stores."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from tests.support.deployment import Deployment
from tests.support.postgres import Server
from tests.support.processes import until
from tests.support.receivers import Receiver
from tests.support.served import Served
from tests.v1.test_jobs import JOBS, get, problem

from bulkwright.domain.job import JobStatus

pytestmark = pytest.mark.slow

Json = dict[str, Any]
FIRST = "Last_Name,Company,Email\n" + "".join(f"L{n},Zylker,l{n}@x.example\n" for n in range(6))
SECOND = "Last_Name,Company,Email\n" + "".join(f"M{n},Other,l{n}@x.example\n" for n in range(8))


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A server with a worker, on each store in turn."""
    options: tuple[str, ...] = ()
    if request.param == "postgres":
        postgres: Server = request.getfixturevalue("postgres")
        options = ("--database", postgres.database())
    with Served(tmp_path_factory.mktemp("undos") / "data", *options) as running:
        yield running


def own(served: Served, method: str, path: str, **more: Any) -> httpx2.Response:
    """A call of the own API."""
    token = served.http.headers["Authorization"].partition(" ")[2]
    return served.http.request(
        method, f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"}, **more
    )


def written(served: Served, text: str) -> str:
    """The id of a job that has upserted leads."""
    made = served.http.post(
        "/crm/bulk/v2/write",
        json={
            "operation": "upsert",
            "resource": [
                {"type": "data", "module": "Leads", "file_id": served.file_id(text),
                 "find_by": "Email"}
            ],
        },
    )  # fmt: skip
    assert made.status_code == 201, made.text
    job = str(made.json()["details"]["id"])
    served.ended(job)
    return job


def ended(served: Served, undo: str) -> Json:
    """An undo that has ended."""

    def state() -> Json:
        found: Json = own(served, "GET", f"/undos/{undo}").json()
        return found

    assert until(lambda: state()["status"] in ("COMPLETED", "FAILED"))
    return state()


def leads_of(served: Served) -> list[Json]:
    """All leads, as the Zoho API shows them."""
    fields = "Last_Name,Company,Email,Modified_Time,Modified_By,Created_Time"
    answer = served.http.get(f"/crm/v2/Leads?fields={fields}&sort_by=id&sort_order=asc")
    return list(answer.json()["data"]) if answer.status_code == 200 else []


def test_import_look_undo(served: Served) -> None:
    """Records that calls changed or deleted since are named; the callback reports the counts."""
    written(served, FIRST)
    before = {lead["id"]: lead for lead in leads_of(served)}
    job = written(served, SECOND)
    ids = {lead["Email"]: lead["id"] for lead in leads_of(served)}
    changed, gone = ids["l1@x.example"], ids["l2@x.example"]
    body = {"data": [{"id": changed, "Company": "By a call"}]}
    assert served.http.put("/crm/v2/Leads", json=body).status_code == 200
    assert served.http.delete(f"/crm/v2/Leads?ids={gone}").status_code == 200
    now = {lead["id"]: lead for lead in leads_of(served)}

    dry = own(served, "POST", f"/jobs/{job}/undo", json={"dry_run": True})
    assert dry.status_code == 201, dry.text
    planned = ended(served, dry.json()["id"])
    assert {lead["id"]: lead for lead in leads_of(served)} == now
    with Receiver() as receiver:
        made = own(served, "POST", f"/jobs/{job}/undo", json={"callback_url": receiver.url})
        assert made.status_code == 201, made.text
        undo = made.json()["id"]
        assert made.headers["location"] == f"/api/v1/undos/{undo}"
        done = ended(served, undo)
        assert until(lambda: len(receiver.letters) == 1)
        reported = json.loads(receiver.letters[0].body)
    assert (done["status"], done["job"], done["dry_run"]) == ("COMPLETED", job, False)
    assert done["records"] == planned["records"] == {"removed": 2, "restored": 4, "kept": 2}
    assert {k: reported[k] for k in ("id", "operation", "job", "removed", "restored", "kept")} == {
        "id": undo, "operation": "undo", "job": job, **done["records"],
    }  # fmt: skip

    after = {lead["id"]: lead for lead in leads_of(served)}
    expected = {**before, changed: now[changed]}
    del expected[gone]
    assert after == expected
    result = own(served, "GET", f"/undos/{undo}/result")
    assert result.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(result.content)) as archive:
        (name,) = archive.namelist()
        lines = list(csv.DictReader(io.StringIO(archive.read(name).decode())))
    kept = {line["RECORD_ID"]: line["REASON"] for line in lines if line["OUTCOME"] == "KEPT"}
    assert (name, kept) == (
        f"undo-{job}.csv", {changed: "CHANGED_SINCE", gone: "DELETED_SINCE"}
    )  # fmt: skip
    again = own(served, "POST", f"/jobs/{job}/undo")
    assert undo in problem(again, 409, "ALREADY_UNDONE")["detail"]
    for path in (f"/crm/bulk/v2/write/{undo}", f"/crm/bulk/v2/read/{undo}"):
        assert served.http.get(path).status_code == 404
    assert undo not in [one["id"] for one in own(served, "GET", "/jobs").json()["jobs"]]
    problem(own(served, "GET", f"/jobs/{undo}"), 404, "NO_SUCH_JOB")


def test_a_repeated_undo_is_the_first_one(served: Served) -> None:
    """As for every request that creates something, its key stands for one request of the org."""
    job = written(served, FIRST.replace("@x", "@key"))
    token = served.http.headers["Authorization"].partition(" ")[2]
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}

    def send(body: Json | None) -> httpx2.Response:
        return served.http.post(f"{JOBS}/{job}/undo", headers=headers, json=body)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(send, [None, {}, {"dry_run": False}] * 8))
    assert {answer.status_code for answer in answers} == {201}
    (undo,) = {answer.json()["id"] for answer in answers}
    assert ended(served, undo)["records"]["removed"] == 6
    again = send(None)
    assert (again.status_code, again.json()["status"]) == (201, "COMPLETED")
    problem(send({"dry_run": True}), 409, "IDEMPOTENCY_KEY_REUSED")
    headers["Idempotency-Key"] = "x" * 256
    problem(send(None), 400, "INVALID_DATA")


def test_what_cannot_be_undone_is_refused(server: Deployment) -> None:
    def undo(job: int | str, token: str | None = None, **more: Any) -> httpx2.Response:
        return server.http.post(f"{JOBS}/{job}/undo", headers=server.auth(token), **more)

    job = server.job_id()
    problem(undo(job), 409, "JOB_NOT_ENDED")
    problem(undo(job, server.other.token), 404, "NO_SUCH_JOB")
    problem(undo("x"), 404, "NO_SUCH_JOB")
    problem(undo(job, json={"colour": "red"}), 400, "INVALID_BODY")
    problem(undo(job, server.token("bulkwright.jobs.READ")), 403, "OAUTH_SCOPE_MISMATCH")
    claims = server.services.claims
    claimed = claims.claim("test", job)
    assert claimed is not None
    claims.finish(claimed[0], JobStatus.COMPLETED, code=None, has_result=False)
    server.services.database.sql("UPDATE resources SET parts = 1 WHERE job_id = ?", (job,))
    problem(undo(job), 409, "NO_IMAGES")
    server.services.database.sql("UPDATE jobs SET dry = (1 = 1) WHERE id = ?", (job,))
    assert "dry run" in problem(undo(job), 409, "CANNOT_UNDO")["detail"]
    problem(server.get(f"/api/v1/undos/{job}"), 404, "NO_SUCH_JOB")
    problem(server.get("/api/v1/undos/1/result"), 404, "NO_SUCH_JOB")
    assert get(server, f"{JOBS}/{job}")["status"] == "COMPLETED"


def test_an_undo_has_no_result_before_its_end(tmp_path: Path) -> None:
    """Without a worker it waits."""
    with Served(tmp_path / "data", "--workers", "1") as served:
        job = written(served, FIRST)
    with Served(tmp_path / "data", "--workers", "0") as served:
        made = own(served, "POST", f"/jobs/{job}/undo")
        assert made.status_code == 201, made.text
        undo = made.json()["id"]
        problem(own(served, "GET", f"/undos/{undo}/result"), 404, "NO_RESULT")
        runs = problem(own(served, "POST", f"/jobs/{job}/undo"), 409, "ALREADY_UNDONE")
        assert "is being undone" in runs["detail"]
