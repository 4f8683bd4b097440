"""Joins the pieces of a job into its result, in file order.

In:   the ledger of each part, and the pieces that it names.
Out:  one zip. Of a resource that is not divided, its pieces are copied. Of a divided one, the lines
      of all parts of a chunk are merged into one piece first, which is listed in the ledger too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace

from bulkwright.domain.job import MERGED, Job, Lease, LedgerEntry, Split
from bulkwright.domain.outcome import Counts
from bulkwright.domain.result_file import member_name
from bulkwright.files import Area, DamagedFile, Files
from bulkwright.pipeline import result
from bulkwright.pipeline.context import JobContext


def join_pieces(job: Job, ctx: JobContext) -> str | None:
    """Join a job's pieces into its result, durable under its name, and return its SHA-256.

    Returns None if there are no pieces. Raises DamagedFile if one is not what was stored.
    """
    chunks = {
        member_name(resource.module, resource.file_name): ctx.ledger.entries(
            job.id, position, whole_chunks(resource.split)
        )
        for position, resource in enumerate(job.resources)
    }
    return store_result(job.id, chunks, ctx.files)


def store_result(
    job_id: int, chunks: Mapping[str, Sequence[LedgerEntry]], files: Files
) -> str | None:
    """Store the zip of a job's CSVs, each named with its chunks, and return its SHA-256.

    A CSV without chunks is left out; None if all are. The same pieces always make the same file.
    """
    members: list[tuple[result.ResultMember, Iterable[bytes]]] = [
        (
            result.ResultMember(name, tuple(entry.piece for entry in entries)),
            piece_bytes(job_id, entries, files),
        )
        for name, entries in chunks.items()
        if entries
    ]
    if not members:
        return None
    with files.incoming() as file:
        result.write_zip(file, members)
        sha256 = hashlib.file_digest(file.reader(), "sha256").hexdigest()  # type: ignore[arg-type]  # a BinaryIO has readinto, typeshed does not know it
        file.save(Area.RESULTS, job_id)
    return sha256


def whole_chunks(split: Split | None) -> int:
    """Return the part of the ledger that lists the lines of whole chunks."""
    return MERGED if split is not None and split.is_divided else 0


def merge_parts(lease: Lease, position: int, split: Split, ctx: JobContext, *, ended: bool) -> None:
    """Merge the lines of each chunk that all parts have committed and that is not merged yet.

    If the parts have `ended`, also of chunks that some parts did not reach. Raises LeaseLost if
    another worker has the job now, and DamagedFile if a piece is damaged.
    """
    job_id = lease.job_id
    done = ctx.ledger.count(job_id, position, MERGED)
    parts = [ctx.ledger.entries(job_id, position, part, done) for part in range(split.parts)]
    reached = (max if ended else min)(len(entries) for entries in parts)
    for number in range(reached):
        entries = [of_part[number] for of_part in parts if number < len(of_part)]
        merged = _merged(job_id, entries, f"merged-{lease.fence}", split, ctx)
        with ctx.claims.held(lease):
            ctx.ledger.add_merged(job_id, merged)


def merge_committed(lease: Lease, position: int, split: Split, ctx: JobContext) -> None:
    """Merge the lines of each chunk that all parts have committed, while parts still run.

    A damaged piece stays: the end of the job meets it again. Raises LeaseLost as `merge_parts`.
    """
    with suppress(DamagedFile):
        merge_parts(lease, position, split, ctx, ended=False)


@contextmanager
def merge_thread(
    lease: Lease, position: int, split: Split, ctx: JobContext
) -> Iterator[Callable[[], None]]:
    """Do `merge_committed` on a thread of its own, at each call of what the block gets.

    A call while the thread is at work does nothing. A later call, or the end of the block, raises
    what the thread has raised.
    """
    begun: Future[None] | None = None

    def begin() -> None:
        nonlocal begun
        if begun is None or begun.done():
            if begun is not None:
                begun.result()
            begun = thread.submit(merge_committed, lease, position, split, ctx)

    with ThreadPoolExecutor(1, thread_name_prefix="merge") as thread:
        yield begin
        if begun is not None:
            begun.result()


def _merged(
    job_id: int, entries: list[LedgerEntry], label: str, split: Split, ctx: JobContext
) -> LedgerEntry:
    """Make the lines of a whole chunk durable and return their ledger entry."""
    first = entries[0]
    if len({(e.chunk, e.first_row, e.rows) for e in entries}) > 1:
        raise DamagedFile("the chunks of the parts do not have the same ends")
    pieces = piece_bytes(job_id, entries, ctx.files)
    header, lines = result.merge_lines(pieces, first.rows, whole=len(entries) == split.parts)
    text = result.render_lines(
        lines, header if first.chunk == 0 else b"", quote_formulas=ctx.quote_formulas
    )
    name = f"{first.resource}-{first.chunk:08d}-{label}"
    piece, packed = result.deflate(name, text)
    ctx.files.put_piece(job_id, name, packed)
    counts = sum((entry.counts for entry in entries), Counts())
    return replace(first, counts=counts, piece=piece, part=MERGED, first_id=None)


def piece_bytes(job_id: int, entries: Iterable[LedgerEntry], files: Files) -> Iterator[bytes]:
    """Yield the bytes of the pieces of chunks. Raises DamagedFile if one is not what was stored."""
    for entry in entries:
        yield files.read_piece(job_id, entry.piece.name, entry.piece.deflated_bytes)
