"""Pays in advance what the first job of a worker would pay.

Libraries import modules and compile patterns at their first use: a few tenths of a second in all.
"""

from __future__ import annotations

from concurrent.futures import Executor

from bulkwright.clock import Clock
from bulkwright.domain.job import FieldMapping, Job, Operation, Person, Resource
from bulkwright.domain.module import Field, Module
from bulkwright.formats.csv import blocks, sniff
from bulkwright.formats.stream import ByteStream
from bulkwright.pipeline.conform import conform
from bulkwright.pipeline.plan import Plan, make_plan
from bulkwright.pipeline.read import read_chunks
from bulkwright.pipeline.result import RowResults, deflate, render_lines, result_lines
from bulkwright.runtime.best_effort import best_effort

_CELLS = {
    "text": "Zoë",
    "email": "zoe@example.org",
    "phone": "555-0100",
    "website": "www.example.org",
    "picklist": "a",
    "multiselectpicklist": "a;b",
    "integer": "1",
    "currency": "1.50",
    "boolean": "true",
    "date": "2026-02-28",
    "datetime": "2026-02-28T12:00:00Z",
}
"""A cell of each kind that has a reader of its own, by data type."""


def warm_up(threads: Executor, clock: Clock) -> None:
    """Takes a file with one row through the steps that need no store, on each of two threads."""
    plan = _plan(clock)
    with best_effort("warm up", otherwise="the first job takes longer"):
        for future in [threads.submit(_run, plan) for _ in range(2)]:
            future.result()


def _run(plan: Plan) -> None:
    header, row = ",".join(_CELLS), ",".join(f'"{cell}"' for cell in _CELLS.values())
    text = ByteStream([f"{header}\n{row}\n".encode()])
    dialect = sniff(text, "UTF-8", ",")
    chunks = read_chunks(
        blocks(text, dialect), columns=plan.needed_columns, width=len(_CELLS), delimiter=","
    )
    for chunk in chunks:
        conform(chunk, plan)
        lines = result_lines(chunk, plan, RowResults.unprocessed(chunk.rows))
        deflate("", render_lines(lines, b"", quote_formulas=False))


def _plan(clock: Clock) -> Plan:
    fields = tuple(Field(0, name, name, name, unique=name == "text", length=255) for name in _CELLS)
    module = Module(
        0, 0, "Warm_Up", "Warm_Up", "", "", "default", 0, bulk_write=True, fields=fields
    )
    mappings = tuple(FieldMapping(name, index) for index, name in enumerate(_CELLS))
    resource = Resource(module.api_name, 0, 0, "", mappings)
    job = Job(0, 0, Operation.INSERT, Person(0, ""), clock.now(), "UTC", (resource,))
    return make_plan(job, 0, tuple(_CELLS), {module.api_name: module}, {})
