"""The parameters in paths."""

from __future__ import annotations

from bulkwright.domain.errors import LinkNotValid, ResourceNotFound
from bulkwright.domain.ids import parse_id
from bulkwright.web.request import Request


def job_id(request: Request) -> int:
    """Returns the id of the job in the path. Raises ResourceNotFound for a malformed one."""
    number = parse_id(request.params["job_id"])
    if number is None:
        raise ResourceNotFound
    return number


def linked_job_id(request: Request, org_id: int) -> int:
    """Returns the id of the job that a download link names.

    Raises LinkNotValid unless all parts of the link agree (facts 5).
    """
    params = request.params
    number = parse_id(params["job_id"])
    org = params["org"].removeprefix("org")
    if number is None or org != str(org_id) or params["file"] != f"{params['job_id']}.zip":
        raise LinkNotValid
    return number


def record_id(request: Request) -> int:
    """Returns the id of the record in the path; 0, which no record has, for a malformed one."""
    return parse_id(request.params["record_id"], leading_zeros=True) or 0
