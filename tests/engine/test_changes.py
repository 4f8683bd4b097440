"""The diff of a job, what records were before it, and the history of a record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.engine.test_undo import undo, upserted
from tests.support.bench import Bench, Done

from bulkwright.domain.account import Caller
from bulkwright.domain.changes import RecordHistory
from bulkwright.domain.errors import ResourceNotFound, ScopeMismatch
from bulkwright.domain.undo_errors import CannotUndo, JobNotEnded, NoImages
from bulkwright.service.changes import ChangeService
from bulkwright.service.reports import diff_csv, full_csv
from bulkwright.store.changes import ChangeStore
from bulkwright.store.records import RecordChange
from bulkwright.store.tables import table_of

pytestmark = pytest.mark.slow

FIRST = "Last_Name,Email,Company\n" + "".join(f"L{n},l{n}@x.example,C{n}\n" for n in range(4))


@pytest.fixture
def changes(bench: Bench) -> ChangeService:
    """The service under test."""
    services = bench.services
    return ChangeService(services.modules, ChangeStore(services.database), services.undo_store)


def diff(bench: Bench, changes: ChangeService, done: Done) -> list[list[str]]:
    """The lines of the diff of a job; ids are those of the first record and on."""
    found = changes.diff(bench.caller, done.job, done.job.resources[0])
    text = "".join(diff_csv(found, quote_formulas=False))
    return [line.split(",") for line in text.splitlines()[1:]]


def write(bench: Bench, record_id: int, **columns: Any) -> None:
    """Write a record as a record call does."""
    module = bench.module("Leads")
    with bench.services.record_store.locked(module):
        change = RecordChange(record_id, is_new=False, columns=columns)
        bench.services.record_store.write(module, [change])


def history(bench: Bench, changes: ChangeService, record_id: int) -> RecordHistory:
    """The history of a lead."""
    return changes.history(bench.caller, "Leads", record_id)


def fields(history: RecordHistory, at: int) -> list[tuple[str, str | None, str | None]] | None:
    """What a write has changed, without what the service fills."""
    found = history.writes[at].fields
    if found is None:
        return None
    return [(f.field, f.before, f.after) for f in found if f.field in ("Last_Name", "Company")]


def test_a_diff_has_each_changed_field(bench: Bench, changes: ChangeService) -> None:
    """Fields that are as before are left out, and so are unchanged records."""
    ids = bench.run(FIRST).ids
    done = upserted(
        bench, "L0,l0@x.example,New", "L1,l1@x.example,C1", "M2,l2@x.example,", "N,n@x.example,Z",
        chunk_rows=3,
    )  # fmt: skip
    new = done.ids[3]
    assert diff(bench, changes, done) == [
        [str(ids[0]), "UPDATED", "Company", "C0", "New", ""],
        [str(ids[2]), "UPDATED", "Last_Name", "L2", "M2", ""],
        [str(ids[2]), "UPDATED", "Company", "C2", "", ""],
        [str(new), "ADDED", "Last_Name", "", "N", ""],
        [str(new), "ADDED", "Email", "", "n@x.example", ""],
        [str(new), "ADDED", "Company", "", "Z", ""],
    ]


def test_what_is_not_known_any_more_is_not_guessed(bench: Bench, changes: ChangeService) -> None:
    ids = bench.run(FIRST).ids
    done = upserted(bench, *(f"M{n},l{n}@x.example,C{n}" for n in range(6)))
    upserted(bench, "Later,l1@x.example,E", "Later,l4@x.example,E")
    table = table_of(bench.module("Leads")).name
    for gone in (ids[2], done.ids[5]):
        bench.services.database.sql(f'DELETE FROM {table} WHERE "id" = ?', (gone,))
    lines = {line[0]: line[1:] for line in diff(bench, changes, done)}
    assert lines[str(ids[0])] == ["UPDATED", "Last_Name", "L0", "M0", ""]
    assert lines[str(ids[1])] == ["UPDATED", "Company", "C1", "", "CHANGED_SINCE"]
    assert lines[str(ids[2])] == ["UPDATED", "Company", "C2", "", "DELETED_SINCE"]
    assert lines[str(done.ids[4])] == ["ADDED", "", "", "", "CHANGED_SINCE"]
    assert lines[str(done.ids[5])] == ["ADDED", "", "", "", "DELETED_SINCE"]


def test_a_diff_that_is_not_possible_says_why(bench: Bench, changes: ChangeService) -> None:
    bench.run(FIRST)
    job = bench.create(FIRST)
    with pytest.raises(JobNotEnded):
        changes.diff(bench.caller, job, job.resources[0])
    done = upserted(bench, "M,l1@x.example,E")
    caller = replace(bench.caller, scopes="bulkwright.jobs.read")
    with pytest.raises(ScopeMismatch):
        changes.diff(caller, done.job, done.job.resources[0])
    undo(bench, done.job.id)
    with pytest.raises(NoImages):
        changes.diff(bench.caller, done.job, done.job.resources[0])
    with pytest.raises(CannotUndo, match="dry run"):
        changes.diff(bench.caller, replace(done.job, dry=True), done.job.resources[0])


def test_the_full_result_shows_what_records_were_before(
    bench: Bench, changes: ChangeService
) -> None:
    bench.run(FIRST)
    done = upserted(bench, "M0,l0@x.example,", "L1,l1@x.example,C1", "N,n@x.example,Z", "N,no,")
    before = changes.before(bench.caller, done.job, done.job.resources[0])
    with bench.services.job_rows.open(done.job, done.job.resources[0]) as rows:
        text = "".join(full_csv(rows, quote_formulas=False, before=before))
    header, *lines = [line.split(",") for line in text.splitlines()]
    at = header.index("before_Last_Name")
    assert header[at : at + 3] == ["before_Last_Name", "before_Email", "before_Company"]
    assert [line[at : at + 3] for line in lines] == [["L0", "l0@x.example", "C0"], *[[""] * 3] * 3]
    assert [line[2] for line in lines] == ["UPDATED", "UNCHANGED", "ADDED", "SKIPPED"]


def test_a_history_goes_back_to_the_creation(bench: Bench, changes: ChangeService) -> None:
    """Each job with what it has changed, also where the next one has changed other fields."""
    made = bench.run(FIRST)
    second = upserted(bench, "M1,l1@x.example", columns="Last_Name,Email")
    third = bench.run(f"id,Company\n{made.ids[1]},D1\n", operation="update", find_by="id")
    found = history(bench, changes, made.ids[1] or 0)
    assert (found.exists, found.complete) == (True, True)
    assert [w.job_id for w in found.writes] == [third.job.id, second.job.id, made.job.id]
    assert fields(found, 0) == [("Company", "C1", "D1")]
    assert fields(found, 1) == [("Last_Name", "L1", "M1")]
    assert fields(found, 2) == [("Last_Name", None, "L1"), ("Company", None, "C1")]
    assert [write.created for write in found.writes] == [False, False, True]
    assert {write.user_id for write in found.writes} == {bench.user.id}
    assert all(write.time is not None for write in found.writes)


def test_a_history_says_what_it_does_not_know(bench: Bench, changes: ChangeService) -> None:
    """A record call came between two jobs, and the job that created the record is undone."""
    record = bench.run(FIRST).ids[1] or 0
    second = upserted(bench, "M1,l1@x.example", columns="Last_Name,Email")
    write(bench, record, Last_Name="Called", Company="Called")
    third = upserted(bench, "N1,l1@x.example", columns="Last_Name,Email")
    found = history(bench, changes, record)
    assert not found.complete
    assert [write.job_id for write in found.writes][:3] == [third.job.id, None, second.job.id]
    assert fields(found, 0) == [("Last_Name", "Called", "N1")]
    assert fields(found, 1) is None
    assert fields(found, 2) == [("Last_Name", "L1", None)]
    assert [write.after_known for write in found.writes][:3] == [True, True, False]
    undo(bench, third.job.id)
    assert history(bench, changes, record).writes[0].job_id is None


def test_a_history_of_nothing_is_refused(bench: Bench, changes: ChangeService) -> None:
    bench.run(FIRST)
    with pytest.raises(ResourceNotFound):
        history(bench, changes, 7)
    caller: Caller = replace(bench.caller, scopes="bulkwright.jobs.read")
    with pytest.raises(ScopeMismatch):
        changes.history(caller, "Leads", 7)
