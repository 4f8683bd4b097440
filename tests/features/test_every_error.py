"""Every error there is, reached over real HTTP: a class that cannot be reached fails here.

`WAYS` has exactly one way for each class of `domain/errors.py` and `zoho/problems.py`, `VARIANTS`
more texts and places. Errors of a running job show in job details alone.
"""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from tests.support.caller import Caller
from tests.support.clocks import stopped_clock
from tests.support.deployment import Deployment
from tests.support.uploads import zipped

from bulkwright.domain import errors
from bulkwright.domain.account import Role
from bulkwright.domain.job import JobStatus
from bulkwright.domain.limits import TOKEN_REQUESTS_AT_ONCE, MiB
from bulkwright.domain.scope import EVERY
from bulkwright.files import Area
from bulkwright.wire.responses import GatewayProblem
from bulkwright.zoho import problems

ROOT = Path(__file__).parents[2]
KEYS = ["code", "details", "message", "status"]
WRITE, JOB = "/crm/bulk/v2/write", "/crm/bulk/v2/write/1"

ABSTRACT: set[type[errors.BulkwrightError]] = {
    errors.RequestError,
    errors.FileError,
    errors.AccessError,
    errors.JobError,
}
"""Base classes, which no code raises."""

IN_A_JOB: set[type[errors.BulkwrightError]] = {
    errors.FileDamaged,
    errors.WorkerFailed,
    errors.Aborted,
    errors.TooManyErrors,
    errors.UndoFailed,
}
"""Errors that job details show; no request gets them."""

NOT_ON_THE_WIRE: set[type[errors.BulkwrightError]] = {
    errors.LeaseLost,
    errors.JobHasEnded,
    errors.JobIsOpen,
}
"""Errors that no client of the Zoho API sees: another worker continues the job, or the request is
one of the own API (tests/v1)."""

NEVER = {
    "INVALID_FIELD_NAME": "INVALID_FIELD is given for the same mistake",
    "REQUEST_BODY_NOT_SUPPORTED": "INVALID_DATA: the v2 SDKs take unknown codes for success",
    "COEXISTENCE_NOT_ALLOWED": "no two keys exclude each other here",
}
"""Documented codes that no request below gets, with the reason."""

Ask = Callable[[Deployment], httpx2.Response]


@dataclass(frozen=True)
class Way:
    """A request and its error."""

    error: type[errors.BulkwrightError]
    ask: Ask
    status: int
    code: str
    message: str
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.error.__name__}-{self.message[:30]}"


def reused_key(s: Deployment) -> httpx2.Response:
    """The second of two different uploads with one key."""
    key = str(uuid4())
    s.upload(zipped("Last_Name\nBoyle\n"), Idempotency_Key=key)
    return s.upload(zipped("Last_Name\nCarr\n"), Idempotency_Key=key)


def body(**changes: Any) -> Ask:
    """Makes a create request that is valid but for `changes` at its root."""
    return lambda s: s.create(s.insert() | changes)


def resource(**changes: Any) -> Ask:
    """Makes one with changes in its resource."""
    return lambda s: s.create(s.insert(**changes))


def mapping(**changes: Any) -> Ask:
    """Makes one with changes in its second mapping."""
    mappings = [{"api_name": "Last_Name", "index": 0}, {"api_name": "Company", "index": 1}]
    second = {k: v for k, v in {**mappings[1], **changes}.items() if v is not None}
    return resource(field_mappings=[mappings[0], second])


def get(path: str, scopes: str = "") -> Ask:
    """Makes a GET, with a token of `scopes` if there are any."""
    return lambda s: s.get(path, s.token(scopes) if scopes else None)


def wide(s: Deployment) -> httpx2.Response:
    """Creates a job on a file of 201 columns."""
    header = ",".join(f"c{n}" for n in range(201))
    return s.create(s.insert(file_id=s.file_id(f"{header}\n{header}\n")))


def encoded(s: Deployment) -> httpx2.Response:
    """Sends a create request whose body is announced as compressed."""
    headers = s.auth() | {"Content-Encoding": "gzip"}
    return s.http.post(WRITE, headers=headers, content=b"\x1f\x8b")


def too_large(s: Deployment) -> httpx2.Response:
    """Uploads more than 25 MB."""
    return s.upload(bytes(25 * MiB + 1))


def over_quota(s: Deployment) -> httpx2.Response:
    """Creates a job in an org that may have none."""
    wanted, service = s.insert(), s.services.jobs
    before = service.limits
    object.__setattr__(service, "limits", replace(before, org_open_jobs=0))
    try:
        return s.create(wanted)
    finally:
        object.__setattr__(service, "limits", before)


