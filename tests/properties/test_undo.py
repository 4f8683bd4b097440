"""After the undo of a job the store is as before it, but for what was written since.

What was written since is known without the service: a record is as it was right after the job, in
all its columns, or it is not.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.properties.test_stores_agree import CELLS, TYPES
from tests.support.bench import Bench
from tests.support.effort import tries
from tests.support.postgres import Server
from tests.support.stores import opened_on_both

from bulkwright.domain.job import Job
from bulkwright.domain.undo_job import UndoRequest
from bulkwright.store import tables

Records = dict[int, dict[str, Any]]
MODULE = "Things"
COLUMNS = ("Name", "Key", "Code", *(f"F_{t}" for t in TYPES))
KEYS = tuple(f"k{n}" for n in range(6))
CELL = st.sampled_from(("", *(c for c in CELLS if "\0" not in c and len(c) < 100)))
ROW = st.fixed_dictionaries(
    {
        "Name": st.sampled_from(("A", "B", "")),
        "Key": st.sampled_from((*KEYS, "K1", "")),
        "Code": st.sampled_from(("", *(str(n) for n in range(5)))),
        **{f"F_{t}": CELL for t in TYPES},
    }
)
JOB = st.fixed_dictionaries(
    {
        "rows": st.lists(ROW, min_size=1, max_size=12),
        "columns": st.lists(st.sampled_from(COLUMNS[2:]), unique=True, max_size=6),
        "operation": st.sampled_from(("insert", "update", "upsert")),
        "chunk_rows": st.sampled_from((None, 1, 3)),
        "ignore_empty": st.booleans(),
    }
)


@pytest.fixture(scope="module")
def both(
    postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Bench, Bench]]:
    """A module with fields of all types, two of them unique, on each store."""
    with opened_on_both(postgres, tmp_path_factory.mktemp("both")) as benches:
        for bench in benches:
            bench.things(
                {"api_name": "Key", "data_type": "text", "unique": True},
                {"api_name": "Code", "data_type": "integer", "unique": True},
                *({"api_name": f"F_{t}", "data_type": t} for t in TYPES),
            )
        yield benches


def sql(bench: Bench, text: str) -> list[dict[str, Any]]:
    """The rows of a statement on the table of the module."""
    table = tables.table_of(bench.module(MODULE)).name
    return [dict(row) for row in bench.services.database.sql(text.format(table=table))]


def state(bench: Bench) -> Records:
    """All columns of all records."""
    return {row["id"]: row for row in sql(bench, "SELECT * FROM {table}")}


def run(bench: Bench, wanted: dict[str, Any]) -> Job:
    """Run a job with these rows to its end."""
    columns = ["Name", "Key", *wanted["columns"]]
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(wanted["rows"])
    operation = wanted["operation"]
    return bench.run(
        out.getvalue(),
        MODULE,
        operation,
        find_by=None if operation == "insert" else "Key",
        chunk_rows=wanted["chunk_rows"],
        ignore_empty=wanted["ignore_empty"],
    ).job


def undo(bench: Bench, job: Job, *, dry_run: bool, chunk_rows: int | None) -> list[dict[str, str]]:
    """The lines of the undo of a job."""
    made = bench.services.undos.create(bench.caller, UndoRequest(job.id, dry_run))
    with bench.chunks(chunk_rows):
        assert bench.worker.run_one(made.id)
    done = bench.services.undos.details(bench.org.id, made.id)
    with bench.services.job_rows.open_result(done) as file, zipfile.ZipFile(file) as archive:
        text = archive.read(f"undo-{job.id}.csv").decode()
    lines = list(csv.DictReader(io.StringIO(text)))
    assert len(lines) == len({line["RECORD_ID"] for line in lines}) == done.counts.total
    return lines


@tries(12)
@given(
    earlier=JOB,
    job=JOB,
    later=st.lists(JOB, max_size=2),
    deleted=st.sets(st.integers(0, 12), max_size=2),
    chunk_rows=st.sampled_from((None, 1, 2)),
)
def test_an_undo_gives_back_what_was_before(
    both: tuple[Bench, Bench],
    earlier: dict[str, Any],
    job: dict[str, Any],
    later: list[dict[str, Any]],
    deleted: set[int],
    chunk_rows: int | None,
) -> None:
    """The dry run says the same, and both stores do."""
    answers = []
    for bench in both:
        sql(bench, "DELETE FROM {table}")
        run(bench, earlier)
        before = state(bench)
        done = run(bench, job)
        after = state(bench)
        for one in later:
            run(bench, one)
        for record_id in [i for n, i in enumerate(sorted(after)) if n in deleted]:
            sql(bench, f'DELETE FROM {{table}} WHERE "id" = {record_id}')
        now = state(bench)
        planned = undo(bench, done, dry_run=True, chunk_rows=chunk_rows)
        assert state(bench) == now
        lines = undo(bench, done, dry_run=False, chunk_rows=chunk_rows)
        assert lines == planned
        found = state(bench)
        touched = {i for i in after if after[i] != before.get(i)}
        listed = {int(line["RECORD_ID"]): line for line in lines}
        assert listed.keys() == touched
        for record_id in touched | now.keys() | before.keys():
            line = listed.get(record_id)
            unchanged = now.get(record_id) == after.get(record_id)
            if line is None or not unchanged or line["REASON"] == "KEY_TAKEN":
                assert found.get(record_id) == now.get(record_id)
            else:
                assert found.get(record_id) == before.get(record_id)
                assert line["OUTCOME"] == ("RESTORED" if record_id in before else "REMOVED")
            if line is not None and line["REASON"] == "KEY_TAKEN":
                assert any(
                    other != record_id and found[other][key] == before[record_id][key] is not None
                    for other in found
                    for key in ("Key__key", "Code")
                )
        places = {i: n for n, i in enumerate(sorted(after))}
        answers.append(
            [(places[int(one["RECORD_ID"])], one["OUTCOME"], one["REASON"]) for one in lines]
        )
    assert answers[0] == answers[1]
