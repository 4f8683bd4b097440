"""A sweep deletes what has expired, and nothing else."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from tests.retention.paths import path_of
from tests.support.finished_jobs import HOUR, Change, Jobs, grow_old

from bulkwright.domain import scope
from bulkwright.domain.account import Caller, ClientKind
from bulkwright.domain.errors import InvalidFileId, LinkNotValid, ResourceNotFound
from bulkwright.domain.job import Operation
from bulkwright.domain.request import JobRequest, ResourceRequest
from bulkwright.domain.retention import RETENTION_POLICIES, RetentionPolicy
from bulkwright.events.events import Swept
from bulkwright.files import Area
from bulkwright.files.local import LocalFiles
from bulkwright.service.mapping import MappingRules
from bulkwright.services import Services
from bulkwright.settings import Settings
from bulkwright.store.queries import load
from bulkwright.store.retention import STEP
from bulkwright.wiring import open_services
from bulkwright.zoho.present.jobs import job_details
from bulkwright.zoho.versions import VERSIONS


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    """The folder, opened as by a server."""
    with open_services(settings) as opened:
        yield opened


def caller(services: Services) -> Caller:
    """The only user."""
    (org,) = services.accounts.orgs()
    (user,) = services.accounts.users(org.id)
    return Caller(org.id, user.id, scope.normalise(scope.EVERY))


def create(services: Services, upload_id: int) -> int:
    """The id of a new job for an upload."""
    resource = ResourceRequest("Leads", str(upload_id), None, None, None)
    return services.jobs.create(caller(services), JobRequest(Operation.INSERT, (resource,))).id


def age_uploads(change: Change, hours: float = 2) -> None:
    """Make every upload older by `hours`."""
    change("UPDATE uploads SET created_time = created_time - ?", int(hours * HOUR))


def age_jobs(change: Change, hours: float, *job_ids: int) -> None:
    """Make the end of jobs earlier by `hours`."""
    for job_id in job_ids:
        change(
            "UPDATE jobs SET finished_time = finished_time - ? WHERE id = ?",
            int(hours * HOUR),
            job_id,
        )


def ids(change: Change, table: str, column: str = "id") -> set[object]:
    """The ids in a table."""
    return {row[0] for row in change(f"SELECT {column} FROM {table}")}


def test_nothing_is_deleted_before_it_expires(services: Services, change: Change) -> None:
    """Half an hour is not an hour."""
    before = [ids(change, table) for table in ("uploads", "jobs")]
    change("UPDATE uploads SET created_time = created_time - ?", HOUR // 2)
    change("UPDATE jobs SET finished_time = finished_time - ?", HOUR // 2)
    assert services.retention.sweep() == Swept()
    assert [ids(change, table) for table in ("uploads", "jobs")] == before


def test_an_old_upload_is_deleted_with_its_file(
    services: Services, jobs: Jobs, change: Change
) -> None:
    """A job for it is rejected, because there is no such file."""
    old = jobs.uploads[jobs.done]
    size = path_of(services, Area.UPLOADS, old).stat().st_size
    change("UPDATE uploads SET created_time = created_time - ? WHERE id = ?", 2 * HOUR, old)
    assert services.retention.sweep() == Swept(uploads=1, bytes=size)
    assert not path_of(services, Area.UPLOADS, old).exists()
    with pytest.raises(InvalidFileId):
        create(services, old)
    assert create(services, jobs.uploads[jobs.twice])


def test_an_upload_stays_while_a_job_needs_it(
    services: Services, jobs: Jobs, change: Change
) -> None:
    """However old it is; it is deleted when the job has ended."""
    age_uploads(change, hours=24 * 365)
    assert services.retention.sweep().uploads == 2
    needed = {jobs.uploads[jobs.half], jobs.uploads[jobs.waiting]}
    assert ids(change, "uploads") == needed
    assert all(path_of(services, Area.UPLOADS, i).is_file() for i in needed)
    change("UPDATE jobs SET status = 'FAILED', finished_time = created_time")
    assert services.retention.sweep().uploads == 2


def test_a_job_outlives_its_result(services: Services, jobs: Jobs, change: Change) -> None:
    """Its details stay as they were, but the link in them is dead."""
    org_id = caller(services).org_id
    before = job_details(services.jobs.details(org_id, jobs.done), VERSIONS["v2"])
    services.jobs.open_result(org_id, jobs.done).close()
    age_jobs(change, 1.5, jobs.done)
    swept = services.retention.sweep()
    assert (swept.results, swept.jobs, swept.bytes > 0) == (1, 0, True)
    after = services.jobs.details(org_id, jobs.done)
    assert job_details(after, VERSIONS["v2"]) == before
    assert not path_of(services, Area.RESULTS, jobs.done).exists()
    path_of(services, Area.RESULTS, jobs.done).write_bytes(b"as if killed before it was deleted")
    with pytest.raises(LinkNotValid):
        services.jobs.open_result(org_id, jobs.done)
    services.jobs.open_result(org_id, jobs.twice).close()
    assert services.retention.sweep() == Swept()


def test_a_job_is_deleted_with_all_its_rows(services: Services, jobs: Jobs, change: Change) -> None:
    """Ledger, resources, callback and result; the records stay."""
    org_id = caller(services).org_id
    records = change(f'SELECT count(*) FROM "org{org_id}_Leads"')
    age_jobs(change, 3, jobs.done)
    swept = services.retention.sweep()
    assert (swept.results, swept.jobs) == (1, 1)
    with pytest.raises(ResourceNotFound):
        services.jobs.details(org_id, jobs.done)
    remaining = {jobs.twice, jobs.half, jobs.waiting}
    assert ids(change, "jobs") == ids(change, "resources", "job_id") == remaining
    assert ids(change, "ledger", "job_id") == {jobs.twice, jobs.half}
    assert not path_of(services, Area.RESULTS, jobs.done).exists()
    assert change(f'SELECT count(*) FROM "org{org_id}_Leads"') == records


def test_a_job_waits_for_its_callback(services: Services, jobs: Jobs, change: Change) -> None:
    """While its callback is pending, the job and the result that it names stay."""
    org_id = caller(services).org_id
    services.outbox.add(org_id, jobs.done, "http://x.example/")
    age_jobs(change, 3, jobs.done)
    assert services.retention.sweep() == Swept()
    change("UPDATE outbox SET state = 'delivered', ended_time = created_time")
    swept = services.retention.sweep()
    assert (swept.results, swept.jobs) == (1, 1)
    assert ids(change, "outbox") == set()


def test_ended_callbacks_are_deleted_before_their_job(
    services: Services, jobs: Jobs, change: Change
) -> None:
    """Thirty days after they were delivered or given up."""
    org_id = caller(services).org_id
    for job_id in (jobs.done, jobs.twice):
        services.outbox.add(org_id, job_id, "http://x.example/")
    old = "UPDATE outbox SET state = 'given_up', ended_time = created_time - ? WHERE job_id = ?"
    change(old, 31 * 24 * HOUR, jobs.done)
    assert services.retention.sweep() == Swept(callbacks=1)
    assert ids(change, "outbox", "job_id") == {jobs.twice}


def test_expired_tokens_and_sessions_are_deleted(services: Services, change: Change) -> None:
    """Valid ones stay."""
    (org,) = services.accounts.orgs()
    (user,) = services.accounts.users(org.id)
    made = services.setup.register_client(user, ClientKind.SELF, "Tests")
    for _ in range(3):
        services.tokens.issue_access(made.client, scope.EVERY)
    (first, second, third) = sorted(ids(change, "tokens", "hash"))  # type: ignore[type-var]
    change("UPDATE tokens SET expires_time = 5 WHERE hash IN (?, ?)", first, second)
    add = "INSERT INTO sessions VALUES (?, ?, ?, 1, ?)"
    change(add, "old", org.id, user.id, 5)
    change(add, "new", org.id, user.id, 2**60)
    assert services.retention.sweep() == Swept(tokens=3)
    assert ids(change, "tokens", "hash") == {third}
    assert ids(change, "sessions", "hash") == {"new"}


def test_what_was_remembered_of_sign_ins_is_deleted(services: Services, change: Change) -> None:
    """Idle refresh tokens, devices, counts of wrong passwords and audit entries."""
    (org,) = services.accounts.orgs()
    (user,) = services.accounts.users(org.id)
    made = services.setup.register_client(user, ClientKind.SELF, "Tests")
    services.tokens.issue_refresh(made.client, scope.EVERY)
    for device in ("old", "new"):
        services.sessions.use_device(device, user.id)
        services.sessions.add_failure(device)
    policy = replace(
        services.retention.policy, refresh_tokens=timedelta(days=30), audit=timedelta(days=30)
    )
    retention = replace(services.retention, policy=policy)
    assert retention.sweep() == Swept()
    change("UPDATE tokens SET last_used = 5")
    for table, column, key in (
        ("devices", "last_used", "hash"),
        ("sign_in_failures", "last_time", "key"),
    ):
        change(f"UPDATE {table} SET {column} = 5 WHERE {key} = 'old'")
    entries = len(ids(change, "audit"))
    change("UPDATE audit SET time = 5")
    assert retention.sweep() == Swept(tokens=3, audit=entries)
    assert ids(change, "devices", "hash") == ids(change, "sign_in_failures", "key") == {"new"}
    endless = replace(services.retention, policy=RetentionPolicy(None, None, None, None))
    assert endless.sweep() == Swept()


def test_forever_never_expires(services: Services, change: Change) -> None:
    """None means forever."""
    age_uploads(change, hours=24 * 365 * 20)
    change("UPDATE jobs SET finished_time = 5 WHERE finished_time IS NOT NULL")
    endless = replace(services.retention, policy=RetentionPolicy(None, None, None, None))
    assert endless.sweep() == Swept()


def test_the_policies_of_the_profiles() -> None:
    """Zoho keeps results for seven days."""
    assert RETENTION_POLICIES["zoho"].results == RETENTION_POLICIES["zoho"].uploads
    assert (
        RETENTION_POLICIES["zoho"].results is not None
        and RETENTION_POLICIES["zoho"].results.days == 7
    )


def many_uploads(change: Change, count: int) -> None:
    """Add `count` old uploads."""
    change(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
        "INSERT INTO uploads SELECT i, org_id, user_id, name, bytes, sha256, 5, csv, problem "
        "FROM n, (SELECT * FROM uploads LIMIT 1)",
        count,
    )


def test_a_sweep_consists_of_small_steps(services: Services, data: Path, change: Change) -> None:
    """Between two steps other processes can write, and the sweep can be stopped."""
    many_uploads(change, 2 * STEP + 50)
    remaining: list[int] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            with closing(sqlite3.connect(data / "bulkwright.sqlite", timeout=0)) as other:
                other.execute("BEGIN IMMEDIATE")
                remaining.append(other.execute("SELECT count(*) FROM uploads").fetchone()[0])
            return super().wait(0)

    stop = Stop()
    assert services.retention.sweep(stop).uploads == 2 * STEP + 50
    assert remaining == [4 + STEP + 50, 4 + 50, 4]
    many_uploads(change, 2 * STEP)
    stop.set()
    assert services.retention.sweep(stop) == Swept()


def test_strays_of_crashes_are_swept_a_day_later(
    services: Services, jobs: Jobs, data: Path
) -> None:
    """Files without a row are deleted; those of an unfinished job and foreign files stay."""
    files = data / "files"
    part = next((files / "parts" / str(jobs.half)).iterdir())
    (files / "parts" / "77").mkdir()
    (files / "parts" / "77" / "0-00000000").write_bytes(b"12345")
    (files / "parts" / str(jobs.done)).mkdir()
    strays = [files / "uploads" / "77.zip", files / "results" / "77.zip"]
    strays += [files / "results" / f"{jobs.half}.zip", files / "uploads" / "notes.txt"]
    for path in strays:
        path.write_bytes(b"123")
    assert services.retention.sweep() == Swept()  # a request may be writing them
    for path in (*files.glob("*/*"), part):
        grow_old(path)
    assert services.retention.sweep() == Swept(strays=4, bytes=11)
    assert [path.exists() for path in strays] == [False, False, True, True]
    assert part.is_file()
    assert sorted(p.name for p in (files / "parts").iterdir()) == [str(jobs.half)]


def test_killed_between_database_and_file(
    services: Services, jobs: Jobs, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file without a row remains; the next day it is deleted too."""

    def die(*_: object) -> int:
        raise KeyboardInterrupt

    age_uploads(change)
    with monkeypatch.context() as patch:
        patch.setattr(LocalFiles, "delete", die)
        with pytest.raises(KeyboardInterrupt):
            services.retention.sweep()
    old = jobs.uploads[jobs.done]
    assert old not in ids(change, "uploads")
    assert path_of(services, Area.UPLOADS, old).is_file()
    with pytest.raises(InvalidFileId):
        create(services, old)
    for job_id in (jobs.done, jobs.twice):
        grow_old(path_of(services, Area.UPLOADS, jobs.uploads[job_id]))
    assert services.retention.sweep().strays == 2
    assert not path_of(services, Area.UPLOADS, old).exists()


