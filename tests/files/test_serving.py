"""The program over an object store: a server with its worker, and the commands beside it."""

from __future__ import annotations

import csv
import io
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx2
import pytest
from tests.files.objectstore import BUCKET, ObjectStore
from tests.support.processes import until
from tests.support.program import MIXED, program, refused
from tests.support.uploads import zipped

from bulkwright.testing import ServerProcess

DAY = 86_400_000_000
"""In microseconds, as in the database."""


def send(client: httpx2.Client, org: str) -> httpx2.Response:
    """Uploads a file and returns the response."""
    return client.post(
        "/crm/v2/upload",
        headers={"feature": "bulk-write", "X-CRM-ORG": org},
        files={"file": ("leads.csv.zip", zipped("Last_Name,City\nBoyle,Trier\nKay,Bonn\n"))},
    )


def begin(client: httpx2.Client, org: str) -> tuple[str, str]:
    """Creates an upload and a job of it."""
    file_id = str(send(client, org).json()["details"]["file_id"])
    resource = {"type": "data", "module": "Leads", "file_id": file_id}
    made = client.post(
        "/crm/bulk/v2/write", json={"operation": "insert", "resource": [resource]}
    ).json()
    return file_id, str(made["details"]["id"])


def status(client: httpx2.Client, job: str) -> str:
    """Returns the details of a job."""
    return str(client.get(f"/crm/bulk/v2/write/{job}").json()["status"])


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """A store of this test, which it may stop and start."""
    with ObjectStore(tmp_path / "moto.log") as store:
        for name, value in store.environment.items():
            monkeypatch.setenv(name, value)
        yield store


@pytest.fixture
def serve(tmp_path: Path, store: ObjectStore) -> Iterator[Callable[[], ServerProcess]]:
    """Returns a function that starts a server over that store."""
    begun: list[ServerProcess] = []

    def start() -> ServerProcess:
        begun.append(ServerProcess(tmp_path / "d", "--files", f"s3://{BUCKET}/live"))
        begun[-1].start()
        return begun[-1]

    yield start
    for server in begun:
        server.kill()


def test_a_job_over_http(
    tmp_path: Path, serve: Callable[[], ServerProcess], store: ObjectStore
) -> None:
    """The upload, the job and its result: nothing is on this disk. Then the store ends."""
    server = serve()
    with httpx2.Client(
        verify=False, base_url=server.base_url, headers=server.headers, timeout=20
    ) as client:
        _goes_through(client, server, tmp_path / "d", store)
    server.stop()
    log = server.log
    assert "the object store does not respond" in log and "Traceback" not in log
    assert "testing" not in log, "a credential"


def _goes_through(
    client: httpx2.Client, server: ServerProcess, data: Path, store: ObjectStore
) -> None:
    file_id, job = begin(client, server.org_id)
    assert until(lambda: status(client, job) == "COMPLETED")
    path = f"/v2/crm/org{server.org_id}/bulk-write/{job}/{job}.zip"
    got = client.get(path)
    assert got.status_code == 200 and got.content == store.get(f"live/results/{job}.zip")
    with zipfile.ZipFile(io.BytesIO(got.content)) as archive:
        (name,) = archive.namelist()
        text = archive.read(name).decode()
    assert [row["STATUS"] for row in csv.DictReader(io.StringIO(text))] == ["ADDED", "ADDED"]
    assert client.head(path).headers["content-length"] == str(len(got.content))
    left = ["live/owner", f"live/results/{job}.zip", f"live/uploads/{file_id}.zip"]
    assert until(lambda: store.keys("live/") == left), store.keys("live/")
    assert not (data / "files").exists()
    assert list((data / "scratch").iterdir()) == []

    store.stop()
    answer = send(client, server.org_id)
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL_ERROR")
    assert client.get(path).status_code == 500
    unready = client.get("/readyz")
    assert unready.status_code == 503 and "files" in unready.text
    store.start()
    assert until(lambda: client.get("/readyz").status_code == 200)
    _, job = begin(client, server.org_id)
    assert until(lambda: status(client, job) == "COMPLETED")


def test_the_commands(tmp_path: Path, store: ObjectStore) -> None:
    """`write` here, `jobs result`, `check` and `sweep`, by option and by environment."""
    files = f"s3://{BUCKET}/cli"
    (tmp_path / "mixed.csv").write_text(MIXED)
    written = program(
        tmp_path, "write", "mixed.csv", "--module", "Leads", "--operation", "insert", "--data", "d",
        "--files", files, "--result", "out.zip",
    )  # fmt: skip
    assert written.returncode == 3, written.stderr
    (result,) = store.keys("cli/results")
    (upload,) = store.keys("cli/uploads")
    assert (tmp_path / "out.zip").read_bytes() == store.get(result)
    job = Path(result).stem

    def here(*arguments: str) -> subprocess.CompletedProcess[str]:
        return program(tmp_path, *arguments, "--data", "d", BULKWRIGHT_FILES=files)

    assert here("jobs", "result", job).returncode == 0
    assert (tmp_path / f"{job}.zip").read_bytes() == store.get(result)
    assert here("jobs", "result", job, "--failed").stdout.strip().endswith("2 rows")
    assert "nothing is wrong" in here("check").stdout

    whole = store.get(upload)
    store.put(upload, whole[:-1])
    store.delete(result)
    found = here("check")
    assert found.returncode == 1
    assert "upload-damaged" in found.stdout and "result-missing" in found.stdout
    assert "is missing" in refused(here("jobs", "result", job))

    with closing(sqlite3.connect(tmp_path / "d" / "bulkwright.sqlite")) as database:
        database.execute(f"UPDATE jobs SET finished_time = finished_time - 400 * {DAY}")
        database.execute(f"UPDATE uploads SET created_time = created_time - 400 * {DAY}")
        database.commit()
    swept = here("sweep")
    assert "uploads 1" in swept.stdout and "results 1" in swept.stdout, swept.stderr
    assert store.keys("cli/") == ["cli/owner"]


def test_a_store_that_is_down_is_reported_in_one_line(tmp_path: Path, store: ObjectStore) -> None:
    """Every command reports it in one line; an unknown kind of URL too."""
    (tmp_path / "mixed.csv").write_text(MIXED)
    write = ("write", "mixed.csv", "--module", "Leads", "--operation", "insert", "--data", "d")
    run = partial(program, tmp_path)
    store.stop()
    assert "does not respond" in refused(run(*write, "--files", f"s3://{BUCKET}/x"))
    assert "unknown kind" in refused(run(*write, "--files", "ftp://host/x"))
    assert "unknown kind" in refused(run("serve", "--data", "d", "--files", "ftp://host/x"))


def test_the_library_is_loaded_for_an_object_store_alone(tmp_path: Path) -> None:
    """A server over a folder does not import the library, and saves its memory."""
    look = (
        "import sys; from pathlib import Path\n"
        "import bulkwright.runtime.serve, bulkwright.wiring as w\n"
        "from bulkwright.settings import Settings\n"
        "with w.open_services(Settings(Path('d'))): print('obstore' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", look], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
