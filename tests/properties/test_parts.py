"""For any file, a job has the same outcome on both stores, with any number of parts and workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.properties.model import Model, Request, cells
from tests.properties.test_operations import CELLS, CHUNK_ROWS, FIELDS, ran, requests
from tests.support.bench import AT_ONCE, Bench, opened
from tests.support.effort import tries
from tests.support.part_workers import helping, workers_of
from tests.support.postgres import Server
from tests.support.stores import PostgresStore

from bulkwright.events.events import JobAttemptFailed
from bulkwright.pipeline.parts import GROUPS, group_of

PARTS = ((1, 1), (2, 1), (8, 1), (8, AT_ONCE))
"""Parts of a job, and how many of them a worker runs at once."""
CHUNK_BYTES = 16
"""So short that a file of a few rows is divided."""
Outcome = tuple[list[str], list[str], list[int | None], object, object]
Stores = tuple[Bench, list[Bench]]


@pytest.fixture(scope="module")
def stores(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """A worker on SQLite, and three on one PostgreSQL database."""
    folder = tmp_path_factory.mktemp("parts")
    with (
        PostgresStore(postgres, folder / "template").copy(folder / "postgres") as url,
        opened(folder / "sqlite") as sqlite,
        workers_of(folder / "postgres", url, 3) as workers,
    ):
        for bench in (sqlite, workers[0]):
            bench.apply({"api_name": "Leads", "fields": Model.FIELDS})
        yield sqlite, workers


def outcome(
    benches: list[Bench], jobs: tuple[Request, Request], rows: int, parts: int, at_once: int = 1
) -> Outcome:
    """The result and the records; ids are the positions of their records in the result.

    The first worker runs the jobs, several parts `at_once`; the others help.
    """
    bench, *helpers = benches
    helped = helping(helpers) if helpers and parts > 1 else nullcontext()
    with bench.parts(parts, at_once), bench.chunks(size=CHUNK_BYTES), helped:
        done, ids = ran(bench, *jobs, rows)
    places = [None if i is None else ids.index(i) for i in done.ids]
    stored = sorted(cells(FIELDS, bench.records()), key=str)
    lines = [
        ["" if name in ("RECORD_ID", "id") else cell for name, cell in row.items()]
        for row in done.rows
    ]
    split = done.job.resources[0].split
    assert split is not None and 1 <= split.parts <= parts
    return done.outcome, done.header, places, (stored, done.job.counts), lines


@st.composite
def divisible(draw: st.DrawFn) -> tuple[Request, Request]:
    """A job that adds records, and one that finds them by a single field."""
    rows = st.tuples(*(st.sampled_from(CELLS[name]) for name in FIELDS))
    before = Request("insert", None, False, FIELDS, tuple(draw(st.lists(rows, max_size=5))))
    operation = draw(st.sampled_from(["insert", "update", "upsert"]))
    keys: list[str | None] = ["Email", "Code", "Serial", "id"]
    find_by = draw(st.sampled_from([*keys, None] if operation == "insert" else keys))
    columns = tuple(name for name in (find_by, "Last_Name", "City") if name is not None)
    known = {**CELLS, "id": ["0", "1", "2", "3", "99", "", "x"]}
    row = st.tuples(*(st.sampled_from(known[name]) for name in columns))
    wanted = draw(st.lists(row, min_size=3, max_size=16))
    return before, Request(operation, find_by, draw(st.booleans()), columns, tuple(wanted))


@tries(12)
@given(jobs=st.one_of(requests(), divisible(), divisible()), rows=st.sampled_from(CHUNK_ROWS))
def test_the_number_of_parts_never_changes_the_outcome(
    stores: Stores, jobs: tuple[Request, Request], rows: int
) -> None:
    """Outcomes, records, counts and lines in file order are those of SQLite, with one part."""
    sqlite, workers = stores
    wanted = outcome([sqlite], jobs, rows, 1)
    for parts, at_once in PARTS:
        assert outcome(workers, jobs, rows, parts, at_once) == wanted
    assert outcome(workers[:1], jobs, rows, AT_ONCE, AT_ONCE) == wanted
    failed = [e for bench in workers for e in bench.events if isinstance(e, JobAttemptFailed)]
    assert failed == []


@tries(200)
@given(keys=st.lists(st.one_of(st.none(), st.text(max_size=40)), max_size=20))
def test_the_group_of_a_text_depends_on_its_bytes_alone(keys: list[str | None]) -> None:
    """Not on the other keys, nor on a version of a library: it is computed here once more."""
    groups = [None if key is None else plain_group(key.encode()) for key in keys]
    for times in (1, MANY):
        texts = pl.Series(keys * times, dtype=pl.String)
        assert group_of(texts).to_list() == groups * times


@tries(200)
@given(key=st.integers(-(2**63), 2**63 - 1))
def test_the_group_of_a_number(key: int) -> None:
    """Is computed with the arithmetic of 64 bits."""
    mixed = key % 2**64 * FACTOR % 2**64
    mixed = (mixed ^ mixed >> 32) * FACTOR % 2**64
    for times in (1, MANY):
        assert group_of(pl.Series([key] * times)).to_list() == [mixed * GROUPS >> 64] * times


def test_groups_that_must_never_change() -> None:
    """Locks of running servers and unfinished jobs depend on them."""
    keys = ["", "a", "patricia.boyle@zylker.example", "\u00fc" * 100]
    for times in (1, MANY):
        assert group_of(pl.Series(keys * times)).to_list() == STORED_TEXTS * times
    assert group_of(pl.Series([0, 1, -1, 111111000000000001])).to_list() == STORED_NUMBERS


def test_keys_are_spread_over_all_groups() -> None:
    """Whatever is in the middle of long keys, or at their end."""
    for pattern in ("user{}@zylker.example", "https://zylker.example/items/{}/index.html", "{}"):
        keys = pl.Series([pattern.format(n) for n in range(64_000)])
        counts = group_of(keys).value_counts()["count"]
        assert counts.len() == GROUPS
        assert int(counts.min() or 0) > 800 and int(counts.max() or 0) < 1200  # type: ignore[arg-type]


FACTOR = 0x9E3779B97F4A7C15
MANY = 100
"""More copies of a key than are hashed one by one."""
STORED_TEXTS = [0, 24, 15, 7]
STORED_NUMBERS = [0, 42, 10, 32]


def plain_group(key: bytes) -> int:
    """The group of a key, computed byte by byte."""
    padded = key + bytes(8)
    hashed = 0
    for at in range(0, min(len(key) // 8 + 1, 16) * 8, 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        mixed = (hashed ^ word) * FACTOR % 2**64
        hashed = mixed ^ mixed >> 32
    return hashed * FACTOR % 2**64 * GROUPS >> 64
