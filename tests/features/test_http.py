"""HTTP as docs/wire.md describes it: methods, paths, HEAD, CORS, errors."""

from __future__ import annotations

import json
import logging
import socket
import time
from pathlib import Path

import pytest
from tests.support.deployment import Deployment

from bulkwright.domain import errors
from bulkwright.zoho.problems import STATUS
from bulkwright.zoho.versions import VERSIONS

ORIGIN = "http://127.0.0.1:5500"


@pytest.fixture(scope="module")
def server(any_server: Deployment) -> Deployment:
    """SQLite alone: all of this is decided before any SQL runs."""
    return any_server


def raw(server: Deployment, request: str) -> tuple[int, dict[str, str], bytes]:
    """Sends a request as it is written; returns status, headers and body of the response."""
    host, port = server.base_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode("latin-1"))
        data = b""
        while block := connection.recv(65536):
            data += block
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(first.split()[1]), headers, body


def ask(server: Deployment, method: str, path: str) -> tuple[int, str]:
    """Sends a request with a token; returns the status and the code of the error."""
    status, _, body = raw(
        server,
        f"{method} {path} HTTP/1.1\nHost: localhost\nConnection: close\nContent-Length: 0\n"
        f"Authorization: Zoho-oauthtoken {server.tenant.token}\n\n",
    )
    return status, json.loads(body)["code"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/crm/v2/upload"),
        ("PUT", "/crm/bulk/v2/write/1"),
        ("PATCH", "/crm/bulk/v2/write/1"),
        ("DELETE", "/crm/bulk/v2/write/1"),
        ("TRACE", "/crm/bulk/v2/write/1"),
        ("POST", "/crm/bulk/v2/write/1"),
        ("BREW", "/crm/bulk/v2/write/1"),
        ("GET", "/crm/bulk/v2/write"),
        ("POST", "/crm/v2/org"),
        ("POST", "//v2/crm/org1/bulk-write/1/1.zip"),
    ],
)
def test_a_wrong_method_is_a_400(server: Deployment, method: str, path: str) -> None:
    """400 is documented, where 405 would be the generic choice (facts 7.5)."""
    assert ask(server, method, path) == (400, "INVALID_REQUEST_METHOD")


@pytest.mark.parametrize(
    "path",
    [
        *("/crm/bulk/v2/write/1/", "/crm/bulk/v2/write/", "/crm/bulk/v2/write/../../x"),
        *("/crm/bulk/v2/%77rite/1", "/crm/bulk/v2/write/%2e%2e", "/crm/bulk/v2//write/1"),
        *("/crm/bulk/v2/write/1;x", "/crm/bulk/v2/write/1%00", "/CRM/bulk/v2/write/1"),
        *("/crm/bulk/V2/write/1", "/crm/bulk/v0/write/1", "/crm/bulk/v99/write/1"),
        *("/crm/bulk/vX/write/1", "/crm/bulk/v2.3/write/1", "/crm/bulk/v2x1/write/1"),
        *("/crm/bulk/write/1", "/crm/v2/settings", "/crm", "/nothing", "/oauth/v2/x"),
    ],
)
def test_a_wrong_path_is_a_404(server: Deployment, path: str) -> None:
    """A path matches only as the route spells it."""
    status, code = ask(server, "GET", path)
    assert (status, code) in ((404, "INVALID_URL_PATTERN"), (400, "INVALID_MODULE")), path
    if "bulk" in path and path != "/crm/bulk/write/1":
        assert code == "INVALID_URL_PATTERN"


def test_the_documented_texts(server: Deployment) -> None:
    """The messages are those of the founding page."""
    assert server.get("/crm/bulk/v2/reed/1").json()["message"] == (
        "Please check if the URL trying to access is a correct one"
    )
    answer = server.http.put("/crm/bulk/v2/write/1", headers=server.auth())
    assert answer.json()["message"] == "The http request method type is not a valid one"


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_every_version_is_served(server: Deployment, version: str) -> None:
    """From v2 to v8, for two endpoints."""
    assert ask(server, "GET", f"/crm/bulk/{version}/write/1") == (404, "RESOURCE_NOT_FOUND")
    assert server.get(f"/crm/{version}/org").status_code == 200


def test_the_names_of_headers_are_in_lower_case(server: Deployment) -> None:
    """Granian writes them so. If this test fails, it has an option now: docs/differences.md."""
    host, port = server.base_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        data = b""
        while block := connection.recv(65536):
            data += block
    _, *lines = data.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    names = [line.partition(":")[0] for line in lines]
    assert {"server", "content-type", "content-length"} <= set(names)
    assert names == [name.lower() for name in names]


