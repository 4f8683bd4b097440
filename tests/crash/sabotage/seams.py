"""Where the commit points are: the methods of the product that are wrapped, and nothing else.

P1   upload bytes to a temporary file      P8   the last chunk's commit
P2   its fsync and rename                  P9   result written to a temporary file
P3   upload row committed, answered        P10  its fsync, rename and fsync of the folder
P4   job row committed, answered           P11  final status, result and outbox row committed
P5   claim                                 P12  callback sent
P6   start of the parse                    P13  callback acknowledged
P7   a chunk's commit                      P14  deleted by retention

Some have more than one passage: `P3-answer` is the answer to an upload, `P2-rename` the rename
alone, `P7-piece` the result piece that a chunk's commit relies on. `before` a commit is after the
last statement of its transaction. A name that is no longer there breaks the run
(`striking.broken`), and so does a point that no process passes.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import disk
import planted
from striking import SETUP, WORKER, broken, reach

local = threading.local()
"""`point` of the transaction that this thread is in, `place` of the file that it keeps."""


def set_up() -> None:
    """Wrap every module of the product when it is imported, and no sooner."""
    sys.meta_path.insert(0, _Finder())
    disk.watch(lambda: getattr(local, "place", None))


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        wanted = [*_WRAPS.get(fullname, ()), *planted.of(fullname)]
        constants = SETUP["constants"].get(fullname, {})
        if not wanted and not constants:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is None or spec.loader is None:
            return None
        run = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            run(module)
            try:
                for name, value in constants.items():
                    assert hasattr(module, name), name
                    setattr(module, name, value)
                for wrap in wanted:
                    wrap(module)
            except Exception:
                broken(f"{fullname} is not what it was")

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def around(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Replace a method that must be there by what `make` makes of it."""
    setattr(owner, name, make(owner.__dict__[name]))


@contextmanager
def named(point: str) -> Iterator[None]:
    """The commit of this block's transaction is this point."""
    before = getattr(local, "point", "")
    local.point = point
    try:
        yield
    finally:
        local.point = before


def _is_commit(point: str) -> Callable[[Any], Any]:
    def make(original: Any) -> Any:
        def method(self: Any, *args: Any, **more: Any) -> Any:
            with named(point):
                done = original(self, *args, **more)
            if getattr(local, "depth", 0):
                local.inner = point  # the transaction around it commits
            return done

        return method

    return make


def _transaction(original: Any) -> Any:
    @contextmanager
    def transaction(self: Any, **more: Any) -> Iterator[None]:
        depth = getattr(local, "depth", 0)
        local.depth = depth + 1
        if depth == 0:
            local.inner = ""
        try:
            with original(self, **more):
                yield
                # A savepoint's point is that of the transaction around it, which commits.
                point = getattr(local, "point", "") or local.inner
                if depth:
                    local.inner = point
                elif point:
                    reach(point, "before")
        finally:
            local.depth = depth
        if point and depth == 0:
            reach(point, "after")

    return transaction


def _drivers(module: ModuleType) -> None:
    name = "AdbcDatabase" if WORKER else "StdlibDatabase"
    around(getattr(module, name), "transaction", _transaction)


def _uploads(module: ModuleType) -> None:
    around(module.UploadStore, "add", _is_commit("P3"))


def _jobs(module: ModuleType) -> None:
    around(module.JobStore, "add", _is_commit("P4"))


def _claims(module: ModuleType) -> None:
    store = module.ClaimStore
    around(store, "finish", _is_commit("P11"))
    around(store, "claim", _claim)
    around(store, "begin", _begin)
    around(store, "chunk", _chunk)


def _ledger(module: ModuleType) -> None:
    around(module.LedgerStore, "add", _add_entry)


def _claim(original: Any) -> Any:
    def claim(self: Any, *args: Any, **more: Any) -> Any:
        with self._db.transaction():
            claimed = original(self, *args, **more)
            if claimed is not None:
                reach("P5", "before")
        if claimed is not None:
            reach("P5", "after")
        return claimed

    return claim


def _begin(original: Any) -> Any:
    def begin(self: Any, *args: Any, **more: Any) -> Any:
        reach("P6", "before")
        begun = original(self, *args, **more)
        reach("P6", "after")
        return begun

    return begin


def _chunk(original: Any) -> Any:
    @contextmanager
    def chunk(self: Any, *args: Any, **more: Any) -> Iterator[None]:
        with named(""), original(self, *args, **more):
            yield

    return chunk


