"""Every route with every method, and every odd spelling of its path (reliability 2.6)."""

from __future__ import annotations

import pytest
from tests.conftest import Deployment
from tests.features.test_http import ORIGIN, ask, raw

from bulkwright.api.auth import Open
from bulkwright.wire.versions import VERSIONS

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW")
FILLED = {
    "{version}": "v2", "{job_id}": "1", "{org}": "org1", "{file}": "1.zip", "{module}": "Leads",
    "{record_id}": "1",
}  # fmt: skip
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


def paths(server: Deployment) -> dict[str, dict[str, object]]:
    """Every route's path with its parameters filled in, and what each method needs."""
    found: dict[str, dict[str, object]] = {}
    for route in server.app.router.routes:
        path = route.path
        for name, value in FILLED.items():
            path = path.replace(name, value)
        assert "{" not in path, path
        found.setdefault(path, {})[route.method] = route.needed
    return found


def test_a_method_that_a_route_does_not_have_is_a_400(server: Deployment) -> None:
    """Facts 7.5: INVALID_REQUEST_METHOD and never a 405, for each route."""
    for path, methods in paths(server).items():
        for method in METHODS:
            if method in methods or (method == "HEAD" and "GET" in methods):
                continue
            if method == "HEAD":
                answer = server.http.head(path, headers=server.auth())
                assert (answer.status_code, answer.content) == (400, b""), path
            else:
                assert ask(server, method, path) == (400, "INVALID_REQUEST_METHOD"), path


def test_head_answers_like_get_without_a_body(server: Deployment) -> None:
    """H05, for each route that has a GET."""
    for path, methods in paths(server).items():
        if "GET" in methods:
            get = server.http.get(path, headers=server.auth())
            head = server.http.head(path, headers=server.auth())
            assert (head.status_code, head.content) == (get.status_code, b""), path
            # Metrics have changed by the second request: it counts the first.
            same = ("content-type",) if path == "/metrics" else ("content-type", "content-length")
            for name in same:
                assert head.headers.get(name) == get.headers.get(name), path


def test_options_needs_no_token_and_has_no_body(server: Deployment) -> None:
    """H06, for each route: 204 with the page's origin, and nothing for other pages."""
    for path in paths(server):
        for origin, allowed in ((ORIGIN, ORIGIN), ("http://evil.test", None)):
            status, headers, body = raw(
                server, f"OPTIONS {path} HTTP/1.1\nHost: x\nConnection: close\nOrigin: {origin}\n\n"
            )
            assert (status, body) == (204, b""), path
            # The pages for people read a cookie, probes are for operators: no page of another
            # origin may read them.
            page = path.startswith(("/oauth/v2/auth", "/healthz", "/readyz", "/metrics"))
            assert headers.get("access-control-allow-origin") == (None if page else allowed)
    assert ask(server, "OPTIONS", "/nothing") == (404, "INVALID_URL_PATTERN")


def test_a_route_without_a_token_is_refused(server: Deployment) -> None:
    """Whatever is not public asks who is calling before anything else."""
    for path, methods in paths(server).items():
        for method, needed in methods.items():
            if needed is not Open.PUBLIC:
                answer = server.http.request(method, path)
                told = (answer.status_code, answer.json()["code"])
                assert told == (401, "AUTHENTICATION_FAILURE"), path


@pytest.mark.parametrize("trick", TRICKS)
def test_a_path_that_is_spelled_oddly_leads_nowhere(server: Deployment, trick: str) -> None:
    """H08: 404, for each route; only leading slashes are forgiven (client contract 1.1)."""
    for path, methods in paths(server).items():
        odd = TRICKS[trick](path)
        if odd == path:
            continue  # there is nothing in it to spell otherwise
        told = ask(server, "GET" if "GET" in methods else "POST", odd)
        assert told == (404, "INVALID_URL_PATTERN"), odd


def test_leading_slashes_count_as_one(server: Deployment) -> None:
    """Client contract 1.1: every SDK puts one too many before a download URL."""
    for path, methods in paths(server).items():
        if "GET" in methods:
            for slashes in ("/", "//"):
                status, _, _ = raw(
                    server,
                    f"GET {slashes}{path} HTTP/1.1\nHost: x\nConnection: close\n"
                    f"Authorization: Zoho-oauthtoken {server.tenant.token}\n\n",
                )
                assert status == server.get(path).status_code, path


@pytest.mark.parametrize(
    "version",
    [*("v0", "v1", "v9", "v99", "vX", "V2", "V8", "v2.2", "v2.", "v2.1.1", "v02", "v2_1", "2")],
)
def test_a_version_that_is_none_leads_nowhere(server: Deployment, version: str) -> None:
    """H09, for each route that names a version in its path."""
    for route in server.app.router.routes:
        if "{version}" not in route.path:
            continue
        path = route.path.replace("{version}", version)
        for name, value in FILLED.items():
            path = path.replace(name, value)
        assert ask(server, route.method, path) == (404, "INVALID_URL_PATTERN"), path


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_every_route_answers_in_every_version(server: Deployment, version: str) -> None:
    """One behaviour behind eight segments: same status and code as in v2."""
    for route in server.app.router.routes:
        if "{version}" not in route.path:
            continue
        told = []
        for one in ("v2", version):
            path = route.path.replace("{version}", one)
            for name, value in FILLED.items():
                path = path.replace(name, value)
            answer = server.http.request(route.method, path, headers=server.auth())
            known = answer.json() if answer.content[:1] == b"{" else {}
            told.append((answer.status_code, known.get("code")))
        assert told[0] == told[1], route.path
        assert told[0][1] != "INVALID_URL_PATTERN"
