"""Jobs: create one."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from bulkwright.domain import errors as e
from bulkwright.domain.account import Right
from bulkwright.domain.error_limit import ErrorLimit
from bulkwright.domain.job import Callback, Operation, Priority
from bulkwright.domain.request import ColumnRequest, JobRequest, ResourceRequest
from bulkwright.domain.scope import JOBS_CREATE
from bulkwright.domain.type_formats import TypeFormats
from bulkwright.service.column_requests import by_columns, by_header
from bulkwright.service.columns import Stated
from bulkwright.service.mapping import check_type_formats
from bulkwright.v1.endpoint import OwnCall, OwnEndpoint, decode, json_answer
from bulkwright.v1.new_files import IDEMPOTENCY_HEADER, idempotency_of
from bulkwright.v1.present import job_snapshot
from bulkwright.v1.problems import BodyTooLong, InvalidBody
from bulkwright.web.route import ResponseDoc
from bulkwright.wire import own

_CALLBACK_VERSION = "v8"
"""The callback of a job has the body that this version of the Zoho API documents."""
_DELIMITERS = ",;\t|:"
_PATHS = {
    "$.resource[0]": "$",
    "$.field_mappings": "$.columns",
    ".api_name": ".field",
    "$.file_names": "$.file_name",
    "$.character_encoding": "$.encoding",
    "$.callback.url": "$.callback_url",
}
"""The places of a request of the Zoho API, which the errors of the service name."""


def create_job(call: OwnCall) -> Response:
    """Creates a job."""
    new = decode(call, own.NewJob)
    request = _request(call, new)
    try:
        job = call.api.services.jobs.create(call.caller, request)
    except e.ScopeMismatch:
        raise e.ScopeMismatch(
            f"To {new.operation} records the access token needs the scope to write to the module "
            "too, such as ZohoCRM.modules.ALL."
        ) from None
    except e.RequestError as error:
        _name_place(error, new)
        raise
    return json_answer(
        job_snapshot(job, call.api.services.jobs), 201, location=f"/api/v1/jobs/{job.id}"
    )


def _request(call: OwnCall, new: own.NewJob) -> JobRequest:
    operation = Operation(new.operation)
    services = call.api.services
    of_types = TypeFormats(
        new.date_format, new.datetime_format, new.number_format, new.boolean_format
    )
    check_type_formats(of_types)
    if new.columns is None:
        parent = partial(services.modules.module, call.caller.org_id)
        stated = Stated(formats=new.formats or {}, of_types=of_types)
        make_mappings = partial(by_header, operation, new.find_by, parent, stated)
    elif new.formats is not None:
        raise InvalidBody("With columns, give each column its format - at `$.formats`.")
    else:
        most = services.jobs.limits.mappings
        if len(new.columns) > most:
            raise e.LimitExceeded(f"A job has at most {most} columns.", {"json_path": "$.columns"})
        columns = [_column(*each) for each in enumerate(new.columns)]
        make_mappings = partial(by_columns, columns, of_types)
    return JobRequest(
        operation,
        (
            ResourceRequest(
                new.module,
                new.file_id,
                find_by=new.find_by,
                ignore_empty=new.ignore_empty,
                file_names=() if new.file_name is None else (new.file_name,),
                make_mappings=make_mappings,
                by_header=new.columns is None,
            ),
        ),
        character_encoding=new.encoding,
        delimiters=new.delimiter or _DELIMITERS,
        callback=None if new.callback_url is None else Callback(new.callback_url),
        version=_CALLBACK_VERSION,
        dry=new.dry_run,
        priority=Priority[new.priority.upper()],
        idempotency=idempotency_of(call, b"create", b"own", call.body),
        error_limit=error_limit(new.on_error),
        all_or_nothing=new.on_error == "all_or_nothing",
    )


def error_limit(wanted: str | own.StopAfter) -> ErrorLimit | None:
    """Returns how many rows may be skipped; None for no limit. Raises InvalidBody."""
    if isinstance(wanted, str):
        return None
    if (wanted.stop_after is None) == (wanted.stop_after_percent is None):
        raise InvalidBody("Give stop_after or stop_after_percent - at `$.on_error`.")
    return ErrorLimit(wanted.stop_after, wanted.stop_after_percent)


def _column(number: int, new: own.NewColumn) -> ColumnRequest:
    named = (new.header is not None) + (new.index is not None)
    if named == 2 or (named == 0 and new.default is None):
        raise InvalidBody(
            f"The column of {new.field} is named by its header or by its index; without both, give "
            f"a default - at `$.columns[{number}]`.",
        )
    return ColumnRequest(
        new.field, new.header, new.index, new.format, new.find_by or None, new.default
    )


def _name_place(error: e.RequestError, new: own.NewJob) -> None:
    """Lets an error name the place of the mistake in this request."""
    path = str(error.details.get("json_path", ""))
    for theirs, ours in _PATHS.items():
        path = path.replace(theirs, ours)
    if path.startswith("$.columns[") and new.columns is None:
        path = ""  # a column that the header names is no part of the request
    error.details.pop("json_path", None)
    if path:
        error.details["json_path"] = path


ENDPOINTS = (
    OwnEndpoint(
        "POST", "/api/v1/jobs",
        name="createOwnJob", group="jobs", summary="Create a job",
        text="Everything that can be checked before the first row is checked here. The response is "
        "the job, with the columns of the file that fill no field. The token needs the scope to "
        "write to the module too.",
        parameters=(IDEMPOTENCY_HEADER,),
        answers={
            201: ResponseDoc(
                "The job.", (own.JobSnapshot,), headers={"Location": r"^/api/v1/jobs/\d+$"}
            )
        },
        errors=(
            InvalidBody, BodyTooLong, e.InvalidRequest, e.InvalidData, e.InvalidField,
            e.InvalidFormat, e.DuplicateMapping, e.MandatoryNotFound, e.MissingKey,
            e.MandatoryFieldsNotMapped, e.ColumnIndexNotFound, e.HeaderLimitExceeded,
            e.LimitExceeded, e.ModuleNotAvailable, e.InvalidFileId, e.FileNotFound,
            e.FileNotSupported, e.InvalidCallbackUrl, e.QuotaExceeded, e.IdempotencyKeyReused,
        ),
        handler=create_job, scopes=JOBS_CREATE, right=Right.CREATE_JOBS, takes=own.NewJob,
    ),
)  # fmt: skip
