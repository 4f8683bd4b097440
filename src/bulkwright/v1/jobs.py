"""Jobs: list them, and read one with everything that is known about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial
from operator import attrgetter
from typing import TypeVar

from bulkwright.domain.account import Right
from bulkwright.domain.errors import ResourceNotFound
from bulkwright.domain.ids import parse_id
from bulkwright.domain.job import Job, JobStatus, Operation
from bulkwright.domain.job_filter import JobFilter
from bulkwright.domain.limits import JOBS_A_PAGE
from bulkwright.domain.scope import JOBS_READ
from bulkwright.v1.endpoint import OwnCall, OwnEndpoint
from bulkwright.v1.present import job_snapshot
from bulkwright.v1.problems import InvalidParameter, NoSuchJob
from bulkwright.web.route import ParameterDoc, ResponseDoc
from bulkwright.wire import own

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
BY_ID = attrgetter("id")
"""For `page_of`: the entries are jobs."""


def list_jobs(call: OwnCall) -> own.JobPage:
    """Returns a page of the org's jobs, newest first."""
    query = known_parameters(call, _LIST_PARAMETERS)
    wanted = JobFilter(
        status=parameter(query, "status", one_of(JobStatus)),
        operation=parameter(query, "operation", one_of(Operation)),
        module=query.get("module"),
        file=query.get("file"),
        user_id=parameter(query, "created_by", an_id),
        since=parameter(query, "created_since", _moment),
        until=parameter(query, "created_before", _moment),
    )
    jobs = call.api.services.jobs
    shown, cursor = page_of(query, partial(jobs.page, call.caller.org_id, wanted), BY_ID)
    return own.JobPage(
        jobs=[job_snapshot(job, jobs) for job in shown],
        next_cursor=cursor,
    )


def known_parameters(call: OwnCall, parameters: Sequence[ParameterDoc]) -> Mapping[str, str]:
    """Returns the query. Raises InvalidParameter if it has a parameter that is not documented."""
    if unknown := call.query.keys() - {p.name for p in parameters}:
        names = ", ".join(p.name for p in parameters)
        raise InvalidParameter(f"There is no parameter {min(unknown)}; there are {names}.")
    return call.query


def read_job(call: OwnCall) -> own.JobSnapshot:
    """Returns one job of the org as it is now."""
    return job_snapshot(job_of(call), call.api.services.jobs)


def job_of(call: OwnCall) -> Job:
    """Returns the job that the path names. Raises NoSuchJob."""
    try:
        return call.api.services.jobs.details(call.caller.org_id, job_id_of(call))
    except ResourceNotFound:
        raise NoSuchJob from None


def job_id_of(call: OwnCall) -> int:
    """Returns the id of the job that the path names. Raises NoSuchJob."""
    number = parse_id(call.path["job_id"])
    if number is None:
        raise NoSuchJob
    return number


def parameter(query: Mapping[str, str], name: str, parse: Callable[[str], T]) -> T | None:
    """Returns a parameter of the query; None if it is absent. Raises InvalidParameter."""
    text = query.get(name)
    if text is None:
        return None
    try:
        return parse(text)
    except ValueError as error:
        raise InvalidParameter(f"{name} {error}.", {"parameter": name}) from None


def page_of(
    query: Mapping[str, str], find: Callable[..., Sequence[T]], id_of: Callable[[T], int]
) -> tuple[Sequence[T], str | None]:
    """Returns the entries of a page, newest first, and the cursor of the next page if there is one.

    `find` returns at most `most` entries with ids below `before`. Raises InvalidParameter.
    """
    most = parameter(query, "limit", page_limit) or JOBS_A_PAGE
    found = find(before=parameter(query, "cursor", an_id), most=most + 1)
    shown = found[:most]
    return shown, str(id_of(shown[-1])) if len(found) > most else None


def page_limit(text: str) -> int:
    """Returns how many entries a page has at most. Raises ValueError."""
    if text.isascii() and text.isdigit() and 0 < len(text) < 5 and 0 < int(text) <= JOBS_A_PAGE:
        return int(text)
    raise ValueError(f"is a number from 1 to {JOBS_A_PAGE}")


def an_id(text: str) -> int:
    """Returns an id. Raises ValueError."""
    number = parse_id(text)
    if number is None:
        raise ValueError("is an id, digits alone")
    return number


def one_of(kind: type[E]) -> Callable[[str], E]:
    """Returns what parses a word of an enumeration and raises ValueError."""

    def choose(text: str) -> E:
        try:
            return kind(text)
        except ValueError:
            raise ValueError(f"is one of {', '.join(kind)}") from None

    return choose


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not 1 < moment.year < 9999:
        raise ValueError(
            "is a time with an offset, such as 2026-11-28T09:00:00Z (+ is sent as %2B)"
        )
    return moment


PAGING = (
    ParameterDoc(
        "limit", "query", "The number of entries of the page at most.",
        {"type": "integer", "minimum": 1, "maximum": JOBS_A_PAGE},
    ),
    ParameterDoc(
        "cursor", "query", "The `next_cursor` of the page before.", {"type": "string"}
    ),
)  # fmt: skip
"""The parameters of lists."""
_LIST_PARAMETERS = (
    ParameterDoc("status", "query", "Only jobs with this status.", {"enum": list(JobStatus)}),
    ParameterDoc("operation", "query", "Only jobs with this operation.", {"enum": list(Operation)}),
    ParameterDoc("module", "query", "Only jobs that write to this module.", {"type": "string"}),
    ParameterDoc(
        "file", "query", "Only jobs with a CSV whose name contains this text.", {"type": "string"}
    ),
    ParameterDoc("created_by", "query", "Only jobs of this user, by id.", {"type": "string"}),
    ParameterDoc(
        "created_since", "query", "Only jobs that were created then or later.",
        {"type": "string", "format": "date-time"},
    ),
    ParameterDoc(
        "created_before", "query", "Only jobs that were created before.",
        {"type": "string", "format": "date-time"},
    ),
    *PAGING,
)  # fmt: skip

ENDPOINTS = (
    OwnEndpoint(
        "GET", "/api/v1/jobs",
        name="listJobs", group="jobs", summary="List jobs, newest first",
        parameters=_LIST_PARAMETERS,
        answers={200: ResponseDoc("A page of jobs.", (own.JobPage,))},
        errors=(InvalidParameter,),
        handler=list_jobs, scopes=JOBS_READ, right=Right.READ_JOBS,
    ),
    OwnEndpoint(
        "GET", "/api/v1/jobs/{job_id}",
        name="readJob", group="jobs", summary="Read a job",
        text="Everything that is known about a job: how its files are read and what of that is a "
        "guess, the columns that were left out, and how its rows are divided.",
        answers={200: ResponseDoc("The job.", (own.JobSnapshot,))},
        errors=(NoSuchJob,),
        handler=read_job, scopes=JOBS_READ, right=Right.READ_JOBS,
    ),
)  # fmt: skip
