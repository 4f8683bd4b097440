"""The operations of the client, as steps (steps.py), without any I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import IO, Any, TypeVar, Unpack
from urllib.parse import quote, urlsplit
from uuid import uuid4

import httpx2
import msgspec

from bulkwright.client.options import (
    AccountOptions,
    CreateOptions,
    Operation,
    WriteOptions,
    by_index,
    create_options,
    new_job,
)
from bulkwright.client.sources import JobFile
from bulkwright.client.steps import Call, Pause, Steps
from bulkwright.wire.decoding import NO_JSON
from bulkwright.wire.own import JobSnapshot, NewJob, NewUndo, UndoSnapshot
from bulkwright.wire.own_changes import HistoryOfRecord
from bulkwright.wire.requests import ModuleName, NewResource, WriteRequest
from bulkwright.wire.responses import JobDetails

ZOHO_ROWS = 25_000
"""The most rows of a job at Zoho (facts 1.1)."""
_FINAL = ("COMPLETED", "FAILED")
_FIRST_POLL_SECONDS, _LONGEST_POLL_SECONDS = 0.05, 2.0
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 60.0
"""A service that wants a longer pause is not called again."""
_NOT_BEGUN = (429, 503)
"""Statuses by which a service says that it has not worked on a request."""
_UNCERTAIN = (500, 502, 504)
"""Statuses of requests that may have had their effect."""


T = TypeVar("T")
_OF_OWN_API = {
    "on_error", "priority", "date_format", "datetime_format", "number_format", "boolean_format",
}  # fmt: skip
"""Options of `write` that the Zoho API has no place for."""
_KEY = "Idempotency-Key"
"""Of requests that change something: a service that knows it works on a repeated request once."""


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


class Core:
    """The operations of one account."""

    def __init__(self, url: str, **account: Unpack[AccountOptions]) -> None:
        self._credentials = account.get("credentials")
        self._token = account.get("token")
        if self._token is None and self._credentials is None:
            raise ValueError("a token or credentials are needed")
        self._url = url.rstrip("/")
        self._accounts_url = (account.get("accounts_url") or url).rstrip("/")
        self._upload_url = (account.get("upload_url") or url).rstrip("/")
        self._org_id = account.get("org_id")
        self._version = account.get("version", "v2")
        self._retries = account.get("retries", 5)
        self._answered = False
        """Whether the service has answered at least once."""
        host = urlsplit(self._url).hostname or ""
        self.is_zoho = "zohoapis" in host.split(".")
        """Whether the URL is one of Zoho's data centres."""

    def upload(self, name: str, file: IO[bytes]) -> Steps[str]:
        """Uploads a zip; returns the id of the file."""
        org_id = yield from self._org()
        headers = {"feature": "bulk-write", "X-CRM-ORG": org_id, _KEY: str(uuid4())}
        url = f"{self._upload_url}/crm/{self._version}/upload"
        response = yield from self._authorized(Call("POST", url, headers, file=(name, file)))
        return str(_decoded(response)["details"]["file_id"])

    def create(
        self,
        operation: str,
        module: str,
        file_id: str,
        **options: Unpack[CreateOptions],
    ) -> Steps[str]:
        """Creates a job; returns its id."""
        unset = msgspec.UNSET
        mappings = options.get("mappings")
        if isinstance(mappings, Mapping):
            raise ValueError("mappings by header text need the file: use `write`")
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
                {"Content-Type": "application/json", _KEY: str(uuid4())},
                content=msgspec.json.encode(request),
            )
        )
        return str(_decoded(response)["details"]["id"])

    def write(
        self,
        files: Iterator[JobFile],
        operation: Operation,
        module: str,
        **options: Unpack[WriteOptions],
    ) -> Steps[list[str]]:
        """Uploads each file and creates its job; returns the ids of the jobs.

        The rows of several files keep their order: a job that may change a record of an earlier
        file is created when that one has ended. Raises ValueError for an option that Zoho lacks.
        """
        own = self._needs_own_api(options)
        if options.get("on_error") == "all_or_nothing" and options.get("rows_per_job") is not None:
            raise ValueError("all_or_nothing holds for one job: leave rows_per_job out")
        if own and self.is_zoho:
            raise ValueError(f"Zoho has no dry_run and no {', '.join(sorted(_OF_OWN_API))}")
        ids: list[str] = []
        for piece in files:
            if ids and operation != "insert":
                yield from self.wait(ids[-1])
            given = options.copy()
            if piece.encoding is not None:
                given["character_encoding"] = piece.encoding
                given["delimiter"] = ","
            mappings = options.get("mappings")
            if isinstance(mappings, Mapping):
                given["mappings"] = by_index(mappings, piece.header or ())
            with piece.path.open("rb") as file:
                file_id = yield from self.upload(piece.path.name, file)
            if own:
                new = new_job(operation, module, file_id, given)
                ids.append((yield from self.create_own(new)))
            else:
                created = create_options(given)
                ids.append((yield from self.create(operation, module, file_id, **created)))
        return ids

    def _needs_own_api(self, options: WriteOptions) -> bool:
        states_delimiter = "delimiter" in options and not self.is_zoho
        named = options.keys() & _OF_OWN_API
        return states_delimiter or bool(named) or options.get("dry_run", False)

    def wait(
        self,
        job_id: str,
        pause: float = _FIRST_POLL_SECONDS,
        watch: Callable[[JobDetails], None] | None = None,
    ) -> Steps[JobDetails]:
        """Polls until the job has ended; returns its last details."""
        while (details := (yield from self.details(job_id))).status not in _FINAL:
            if watch is not None:
                watch(details)
            yield Pause(pause)
            pause = min(pause * 1.5, _LONGEST_POLL_SECONDS)
        return details

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
        return _read(response, JobDetails)

    def create_own(self, job: NewJob) -> Steps[str]:
        """Creates a job over the service's own API; returns its id."""
        headers = {"Content-Type": "application/json", _KEY: str(uuid4())}
        body = msgspec.json.encode(job)
        made = yield from self._own(Call("POST", "/jobs", headers, content=body), JobSnapshot)
        return made.id

    def undo(self, job_id: str, *, dry_run: bool) -> Steps[UndoSnapshot]:
        """Undoes a job, and waits for the end; returns the undo."""
        headers = {"Content-Type": "application/json", _KEY: str(uuid4())}
        body = msgspec.json.encode(NewUndo(dry_run=dry_run))
        call = Call("POST", f"/jobs/{job_id}/undo", headers, content=body)
        undo = yield from self._own(call, UndoSnapshot)
        pause = _FIRST_POLL_SECONDS
        while undo.status not in _FINAL:
            yield Pause(pause)
            pause = min(pause * 1.5, _LONGEST_POLL_SECONDS)
            undo = yield from self.own("GET", f"/undos/{undo.id}", UndoSnapshot)
        return undo

    def diff(self, job_id: str, module: str | None, file: IO[bytes]) -> Steps[None]:
        """Writes what a job has changed to a file: JSON lines."""
        query = {"format": "jsonl"} | ({} if module is None else {"module": module})
        url = f"{self._url}/api/v1/jobs/{job_id}/diff?{httpx2.QueryParams(query)}"
        response = yield from self._authorized(Call("GET", url, save_to=file))
        if not response.is_success:
            _decoded(response)

    def history(self, module: str, record_id: str) -> Steps[HistoryOfRecord]:
        """Returns the writes of a record."""
        path = f"/modules/{quote(module, safe='')}/records/{record_id}/history"
        return (yield from self.own("GET", path, HistoryOfRecord))

    def own(self, method: str, path: str, kind: type[T]) -> Steps[T]:
        """Calls the service's own API, which Zoho does not have; returns its answer."""
        return (yield from self._own(Call(method, path), kind))

    def _own(self, call: Call, kind: type[T]) -> Steps[T]:
        whole = replace(call, url=f"{self._url}/api/v1{call.url}")
        response = yield from self._authorized(whole)
        _decoded(response)
        return _read(response, kind)

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
        response = yield from self._repeated(call)
        if response.status_code == httpx2.codes.UNAUTHORIZED and self._credentials is not None:
            yield from self._renew()
            response = yield from self._repeated(call)
        return response

    def _repeated(self, call: Call) -> Steps[httpx2.Response]:
        """Makes a call, and repeats it after a pause while the service is busy or away.

        A call that may have had an effect is repeated only if the service knows it by its key.
        """
        certain = call.method == "GET" or (_KEY in call.headers and not self.is_zoho)
        for attempt in range(self._retries + 1):
            if call.file is not None:
                call.file[1].seek(0)
            pause: float | None = min(_FIRST_PAUSE_SECONDS * 2**attempt, _LONGEST_PAUSE_SECONDS)
            last = attempt == self._retries
            try:
                response: httpx2.Response = yield self._with_token(call)
            except httpx2.TransportError:
                # An address at which nothing has ever answered is probably wrong.
                if last or not certain or not self._answered or call.save_to is not None:
                    raise
            else:
                self._answered = True
                status = response.status_code
                if last or not (status in _NOT_BEGUN or (certain and status in _UNCERTAIN)):
                    return response
                if "retry-after" in response.headers:
                    pause = _seconds(response.headers["retry-after"])
                if pause is None or pause > _LONGEST_PAUSE_SECONDS:
                    return response
            assert pause is not None
            yield Pause(pause)
        raise AssertionError("the last attempt returns or raises")

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


