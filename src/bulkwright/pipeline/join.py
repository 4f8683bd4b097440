"""Joins the parts of a job into its result: durable under its name, nothing compressed again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from bulkwright.domain.job import LedgerEntry
from bulkwright.files import Area, Files
from bulkwright.pipeline.result import ResultMember, write_zip

Member = tuple[str, Sequence[LedgerEntry]]
"""A CSV of the result: its name in the zip and its chunks."""


def join_parts(job_id: int, members: Iterable[Member], files: Files) -> str | None:
    """Store the result of a job and return its SHA-256. None if it has no parts.

    The same parts always make the same file. Raises DamagedFile.
    """
    found: list[tuple[ResultMember, Iterable[bytes]]] = [
        (ResultMember(name, tuple(e.part for e in entries)), _part_bytes(job_id, entries, files))
        for name, entries in members
        if entries
    ]
    if not found:
        return None
    with files.incoming() as file:
        write_zip(file, found)
        sha256 = hashlib.file_digest(file.reader(), "sha256").hexdigest()  # type: ignore[arg-type]  # a BinaryIO has readinto, typeshed does not know it
        file.save(Area.RESULTS, job_id)
    return sha256


def _part_bytes(job_id: int, entries: Sequence[LedgerEntry], files: Files) -> Iterator[bytes]:
    for entry in entries:
        yield files.read_part(job_id, entry.part.name, entry.part.deflated_bytes)
