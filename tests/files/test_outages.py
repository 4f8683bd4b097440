"""An object store that does not respond, rejects requests or is full: one line, in time."""

from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.files.objectstore import BUCKET, ObjectStore
from tests.support.bench import Bench
from tests.support.processes import free_port

from bulkwright.files import Area, Files
from bulkwright.files.local import LocalFiles
from bulkwright.outages import Outage, classify
from bulkwright.runtime.worker import Blocked, open_worker
from bulkwright.settings import Settings
from bulkwright.variables import UnusableSetting
from bulkwright.wiring import open_files

SECONDS = 16.0
"""The most time that an operation may take to fail."""


def put(files: Files) -> None:
    """Stores an upload."""
    with files.incoming() as incoming:
        incoming.write(b"a zip")
        incoming.save(Area.UPLOADS, 1)


OPERATIONS: list[Callable[[Files], object]] = [
    put,
    lambda files: files.open(Area.UPLOADS, 1, None),
    lambda files: files.put_piece(1, "a", b"lines"),
    lambda files: files.read_piece(1, "a", 5),
    lambda files: list(files.unchanged_for(Area.UPLOADS, 0)),
    lambda files: files.delete(Area.UPLOADS, 1),
    lambda files: files.delete(Area.PIECES, 1),
]


def outage(work: Callable[[Files], object], files: Files) -> str:
    """Returns the message of the outage that an operation raises in time."""
    begun = time.monotonic()
    with pytest.raises(Outage) as met:
        work(files)
    assert time.monotonic() - begun < SECONDS
    reason = str(classify(met.value))
    assert "\n" not in reason and len(reason) < 200
    return reason


@contextmanager
def answering(port: int, status: int, code: str) -> Iterator[None]:
    """A store that responds to every request with the same error."""
    body = f"<Error><Code>{code}</Code><Message>AKIASECRET</Message></Error>".encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _answer

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def elsewhere(tmp_path: Path, reachable: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> int:
    """A port that is not in use yet; the environment names it."""
    port = free_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    return port


@pytest.fixture
def files(tmp_path: Path, elsewhere: int) -> Files:
    """The files in a store at that port."""
    return open_files(Settings(tmp_path, files=f"s3://{BUCKET}/outage"))


@pytest.mark.parametrize("work", OPERATIONS)
def test_no_server_responds(files: Files, work: Callable[[Files], object]) -> None:
    """Every operation raises the outage."""
    assert "does not respond" in outage(work, files)


@pytest.mark.slow
def test_silence_ends(elsewhere: int, files: Files) -> None:
    """A server accepts the connection and never responds."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", elsewhere))
        silent.listen(20)
        assert "does not respond" in outage(put, files)


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (403, "AccessDenied", "rejects these credentials"),
        (403, "InvalidAccessKeyId", "rejects these credentials"),
        (401, "Unauthorized", "rejects these credentials"),
        (400, "ExpiredToken", "rejects these credentials"),
        (507, "XMinioStorageFull", "no space is left in the object store"),
        (403, "QuotaExceeded", "no space is left in the object store"),
        (404, "NoSuchBucket", "the bucket of --files does not exist"),
        (503, "SlowDown", "the object store responds 503"),
        (418, "Teapot", "the object store responds 418"),
    ],
)
def test_what_the_store_says(
    elsewhere: int, files: Files, status: int, code: str, said: str
) -> None:
    """The store's own text is not shown: it may contain secrets."""
    with answering(elsewhere, status, code):
        reason = outage(lambda files: files.put_piece(1, "a", b"lines"), files)
        assert said in reason and "AKIASECRET" not in reason
        listed = outage(lambda files: files.delete(Area.PIECES, 1), files)
        assert said in listed
        if status != 404 and code not in ("QuotaExceeded", "ExpiredToken"):  # a HEAD has no body
            assert said in outage(lambda files: files.open(Area.UPLOADS, 1, None), files)


def test_a_bucket_that_is_not_there_is_no_absent_file(
    reachable: ObjectStore, tmp_path: Path
) -> None:
    """A wrong setting is an outage, so no job fails, unlike one whose upload is missing."""
    files = open_files(Settings(tmp_path, files="s3://no-such-bucket/x"))
    for work in OPERATIONS:
        assert "the bucket of --files does not exist" in outage(work, files)


def test_no_credentials(
    reachable: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine's role is queried then, and there is none."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    # The address of the role service of a machine in the cloud.
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    files = open_files(Settings(tmp_path, files=f"s3://{BUCKET}/x"))
    assert "no credentials" in outage(put, files)


def test_what_the_settings_may_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders and three kinds of stores are known; every other one is rejected by name."""
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    for where in (str(tmp_path / "a"), f"file://{tmp_path}/a%20b"):
        assert isinstance(open_files(Settings(tmp_path, files=where)), LocalFiles)
    assert (tmp_path / "a b" / "uploads").is_dir()
    for where in ("s3://bucket", "gs://bucket/prefix", "az://container/prefix"):
        open_files(Settings(tmp_path, files=where))
    for where in ("ftp://host/x", "S4://b", "s3://", "https://host/bucket"):
        with pytest.raises(UnusableSetting, match="--files"):
            open_files(Settings(tmp_path, files=where))


@pytest.mark.slow
def test_a_job_waits_for_its_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is down, the job is deferred and the attempt not counted; then it completes."""
    with ObjectStore(tmp_path / "log") as store:
        for name, value in store.environment.items():
            monkeypatch.setenv(name, value)
        settings = Settings(tmp_path / "data", files=f"s3://{BUCKET}/jobs")
        with open_worker(settings, lambda _: None) as (services, worker):
            bench = Bench(services, worker, [])
            job = bench.create("Last_Name\nA\nB\n")
            upload = store.get(store.keys("jobs/uploads")[0])
            store.stop()
            with pytest.raises(Blocked, match="object store does not respond"):
                worker.run_one(job.id)
            with pytest.raises(Outage):
                bench.create("Last_Name\nC\n")
            now = services.jobs.details(bench.org.id, job.id)
            assert not now.status.is_final and now.counts.total == 0
            store.start()
            store.put(f"jobs/uploads/{job.resources[0].file_id}.zip", upload)
            services.database.sql("UPDATE jobs SET lease_until = 0", ())
            assert worker.run_one(job.id)
            done = bench.done(job.id)
            assert done.outcome == ["ADDED", "ADDED"]
            assert store.keys("jobs/parts") == []