def _seconds(retry_after: str) -> float | None:
    """Returns the seconds that a Retry-After header asks for; None if it cannot be read."""
    try:
        if retry_after.strip().isdigit():
            return float(retry_after)
        now = datetime.now(UTC)  # clock: the header has a time of the service
        return max(0.0, (parsedate_to_datetime(retry_after) - now).total_seconds())
    except (ValueError, TypeError):  # TypeError: a time without a zone
        return None


def _decoded(response: httpx2.Response) -> dict[str, Any]:
    """Returns the JSON object of a response.

    Raises ApiError if it is an error, whatever its HTTP status, or if it is no JSON object.
    """
    body = _object(response)
    if body.get("status") == "error" or not response.is_success:
        code = str(body.get("code") or body.get("info") or body.get("ERROR_CODE") or "ERROR")
        message = str(
            body.get("message")
            or body.get("detail")
            or body.get("x-error")
            or body.get("x-info")
            or ""
        )
        raise ApiError(response.status_code, code, message, dict(body.get("details") or {}))
    return body


def _object(response: httpx2.Response) -> dict[str, Any]:
    """Returns the JSON object in a body. Raises ApiError if there is none."""
    return _read(response, dict[str, Any], response.text[:200])


def _read(response: httpx2.Response, kind: type[T], shown: str = "") -> T:
    """Returns a body of a type. Raises ApiError with what is wrong, or with `shown`."""
    try:
        return msgspec.json.decode(response.content, type=kind)
    except NO_JSON as error:
        text = shown or str(error)
        raise ApiError(response.status_code, "UNREADABLE_ANSWER", text, {}) from None
