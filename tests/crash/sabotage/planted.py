"""Faults that the product does not have, planted to see whether the checker finds them.

Each is what a tired programmer might write. The name of the one that is active stands in
`setup.json`; `no-fsync` and `no-folder-fsync` are in disk.py.
"""

from __future__ import annotations

import secrets
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import ModuleType
from typing import Any

from striking import SETUP, WORKER, reach

Wrap = Callable[[ModuleType], None]


def of(module: str) -> list[Wrap]:
    """What the planted fault does to this module."""
    wrap = _FAULTS[SETUP["fault"]].get(module) if SETUP["fault"] else None
    return [wrap] if wrap else []


def _replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    setattr(owner, name, make(owner.__dict__[name]))


def _split_chunk(module: ModuleType) -> None:
    """The records are committed before the ledger and the counters are."""

    def make(original: Any) -> Any:
        def add(self: Any, lease: Any, entry: Any) -> None:
            self._db.sql("COMMIT")
            reach("split", "between")
            self._db.sql("BEGIN IMMEDIATE")
            original(self, lease, entry)

        return add

    _replace(module.LedgerStore, "add", make)


def _no_fence(module: ModuleType) -> None:
    """A chunk does not ask whether its worker still holds the job."""

    def make(_original: Any) -> Any:
        @contextmanager
        def chunk(self: Any, *_leases: Any) -> Iterator[None]:
            with self._db.transaction():
                yield

        return chunk

    _replace(module.ClaimStore, "chunk", make)


def _count_twice(module: ModuleType) -> None:
    """A chunk that is done again after a crash is counted again."""

    def make(original: Any) -> Any:
        def claim(self: Any, *args: Any, **more: Any) -> Any:
            from bulkwright.store.ledger import LedgerStore

            claimed = original(self, *args, **more)
            if claimed is not None:
                lease, job, _ = claimed
                done = LedgerStore(self._db).entries(job.id, 0)
                if done:
                    counts = done[-1].counts
                    self._db.run(
                        "advance_part", job_id=lease.job_id, resource=0, part=0,
                        added=counts.added, updated=counts.updated, skipped=counts.skipped,
                        unchanged=0, stray_quotes=0, first_stray_quote=None,
                    )  # fmt: skip
            return claimed

        return claim

    _replace(module.ClaimStore, "claim", make)


_late: list[tuple[Any, ...]] = []


def _piece_late_files(module: ModuleType) -> None:
    """The lines of a chunk are put down after its commit."""

    def make(original: Any) -> Any:
        def put_piece(self: Any, *args: Any) -> None:
            _late.append((original, self, *args))

        return put_piece

    _replace(module.LocalFiles, "put_piece", make)


def _piece_late_store(module: ModuleType) -> None:
    def make(original: Any) -> Any:
        @contextmanager
        def chunk(self: Any, *leases: Any) -> Iterator[None]:
            with original(self, *leases):
                yield
            while _late:
                reach("late", "before")
                put, *what = _late.pop()
                put(*what)

        return chunk

    _replace(module.ClaimStore, "chunk", make)


def _early_answer(module: ModuleType) -> None:
    """The job is answered before its row is in the database."""

    def make(original: Any) -> Any:
        def add(self: Any, job: Any, **more: Any) -> None:
            def later() -> None:
                time.sleep(
                    3.0
                )  # long enough that the kill comes first, however busy the machine is
                original(self, job, **more)

            threading.Thread(target=later, daemon=True).start()

        return add

    _replace(module.JobStore, "add", make)


def _ids_again(module: ModuleType) -> None:
    """The server keeps its ids in memory, and begins anew where the database stands."""
    mine = 0

    def make(original: Any) -> Any:
        def take_ids(self: Any, count: int) -> int:
            nonlocal mine
            if WORKER:
                return int(original(self, count))
            (row,) = self._db.sql("SELECT next FROM sequence WHERE name = 'id'")
            mine = max(mine, row["next"])
            first, mine = mine, mine + count
            return int(first)

        return take_ids

    _replace(module.ModuleStore, "take_ids", make)


_pieces: dict[str, tuple[int, int, int]] = {}