def broken(s: Deployment) -> httpx2.Response:
    """Uploads while the path of incoming files is no folder."""
    folder = s.settings.files_path / "incoming"
    folder.rename(folder.with_name("away"))
    try:
        folder.touch()
        return s.upload()
    finally:
        folder.unlink()
        folder.with_name("away").rename(folder)


def damaged(s: Deployment) -> httpx2.Response:
    """Downloads a result after one byte of the file has changed."""
    job_id, store = s.job_id(), s.services.claims
    claimed = store.claim("here/1", job_id)
    assert claimed is not None
    (s.settings.files_path / Area.RESULTS.path(job_id)).write_bytes(b"PK")
    store.finish(
        claimed[0], JobStatus.COMPLETED, code=None, has_result=True, result_sha256="0" * 64
    )
    return s.get(f"/v2/crm/org{s.tenant.org.id}/bulk-write/{job_id}/{job_id}.zip")


def token(**form: str) -> Ask:
    """Makes a token request of the tenant's client; `""` removes a parameter."""

    def ask(s: Deployment) -> httpx2.Response:
        mine = {"client_id": s.tenant.client.client_id, "client_secret": s.tenant.secret}
        sent = {"grant_type": "refresh_token", "refresh_token": "1000.x"} | mine | form
        return s.http.post("/oauth/v2/token", data={k: v for k, v in sent.items() if v})

    return ask


def limited(role: Role, ask: Callable[..., httpx2.Response]) -> Ask:
    """Makes a request that the scopes of the token allow, but not the role of the user."""

    def made(s: Deployment) -> httpx2.Response:
        org, mail = s.tenant.org, f"{uuid4().hex}@zylker.example"
        user = s.services.setup.create_user(org, "Kay", "Doe", mail, role=role)
        token = s.services.tokens.issue_access(s.tenant.client, EVERY, user_id=user.id)
        return ask(s, token)

    return made


def too_often(s: Deployment) -> httpx2.Response:
    """Sends token requests until the client is throttled."""
    client = f"1000.{uuid4().hex.upper()}"
    with stopped_clock():
        for _ in range(TOKEN_REQUESTS_AT_ONCE):
            assert token(client_id=client)(s).status_code == 200
        return token(client_id=client)(s)


CALLBACK = {"url": "https://x.example/", "method": "post"}
TWICE = "Last_Name is mapped twice."
NO_FIND_BY = "Required key find_by is not available"
GATEWAY = "check if headers [feature, X-CRM-ORG] are present and valid"
NO_INDEX = "required key index for field Company is not found in request body."
NO_MANDATORY = "All mandatory fields are not mapped for the layout [Last_Name]"
E = errors
STANDARD, GUEST = Role.STANDARD, Role.GUEST

