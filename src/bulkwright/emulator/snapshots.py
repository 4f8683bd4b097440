"""Snapshots: the whole state of an emulator in one zip, which any server of `--dev` can load.

snapshot.json            the version of this form, and of the program
dev-credentials.json     those that belong to the state
database                 the database
files/uploads/ID.zip     and results, and pieces of results: as in the data folder
"""

from __future__ import annotations

import json
import lzma
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

from bulkwright import __version__
from bulkwright.domain.errors import RequestError
from bulkwright.domain.limits import SNAPSHOT_BYTES, SNAPSHOT_FILES
from bulkwright.emulator.baseline import Baseline
from bulkwright.folders import make_private
from bulkwright.store.migrate import UnusableCopy

_FORM = 1
_DATABASE = "database"
_CREDENTIALS = "dev-credentials.json"
_ABOUT = "snapshot.json"
_NAME = re.compile(
    r"files/(?:uploads|results)/[0-9]{1,19}\.zip|files/parts/[0-9]{1,19}/[\w.-]{1,100}"
)
_BLOCK = 1024 * 1024
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, NotImplementedError,
    KeyError, TypeError, ValueError, RuntimeError,
)  # fmt: skip
"""What a zip, or the JSON in it, raises that is damaged or encrypted. RuntimeError: the password
is missing, or JSON is nested too deeply."""
_MOST_JSON = 1024 * 1024


class InvalidSnapshot(RequestError):
    """The file is no snapshot that this server can load."""

    code = "INVALID_SNAPSHOT"


def saved(baseline: Baseline, credentials: Path) -> BinaryIO:
    """Returns the state as it is now: a zip, open at its start, whose file has no name any more."""
    make_private(baseline.folder)
    with tempfile.TemporaryDirectory(dir=baseline.folder, prefix="snapshot-") as folder:
        place = Path(folder)
        baseline.copies.save(place / _DATABASE)
        baseline.files.save(place / "files")
        zipped = place / "snapshot.zip"
        with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            about = {"form": _FORM, "bulkwright": __version__}
            archive.writestr(_ABOUT, json.dumps(about))
            archive.write(credentials, _CREDENTIALS)
            archive.write(place / _DATABASE, _DATABASE)
            for path in sorted((place / "files").rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(place).as_posix(), zipfile.ZIP_STORED)
        return zipped.open("rb")


@contextmanager
def unpacked(baseline: Baseline, zipped: IO[bytes]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Unpacks a snapshot to a folder, checks it, and deletes it at the end of the block.

    Returns the folder and the credentials. Raises InvalidSnapshot.
    """
    make_private(baseline.folder)
    with tempfile.TemporaryDirectory(dir=baseline.folder, prefix="snapshot-") as folder:
        place = Path(folder)
        try:
            with zipfile.ZipFile(zipped) as archive:
                credentials = _unpack(archive, place)
            baseline.copies.adopt(place / _DATABASE, str(credentials["client_id"]))
        except _UNREADABLE as error:
            raise InvalidSnapshot(f"The file is no snapshot: {error}.") from None
        except UnusableCopy as error:
            raise InvalidSnapshot(str(error)) from None
        yield place, credentials


def load(baseline: Baseline, place: Path) -> None:
    """Replaces the state by an unpacked snapshot."""
    baseline.copies.load(place / _DATABASE)
    baseline.files.load(place / "files")


def _unpack(archive: zipfile.ZipFile, place: Path) -> dict[str, Any]:
    about = _json(archive, _ABOUT)
    if about["form"] != _FORM:
        raise InvalidSnapshot("A newer Bulkwright has made the snapshot; upgrade this one.")
    members = archive.infolist()
    if len(members) > SNAPSHOT_FILES or sum(m.file_size for m in members) > SNAPSHOT_BYTES:
        raise InvalidSnapshot("The snapshot is too large.")
    for member in members:
        if member.filename in (_ABOUT, _CREDENTIALS):
            continue
        if member.filename != _DATABASE and not _NAME.fullmatch(member.filename):
            raise InvalidSnapshot(f"A snapshot has no file {member.filename}.")
        path = place / member.filename
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with archive.open(member) as source, path.open("wb") as target:
            _copy(source, target, member.file_size)
    credentials = _json(archive, _CREDENTIALS)
    _ = credentials["client_id"], credentials["refresh_token"]
    return credentials


def _json(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    with archive.open(name) as member:
        found = json.loads(member.read(_MOST_JSON))
    if not isinstance(found, dict):
        raise TypeError(f"{name} is no object")
    return found


def _copy(source: IO[bytes], target: IO[bytes], size: int) -> None:
    """Copies no more than the size that the zip names."""
    left = size
    while left > 0 and (block := source.read(min(left, _BLOCK))):
        target.write(block)
        left -= len(block)
    if left:
        raise ValueError("a member is not whole")