def _doctored(change: Callable[[list[bytes], str], list[bytes]]) -> dict[str, Wrap]:
    """Other lines in a piece, with sizes and checksum that agree with them."""

    def files(module: ModuleType) -> None:
        def make(original: Any) -> Any:
            def put_piece(self: Any, job_id: int, name: str, data: Any) -> None:
                text = zlib.decompressobj(-15).decompress(bytes(data))
                text = b"".join(change(text.splitlines(keepends=True), name))
                packer = zlib.compressobj(1, zlib.DEFLATED, -15)
                packed = packer.compress(text) + packer.flush(zlib.Z_FULL_FLUSH)
                _pieces[name] = len(packed), len(text), zlib.crc32(text)
                original(self, job_id, name, packed)

            return put_piece

        _replace(module.LocalFiles, "put_piece", make)

    def store(module: ModuleType) -> None:
        def make(original: Any) -> Any:
            def add(self: Any, lease: Any, entry: Any) -> None:
                deflated, plain, crc = _pieces[entry.piece.name]
                piece = replace(entry.piece, deflated_bytes=deflated, plain_bytes=plain, crc32=crc)
                original(self, lease, replace(entry, piece=piece))

            return add

        _replace(module.LedgerStore, "add", make)

    return {"bulkwright.files.local": files, "bulkwright.store.ledger": store}


def _swapped(lines: list[bytes], name: str) -> list[bytes]:
    return [*lines[:-2], lines[-1], lines[-2]] if name.endswith("1") else lines


def _shortened(lines: list[bytes], name: str) -> list[bytes]:
    return [] if _chunk_of(name) == SETUP["last_chunk"] else lines


def _doubled(lines: list[bytes], name: str) -> list[bytes]:
    return [*lines, lines[-1]] if _chunk_of(name) % 10 == 2 else lines


def _chunk_of(piece: str) -> int:
    """The chunk that a piece is of: pieces are named after resource, chunk and lease."""
    return int(piece.split("-")[1])


_unreported: list[tuple[Any, ...]] = []


def _callback_apart_outbox(module: ModuleType) -> None:
    """The callback is remembered in a transaction of its own, after the one that ends the job."""

    def make(original: Any) -> Any:
        def add(self: Any, *args: Any) -> None:
            _unreported.append((original, self, *args))

        return add

    _replace(module.OutboxStore, "add", make)


def _callback_apart_jobs(module: ModuleType) -> None:
    def make(original: Any) -> Any:
        def finish(self: Any, *args: Any, **more: Any) -> None:
            original(self, *args, **more)
            reach("apart", "between")
            while _unreported:
                add, *what = _unreported.pop()
                add(*what)

        return finish

    _replace(module.ClaimStore, "finish", make)


def _callback_ids(module: ModuleType) -> None:
    """Each attempt of a delivery has an id of its own."""
    assert isinstance(module.Delivery.__dict__["webhook_id"], property)
    module.Delivery.webhook_id = property(lambda self: f"msg_{secrets.token_hex(8)}")


def _no_sweep(module: ModuleType) -> None:
    """What was half-written is never swept up."""
    _replace(module.LocalFiles, "sweep", lambda original: lambda self: 0)
    _replace(module.LocalFiles, "unchanged_for", lambda original: lambda self, *args: iter(()))


def _from_zero(module: ModuleType) -> None:
    """A job that is taken over is counted from nothing."""

    def make(original: Any) -> Any:
        def begin(self: Any, lease: Any, *args: Any) -> Any:
            begun = original(self, lease, *args)
            self._db.sql(
                "UPDATE parts SET added = 0, updated = 0, skipped = 0 WHERE job_id = ?",
                (lease.job_id,),
            )
            return begun

        return begin

    _replace(module.ClaimStore, "begin", make)


_FILES, _JOBS = "bulkwright.files.local", "bulkwright.store.jobs"
_CLAIMS, _LEDGER = "bulkwright.store.claims", "bulkwright.store.ledger"


def _no_keys(module: ModuleType) -> None:
    """A key is looked up, but not kept."""

    def make(_original: Any) -> Any:
        return lambda _self, *_args: None

    _replace(module.IdempotencyStore, "take", make)


_FAULTS: dict[str, dict[str, Wrap]] = {
    "no-keys": {"bulkwright.store.idempotency": _no_keys},
    "no-fsync": {},
    "no-folder-fsync": {},
    "split-chunk": {_LEDGER: _split_chunk},
    "no-fence": {_CLAIMS: _no_fence},
    "count-twice": {_CLAIMS: _count_twice},
    "count-from-zero": {_CLAIMS: _from_zero},
    "piece-late": {_FILES: _piece_late_files, _CLAIMS: _piece_late_store},
    "early-answer": {_JOBS: _early_answer},
    "ids-again": {"bulkwright.store.modules": _ids_again},
    "lines-swapped": _doctored(_swapped),
    "lines-doubled": _doctored(_doubled),
    "last-lines-lost": _doctored(_shortened),
    "callback-apart": {
        "bulkwright.store.outbox": _callback_apart_outbox,
        _CLAIMS: _callback_apart_jobs,
    },
    "callback-ids": {"bulkwright.domain.delivery": _callback_ids},
    "no-sweep": {_FILES: _no_sweep},
}