def _add_entry(original: Any) -> Any:
    def add(self: Any, lease: Any, entry: Any) -> Any:
        original(self, lease, entry)
        local.point = "P8" if entry.chunk == SETUP["last_chunk"] else "P7"

    return add


def _files(module: ModuleType) -> None:
    around(module.LocalIncoming, "write", _write)
    around(module.LocalIncoming, "move_to", _move_to)
    around(module.LocalFiles, "put_piece", _put_piece)
    around(module.LocalFiles, "delete_pieces", _delete_pieces)
    around(module.LocalFiles, "delete", _delete)


_KEPT = {"uploads": "P2", "results": "P10"}


def _write(original: Any) -> Any:
    def write(self: Any, data: Any) -> Any:
        if getattr(local, "piece", False):
            return original(self, data)
        point = "P9" if WORKER else "P1"
        reach(point, "before")
        written = original(self, data)
        reach(point, "after")
        return written

    return write


def _move_to(original: Any) -> Any:
    def move_to(self: Any, place: Path) -> Any:
        point = _KEPT.get(place.parent.name, "P7-piece")
        reach(point, "before")
        local.place = point
        try:
            original(self, place)
        finally:
            local.place = None
        reach(point, "after")

    return move_to


def _put_piece(original: Any) -> Any:
    def put_piece(self: Any, *args: Any) -> Any:
        local.piece = True
        try:
            return original(self, *args)
        finally:
            local.piece = False

    return put_piece


def _delete_pieces(original: Any) -> Any:
    def delete_pieces(self: Any, *args: Any, **more: Any) -> Any:
        original(self, *args, **more)
        reach("P11-pieces", "after")

    return delete_pieces


def _delete(original: Any) -> Any:
    def delete(self: Any, *args: Any) -> Any:
        reach("P14-file", "before")
        deleted = original(self, *args)
        reach("P14-file", "after")
        return deleted

    return delete


def _outbox(module: ModuleType) -> None:
    around(module.OutboxStore, "end", _is_commit("P13"))


def _retention(module: ModuleType) -> None:
    for what in ("uploads", "results", "jobs"):
        around(module.RetentionStore, f"delete_{what}", _is_commit(f"P14-{what}"))


def _sweeper(module: ModuleType) -> None:
    def make(original: Any) -> Any:
        def sweep(self: Any, *args: Any) -> Any:
            swept = original(self, *args)
            reach("P14-sweep", "after")
            return swept

        return sweep

    around(module.Retention, "sweep", make)


def _webhook_sender(module: ModuleType) -> None:
    def make(original: Any) -> Any:
        async def post(self: Any, *args: Any, **more: Any) -> Any:
            reach("P12", "before")
            answer = await original(self, *args, **more)
            reach("P12", "after")
            return answer

        return post

    around(module.WebhookSender, "post", make)


def _app(module: ModuleType) -> None:
    def make(original: Any) -> Any:
        async def answer(self: Any, scope: Any, receive: Any, send: Any) -> None:
            point = _answered(scope)
            sound = False

            async def sending(message: Any) -> None:
                nonlocal sound
                if point and message["type"] == "http.response.start":
                    sound = message["status"] in (200, 201)
                    if sound:
                        reach(point, "before")
                await send(message)

            await original(self, scope, receive, sending)
            if sound:
                reach(point, "after")

        return answer

    around(module.Kernel, "__call__", make)


def _answered(scope: Any) -> str:
    if scope["type"] != "http" or scope["method"] != "POST":
        return ""
    last = scope["path"].rpartition("/")[2]
    return {"upload": "P3-answer", "write": "P4-answer"}.get(last, "")


_WRAPS: dict[str, tuple[Callable[[ModuleType], None], ...]] = {
    "bulkwright.files.local": (_files,),
    "bulkwright.store.uploads": (_uploads,),
    "bulkwright.store.jobs": (_jobs,),
    "bulkwright.store.claims": (_claims,),
    "bulkwright.store.ledger": (_ledger,),
    "bulkwright.store.outbox": (_outbox,),
    "bulkwright.store.retention": (_retention,),
    "bulkwright.service.retention": (_sweeper,),
    "bulkwright.callback.sender": (_webhook_sender,),
    "bulkwright.web.app": (_app,),
    f"bulkwright.store.sqlite.{'adbc' if WORKER else 'connection'}": (_drivers,),
}
