"""Every route with every method and with unusual spellings of its path."""

from __future__ import annotations

import pytest
from tests.features.filled import filled
from tests.features.test_http import ORIGIN, ask, raw
from tests.support.deployment import Deployment

from bulkwright.description.endpoints import ENDPOINTS
from bulkwright.zoho.auth import PUBLIC
from bulkwright.zoho.documented import OPERATIONS
from bulkwright.zoho.routes import ROUTES
from bulkwright.zoho.versions import VERSIONS

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW")
TRICKS = {
    "a trailing slash": lambda p: p + "/",
    "a doubled slash inside": lambda p: p[:1] + p[1:].replace("/", "//", 1),
    "a dot segment": lambda p: "/." + p,
    "a way up": lambda p: "/x/.." + p,
    "an encoded way up": lambda p: "/x/%2e%2e" + p,
    "an encoded letter": lambda p: f"/%{ord(p[1]):x}{p[2:]}",
    "an encoded slash": lambda p: p[0] + p[1:].replace("/", "%2f", 1),
    "a backslash": lambda p: p[0] + p[1:].replace("/", "\\", 1),
    "a parameter": lambda p: p + ";x=1",
    "a NUL": lambda p: p + "%00",
    "upper case": str.upper,
}


@pytest.fixture(scope="module")
def server(any_server: Deployment) -> Deployment:
    """SQLite alone: all of this is decided before any SQL runs."""
    return any_server


def paths() -> dict[str, dict[str, object]]:
    """Returns the path of every route with its parameters, and who may call each method."""
    found: dict[str, dict[str, object]] = {}
    for endpoint in ENDPOINTS:
        path = filled(endpoint.path)
        found.setdefault(path, {})[endpoint.method] = getattr(endpoint, "access", None)
    return found


def test_a_method_that_a_route_does_not_have_is_a_400(server: Deployment) -> None:
    """Each route returns INVALID_REQUEST_METHOD and never 405 (facts 7.5)."""
    documented = {filled(path): methods for path, methods in OPERATIONS.items()}
    for path, methods in paths().items():
        for method in METHODS:
            if method in methods or (method == "HEAD" and "GET" in methods):
                continue
            if method in documented.get(path, ()):
                continue  # not served, and not the caller's mistake: test_not_served.py
            if method == "HEAD":
                answer = server.http.head(path, headers=server.auth())
                assert (answer.status_code, answer.content) == (400, b""), path
            else:
                assert ask(server, method, path) == (400, "INVALID_REQUEST_METHOD"), path


def test_head_answers_like_get_without_a_body(server: Deployment) -> None:
    """Each route that has GET has HEAD too."""
    for path, methods in paths().items():
        if "GET" in methods:
            get = server.http.get(path, headers=server.auth())
            head = server.http.head(path, headers=server.auth())
            assert (head.status_code, head.content) == (get.status_code, b""), path
            # Metrics have changed by the second request: it counts the first.
            same = ("content-type",) if path == "/metrics" else ("content-type", "content-length")
            for name in same:
                assert head.headers.get(name) == get.headers.get(name), path


def test_options_needs_no_token_and_has_no_body(server: Deployment) -> None:
    """Each route returns 204. Only registered pages get their origin back."""
    for path in paths():
        for origin, allowed in ((ORIGIN, ORIGIN), ("http://evil.test", None)):
            status, headers, body = raw(
                server,
                f"OPTIONS {path} HTTP/1.1\nHost: localhost\nConnection: close\n"
                f"Origin: {origin}\n\n",
            )
            assert (status, body) == (204, b""), path
            # The sign-in pages read a cookie, and health is for operators: no page of another
            # origin may read them.
            page = path.startswith(("/oauth/v2/auth", "/healthz", "/readyz", "/metrics"))
            assert headers.get("access-control-allow-origin") == (None if page else allowed)
    assert ask(server, "OPTIONS", "/nothing") == (404, "INVALID_URL_PATTERN")


def test_a_request_without_a_token_is_rejected(server: Deployment) -> None:
    """Every route that is not public checks the token first."""
    for path, methods in paths().items():
        for method, access in methods.items():
            if access not in (None, PUBLIC):
                answer = server.http.request(method, path)
                found = (answer.status_code, answer.json()["code"])
                assert found == (401, "AUTHENTICATION_FAILURE"), path


@pytest.mark.parametrize("trick", TRICKS)
def test_a_path_in_another_spelling_is_not_found(server: Deployment, trick: str) -> None:
    """Each route returns 404. Only leading slashes may be repeated (client contract 1.1)."""
    for path, methods in paths().items():
        odd = TRICKS[trick](path)
        if odd == path:
            continue  # there is nothing in it to spell otherwise
        found = ask(server, "GET" if "GET" in methods else "POST", odd)
        assert found == (404, "INVALID_URL_PATTERN"), odd


def test_leading_slashes_count_as_one(server: Deployment) -> None:
    """Every SDK puts one too many before a download URL (client contract 1.1)."""
    for path, methods in paths().items():
        if "GET" in methods:
            for slashes in ("/", "//"):
                status, _, _ = raw(
                    server,
                    f"GET {slashes}{path} HTTP/1.1\nHost: localhost\nConnection: close\n"
                    f"Authorization: Zoho-oauthtoken {server.tenant.token}\n\n",
                )
                assert status == server.get(path).status_code, path


@pytest.mark.parametrize(
    "version",
    [*("v0", "v1", "v9", "v99", "vX", "V2", "V8", "v2.3", "v2.", "v2.1.1", "v02", "v2_1", "2")],
)
def test_an_unknown_version_is_not_found(server: Deployment, version: str) -> None:
    """Each route that has a version in its path returns 404."""
    for route in ROUTES:
        if "{version}" not in route.path:
            continue
        path = filled(route.path.replace("{version}", version))
        assert ask(server, route.method, path) == (404, "INVALID_URL_PATTERN"), path


FIRST_VERSIONS = {"/{module}/actions/count": "v2.1"}
"""Routes that v2 does not have; it answers API_NOT_SUPPORTED (facts 10.9)."""


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_every_route_answers_in_every_version(server: Deployment, version: str) -> None:
    """Each version returns the same status and code as the first one that has the route."""
    for route in ROUTES:
        if "{version}" not in route.path:
            continue
        found = []
        first = FIRST_VERSIONS.get(route.path.removeprefix("/crm/{version}"), "v2")
        for one in (first, version) if version != "v2" else ("v2",):
            path = filled(route.path.replace("{version}", one)) + "?fields=Last_Name"
            answer = server.http.request(route.method, path, headers=server.auth())
            known = answer.json() if answer.content[:1] == b"{" else {}
            found.append((answer.status_code, known.get("code")))
        assert found[0] == found[-1], route.path
        assert found[0][1] != "INVALID_URL_PATTERN"
