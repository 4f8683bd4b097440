"""A dry run over HTTP: a server with a worker, on each store."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.served import Served
from tests.v1.test_jobs import JOBS
from tests.v1.test_new_jobs import FILES

pytestmark = pytest.mark.slow  # it starts servers with workers

Json = dict[str, Any]
TEXT = "Last_Name,Email\nBoyle,p@x.example\nKay,none\nMay,P@x.example\n"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A server with a worker."""
    options: tuple[str, ...] = ()
    if request.param == "postgres":
        options = ("--database", request.getfixturevalue("postgres").database())
    with Served(tmp_path_factory.mktemp("dry") / "data", *options) as running:
        yield running


def run(served: Served, file_id: str, **changes: object) -> tuple[Json, list[dict[str, str]]]:
    """A job that has ended, and the rows of its result."""
    body = {"operation": "upsert", "module": "Leads", "find_by": "Email", "file_id": file_id}
    made = served.http.post(JOBS, json=body | changes)
    assert made.status_code == 201, made.text
    served.ended(made.json()["id"])
    job = served.http.get(made.headers["location"]).json()
    link = served.details(job["id"])["result"]["download_url"]
    with zipfile.ZipFile(io.BytesIO(served.http.get(link).content)) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    return job, list(csv.DictReader(io.StringIO(text)))


def records(served: Served) -> int:
    """How many leads are stored."""
    answer = served.http.get("/crm/v8/Leads", params={"fields": "Last_Name"})
    return 0 if answer.status_code == 204 else len(answer.json()["data"])


def test_a_dry_run_has_the_result_of_the_real_job_and_stores_nothing(served: Served) -> None:
    file_id = served.file_id(TEXT)
    dry, dry_rows = run(served, file_id, dry_run=True)
    assert records(served) == 0
    real, rows = run(served, file_id)
    assert records(served) == 1
    assert (dry["dry_run"], real["dry_run"]) == (True, False)
    assert dry["rows"] == real["rows"] == {
        "processed": 3, "added": 1, "updated": 1, "unchanged": 0, "skipped": 1,
    }  # fmt: skip
    assert [r["STATUS"] for r in dry_rows] == ["ADDED", "SKIPPED", "UPDATED"]
    assert [r["RECORD_ID"] for r in dry_rows] == [""] * 3
    for row in (*rows, *dry_rows):
        row.pop("RECORD_ID")
    assert dry_rows == rows
    after, _ = run(served, file_id, dry_run=True)
    assert after["rows"]["updated"] == 2
    listed = served.http.get(JOBS, params={"limit": 3}).json()["jobs"]
    assert [job["dry_run"] for job in listed] == [True, False, True]
    assert served.http.delete(f"{JOBS}/{dry['id']}").json()["files_kept"] == [file_id]


def test_the_own_upload_is_enough(served: Served) -> None:
    """The file may come from either API."""
    with io.BytesIO() as packed:
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("leads.csv", "Last_Name,Email\nLee,l@x.example\n")
        sent = served.http.post(FILES, files={"file": ("leads.zip", packed.getvalue())})
    _, rows = run(served, sent.json()["id"], dry_run=True)
    assert [(row["STATUS"], row["RECORD_ID"]) for row in rows] == [("ADDED", "")]
