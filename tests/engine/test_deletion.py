"""A deleted job: its rows and files are gone, its records stay, and nothing else is touched."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tests.support.bench import Bench, opened

from bulkwright.domain.audit import Action
from bulkwright.domain.errors import InvalidFileId, JobIsOpen, LinkNotValid, ResourceNotFound
from bulkwright.domain.job import Callback, Operation
from bulkwright.domain.request import JobRequest, ResourceRequest
from bulkwright.domain.retention import DeletedJob
from bulkwright.files import Area
from bulkwright.store.retention import RetentionStore

TEXT = "Last_Name,Email\nBoyle,p@x.example\nKay,none\n"
TABLES = ("jobs", "resources", "parts", "ledger", "reads", "outbox", "parents")


def delete(bench: Bench, job_id: int) -> DeletedJob:
    """Delete a job."""
    return bench.services.job_control.delete(bench.org.id, job_id)


def counts(bench: Bench) -> dict[str, int]:
    """The rows of every table that jobs have."""
    database = bench.services.database
    return {t: database.sql(f"SELECT count(*) AS n FROM {t}")[0]["n"] for t in TABLES}


def again(bench: Bench, file_id: int, **more: object) -> int:
    """The id of another job with a file."""
    request = JobRequest(Operation.INSERT, (ResourceRequest("Leads", str(file_id)),), **more)  # type: ignore[arg-type]
    return bench.services.jobs.create(bench.caller, request).id


def test_a_job_goes_with_its_result_and_its_upload(bench: Bench) -> None:
    """The record that it stored stays, and `check` finds nothing wrong."""
    before = counts(bench)
    job = bench.run(TEXT).job
    upload = job.resources[0].file_id
    assert delete(bench, job.id) == DeletedJob(
        had_result=True, uploads=(upload,), kept_uploads=(), dropped_callback=False
    )
    assert counts(bench) == before
    assert len(bench.records()) == 1
    for area, number in ((Area.RESULTS, job.id), (Area.UPLOADS, upload)):
        with pytest.raises(FileNotFoundError):
            bench.services.files.size(area, number)
    with pytest.raises(LinkNotValid):
        bench.services.jobs.open_result(bench.org.id, job.id)
    with pytest.raises(InvalidFileId):
        again(bench, upload)
    with pytest.raises(ResourceNotFound):
        delete(bench, job.id)
    (entry,) = bench.services.audit.newest(10, action=Action.JOB_DELETED)
    assert (entry.org_id, entry.detail) == (bench.org.id, str(job.id))


def test_an_upload_that_another_job_reads_stays(bench: Bench) -> None:
    """Whether that job has ended or not; it goes with the last of them."""
    first = bench.run(TEXT).job
    upload = first.resources[0].file_id
    second = again(bench, upload)
    assert delete(bench, first.id).kept_uploads == (upload,)
    assert bench.worker.run_one(second)
    assert bench.done(second).statuses == ["ADDED", "SKIPPED"]
    assert delete(bench, second).uploads == (upload,)


def test_a_job_that_has_not_ended_stays(bench: Bench) -> None:
    """Waiting, running, and aborted but not ended; also a job of another org."""
    job = bench.create(TEXT)
    with pytest.raises(JobIsOpen, match="abort it first"):
        delete(bench, job.id)
    assert bench.services.claims.claim("runs", job.id) is not None
    with pytest.raises(JobIsOpen):
        delete(bench, job.id)
    bench.services.job_control.abort(bench.org.id, job.id)
    with pytest.raises(JobIsOpen):
        delete(bench, job.id)
    assert bench.worker.run_one(job.id)
    with pytest.raises(ResourceNotFound):
        bench.services.job_control.delete(bench.org.id + 1, job.id)
    assert delete(bench, job.id).had_result


def test_a_pending_callback_is_dropped_and_named(bench: Bench) -> None:
    job = again(bench, bench.upload(TEXT), callback=Callback("https://example.com/end"))
    assert bench.worker.run_one(job)
    assert delete(bench, job).dropped_callback
    assert counts(bench)["outbox"] == 0


def test_a_bulk_read_is_deleted(bench: Bench) -> None:
    bench.run(TEXT)
    job, _ = bench.read()
    assert delete(bench, job.id) == DeletedJob(
        had_result=True, uploads=(), kept_uploads=(), dropped_callback=False
    )
    assert counts(bench)["reads"] == 0


def test_a_new_job_and_the_deletion_of_its_upload_exclude_each_other(
    postgres_only: Bench, tmp_path: Path
) -> None:
    """The deletion waits for a job that has pinned the upload, and keeps it then."""
    bench = postgres_only
    done = bench.run(TEXT).job
    upload = done.resources[0].file_id
    found: list[DeletedJob] = []
    with opened(tmp_path / "data", bench.services.settings.database) as other:
        deleting = threading.Thread(target=lambda: found.append(delete(other, done.id)))
        with bench.services.database.transaction():
            second = again(bench, upload)
            deleting.start()
            deleting.join(0.5)
            assert found == []
        deleting.join(30)
    assert found[0].kept_uploads == (upload,)
    assert bench.worker.run_one(second)


def test_a_deletion_that_is_killed_leaves_only_strays(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before its commit nothing has changed; after it the sweep deletes the files."""
    job = bench.run(TEXT).job

    class Killed(BaseException):
        pass

    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(RetentionStore, "_record_sweep", kill)
        delete(bench, job.id)
    assert bench.done(job.id).statuses == ["ADDED", "SKIPPED"]
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(type(bench.services.files), "delete", kill)
        delete(bench, job.id)
    store = bench.services.retention.store
    assert bench.services.files.size(Area.RESULTS, job.id) > 0
    assert not store.result_needed(job.id) and not store.upload_known(job.resources[0].file_id)
