"""The kernel: every request gets a response, whatever a handler or a mounted app does."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.web.kernel import ORIGIN, Calls, call, make_kernel, route

from bulkwright.web.mount import Mount
from bulkwright.web.request import Request
from bulkwright.web.response import Response, json_response

LONG = ((b"content-length", b"9"),)


@pytest.fixture
def calls() -> Calls:
    """What the kernel reports in this test."""
    return Calls()


def hello(_calls: Calls, request: Request) -> Response:
    """Returns the parameters of the path."""
    return json_response(request.params)


async def broken(_calls: Calls, _request: Request) -> Response:
    """Raises an error that is no HttpError."""
    raise RuntimeError("a bug")


def test_a_route_is_served_and_counted(calls: Calls) -> None:
    """HEAD like GET, and under the key of the route."""
    kernel = make_kernel([route(hello, path="/a/{name}")], calls)
    answer = call(kernel, "GET", "/a/b")
    assert (answer.status, json.loads(answer.body)) == (200, {"name": "b"})
    assert answer.headers["cache-control"] == "no-store"
    assert call(kernel, "HEAD", "//a/b").headers["content-length"] == "12"
    assert calls.counted == [(("GET", "/a/{name}"), 200)] * 2


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/none", b"NoRoute"),
        ("GET", "/a/b/", b"NoRoute"),
        ("GET", "/%61/b", b"NoRoute"),
        ("POST", "/a/b", b"WrongMethod"),
        ("GET", "/broken", b"RuntimeError"),
    ],
)
def test_errors_become_responses(calls: Calls, method: str, path: str, name: bytes) -> None:
    """Through the function that the face gives."""
    kernel = make_kernel([route(hello, path="/a/{name}"), route(broken, path="/broken")], calls)
    assert call(kernel, method, path).body == name


def test_an_unread_body_is_read_before_the_response(calls: Calls) -> None:
    """A client that is still sending would see a reset connection instead of the response."""
    kernel = make_kernel([route(broken, "POST")], calls)
    answer = call(kernel, "POST", "/x", LONG, (b"abc", b"def", b"ghi"))
    assert (answer.status, answer.received) == (500, 3)
    waiting = call(kernel, "POST", "/x", (*LONG, (b"expect", b"100-continue")), (b"abc", b"def"))
    assert waiting.received == 0


def test_options_and_origins_are_derived_from_the_routes(calls: Calls) -> None:
    """A registered origin may read, but not what is declared `same_origin`."""
    routes = [route(hello), route(hello, "PUT"), route(hello, path="/own", same_origin=True)]
    kernel = make_kernel(routes, calls)
    origin = ((b"origin", ORIGIN.encode()),)
    preflight = call(kernel, "OPTIONS", "/x", origin)
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-methods"] == "GET, PUT"
    assert call(kernel, "GET", "/x", origin).headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-origin" not in call(kernel, "GET", "/own", origin).headers
    assert call(kernel, "OPTIONS", "/none").status == 400


def test_a_response_is_kept_until_data_changes(calls: Calls) -> None:
    """Only of a route that is declared `cached`, for one token and one host."""
    made = []

    def counting(_calls: Calls, _request: Request) -> Response:
        made.append(1)
        return json_response(len(made))

    stamps = [0]
    routes = [route(counting, path="/kept/{id}", cached=True), route(counting, path="/new")]
    kernel = make_kernel(routes, calls, stamp=lambda: stamps[0])
    host = (b"host", b"a.example")
    one, other = (host, (b"authorization", b"1")), (host, (b"authorization", b"2"))
    assert [call(kernel, "GET", "/kept/a", one).body for _ in range(2)] == [b"1", b"1"]
    assert call(kernel, "GET", "/kept/a", other).body == b"2"
    assert call(kernel, "GET", "/kept/b", one).body == b"3"
    assert call(kernel, "GET", "/kept/a").body == b"4"
    stamps[0] += 1
    assert call(kernel, "GET", "/kept/a", one).body == b"5"
    assert [call(kernel, "GET", "/new", one).body for _ in range(2)] == [b"6", b"7"]
    assert set(calls.counted) == {(("GET", "/kept/{id}"), 200), (("GET", "/new"), 200)}


def test_no_check_of_the_head_is_skipped_because_of_a_kept_response(calls: Calls) -> None:
    """The response was made for one token and one host, so a request must have just these."""
    kernel = make_kernel([route(hello, path="/kept/{id}", cached=True)], calls)
    kernel._options = kernel._options._replace(serves_host=lambda name: name == "a.example")
    host, token = (b"host", b"a.example"), (b"authorization", b"1")
    assert [call(kernel, "GET", "/kept/a", (host, token)).status for _ in range(2)] == [200, 200]
    for wrong in [
        ((b"host", b"b.example"), token),
        ((b"host", b""), token),
        (host, host, token),
        (host, (b"host", b"b.example"), token),
        (host, token, (b"transfer-encoding", b"gzip")),
    ]:
        assert call(kernel, "GET", "/kept/a", wrong).status == 400, wrong
    # This one is made anew, because several tokens may not be taken for one.
    assert call(kernel, "GET", "/kept/a", (host, (b"authorization", b""), token)).status == 200
    assert len(kernel._cache._responses) == 1


def test_a_draining_kernel_closes_connections(calls: Calls) -> None:
    """The next request of the client reaches another process."""
    kernel = make_kernel([route(hello)], calls)
    kernel.draining = True
    assert call(kernel, "GET", "/x").headers["connection"] == "close"
    assert call(kernel, "GET", "/none").headers["connection"] == "close"


# Mounted apps

MODULE = "a_mounted_app"


@pytest.fixture
def app_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module with an ASGI app, which nothing has imported yet."""
    (tmp_path / f"{MODULE}.py").write_text(
        "from tests.web.test_kernel import mounted_app\ndef create_app():\n    return mounted_app\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    return f"{MODULE}:create_app"


async def mounted_app(scope: Any, receive: Any, send: Any) -> None:
    """Responds with its path; raises errors at two paths."""
    if scope["path"].endswith("/broken"):
        raise RuntimeError("a bug")
    headers = [(b"content-type", b"text/plain"), (b"Cache-Control", b"max-age=60")]
    await send({"type": "http.response.start", "status": 203, "headers": headers})
    await send({"type": "http.response.body", "body": scope["path"].encode()})
    if scope["path"].endswith("/late"):
        raise RuntimeError("a bug after the response has begun")


def test_an_app_is_imported_on_the_first_request_to_it(calls: Calls, app_module: str) -> None:
    """It gets every path below its prefix as the client spelled it."""
    kernel = make_kernel([route(hello)], calls, [Mount("/own", app_module)])
    assert call(kernel, "GET", "/x").status == 200
    assert call(kernel, "GET", "/ownx").body == b"NoRoute"
    assert call(kernel, "OPTIONS", "/own").status == 204
    assert MODULE not in sys.modules
    for path, seen in (("/own", "/own"), ("//own/a", "/own/a"), ("/own/%61/../b", "/own/%61/../b")):
        answer = call(kernel, "GET", path)
        assert (answer.status, answer.body.decode()) == (203, seen)
    assert MODULE in sys.modules


def test_only_resources_of_a_mounted_app_are_known_by_name(calls: Calls, app_module: str) -> None:
    """OPTIONS finds them, and metrics count them; other paths and methods have no name."""
    mount = Mount("/own", app_module, paths=("/own/a",))
    kernel = make_kernel([route(hello)], calls, [mount])
    assert call(kernel, "OPTIONS", "/own/a").status == 204
    assert call(kernel, "OPTIONS", "/own/b").status == 203  # the app itself responds
    assert mount.key("HEAD", "/own/a") == mount.key("GET", "/own/a") == ("GET", "/own/a")
    assert mount.key("GET", "/own/b") == mount.key("POST", "/own") == ("", "")


def test_a_mounted_app_gets_the_headers_of_every_response(calls: Calls, app_module: str) -> None:
    """Its own ones are kept."""
    kernel = make_kernel([route(hello)], calls, [Mount("/own", app_module)])
    kernel.draining = True
    headers = call(kernel, "GET", "/own", ((b"origin", ORIGIN.encode()),)).headers
    assert headers == {
        "server": "bulkwright",
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
        "referrer-policy": "no-referrer",
        "content-type": "text/plain",
        "Cache-Control": "max-age=60",
        "vary": "Origin",
        "access-control-allow-origin": ORIGIN,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "Content-Disposition",
        "connection": "close",
    }


def test_an_error_of_a_mounted_app_is_a_response(calls: Calls, app_module: str) -> None:
    """And an error after the response has begun is logged at least."""
    kernel = make_kernel([route(hello)], calls, [Mount("/own", app_module)])
    assert call(kernel, "GET", "/own/broken").body == b"RuntimeError"
    assert call(kernel, "GET", "/own/late").status == 203
    assert len(calls.errors) == 2


def test_a_mounted_app_reads_its_body_or_the_kernel_does(calls: Calls, app_module: str) -> None:
    """The client has sent all of it before the response begins."""
    kernel = make_kernel([route(hello)], calls, [Mount("/own", app_module)])
    assert call(kernel, "POST", "/own", LONG, (b"abc", b"def", b"ghi")).received == 3


def test_requests_to_mounted_apps_are_counted_by_resource(calls: Calls, app_module: str) -> None:
    """A client cannot make new keys: neither by its paths nor by its methods."""
    kernel = make_kernel([route(hello)], calls, [Mount("/own", app_module)])
    for method, path in (("GET", "/own/a"), ("HEAD", "/own"), ("POST", "/own"), ("BREW", "/own")):
        call(kernel, method, path)
    keys = [("", ""), ("GET", "/own"), ("", ""), ("", "")]
    assert calls.counted == [(key, 203) for key in keys]


def test_an_app_that_cannot_be_imported_is_an_error(calls: Calls) -> None:
    """The other routes are served all the same."""
    kernel = make_kernel([route(hello)], calls, [Mount("/own", "no_such_module_here:app")])
    assert call(kernel, "GET", "/own").body == b"ModuleNotFoundError"
    assert call(kernel, "GET", "/x").status == 200
