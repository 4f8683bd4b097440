"""The operations of the client, without any I/O.

Each operation is a generator: it yields the calls to make and is sent their responses. The sync
and the async client (client.py) differ only in how they make a call, so nothing is written twice.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import IO, Any, TypedDict, TypeVar, Unpack

import httpx2
import msgspec

from bulkwright.wire.own import JobSnapshot, NewJob
from bulkwright.wire.requests import ModuleName, NewFieldMapping, NewResource, WriteRequest
from bulkwright.wire.responses import JobDetails

T = TypeVar("T")
Steps = Generator["Call", httpx2.Response, T]
"""An operation: yields calls, is sent their responses, returns its outcome."""


class ApiError(Exception):
    """The service rejected a request. `code`, `message` and `details` come from its response.

    `status` is the HTTP status; some errors come with a status of success.
    """

    def __init__(self, status: int, code: str, message: str, details: dict[str, Any]) -> None:
        super().__init__(f"{code}: {message}" + (f" {details}" if details else ""))
        self.status = status
        self.code = code
        self.message = message
        self.details = details


@dataclass(frozen=True, slots=True)
class Credentials:
    """An OAuth client and its refresh token, with which new access tokens are requested."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request to make."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None
    form: dict[str, str] | None = None
    file: tuple[str, IO[bytes]] | None = None
    """The name and the content of a file to upload."""
    save_to: IO[bytes] | None = None
    """Where to write the body of a successful response, instead of keeping it in memory."""


class WriteOptions(TypedDict, total=False):
    """The optional parts of a create request."""

    mappings: Sequence[NewFieldMapping] | None
    """Without them the header names the fields."""
    find_by: str | None
    ignore_empty: bool
    character_encoding: str | None


