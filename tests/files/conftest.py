"""An S3 server for the session, and both implementations of `Files`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.files.objectstore import BUCKET, ObjectStore

from bulkwright.files import Files
from bulkwright.settings import Settings
from bulkwright.wiring import open_files

_prefixes = itertools.count(1)


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """The server of this session."""
    with ObjectStore(tmp_path_factory.mktemp("moto") / "log") as store:
        yield store


@pytest.fixture
def reachable(object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """That server; the environment of this process has its address and credentials."""
    for name, value in object_store.environment.items():
        monkeypatch.setenv(name, value)
    return object_store


@dataclass(frozen=True, slots=True)
class Kind:
    """One implementation of `Files`, and functions that change a stored file by its path."""

    name: str
    url: str
    files: Files
    read: Callable[[str], bytes]
    write: Callable[[str, bytes], object]
    remove: Callable[[str], None]


@pytest.fixture(params=["local", "s3"])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    """An empty file area: on a disk, and in an object store."""
    if request.param == "local":
        root = tmp_path / "files"
        return Kind(
            "local",
            str(root),
            open_files(Settings(tmp_path / "data", files=str(root))),
            lambda path: (root / path).read_bytes(),
            lambda path, data: (root / path).write_bytes(data),
            lambda path: (root / path).unlink(),
        )
    store: ObjectStore = request.getfixturevalue("reachable")
    prefix = f"test/{next(_prefixes)}"
    url = f"s3://{BUCKET}/{prefix}"
    return Kind(
        "s3",
        url,
        open_files(Settings(tmp_path / "data", files=url)),
        lambda path: store.get(f"{prefix}/{path}"),
        lambda path, data: store.put(f"{prefix}/{path}", data),
        lambda path: store.delete(f"{prefix}/{path}"),
    )
