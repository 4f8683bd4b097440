"""Opens the upload of a resource and checks that it is the one that was acknowledged.

In:   a job and the position of one of its resources.
Out:  its text, its format and the plan of what its rows become.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Self

from bulkwright.domain.account import email_key
from bulkwright.domain.errors import FileDamaged
from bulkwright.domain.job import Job, Split, default_bytes
from bulkwright.domain.module import Module
from bulkwright.files import Area, DamagedFile
from bulkwright.formats.csv import Dialect, blocks, sniff
from bulkwright.formats.stream import ByteStream
from bulkwright.formats.zip import open_archive
from bulkwright.pipeline.context import JobContext
from bulkwright.pipeline.plan import Plan, make_plan
from bulkwright.pipeline.read import Chunk, Start, read_chunks


@dataclass(frozen=True, slots=True)
class Source:
    """An open upload. Use it in a `with` block, which closes it."""

    file: BinaryIO
    text: ByteStream
    dialect: Dialect
    plan: Plan
    text_bytes: int
    """The size of the inflated CSV."""

    def chunks(self, start: Start, split: Split, ctx: JobContext) -> Iterator[Chunk]:
        """Yield the chunks from `start` on. Call it once.

        If the resource is divided, their ends are the same for all parts.
        """
        return self._read(start, split, ctx, self.plan.needed_columns)

    def chunks_of(self, columns: tuple[int, ...], split: Split, ctx: JobContext) -> Iterator[Chunk]:
        """Yield all chunks with these columns only. Call it instead of `chunks`."""
        return self._read(Start(), split, ctx, columns)

    def _read(
        self, start: Start, split: Split, ctx: JobContext, columns: tuple[int, ...]
    ) -> Iterator[Chunk]:
        size = split.chunk_bytes if split.is_divided else ctx.chunk_bytes
        return read_chunks(
            blocks(self.text, self.dialect, target=size, start=start.text),
            columns=columns,
            width=len(self.dialect.header),
            delimiter=self.dialect.delimiter,
            start=start,
            max_rows=lambda: split.chunk_rows if split.is_divided else self._paced_rows(ctx),
        )

    def chunk_rows(self, ctx: JobContext) -> int:
        """Return the most rows of a chunk: the default values belong to its text too."""
        added = default_bytes(self.plan.resource.mappings)
        most = min(ctx.chunk_rows, ctx.chunk_bytes // added) if added else ctx.chunk_rows
        return max(1, most)

    def _paced_rows(self, ctx: JobContext) -> int:
        return ctx.chunk_limit.rows(self.plan, self.chunk_rows(ctx))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.file.close()


def open_source(job: Job, position: int, ctx: JobContext) -> Source:
    """Open the upload of a resource.

    Raises FileDamaged if it is missing, if it is not the acknowledged one byte for byte, or if its
    module no longer exists.
    """
    upload = ctx.uploads.upload(job.org_id, job.resources[position].file_id)
    if upload is None:
        raise FileDamaged("The upload no longer exists; upload the file again")
    try:
        # The SHA-256 is checked before the first row; the zip's own checksum only after the last.
        file = ctx.files.open(Area.UPLOADS, upload.id, upload.sha256)
    except FileNotFoundError as error:
        raise FileDamaged("The stored upload is missing; upload the file again") from error
    except DamagedFile as damage:
        raise FileDamaged from damage
    try:
        archive = open_archive(file)
        member = archive.csv_named(job.resources[position].file_name)
        text = ByteStream(archive.stream(member, ctx.limits.csv_bytes))
        reading = job.resources[position].reading
        if reading is None:
            dialect = sniff(text, job.character_encoding)
        else:
            dialect = sniff(text, reading.encoding, reading.delimiter)
        plan = _plan(job, position, dialect.header, ctx)
    except BaseException:
        file.close()
        raise
    return Source(file, text, dialect, plan, member.size)


def _plan(job: Job, position: int, header: tuple[str, ...], ctx: JobContext) -> Plan:
    module = _module(job.org_id, job.resources[position].module, ctx)
    modules = {module.api_name: module}
    for mapping in job.resources[position].mappings:
        field = module.field(mapping.api_name)
        if field is not None and field.lookup_module and field.lookup_module not in modules:
            modules[field.lookup_module] = _module(job.org_id, field.lookup_module, ctx)
    user_ids: dict[str, int] = {}
    for user in ctx.accounts.users(job.org_id):
        user_ids |= {str(user.id): user.id, email_key(user.email): user.id}
    return make_plan(job, position, header, modules, user_ids)


def _module(org_id: int, api_name: str, ctx: JobContext) -> Module:
    module = ctx.modules.module(org_id, api_name)
    if module is None:
        raise FileDamaged(f"The module {api_name} no longer exists")
    return module
