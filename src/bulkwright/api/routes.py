"""The endpoints of bulk write, each in three lines: parse, call the service, present.

The table at the end is everything that is served on the Zoho side.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

from bulkwright import present
from bulkwright.api.auth import Open
from bulkwright.api.http import Answer, Request, json_answer
from bulkwright.api.multipart import receive_file
from bulkwright.api.oauth import OAuthRoutes
from bulkwright.api.parse import job_request
from bulkwright.api.paths import Route
from bulkwright.api.reads import ReadRoutes
from bulkwright.api.services import Services
from bulkwright.domain import scope
from bulkwright.domain.account import Caller, Right
from bulkwright.domain.errors import (
    FeatureNotSupported,
    GatewayRefusal,
    LinkNotValid,
    ResourceNotFound,
)
from bulkwright.domain.limits import JSON_BODY_BYTES, Limits
from bulkwright.domain.upload import Upload
from bulkwright.files import Incoming
from bulkwright.wire.versions import VERSIONS

_FEATURE = "bulk-write"
_ID_DIGITS = 18


class BulkWriteRoutes:
    """Upload, create, details, download."""

    def __init__(self, services: Services, limits: Limits) -> None:
        self._services = services
        self._limits = limits

    async def upload(self, request: Request) -> Answer:
        """Receive a zip (facts 2)."""
        _check_gateway(request)
        upload = await self._received(request)
        return json_answer(present.uploaded(upload))

    async def create(self, request: Request) -> Answer:
        """Create a job (facts 3). The body is JSON whatever its Content-Type says."""
        body = await request.body(JSON_BODY_BYTES)
        # A callback answers in the version in which the job was asked for.
        wanted = replace(job_request(body), version=request.params["version"])
        job = await request.run(self._services.jobs.create, request.who, wanted)
        return json_answer(present.created(job), 201)

    def details(self, request: Request) -> Answer:
        """Get Bulk Write Job Details (founding page)."""
        job = self._services.jobs.details(request.who.org_id, _job_id(request))
        return json_answer(present.job_details(job, VERSIONS[request.params["version"]]))

    async def download(self, request: Request) -> Answer:
        """The result of a job (facts 5)."""
        job_id = _linked_job(request)
        # On a thread: all of it is read once before it is given out.
        file = await request.run(self._services.jobs.open_result, request.who.org_id, job_id)
        shown = b'attachment; filename="%d.zip"' % job_id
        headers = ((b"content-type", b"application/zip"), (b"content-disposition", shown))
        return Answer(200, headers=headers, file=file)

    async def _received(self, request: Request) -> Upload:
        with ExitStack() as stack:
            incoming = stack.enter_context(self._services.files.incoming())
            name = await receive_file(request, incoming, self._limits.upload_bytes)
            # From here on the file belongs to the thread, which may outlive this request.
            owned = stack.pop_all()
            return await request.run(self._acknowledge, owned, request.who, name, incoming)

    def _acknowledge(
        self, owned: ExitStack, caller: Caller, name: str, incoming: Incoming
    ) -> Upload:
        with owned:
            return self._services.uploads.receive(caller, name, incoming)


def _check_gateway(request: Request) -> None:
    """The two headers that only uploads have (facts 2.1, 2.3; client contract 3)."""
    feature, org = request.header(b"feature"), request.header(b"x-crm-org")
    if not feature or not org:
        raise GatewayRefusal
    if feature.strip().lower() != _FEATURE:
        raise FeatureNotSupported
    if org.strip() != str(request.who.org_id):
        raise GatewayRefusal


def _job_id(request: Request) -> int:
    number = _id(request.params["job_id"])
    if number is None:
        raise ResourceNotFound
    return number


def _linked_job(request: Request) -> int:
    """The job of a download link, all of whose parts must agree (facts 5)."""
    params = request.params
    number = _id(params["job_id"])
    org = params["org"].removeprefix("org")
    if org != str(request.who.org_id) or params["file"] != f"{params['job_id']}.zip":
        raise LinkNotValid
    if number is None:
        raise LinkNotValid
    return number


def _id(text: str) -> int | None:
    """An id as it is written by us; `01` is none."""
    sound = text.isascii() and text.isdigit() and len(text) <= _ID_DIGITS and text[0] != "0"
    return int(text) if sound else None


def routes(services: Services, limits: Limits, base_url: str) -> list[Route]:
    """Everything that is served on the Zoho side, with the scopes of which one is needed.

    The pages for people are in `api/signin.py`.
    """
    bulk, reads = BulkWriteRoutes(services, limits), ReadRoutes(services)
    oauth = OAuthRoutes(services, base_url)
    crm, write = "/crm/{version}", "/crm/bulk/{version}/write"
    result = "/{version}/crm/{org}/bulk-write/{job_id}/{file}"
    create, read, look = Right.CREATE_JOBS, Right.READ_JOBS, Right.READ_RECORDS
    return [
        Route("GET", f"{write}/{{job_id}}", scope.BULK, bulk.details, read, kept=True),
        Route("POST", write, scope.BULK, bulk.create, create),
        Route("POST", f"{crm}/upload", scope.UPLOAD, bulk.upload, create),
        Route("GET", result, scope.BULK, bulk.download, read),
        Route("POST", "/oauth/v2/token", Open.PUBLIC, oauth.token),
        Route("POST", "/oauth/v2/token/revoke", Open.PUBLIC, oauth.revoke),
        Route("GET", f"{crm}/settings/modules", scope.SETTINGS_MODULES, reads.modules),
        Route("GET", f"{crm}/settings/modules/{{module}}", scope.SETTINGS_MODULES, reads.module),
        Route("GET", f"{crm}/settings/fields", scope.SETTINGS_FIELDS, reads.fields),
        Route("GET", f"{crm}/settings/layouts", scope.SETTINGS_LAYOUTS, reads.layouts),
        Route("GET", f"{crm}/users", scope.USERS, reads.users),
        Route("GET", f"{crm}/org", scope.ORG, reads.org),
        Route("GET", f"{crm}/{{module}}", Open.BY_MODULE, reads.records, look),
        Route("GET", f"{crm}/{{module}}/{{record_id}}", Open.BY_MODULE, reads.record, look),
    ]
