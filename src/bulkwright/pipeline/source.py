"""A resource's upload, opened and proven to be the one that was acknowledged.

In:   a job and the position of one of its resources.
Out:  its text, its format and the plan of what its rows become.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Self

from bulkwright.csvzip.archive import open_archive
from bulkwright.csvzip.text import Format, blocks, sniff, take_head
from bulkwright.domain.errors import FileDamaged
from bulkwright.domain.job import Job
from bulkwright.domain.module import Module
from bulkwright.files import Area, Damaged
from bulkwright.pipeline.plan import Plan, make_plan
from bulkwright.pipeline.read import Chunk, Start, read_chunks
from bulkwright.pipeline.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Source:
    """An open upload; to be used in a `with` block."""

    file: BinaryIO
    text: Iterator[bytes]
    format: Format
    plan: Plan
    text_bytes: int
    """What the CSV inflates to."""

    def chunks(self, start: Start, shop: Workshop) -> Iterator[Chunk]:
        """The chunks from `start` on; to be called once."""
        return read_chunks(
            blocks(self.text, self.format, target=shop.chunk_bytes, start=start.text),
            columns=self.plan.needed_columns,
            width=len(self.format.header),
            delimiter=self.format.delimiter,
            start=start,
            most=shop.chunk_rows,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.file.close()


def open_source(job: Job, position: int, shop: Workshop) -> Source:
    """Open the upload of a resource.

    Raises FileDamaged when it is gone or not, byte for byte, what was acknowledged, or when its
    module is no longer there.
    """
    upload = shop.jobs.upload(job.org_id, job.resources[position].file_id)
    if upload is None:
        raise FileDamaged("The upload is no longer there; upload the file again")
    try:
        # Before the first row: the zip's own checksum would be known after the last one only.
        file = shop.files.open(Area.UPLOADS, upload.id, upload.sha256)
    except FileNotFoundError as error:
        raise FileDamaged("The stored upload is gone; upload the file again") from error
    except Damaged as damage:
        raise FileDamaged from damage
    try:
        archive = open_archive(file)
        member = archive.named(job.resources[position].file_name)
        head, text = take_head(archive.stream(member, shop.limits.csv_bytes))
        form = sniff(head, job.character_encoding)
        plan = _plan(job, position, form.header, shop)
    except BaseException:
        file.close()
        raise
    return Source(file, text, form, plan, member.size)


def _plan(job: Job, position: int, header: tuple[str, ...], shop: Workshop) -> Plan:
    module = _module(job.org_id, job.resources[position].module, shop)
    modules = {module.api_name: module}
    for mapping in job.resources[position].mappings:
        field = module.field(mapping.api_name)
        if field is not None and field.lookup_module and field.lookup_module not in modules:
            modules[field.lookup_module] = _module(job.org_id, field.lookup_module, shop)
    user_ids: dict[str, int] = {}
    for user in shop.accounts.users(job.org_id):
        user_ids |= {str(user.id): user.id, user.email.strip().casefold(): user.id}
    return make_plan(job, position, header, modules, user_ids)


def _module(org_id: int, api_name: str, shop: Workshop) -> Module:
    module = shop.modules.module(org_id, api_name)
    if module is None:
        raise FileDamaged(f"The module {api_name} is no longer there")
    return module