WAYS = [
    Way(E.BulkwrightError, broken, 500, "INTERNAL_ERROR", "Internal Server Error",
        ("correlation_id",)),
    Way(E.InvalidRequest, encoded, 400, "INVALID_REQUEST", "Content-Encoding is not supported"),
    Way(E.MissingKey, body(operation=None), 400, "MISSING_REQUIRED_KEY",
        "required key operation is not found in request body.", ("json_path",)),
    Way(E.InvalidData, body(operation="merge"), 400, "INVALID_DATA", "invalid data",
        ("supported_values", "json_path")),
    Way(E.MandatoryNotFound, body(operation="update"), 400, "MANDATORY_NOT_FOUND", NO_FIND_BY,
        ("json_path",)),
    Way(E.MandatoryFieldsNotMapped, resource(field_mappings=[{"api_name": "Email", "index": 2}]),
        400, "MANDATORY_FIELDS_NOT_MAPPED", NO_MANDATORY),
    Way(E.InvalidField, mapping(api_name="ast_Name"), 400, "INVALID_FIELD",
        "invalid mapping. invalid api_name ast_Name.", ("json_path",)),
    Way(E.InvalidFormat, mapping(format="yyyy"), 400, "INVALID_FORMAT",
        "Company takes no format", ("json_path",)),
    Way(E.DuplicateMapping, mapping(api_name="Last_Name"), 400, "DUPLICATE_DATA", TWICE,
        ("api_name", "json_path")),
    Way(E.LimitExceeded, lambda s: s.create(b" " * (MiB + 1)), 400, "LIMIT_EXCEEDED",
        "The request body is too large"),
    Way(E.ColumnIndexNotFound, mapping(index=3), 400, "COLUMN_INDEX_NOT_FOUND",
        "column index not found in the file", ("json_path",)),
    Way(E.HeaderLimitExceeded, wide, 400, "HEADER_LIMIT_EXCEEDED",
        "The number of columns in the file exceeds the limit"),
    Way(E.ModuleNotAvailable, resource(module="asdf"), 400, "MODULE_NOT_AVAILABLE",
        "Requested module 'asdf' is not available."),
    Way(E.InvalidModule, get("/crm/v2/asdf"), 400, "INVALID_MODULE",
        "the module name given seems to be invalid", ("resource_path_index",)),
    Way(E.RequiredParamMissing, get("/crm/v2/settings/fields"), 400, "REQUIRED_PARAM_MISSING",
        "One of the expected parameter is missing", ("param_name",)),
    Way(E.InvalidFileId, resource(file_id="12x"), 400, "INVALID_FILE_ID", "improper file id",
        ("json_path",)),
    Way(E.FileNotFound, resource(file_names=["other.csv"]), 400, "FILE_NOT_FOUND",
        "file not found", ("json_path",)),
    Way(E.InvalidCallbackUrl, body(callback=CALLBACK | {"url": "ftp://x"}), 400,
        "INVALID_CALLBACK_URL", "invalid callback url", ("json_path",)),
    Way(E.InvalidCallbackMethod, body(callback=CALLBACK | {"method": "get"}), 400,
        "INVALID_CALLBACK_METHOD", "invalid callback method", ("supported_callback_methods",)),
    Way(E.InvalidFileFormat, lambda s: s.upload(b"no zip"), 200, "INVALID_FILE_FORMAT",
        "invalid file format. only zip format is supported", ("created_time",)),
    Way(E.QuotaExceeded, over_quota, 429, "TOO_MANY_REQUESTS",
        "The org has 0 jobs that have not ended, which is its quota. "
        "Create the next one when some have ended."),
    Way(E.IdempotencyKeyReused, reused_key, 409, "IDEMPOTENCY_KEY_REUSED",
        "Another request had this Idempotency-Key; send the same request again, or use a new key"),
    Way(E.FileTooLarge, too_large, 413, "FILE_TOO_LARGE", "File size too large to process"),
    Way(E.FileNotSupported, lambda s: s.create(s.insert(
        file_id=s.upload(zipped("x", "a.txt")).json()["details"]["file_id"])),
        400, "FILE_NOT_SUPPORTED", "File not supported for bulk write",
        ("json_path", "reason")),
    Way(E.AuthenticationFailure, lambda s: s.http.get(JOB), 401, "AUTHENTICATION_FAILURE",
        "Authentication failed"),
    Way(E.InvalidToken, lambda s: s.get(JOB, "null"), 401, "INVALID_TOKEN",
        "invalid oauth token"),
    Way(E.ScopeMismatch, get(JOB, "ZohoCRM.bulk.READ"), 401, "OAUTH_SCOPE_MISMATCH",
        "invalid oauth scope to access this URL"),
    Way(E.NoPermission, limited(STANDARD, lambda s, t: s.get(JOB, t)), 403, "NO_PERMISSION",
        "Permission denied to read", ("permissions",)),
    Way(E.AuthorizationFailed, limited(GUEST, lambda s, t: s.get(JOB, t)), 400,
        "AUTHORIZATION_FAILED", "User does not have sufficient privilege to read."),
    Way(E.GatewayRejection, lambda s: s.upload(feature=""), 403, "", GATEWAY),
    Way(E.FeatureNotSupported, lambda s: s.upload(feature="bulk-read"), 200,
        "NOT_SUPPORTED_FEATURE", "Feature is not supported", ("created_time",)),
    Way(E.ResultDamaged, damaged, 500, "INTERNAL_ERROR",
        "The stored result is damaged; ask the operator to restore it"),
    Way(E.LinkNotValid, get("/v2/crm/org1/bulk-write/1/1.zip"), 403, "", "Link not valid"),
    Way(E.ResourceNotFound, get(JOB), 404, "RESOURCE_NOT_FOUND",
        "The requested resource doesn't exist."),
    Way(E.OAuthError, token(), 200, "", "invalid_code"),
    Way(E.TooManyTokenRequests, too_often, 400, "", "Access Denied"),
    Way(problems.InvalidUrlPattern, get("/crm/bulk/v2/reed"), 404, "INVALID_URL_PATTERN",
        "Please check if the URL trying to access is a correct one"),
    Way(problems.NotServed, get("/crm/v2/settings/tags"), 501, "NOT_IMPLEMENTED",
        "GET /crm/{version}/settings/tags is documented by Zoho, but this server does not "
        "implement it.", ("operation",)),
    Way(problems.Misdirected, lambda s: s.http.get(JOB, headers=s.auth() | {"Host": "evil.test"}),
        421, "INVALID_REQUEST",
        "This server serves the names of this machine only, such as localhost"),
    Way(problems.InvalidRequestMethod, lambda s: s.http.put(JOB, headers=s.auth()), 400,
        "INVALID_REQUEST_METHOD", "The http request method type is not a valid one"),
]  # fmt: skip

