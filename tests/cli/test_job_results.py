"""`bulkwright jobs result` where there is nothing to save."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.finished_jobs import HOUR, Change, Jobs

from bulkwright.cli.failure import fail_with
from bulkwright.cli.jobs import result
from bulkwright.domain.errors import BulkwrightError
from bulkwright.settings import OrgLocation, Settings
from bulkwright.wiring import open_services

Save = Callable[..., str]


@pytest.fixture
def save(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Save:
    """Saves a result; returns the one line that the command prints."""

    def run(job_id: int, *, failed: bool = False) -> str:
        target = tmp_path / "saved"
        try:
            result(str(job_id), failed=failed, out=target, location=OrgLocation(data))
        except BulkwrightError as error:
            with pytest.raises(SystemExit):
                fail_with(error)
            assert not target.exists()
        printed = capsys.readouterr()
        (line,) = (printed.err + printed.out).splitlines()
        return line

    return run


def test_a_job_that_has_not_ended(save: Save, jobs: Jobs) -> None:
    """Its status says why."""
    for job_id, status in ((jobs.waiting, "ADDED"), (jobs.half, "INPROGRESS")):
        line = save(job_id)
        assert f"Job {job_id} has no result yet; its status is {status}." in line


def test_a_result_that_was_swept(save: Save, data: Path, jobs: Jobs, change: Change) -> None:
    """Its upload may still be there."""
    change("UPDATE jobs SET finished_time = finished_time - ?", 3 * HOUR)
    with open_services(Settings(data, keep_results="1h")) as services:
        assert services.retention.sweep().results == 2
    for failed in (False, True):
        assert "The result of job" in (line := save(jobs.done, failed=failed))
        assert "has expired and was deleted" in line


def test_failed_rows_need_the_upload(save: Save, data: Path, jobs: Jobs, change: Change) -> None:
    """The result itself can be saved without it."""
    change("UPDATE jobs SET finished_time = finished_time - ?", 3 * HOUR)
    change("UPDATE uploads SET created_time = created_time - ?", 3 * HOUR)
    with open_services(Settings(data, keep_uploads="1h", keep_results="9h")) as services:
        assert services.retention.sweep().uploads == 2
    assert "The upload of job" in save(jobs.done, failed=True)
    assert save(jobs.done).endswith("saved")


@pytest.mark.parametrize("area", ["results", "uploads"])
@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_a_lost_file_is_named(save: Save, data: Path, jobs: Jobs, area: str, how: str) -> None:
    """With the command that finds all of them."""
    number = jobs.done if area == "results" else jobs.uploads[jobs.done]
    path = data / "files" / area / f"{number}.zip"
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1])
    line = save(jobs.done, failed=True)
    assert f"{number}.zip is {how}; `bulkwright check` finds all errors" in line
