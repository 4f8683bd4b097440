"""What the service writes can be read by its owner only, whatever the folder allows."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.deployment import make_tenant

from bulkwright.settings import Settings
from bulkwright.variables import UnusableSetting
from bulkwright.wiring import open_job_context, open_services


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """With the usual umask, new files are readable by everyone."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder that existed before and that everyone may list."""
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    return data


def readable_by_others(folder: Path) -> set[str]:
    """The files, and the folders below, that others than the owner may read."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
        and not any(p.stat().st_mode & 0o077 == 0 for p in path.parents if p.is_relative_to(folder))
    }


def test_a_folder_that_existed_holds_nothing_that_others_can_read(folder: Path) -> None:
    """Both SQLite drivers; with the logs of the database, which exist while it is open."""
    with open_services(Settings(folder)) as services:
        make_tenant(services, "Zylker")
        assert (folder / "bulkwright.sqlite-wal").exists()
        assert readable_by_others(folder) == set()
    (folder / "worker").mkdir()
    with open_job_context(Settings(folder / "worker"), lambda _: None):
        assert readable_by_others(folder / "worker") == set()


def test_the_files_of_an_earlier_version_are_closed_to_others(folder: Path) -> None:
    """Earlier versions left them readable; the contents stay."""
    with open_services(Settings(folder)) as services:
        make_tenant(services, "Zylker")
    for end in ("", "-wal", "-shm"):
        path = folder / f"bulkwright.sqlite{end}"
        if path.exists():
            path.chmod(0o644)
    with open_services(Settings(folder)) as services:
        assert [org.company_name for org in services.accounts.orgs()] == ["Zylker"]
        assert readable_by_others(folder) == set()


@pytest.mark.parametrize(("mode", "closed"), [(0o777, 0o755), (0o2775, 0o2755), (0o1777, 0o1777)])
def test_an_open_folder_is_closed(folder: Path, mode: int, closed: int) -> None:
    """Nothing in it can be replaced, and no upload or result be read; /tmp stays as it is."""
    with open_services(Settings(folder)) as services:
        make_tenant(services, "Zylker")
    (folder / "files" / "uploads" / "1.zip").write_bytes(b"PK")
    for path in folder.rglob("*"):
        path.chmod(0o777)
    folder.chmod(mode)
    with open_services(Settings(folder)) as services:
        assert len(services.accounts.orgs()) == 1
    assert stat.S_IMODE(folder.stat().st_mode) == closed
    assert stat.S_IMODE((folder / "files").stat().st_mode) == 0o755
    assert {path.name for path in (folder / "files").iterdir() if path.stat().st_mode & 0o077} == {
        "owner"
    }


def test_an_open_folder_of_another_user_is_noticed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It cannot be closed, so one line says what to do."""
    folder.chmod(0o777)
    monkeypatch.setattr(os, "geteuid", lambda: -1)
    with open_services(Settings(folder)):
        pass
    assert [r.getMessage() for r in caplog.records] == [
        f"every user of this machine can replace the files in {folder}, and the folder belongs to "
        f"another user; run: chmod go-w {folder}"
    ]


def test_a_file_area_of_another_database_is_refused(tmp_path: Path) -> None:
    """The sweep would delete its files, and both databases give the same ids to their jobs."""
    shared = str(tmp_path / "files")
    first, second = (Settings(tmp_path / name, files=shared) for name in ("first", "second"))
    with open_services(first) as services:
        make_tenant(services, "Zylker")
    with (
        pytest.raises(UnusableSetting, match=r"belong to another database.*--files"),
        open_services(second),
    ):
        pass
    with open_services(first) as services:
        assert [org.company_name for org in services.accounts.orgs()] == ["Zylker"]