VARIANTS = [
    Way(E.MissingKey, mapping(index=None), 400, "MISSING_REQUIRED_KEY", NO_INDEX, ("json_path",)),
    Way(E.MandatoryNotFound, lambda s: s.http.post(
        "/crm/v2/upload", headers=s.auth() | {
            "feature": "bulk-write", "X-CRM-ORG": str(s.tenant.org.id),
            "Content-Type": "multipart/form-data; boundary=b"}, content=b"--b--\r\n"),
        400, "MANDATORY_NOT_FOUND", "Required key file is not available"),
    Way(E.NoPermission, limited(STANDARD, lambda s, t: s.upload(token=t)), 403, "NO_PERMISSION",
        "Permission denied to create", ("permissions",)),
    Way(E.AuthorizationFailed, limited(GUEST, lambda s, t: s.create({}, token=t)), 400,
        "AUTHORIZATION_FAILED", "User does not have sufficient privilege to create."),
    Way(E.AuthorizationFailed, limited(GUEST, lambda s, t: s.get("/crm/v2/Leads", t)), 400,
        "AUTHORIZATION_FAILED", "User does not have sufficient privilege to read."),
    Way(E.GatewayRejection, lambda s: s.upload(X_CRM_ORG="1"), 403, "", GATEWAY),
    Way(E.OAuthError, token(client_id="1000.X"), 200, "", "invalid_client"),
    Way(E.OAuthError, token(client_secret="x"), 200, "", "invalid_client_secret"),
    Way(E.OAuthError, token(grant_type="client_credentials"), 200, "", "missing_org_info"),
    Way(E.OAuthError, token(grant_type="password"), 200, "", "unsupported_grant_type"),
    Way(E.OAuthError, token(refresh_token=""), 200, "", "invalid_request"),
    Way(E.OAuthError, lambda s: token(
        grant_type="authorization_code", redirect_uri="https://other.example/",
        code=s.services.tokens.issue_code(
            s.tenant.client, "ZohoCRM.bulk.ALL", redirect_uri="https://x.example/"))(s),
        200, "", "invalid_redirect_uri"),
]  # fmt: skip


@pytest.mark.parametrize("way", [*WAYS, *VARIANTS], ids=str)
def test_an_error_is_reached_and_looks_as_documented(server: Deployment, way: Way) -> None:
    """Status, code, message, keys of details, and the four keys of the body in their order."""
    answer = way.ask(server)
    assert answer.status_code == way.status, answer.text
    assert answer.headers["content-type"] == "application/json;charset=utf-8"
    error_body = answer.json()
    if way.error is errors.TooManyTokenRequests:
        assert list(error_body) == ["error_description", "error", "status"]
        assert (error_body["error"], error_body["status"]) == (way.message, "failure")
    elif way.error is errors.OAuthError:
        assert error_body == {"error": way.message}
    elif way.error in (errors.GatewayRejection, errors.LinkNotValid):
        refused = way.error is errors.GatewayRejection
        shape = {"status": "error", "info": "Forbidden", "x-error": way.message,
                 "x-info": "Link not valid", "http_status": str(way.status)}  # fmt: skip
        assert list(error_body.items()) == [
            i for i in shape.items() if refused or i[0] != "x-error"
        ]
    else:
        assert list(error_body) == KEYS
        assert (error_body["code"], error_body["message"], error_body["status"]) == (
            way.code,
            way.message,
            "error",
        )
        assert tuple(error_body["details"]) == way.details


def _classes() -> set[type[errors.BulkwrightError]]:
    found = {c for m in (errors, problems) for _, c in inspect.getmembers(m, inspect.isclass)}
    return {c for c in found if issubclass(c, errors.BulkwrightError)}