def test_an_upload_swept_while_its_job_is_being_created(
    services: Services, jobs: Jobs, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job is rejected, because there is no such file any more."""
    check = MappingRules.check

    def swept(self: MappingRules, mappings: object) -> None:
        age_uploads(change)
        assert services.retention.sweep().uploads == 2
        check(self, mappings)  # type: ignore[arg-type]

    before = ids(change, "jobs")
    monkeypatch.setattr(MappingRules, "check", swept)
    with pytest.raises(InvalidFileId):
        create(services, jobs.uploads[jobs.done])
    assert ids(change, "jobs") == before


def test_every_step_is_driven_by_an_index(services: Services) -> None:
    """A sweep reads only the rows that it deletes, however many others there are."""
    store = files("bulkwright.store")
    texts = [(d / "queries" / "retention.sql").read_text() for d in (store, store / "sqlite")]
    names = re.findall(r"^-- name: (\w+)$", "\n".join(texts), re.MULTILINE)
    assert len(names) > 12
    queries = load("sqlite")
    for name in names:
        query = queries[name]
        plan = f"EXPLAIN QUERY PLAN {query.sql}"
        for step in services.database.sql(plan, [5] * len(query.parameters)):
            # Unfinished jobs, used codes and released images are few, with indexes of their own.
            few = ("CONSTANT ROW", "jobs_queue", "tokens_used_codes", "unneeded_images")
            allowed = any(name in step["detail"] for name in few)
            assert allowed or not step["detail"].startswith("SCAN"), (name, step["detail"])
            assert "TEMP B-TREE" not in step["detail"], (name, step["detail"])