class Core:
    """The operations of one account."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        credentials: Credentials | None = None,
        accounts_url: str | None = None,
        upload_url: str | None = None,
        org_id: str | None = None,
        version: str = "v2",
    ) -> None:
        if token is None and credentials is None:
            raise ValueError("a token or credentials are needed")
        self._url = url.rstrip("/")
        self._accounts_url = (accounts_url or url).rstrip("/")
        self._upload_url = (upload_url or url).rstrip("/")
        self._token = token
        self._credentials = credentials
        self._org_id = org_id
        self._version = version

    def upload(self, name: str, file: IO[bytes]) -> Steps[str]:
        """Uploads a zip; returns the id of the file."""
        org_id = yield from self._org()
        response = yield from self._authorized(
            Call(
                "POST",
                f"{self._upload_url}/crm/{self._version}/upload",
                {"feature": "bulk-write", "X-CRM-ORG": org_id},
                file=(name, file),
            )
        )
        return str(_decoded(response)["details"]["file_id"])

    def write(
        self,
        operation: str,
        module: str,
        file_id: str,
        **options: Unpack[WriteOptions],
    ) -> Steps[str]:
        """Creates a job; returns its id."""
        unset = msgspec.UNSET
        mappings = options.get("mappings")
        request = WriteRequest(
            operation=operation,
            character_encoding=options.get("character_encoding") or unset,
            ignore_empty=options.get("ignore_empty") or unset,
            resource=[
                NewResource(
                    module=module if self._version == "v2" else ModuleName(api_name=module),
                    file_id=file_id,
                    find_by=options.get("find_by") or unset,
                    field_mappings=unset if mappings is None else list(mappings),
                )
            ],
        )
        response = yield from self._authorized(
            Call(
                "POST",
                f"{self._url}/crm/bulk/{self._version}/write",
                {"Content-Type": "application/json"},
                content=msgspec.json.encode(request),
            )
        )
        return str(_decoded(response)["details"]["id"])

    def create(self, job: NewJob) -> Steps[str]:
        """Creates a job over the service's own API, which Zoho does not have; returns its id."""
        response = yield from self._authorized(
            Call(
                "POST",
                f"{self._url}/api/v1/jobs",
                {"Content-Type": "application/json"},
                content=msgspec.json.encode(job),
            )
        )
        return str(_decoded(response)["id"])

    def fields(self, module: str) -> Steps[list[dict[str, Any]]]:
        """Returns the fields of a module, as the service describes them."""
        query = httpx2.QueryParams({"module": module})
        response = yield from self._authorized(
            Call("GET", f"{self._url}/crm/{self._version}/settings/fields?{query}")
        )
        return list(_decoded(response)["fields"])

    def details(self, job_id: str) -> Steps[JobDetails]:
        """Returns the details of a job as they are now."""
        response = yield from self._authorized(
            Call("GET", f"{self._url}/crm/bulk/{self._version}/write/{job_id}")
        )
        _decoded(response)
        return msgspec.json.decode(response.content, type=JobDetails)

    def snapshot(self, job_id: str) -> Steps[JobSnapshot]:
        """Returns a job as the service's own API shows it, which Zoho does not have."""
        response = yield from self._authorized(Call("GET", f"{self._url}/api/v1/jobs/{job_id}"))
        _decoded(response)
        try:
            return msgspec.json.decode(response.content, type=JobSnapshot)
        except msgspec.ValidationError as error:
            raise ApiError(response.status_code, "UNREADABLE_ANSWER", str(error), {}) from None

    def result(self, details: JobDetails, file: IO[bytes]) -> Steps[None]:
        """Writes a job's result zip to a file."""
        if details.result is msgspec.UNSET:
            raise ApiError(404, "NO_RESULT", f"job {details.id} has no result", {})
        url = details.result.download_url
        whole = url if url.startswith("http") else f"{self._url}{url}"
        response = yield from self._authorized(Call("GET", whole, save_to=file))
        if not response.is_success:
            _decoded(response)

    def _org(self) -> Steps[str]:
        if self._org_id is None:
            response = yield from self._authorized(
                Call("GET", f"{self._url}/crm/{self._version}/org")
            )
            self._org_id = str(_decoded(response)["org"][0]["zgid"])
        return self._org_id

    def _authorized(self, call: Call) -> Steps[httpx2.Response]:
        """Makes a call with a token. If the token has expired, renews it once and repeats."""
        if self._token is None:
            yield from self._renew()
        response = yield self._with_token(call)
        if response.status_code == httpx2.codes.UNAUTHORIZED and self._credentials is not None:
            yield from self._renew()
            if call.file is not None:
                call.file[1].seek(0)
            response = yield self._with_token(call)
        return response

    def _with_token(self, call: Call) -> Call:
        headers = {**call.headers, "Authorization": f"Zoho-oauthtoken {self._token}"}
        return replace(call, headers=headers)

    def _renew(self) -> Steps[None]:
        assert self._credentials is not None
        form = {
            "grant_type": "refresh_token",
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
            "refresh_token": self._credentials.refresh_token,
        }
        response = yield Call("POST", f"{self._accounts_url}/oauth/v2/token", form=form)
        # Its errors have a form of their own, which `_decoded` does not know.
        body = _object(response)
        if "access_token" not in body:
            error = str(body.get("error", "invalid_token_answer"))
            raise ApiError(response.status_code, error, "no access token was granted", {})
        self._token = body["access_token"]


def _decoded(response: httpx2.Response) -> dict[str, Any]:
    """Returns the JSON object of a response.

    Raises ApiError if it is an error, whatever its HTTP status, or if it is no JSON object.
    """
    body = _object(response)
    if body.get("status") == "error" or not response.is_success:
        code = str(body.get("code") or body.get("info") or body.get("ERROR_CODE") or "ERROR")
        words = ("message", "detail", "x-error", "x-info")
        message = next((str(body[word]) for word in words if body.get(word)), "")
        raise ApiError(response.status_code, code, message, dict(body.get("details") or {}))
    return body


def _object(response: httpx2.Response) -> dict[str, Any]:
    """Returns the JSON object in a body. Raises ApiError if there is none."""
    try:
        return msgspec.json.decode(response.content, type=dict[str, Any])
    except msgspec.DecodeError:
        text = response.text[:200]
        raise ApiError(response.status_code, "UNREADABLE_ANSWER", text, {}) from None
