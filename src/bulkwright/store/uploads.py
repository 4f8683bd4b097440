"""Uploads as they were acknowledged."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any, NamedTuple

from bulkwright.domain.file_format import FileFormat, FormatBy, Origin
from bulkwright.domain.reading import FoundBy, Splitting
from bulkwright.domain.upload import CsvFacts, Upload
from bulkwright.store.database import Database, Row
from bulkwright.store.times import from_micros, now_micros, to_micros

DAY_MICROS = 24 * 3600 * 1_000_000


class Usage(NamedTuple):
    """The uploads of an org that are stored now."""

    bytes: int
    daily_uploads: int
    """Those of the last 24 hours."""


class UploadStore:
    """Reads and adds uploads; `store/retention.py` deletes them."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def transaction(self) -> AbstractContextManager[None]:
        """All calls inside commit together, or none of them if the block raises."""
        return self._db.transaction()

    def add(self, upload: Upload, user_id: int) -> None:
        """Adds an upload, which acknowledges it."""
        self._db.run(
            "add_upload",
            id=upload.id,
            org_id=upload.org_id,
            user_id=user_id,
            name=upload.name,
            bytes=upload.bytes,
            sha256=upload.sha256,
            created_time=to_micros(upload.created_time),
            csv=json.dumps([asdict(csv) for csv in upload.csvs]),
            problem=upload.problem,
        )

    def upload(self, org_id: int, upload_id: int) -> Upload | None:
        """Returns one upload of an org; None for an upload of another org."""
        row = self._db.one("upload", org_id=org_id, id=upload_id)
        return None if row is None else _upload(row)

    def usage(self, org_id: int) -> Usage:
        """Returns what an org has uploaded."""
        day = now_micros(self._db.clock) - DAY_MICROS
        row = self._db.one("uploaded", org_id=org_id, day=day)
        assert row is not None
        return Usage(int(row["bytes"]), int(row["today"]))

    def pin_upload(self, org_id: int, upload_id: int) -> bool:
        """Returns whether an upload exists; no sweep deletes it until this transaction ends."""
        return self._db.one("pin_upload", org_id=org_id, id=upload_id) is not None


def _upload(row: Row) -> Upload:
    csvs: list[dict[str, Any]] = json.loads(row["csv"])
    return Upload(
        id=row["id"],
        org_id=row["org_id"],
        name=row["name"],
        bytes=row["bytes"],
        sha256=row["sha256"],
        created_time=from_micros(row["created_time"], "UTC"),
        csvs=tuple(_facts(csv) for csv in csvs),
        problem=row["problem"],
    )


def _facts(csv: dict[str, Any]) -> CsvFacts:
    # An upload of version 0.1.0 has one delimiter with its header.
    found = csv.get("splittings") or [{key: csv[key] for key in ("delimiter", "header")}]
    return CsvFacts(
        name=csv["name"],
        encoding=csv["encoding"],
        splittings=tuple(Splitting(**{**s, "header": tuple(s["header"])}) for s in found),
        rows=csv["rows"],
        encoding_by=FoundBy(csv.get("encoding_by", FoundBy.CONTENT)),
        delimiter_named=csv.get("delimiter_named", False),
        origin=_origin(csv.get("origin")),
    )


def _origin(stored: dict[str, Any] | None) -> Origin | None:
    if stored is None:
        return None
    return Origin(
        FileFormat(stored["format"]),
        FormatBy(stored["found_by"]),
        stored["gzip"],
        stored["sheet"],
    )
