"""Receives uploads: each is inspected, made durable, and only then acknowledged.

In:   the bytes of one whole file part, as an `Incoming` that is not visible yet.
Out:  an `Upload` whose file survives a power cut.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from io import SEEK_END
from typing import BinaryIO
from zoneinfo import ZoneInfo

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.domain.account import Caller
from bulkwright.domain.audit import Action
from bulkwright.domain.errors import FileNotSupported, FileTooLarge, QuotaExceeded
from bulkwright.domain.file_format import FileFormat, Origin
from bulkwright.domain.idempotency import IdempotencyKey, idempotency_key
from bulkwright.domain.limits import CSV_FILES, Limits
from bulkwright.domain.reading import FoundBy
from bulkwright.domain.upload import CsvFacts, Upload
from bulkwright.files import Area, Files, Incoming
from bulkwright.formats.conversion import convert
from bulkwright.formats.csv import inspect
from bulkwright.formats.recognise import recognise
from bulkwright.formats.stream import ByteStream
from bulkwright.formats.zip import Archive, open_archive
from bulkwright.formats.zip_directory import ArchiveMember
from bulkwright.outages import Outage
from bulkwright.service.audit import AuditLog
from bulkwright.service.readings import Readings
from bulkwright.store.accounts import AccountStore
from bulkwright.store.idempotency import IdempotencyStore
from bulkwright.store.modules import ModuleStore
from bulkwright.store.uploads import UploadStore

_MAX_NAME_LENGTH = 255


@dataclass(frozen=True, slots=True)
class UploadService:
    """Receives uploads, and inspects them again if a job names another encoding."""

    accounts: AccountStore
    modules: ModuleStore
    uploads: UploadStore
    files: Files
    keys: IdempotencyStore
    audit: AuditLog
    limits: Limits
    clock: Clock = SYSTEM_CLOCK
    readings: Readings = field(default_factory=Readings)

    def admit(self, caller: Caller, size: int = 0, key: str | None = None) -> int:
        """Returns how many bytes the org may upload now.

        Raises QuotaExceeded if `size` is more, or if the org has had its uploads of a day; Outage
        if the disk is nearly full. A request that repeats another one, as its idempotency key says,
        is no further upload of the day.
        """
        self.files.check_space()
        usage = self.uploads.usage(caller.org_id)
        had_all = usage.daily_uploads >= self.limits.org_daily_uploads
        if had_all and not (key is not None and self.keys.is_used(caller.org_id, key)):
            raise QuotaExceeded(
                f"The org has uploaded {usage.daily_uploads} files within 24 hours, "
                "which is its quota. Upload the next one later."
            )
        left = self.limits.org_stored_bytes - usage.bytes
        if size > left or left <= 0:
            raise QuotaExceeded(
                f"The uploads of the org have {usage.bytes} bytes; its quota is "
                f"{self.limits.org_stored_bytes}. Old uploads are deleted after some days."
            )
        return left

    def receive_any(
        self,
        caller: Caller,
        name: str,
        incoming: Incoming,
        key: str | None = None,
        *,
        named: FileFormat | None = None,
        sheet: str | None = None,
    ) -> Upload:
        """Saves and acknowledges a file of any format; what is no zip becomes one first.

        `named` is the format that the caller names, `sheet` that of a workbook. Raises what
        `receive` raises; QuotaExceeded if the zip has more bytes than the org may upload;
        FileNotSupported if the format is not read, or the CSV that was made cannot be.
        """
        file = incoming.reader()
        origin = recognise(file, name, named, sheet)
        if origin.format is FileFormat.ZIP:
            return self.receive(caller, name, incoming, key)
        wanted = None
        if key is not None:
            # A repeated request is found by the file itself, so that it is not converted again.
            how = (named or "", sheet or "")
            wanted = idempotency_key(
                key, b"upload", name.encode(), _sha256(file).encode(), *map(str.encode, how)
            )
            if (known := self._known(caller, wanted)) is not None:
                return known
        file.seek(0)
        with self.files.incoming() as made:
            convert(file, name, origin, made, self.limits.csv_bytes)
            self.admit(caller, made.reader().seek(0, SEEK_END), key)
            return self._receive(caller, name, made, _sha256(made.reader()), wanted, origin)

    def receive(
        self, caller: Caller, name: str, incoming: Incoming, key: str | None = None
    ) -> Upload:
        """Saves and acknowledges a whole upload, a zip.

        With an idempotency key, returns the upload of the first request with this key. Raises
        IdempotencyKeyReused if that had another file, InvalidFileFormat if it is no valid zip,
        FileTooLarge if it is too large. A valid zip without a usable CSV is acknowledged; the
        creation of a job rejects it (facts 2.3 documents both).
        """
        file, wanted = incoming.reader(), None
        digest = _sha256(file)
        self._check_size(file)
        if key is not None:
            wanted = idempotency_key(key, b"upload", name.encode(), digest.encode())
            if (known := self._known(caller, wanted)) is not None:
                return known
        return self._receive(caller, name, incoming, digest, wanted, None)

    def _check_size(self, file: BinaryIO) -> int:
        """Returns the size of a zip. Raises FileTooLarge."""
        size = file.seek(0, SEEK_END)
        if self.limits.upload_bytes is not None and size > self.limits.upload_bytes:
            raise FileTooLarge
        return size

    def _known(self, caller: Caller, wanted: IdempotencyKey) -> Upload | None:
        """Returns the upload of the first request with a key; None if there was none.

        Raises IdempotencyKeyReused.
        """
        find = partial(self.uploads.upload, caller.org_id)
        known = self.keys.known(caller.org_id, wanted, find)
        return known and replace(
            known, created_time=known.created_time.astimezone(self._zone(caller))
        )

    def _zone(self, caller: Caller) -> ZoneInfo:
        user = self.accounts.user(caller.org_id, caller.user_id)
        return ZoneInfo(user.time_zone if user else "UTC")

    def _receive(
        self,
        caller: Caller,
        name: str,
        incoming: Incoming,
        digest: str,
        wanted: IdempotencyKey | None,
        origin: Origin | None,
    ) -> Upload:
        """Saves and acknowledges a zip as `receive` does. `origin` is what it was made of.

        If it was made here and has no usable CSV, it raises FileNotSupported.
        """
        file = incoming.reader()
        size, zone = self._check_size(file), self._zone(caller)
        file.seek(0)
        csvs: tuple[CsvFacts, ...] = ()
        problem = None
        try:
            csvs = self._read(file, None, origin)
        except (FileNotSupported, FileTooLarge) as error:
            if origin is not None:
                raise
            problem = error.message
        upload = Upload(
            id=self.modules.take_ids(1),
            org_id=caller.org_id,
            name=name[:_MAX_NAME_LENGTH],
            bytes=size,
            sha256=digest,
            created_time=self.clock.now().astimezone(zone),
            csvs=csvs,
            problem=problem,
        )
        acknowledged = self._save(upload, incoming, caller, wanted)
        if acknowledged.id != upload.id:
            self.files.delete(Area.UPLOADS, upload.id)
        return replace(acknowledged, created_time=acknowledged.created_time.astimezone(zone))

    def _save(
        self, upload: Upload, incoming: Incoming, caller: Caller, key: IdempotencyKey | None
    ) -> Upload:
        """Saves the file of an upload, and adds it as `_add` does."""
        try:
            # The file first: each upload in the database has its file.
            incoming.save(Area.UPLOADS, upload.id)
            return self._add(upload, caller, key)
        except Outage:
            raise  # the file cannot be deleted either; if it exists, it is swept as a stray
        except BaseException:
            # A file that is not acknowledged is deleted, so that it takes no space. If the database
            # cannot be queried, the file stays, because a row may refer to it; strays are swept.
            with suppress(Exception):
                if self.uploads.upload(upload.org_id, upload.id) is None:
                    self.files.delete(Area.UPLOADS, upload.id)
            raise

    def _add(self, upload: Upload, caller: Caller, key: IdempotencyKey | None) -> Upload:
        """Adds an upload; returns another one if that is of the first request with the key."""
        with self.uploads.transaction():
            if key is not None:
                find = partial(self.uploads.upload, upload.org_id)
                first = self.keys.take(upload.org_id, key, upload.id, find)
                if first is not None:
                    return first
            self.uploads.add(upload, caller.user_id)
            self.audit.record_call(Action.FILE_UPLOADED, caller, f"{upload.id}")
        return upload

    def must_read(self, upload: Upload, encoding: str) -> bool:
        """Returns whether `facts` has to read the whole upload."""
        return not _is_in(upload, encoding) and not self.readings.known(upload.id, encoding)

    def facts(self, upload: Upload, encoding: str | None) -> tuple[CsvFacts, ...]:
        """Returns the facts of the CSVs in the encoding that a job names; None names none.

        An upload is read once for each encoding that was not recognised, and one of an org at a
        time. Raises FileNotSupported if the CSVs cannot be read in this encoding.
        """
        if encoding is None:
            return upload.csvs
        if _is_in(upload, encoding):
            return tuple(replace(csv, encoding_by=FoundBy.NAMED) for csv in upload.csvs)
        origin = upload.csvs[0].origin if upload.csvs else None
        if origin is not None and origin.is_unicode:
            raise FileNotSupported(
                f"The file was {origin.format.words}, which is read without an encoding; leave it "
                "out"
            )

        def read() -> tuple[CsvFacts, ...]:
            with self.files.open(Area.UPLOADS, upload.id, upload.sha256) as file:
                return self._read(file, encoding, origin)

        return self.readings.facts(upload.org_id, upload.id, encoding, read)

    def _read(
        self, file: BinaryIO, encoding: str | None, origin: Origin | None
    ) -> tuple[CsvFacts, ...]:
        archive = open_archive(file)
        if not 0 < len(archive.csvs) <= CSV_FILES:
            archive.single_csv()  # raises, with the number of CSV files in the message
        return tuple(self._facts(archive, csv, encoding, origin) for csv in archive.csvs)

    def _facts(
        self, archive: Archive, member: ArchiveMember, encoding: str | None, origin: Origin | None
    ) -> CsvFacts:
        text = ByteStream(archive.stream(member, self.limits.csv_bytes))
        if origin is not None and origin.is_unicode:
            encoding = "UTF-8"
        delimiter = None if origin is None else origin.delimiter
        seen = inspect(text, encoding, self.limits.rows, delimiter)
        return CsvFacts(
            name=member.name,
            encoding=seen.dialect.encoding,
            splittings=seen.head.splittings,
            rows=seen.rows,
            encoding_by=seen.encoding_by,
            delimiter_named=seen.head.named,
            origin=origin,
        )


def _sha256(file: BinaryIO) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # typeshed does not know that a BinaryIO has readinto


def _is_in(upload: Upload, encoding: str) -> bool:
    """Whether all CSVs of the upload were recognised to be in this encoding."""
    return bool(upload.csvs) and all(csv.encoding == encoding for csv in upload.csvs)
