"""An upload arrives: it is looked at once, made durable, and only then acknowledged.

In:   the bytes of one file part, whole, as an `Incoming` that nobody sees yet.
Out:  an `Upload` whose file survives a power cut.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO
from zoneinfo import ZoneInfo

from bulkwright.csvzip.archive import Archive, Member, open_archive
from bulkwright.csvzip.text import inspect
from bulkwright.domain.account import Caller
from bulkwright.domain.errors import FileNotSupported, FileTooLarge
from bulkwright.domain.limits import CSV_FILES, Limits
from bulkwright.domain.upload import CsvFacts, Upload
from bulkwright.files import Area, Files, Incoming
from bulkwright.store.accounts import AccountStore
from bulkwright.store.jobs import JobStore
from bulkwright.store.modules import ModuleStore
from bulkwright.trouble import Trouble

_SHOWN_NAME = 255


@dataclass(frozen=True, slots=True)
class UploadService:
    """Receives uploads, and reads them again when a job names another encoding."""

    accounts: AccountStore
    modules: ModuleStore
    jobs: JobStore
    files: Files
    limits: Limits

    def receive(self, caller: Caller, name: str, incoming: Incoming) -> Upload:
        """Acknowledge a whole upload.

        Raises InvalidFileFormat when it is no sound zip, FileTooLarge when it is too large. A
        sound zip without a usable CSV is acknowledged: the creation of a job refuses it (facts
        2.3, where both places are documented).
        """
        file = incoming.reader()
        digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # a BinaryIO has readinto, typeshed forgets
        size = file.tell()
        if self.limits.upload_bytes is not None and size > self.limits.upload_bytes:
            raise FileTooLarge
        file.seek(0)
        csvs: tuple[CsvFacts, ...] = ()
        problem = None
        try:
            csvs = self._read(file, None)
        except (FileNotSupported, FileTooLarge) as refusal:
            problem = refusal.message
        user = self.accounts.user(caller.org_id, caller.user_id)
        upload = Upload(
            id=self.modules.take_ids(1),
            org_id=caller.org_id,
            name=name[:_SHOWN_NAME],
            bytes=size,
            sha256=digest,
            created_time=datetime.now(UTC).astimezone(ZoneInfo(user.time_zone if user else "UTC")),
            csvs=csvs,
            problem=problem,
        )
        try:
            # The file first: what the database knows of is always there.
            incoming.keep(Area.UPLOADS, upload.id)
            self.jobs.add_upload(upload, caller.user_id)
        except Trouble:
            raise  # it cannot be removed either; it is swept as a stray, if it is there at all
        except BaseException:
            # What is not acknowledged takes no room. When the database cannot say whether it knows
            # of the upload, the file stays: what it knows of is there, and strays are swept.
            with suppress(Exception):
                if self.jobs.upload(upload.org_id, upload.id) is None:
                    self.files.drop(Area.UPLOADS, upload.id)
            raise
        return upload

    def read_as(self, upload: Upload, encoding: str) -> tuple[CsvFacts, ...]:
        """What the CSVs look like in another encoding than the one that was found.

        Raises FileNotSupported when they cannot be read so.
        """
        with self.files.open(Area.UPLOADS, upload.id, upload.sha256) as file:
            return self._read(file, encoding)

    def _read(self, file: BinaryIO, encoding: str | None) -> tuple[CsvFacts, ...]:
        archive = open_archive(file)
        if not 0 < len(archive.csvs) <= CSV_FILES:
            archive.the_csv()  # raises, and says how many there are
        return tuple(self._facts(archive, member, encoding) for member in archive.csvs)

    def _facts(self, archive: Archive, member: Member, encoding: str | None) -> CsvFacts:
        seen = inspect(archive.stream(member, self.limits.csv_bytes), encoding, self.limits.rows)
        return CsvFacts(
            name=member.name,
            encoding=seen.format.encoding,
            delimiter=seen.format.delimiter,
            header=tuple(seen.format.header),
            rows=seen.rows,
        )