def test_head_is_get_without_a_body(server: Deployment) -> None:
    """HEAD has the headers of GET."""
    path = f"/crm/bulk/v2/write/{server.job_id()}"
    get = server.get(path)
    head = server.http.head(path, headers=server.auth())
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(get.content))
    assert head.headers["content-type"] == get.headers["content-type"]


def test_a_get_with_a_body_is_answered(server: Deployment) -> None:
    """The sample of the founding page sends one."""
    answer = server.http.request(
        "GET", "/crm/bulk/v2/write/1", headers=server.auth(), content=b"null"
    )
    assert answer.status_code == 404
    assert server.get("/crm/v2/org").status_code == 200


def test_errors_have_four_keys_and_nothing_else(server: Deployment) -> None:
    """In this order, with the same headers (client contract 1.8)."""
    for answer in (
        server.get("/nothing"),
        server.get("/crm/bulk/v2/write/1"),
        server.get("/crm/v2/org", "x"),
        server.http.put("/crm/v2/upload"),
        server.create(b"x"),
    ):
        assert list(answer.json()) == ["code", "details", "message", "status"]
        assert answer.json()["status"] == "error"
        assert answer.headers["content-type"] == "application/json;charset=utf-8"
        assert answer.headers["server"] == "bulkwright"


def test_a_bug_shows_an_id_and_nothing_else(
    server: Deployment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """INTERNAL_ERROR has the documented message. Path, SQL and traceback are in the log only."""

    def broken(*_: object) -> None:
        raise RuntimeError("SELECT secrets FROM " + str(Path.home()))

    monkeypatch.setattr(type(server.services.jobs), "details", broken)
    with caplog.at_level(logging.ERROR):
        answer = server.get("/crm/bulk/v2/write/5")
    assert answer.status_code == 500
    body = answer.json()
    number = body["details"].pop("correlation_id")
    assert body == {
        "code": "INTERNAL_ERROR",
        "details": {},
        "message": "Internal Server Error",
        "status": "error",
    }
    assert number in caplog.text
    assert "SELECT secrets" in caplog.text


def test_every_class_of_error_has_a_status() -> None:
    """There is one table; the documented statuses are in it."""
    assert STATUS[errors.BulkwrightError] == 500
    assert STATUS[errors.NoPermission] == 403
    documented = {
        errors.ResourceNotFound: 404,
        errors.ScopeMismatch: 401,
        errors.FileTooLarge: 413,
        errors.RequestError: 400,
    }
    assert documented.items() <= STATUS.items()


def _half_an_upload(server: Deployment) -> str:
    return (
        "POST /crm/v2/upload HTTP/1.1\nHost: localhost\nConnection: close\nContent-Length: 5000\n"
        f"Authorization: Zoho-oauthtoken {server.tenant.token}\nfeature: bulk-write\n"
        f"X-CRM-ORG: {server.tenant.org.id}\nContent-Type: multipart/form-data; boundary=b\n\n"
        '--b\nContent-Disposition: form-data; name="file"; filename="a.zip"\n\nPK'
    )


def _incoming(server: Deployment) -> list[Path]:
    return list((server.settings.files_path / "incoming").iterdir())


def test_a_client_that_stops_sending_gets_an_error(
    server: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The temporary file is deleted."""
    monkeypatch.setattr("bulkwright.web.request._BODY_SECONDS", 0.3)
    status, _, body = raw(server, _half_an_upload(server))
    assert (status, json.loads(body)["code"]) == (400, "INVALID_REQUEST")
    assert _incoming(server) == []


def test_a_client_that_disconnects_leaves_no_file(server: Deployment) -> None:
    """The temporary file is deleted, and the server continues."""
    host, port = server.base_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(_half_an_upload(server).replace("\n", "\r\n").encode())
        deadline = time.monotonic() + 5
        while not _incoming(server) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert _incoming(server)
    while _incoming(server) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert _incoming(server) == []
    assert server.get("/crm/v2/org").status_code == 200


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 5\nTransfer-Encoding: chunked\n\n0\n\n",
        "Content-Length: 2\nContent-Length: 3\n\n{}x",
        "Transfer-Encoding: chunked\n\nzz\n",
    ],
)
def test_a_body_of_two_lengths_is_no_second_request(server: Deployment, head: str) -> None:
    """Nothing is created, and the status is not 500."""
    status, _, _ = raw(
        server,
        "POST /crm/bulk/v2/write HTTP/1.1\nHost: localhost\nConnection: close\n"
        f"Authorization: Zoho-oauthtoken {server.tenant.token}\n{head}",
    )
    assert status == 400


# CORS (client contract 6)


@pytest.mark.parametrize(
    "path",
    [
        *("/crm/bulk/v2/write", "/crm/bulk/v2/write/34770619080471", "/crm/v2/upload"),
        *("//v2/crm/org1/bulk-write/1/1.zip", "/oauth/v2/token"),
    ],
)
def test_a_preflight_of_a_registered_page_is_allowed(server: Deployment, path: str) -> None:
    """Without a token; the exact origin, credentials, the headers that SDKs send."""
    status, headers, body = raw(
        server,
        f"OPTIONS {path} HTTP/1.1\nHost: localhost\nConnection: close\nOrigin: {ORIGIN}\n"
        "Access-Control-Request-Method: POST\n"
        "Access-Control-Request-Headers: authorization,feature,x-crm-org\n\n",
    )
    assert (status, body) == (204, b"")
    assert headers["access-control-allow-origin"] == ORIGIN
    assert headers["access-control-allow-credentials"] == "true"
    assert headers["vary"] == "origin"
    allowed = headers["access-control-allow-headers"].split(", ")
    assert {"authorization", "content-type", "feature", "x-crm-org"} <= set(allowed)
    assert {"get", "post"} <= set(headers["access-control-allow-methods"].split(", "))


@pytest.mark.parametrize(
    "origin",
    [
        *("null", "http://127.0.0.1:5501", "https://127.0.0.1:5500", "http://localhost:5500"),
        *("http://127.0.0.1:5500.evil.test", "http://evil.test", "http://127.0.0.1:5500/"),
    ],
)
def test_other_pages_may_not_read(server: Deployment, origin: str) -> None:
    """The response has no CORS headers for them."""
    for method in ("GET", "OPTIONS"):
        answer = server.http.request(
            method, "/crm/v2/org", headers=server.auth() | {"Origin": origin}
        )
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["vary"] == "Origin"


def test_a_registered_page_can_read_errors(server: Deployment) -> None:
    """The first call of the sample has no token and expects a readable 401 (client contract 6)."""
    headers = {"Origin": ORIGIN, "Authorization": "Zoho-oauthtoken null"}
    for path, status in (("/crm/bulk/v2/write/1", 401), ("/nothing", 404)):
        answer = server.http.get(path, headers=headers)
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert answer.headers["access-control-expose-headers"] == "Content-Disposition"


def test_health_and_readiness_need_no_token(server: Deployment) -> None:
    """Supervisors and load balancers query them."""
    assert server.http.get("/healthz").json() == {"status": "ok"}
    assert server.http.get("/readyz").json() == {"status": "ready"}


def test_every_response_has_the_headers_for_browsers(server: Deployment) -> None:
    """Each of them once, and a page's own policy instead of the usual one."""
    job = server.job_id()
    policies = set()
    for method, path, status in (
        ("GET", "/crm/v2/org", 200), ("HEAD", "/crm/v2/org", 200), ("GET", "/nothing", 404),
        ("OPTIONS", "/crm/v2/org", 204), ("PUT", "/crm/v2/org", 400),
        ("GET", "/crm/v2/Leads/1", 204),
        ("GET", f"/crm/bulk/v2/write/{job}", 200), ("GET", "/crm/v2/Contacts/search", 400),
        ("GET", "/healthz", 200), ("GET", "/readyz", 200), ("GET", "/metrics", 200),
        ("GET", "/docs", 200), ("GET", "/docs/openapi.json", 200), ("GET", "/docs/page.css", 200),
        ("GET", "/docs/nothing", 404), ("GET", "/oauth/v2/auth", 400),
        ("GET", "/oauth/v2/auth/style.css", 200), ("POST", "/oauth/v2/token", 200),
    ):  # fmt: skip
        answer = server.http.request(method, path, headers=server.auth())
        assert answer.status_code == status, path
        for name, value in (
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
        ):
            assert answer.headers.get_list(name) == [value], (path, name)
        (policy,) = answer.headers.get_list("content-security-policy")
        parts = set(policy.split("; "))
        assert parts >= {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"}, path
        assert "strict-transport-security" not in answer.headers
        policies.add(policy)
    assert len(policies) == 3