def test_every_class_of_error_has_exactly_one_way() -> None:
    """A new class of errors needs a request here, and a deleted class leaves none behind."""
    reached = Counter(way.error for way in WAYS)
    assert [e for e, times in reached.items() if times > 1] == []
    elsewhere = ABSTRACT | IN_A_JOB | NOT_ON_THE_WIRE
    assert not elsewhere & set(reached)
    assert _classes() == set(reached) | elsewhere
    assert all("code" not in vars(error) for error in ABSTRACT)
    texts = Counter((w.error, w.ask) for w in [*WAYS, *VARIANTS])
    assert max(texts.values()) == 1


def _documented() -> set[str]:
    """Returns every code in the sections of errors of docs/wire.md."""
    text = (ROOT / "docs" / "wire.md").read_text("utf-8")
    sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    wanted = ("2.3", "3.6", "4.3", "5 ", "7.5")
    found = [s for s in sections if s.startswith(tuple(f"## Facts {n}" for n in wanted))]
    assert len(found) == len(wanted)
    codes = {c for s in found for c in re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", s)}
    keys = {"ERROR_CODE", "ERROR_MESSAGE"}  # of the shape of the upload host
    return codes - keys


def test_every_documented_code_is_reached_or_explained() -> None:
    """Codes of facts 2.3, 3.6, 4.3, 5 and 7.5: reached above, or listed with a reason."""
    given = {way.code for way in WAYS}
    assert _documented() - given - set(NEVER) == set()
    assert set(NEVER) <= _documented() - given


def test_an_internal_error_shows_an_id_only(server: Deployment) -> None:
    """The folder of incoming files is missing: the response contains neither path nor reason."""
    answer = broken(server)
    error_body = answer.json()
    assert re.fullmatch(r"[0-9a-f]{16}", error_body["details"].pop("correlation_id"))
    assert error_body["details"] == {}
    whole = answer.text + repr(answer.headers.multi_items())
    for secret in ("incoming", str(server.settings.data), "Errno", "Error(", "Traceback", ".py"):
        assert secret not in whole.replace("Internal Server Error", "")
    assert server.upload().status_code == 200


# Errors of a running job (facts 4.2: `resource[].code`)


@pytest.mark.slow
def test_a_damaged_upload_fails_its_job(caller: Caller) -> None:
    """FileDamaged: the zip is replaced between upload and job."""
    file_id = caller.upload()
    (caller.files / "uploads" / f"{file_id}.zip").write_bytes(zipped("Last_Name\nOther\n"))
    details = caller.ended(caller.create(caller.insert(file_id)))
    (found,) = details["resource"]
    assert (details["status"], found["status"], found["code"]) == (
        "FAILED", "FAILED", "INVALID_FILE_FORMAT",
    )  # fmt: skip
    assert (found["file"]["status"], found["file"]["added_count"]) == ("FAILED", 0)


@pytest.mark.slow
def test_a_job_without_progress_fails(caller: Caller) -> None:
    """WorkerFailed: the path of result parts is no folder, so every attempt fails."""
    # A worker that starts only now could not open the folder at all.
    caller.ended(caller.create(caller.insert(caller.upload())))
    parts = caller.files / "parts"
    parts.rename(parts.with_name("away"))
    parts.touch()
    try:
        details = caller.ended(caller.create(caller.insert(caller.upload())))
    finally:
        parts.unlink()
        parts.with_name("away").rename(parts)
    assert details["status"] == details["resource"][0]["status"] == "FAILED"
    assert details["resource"][0]["code"] == "INTERNAL_ERROR"
    after = caller.ended(caller.create(caller.insert(caller.upload())))
    assert after["status"] == "COMPLETED"


def test_no_client_sees_a_lost_lease(server: Deployment) -> None:
    """LeaseLost: the worker that lost the job changes nothing."""
    job_id, store = server.job_id(), server.services.claims
    lost = store.claim("first", only=job_id)
    store.end_leases("first")
    held = store.claim("second", only=job_id)
    assert lost is not None
    assert held is not None
    before = server.get(f"/crm/bulk/v8/write/{job_id}").content
    with pytest.raises(errors.LeaseLost):
        store.finish(lost[0], JobStatus.FAILED, code="LEASE_LOST", has_result=False)
    assert server.get(f"/crm/bulk/v8/write/{job_id}").content == before
    store.finish(held[0], JobStatus.COMPLETED, code=None, has_result=False)


def test_errors_of_the_upload_host_have_the_documented_shape() -> None:
    """The keys that every SDK reads (facts 2.3; client contract 3)."""
    keys = GatewayProblem.__struct_encode_fields__
    assert keys == ("status", "info", "x-error", "x-info", "http_status")
