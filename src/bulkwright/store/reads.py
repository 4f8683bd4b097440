"""Bulk reads: what they ask for and what they have read. Their claims are in `claims.py`."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from bulkwright.domain.criteria import (
    BoundCondition,
    BoundCriteria,
    Comparator,
    Condition,
    Criteria,
    CriteriaGroup,
    Junction,
)
from bulkwright.domain.errors import ModuleNotAvailable
from bulkwright.domain.job import Callback, JobStatus, Lease, Person
from bulkwright.domain.module import Module
from bulkwright.domain.read_job import BoundQuery, ReadJob, ReadQuery, ReadResult
from bulkwright.store.database import Database, Row
from bulkwright.store.jobs import abort_time
from bulkwright.store.times import from_micros, to_micros
from bulkwright.store.wakeups import Topic


class ReadStore:
    """Reads and adds bulk reads."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def transaction(self) -> AbstractContextManager[None]:
        """All calls inside commit together, or none of them if the block raises."""
        return self._db.transaction()

    def add(self, job: ReadJob) -> None:
        """Adds a bulk read; idle workers look for it."""
        with self._db.transaction():
            self._db.wake(Topic.JOBS)
            self._db.run(
                "add_read_job",
                id=job.id,
                org_id=job.org_id,
                user_id=job.created_by.id,
                user_name=job.created_by.name,
                created_time=to_micros(job.created_time),
                time_zone=job.time_zone,
                callback_url=None if job.callback is None else job.callback.url,
                version=job.version,
            )
            self._db.run(
                "add_read",
                job_id=job.id,
                module=job.module,
                module_id=job.module_id,
                query=_query_json(job),
            )

    def job(self, org_id: int, job_id: int) -> ReadJob | None:
        """Returns a bulk read of an org in its current state; None for any other job."""
        row = self._db.one("read_job", id=job_id, org_id=org_id)
        return None if row is None else _job(row)

    def page(self, org_id: int, *, before: int | None, most: int) -> list[ReadJob]:
        """Returns at most `most` bulk reads of an org, newest first.

        With `before`, those whose ids are lower.
        """
        rows = self._db.all("newest_read_ids", org_id=org_id, before=before, most=most)
        found = (self.job(org_id, row["id"]) for row in rows)
        return [job for job in found if job is not None]

    def set_result(self, lease: Lease, result: ReadResult) -> None:
        """Records that all records are read; call it inside `ClaimStore.chunk`."""
        self._db.run(
            "set_read_result",
            job_id=lease.job_id,
            row_count=result.rows,
            last_id=result.last_id,
            more=result.more,
        )


def bound_json(criteria: BoundCriteria) -> str:
    """Returns bound criteria as text. Fields are kept by name."""

    def leaf(one: BoundCondition) -> object:
        values = list(one.values)
        flags = [one.by_key, one.ignores_case, one.negated]
        return [one.field.api_name, one.comparator.value, values, *flags]

    return json.dumps(_tree(criteria, leaf))


def bound_from(text: str | None, module: Module) -> BoundCriteria | None:
    """Returns the bound criteria of a text.

    Raises ModuleNotAvailable if the module has lost a field that they name.
    """

    def leaf(raw: list[Any]) -> BoundCondition:
        name, comparator, values, by_key, ignores_case, negated = raw
        field = module.field(name)
        if field is None:
            raise ModuleNotAvailable(f"The module has no field {name} any more.")
        return BoundCondition(
            field,
            Comparator(comparator),
            tuple(values),
            by_key=by_key,
            ignores_case=ignores_case,
            negated=negated,
        )

    return None if text is None else _from_tree(json.loads(text), leaf)


def _query_json(job: ReadJob) -> str:
    query = job.query
    kept: dict[str, object] = {"page": query.page, "fields": query.fields, "after": query.after}
    kept |= {"page_token": query.page_token, "bound": job.bound.criteria}
    kept["field_ids"] = dict(job.bound.field_ids)
    if query.criteria is not None:
        kept["criteria"] = _tree(query.criteria, lambda c: [c.field, c.comparator, [*c.values]])
    return json.dumps(kept)


def _query(raw: dict[str, Any]) -> ReadQuery:
    fields, criteria = raw["fields"], raw.get("criteria")

    def leaf(one: list[Any]) -> Condition:
        return Condition(one[0], one[1], tuple(one[2]))

    found: Criteria | None = None if criteria is None else _from_tree(criteria, leaf)
    return ReadQuery(
        fields=None if fields is None else tuple(fields),
        criteria=found,
        page=raw["page"],
        after=raw["after"],
        page_token=raw["page_token"],
    )


def _tree(node: Any, leaf: Callable[[Any], object]) -> object:
    if not isinstance(node, CriteriaGroup):
        return leaf(node)
    return {"junction": node.junction.value, "parts": [_tree(part, leaf) for part in node.parts]}


def _from_tree(raw: Any, leaf: Callable[[list[Any]], Any]) -> Any:
    if isinstance(raw, list):
        return leaf(raw)
    parts = tuple(_from_tree(part, leaf) for part in raw["parts"])
    return CriteriaGroup(Junction(raw["junction"]), parts)


def _job(row: Row) -> ReadJob:
    raw, ended = json.loads(row["query"]), row["finished_time"]
    job = ReadJob(
        id=row["id"],
        org_id=row["org_id"],
        module=row["module"],
        module_id=row["module_id"],
        query=_query(raw),
        bound=BoundQuery(raw["bound"], raw["field_ids"]),
        created_by=Person(row["user_id"], row["user_name"]),
        created_time=from_micros(row["created_time"], row["time_zone"]),
        time_zone=row["time_zone"],
        status=JobStatus(row["status"]),
        code=row["code"],
        callback=None if row["callback_url"] is None else Callback(row["callback_url"]),
        has_result=bool(row["has_result"]),
        result_sha256=row["result_sha256"],
        result_swept=row["result_swept"] is not None,
        version=row["version"],
        abort_time=abort_time(row),
        ended_time=None if ended is None else from_micros(ended, row["time_zone"]),
    )
    if row["row_count"] is None:
        return job
    return replace(job, read=ReadResult(row["row_count"], row["last_id"], bool(row["more"])))
