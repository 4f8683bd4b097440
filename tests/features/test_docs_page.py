"""The OpenAPI document and its page: complete, equal to the golden samples and to the kept file."""

from __future__ import annotations

import ast
import asyncio
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from tests.support.deployment import Deployment

from bulkwright.asgi import DOCS, create_app
from bulkwright.description.endpoints import DOCS_PAGE, DOCUMENT, ENDPOINTS, STYLE_SHEET
from bulkwright.description.openapi import document_text
from bulkwright.domain import errors
from bulkwright.zoho import problems
from bulkwright.zoho.auth import PUBLIC, Open
from bulkwright.zoho.versions import VERSIONS

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "wire" / "golden"
Json = dict[str, Any]


def served_document(server: Deployment) -> Json:
    """The document as the server returns it."""
    response = server.http.get(DOCUMENT.path)
    assert response.status_code == 200
    found: Json = response.json()
    return found


def operations(document: Json) -> dict[tuple[str, str], Json]:
    """Every operation by method and path, with its responses instead of references to them."""
    shared = document["components"]["responses"]
    return {
        (method.upper(), path): operation
        | {
            "responses": {
                status: shared[one["$ref"].rsplit("/", 1)[1]] if "$ref" in one else one
                for status, one in operation["responses"].items()
            }
        }
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_the_kept_document_is_the_served_one(any_server: Deployment) -> None:
    """`python -m bulkwright.description > docs/openapi.json` updates the kept document."""
    kept = (ROOT / "docs" / "openapi.json").read_text("utf-8")
    assert any_server.http.get(DOCUMENT.path).text == kept
    command = [sys.executable, "-m", "bulkwright.description"]
    printed = subprocess.run(command, capture_output=True, check=True).stdout
    assert printed.decode("utf-8") == kept


def test_every_route_is_described_and_nothing_else(any_server: Deployment) -> None:
    """The document has the routes of the kernel and the endpoints of the docs page."""
    routes = {
        (route.method, route.path): route.access
        for route in any_server.app.router.routes
        if getattr(route.access, "scopes", None) is not Open.ANY_SCOPE  # what is not served
    }
    docs = {(one.method, one.path): None for one in (DOCS_PAGE, DOCUMENT, STYLE_SHEET)}
    found = operations(served_document(any_server))
    assert set(found) == set(routes | docs)
    for key, operation in found.items():
        named = [p["name"] for p in operation.get("parameters", []) if p["in"] == "path"]
        assert named == re.findall(r"\{(\w+)\}", key[1])
        assert bool(operation["security"]) == ((routes | docs)[key] not in (None, PUBLIC))
        assert {"400", "500"} <= set(operation["responses"])
        if operation["security"]:
            assert "401" in operation["responses"]
    names = [operation["operationId"] for operation in found.values()]
    assert len(set(names)) == len(names)


def test_versions_and_references_are_sound(any_server: Deployment) -> None:
    """The document names all versions, and every `$ref` points to a part of it."""
    document = served_document(any_server)
    (version,) = {
        json.dumps(p["schema"]["enum"])
        for operation in operations(document).values()
        for p in operation.get("parameters", [])
        if p["name"] == "version"
    }
    assert json.loads(version) == list(VERSIONS)
    for ref in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))):
        part = document
        for step in ref.split("/"):
            part = part[step]


def test_every_error_has_an_example_with_its_status(any_server: Deployment) -> None:
    """The examples are derived from the only table of statuses."""
    by_name = {error.__name__: error for error in problems.STATUS}
    seen = set()
    for operation in operations(served_document(any_server)).values():
        for status, response in operation["responses"].items():
            for media in response.get("content", {}).values():
                for name in media.get("examples", {}):
                    if name in by_name:
                        assert problems.status_of(by_name[name]) == int(status), name
                        seen.add(name)
    inner = {"BulkwrightError", "RequestError"}
    assert seen - inner == set(by_name) - inner


def test_the_examples_are_the_golden_samples(any_server: Deployment) -> None:
    """They equal the founding page's samples byte for byte."""
    found = operations(served_document(any_server))["GET", "/crm/bulk/{version}/write/{job_id}"]
    examples = found["responses"]["200"]["content"]["application/json"]["examples"]
    for name in ("added", "in_progress", "completed"):
        golden = (GOLDEN / f"{name}.json").read_bytes().rstrip()
        assert msgspec.json.encode(examples[name]["value"]) == golden


class _Page(HTMLParser):
    """The URLs that a page loads, whether it runs scripts, and whether its tags are closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.open: list[str] = []
        self.runs_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.urls += [value or "" for name, value in attrs if name in ("src", "href")]
        self.runs_script |= tag in ("script", "iframe", "style") or any(
            name.startswith("on") for name, _ in attrs
        )
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_runs_no_script_and_loads_nothing_from_elsewhere(any_server: Deployment) -> None:
    """It has one style sheet of this server, and fits on a phone."""
    response = any_server.http.get(DOCS_PAGE.path)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'; style-src 'self'" in response.headers["content-security-policy"]
    page = _Page(response.text)
    assert not page.runs_script
    assert page.open == []
    assert set(page.urls) == {STYLE_SHEET.path, DOCUMENT.path}
    assert 'name="viewport" content="width=device-width' in response.text
    for endpoint in ENDPOINTS:
        assert f'id="{endpoint.name}"' in response.text
    style = any_server.http.get(STYLE_SHEET.path)
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert "url(" not in style.text
    assert "@import" not in style.text


def test_the_page_escapes_the_document() -> None:
    """Only text between backticks gets a tag."""
    from bulkwright.description.pages import render_page

    document = json.loads(document_text(ENDPOINTS))
    document["info"]["title"] = "<script>alert(1)</script>"
    operation = document["paths"]["/docs"]["get"]
    operation["summary"] = operation["operationId"] = '"><img src=x onerror=alert(1)>'
    operation["description"] = "`<b>` and <i>"
    page = render_page(json.dumps(document))
    assert not _Page(page).runs_script
    assert "<img" not in page
    assert "<p><code>&lt;b&gt;</code> and &lt;i&gt;</p>" in page


@pytest.mark.parametrize("path", [one.path for one in (DOCS_PAGE, DOCUMENT, STYLE_SHEET)])
def test_responses_have_the_headers_of_every_other_response(
    any_server: Deployment, path: str
) -> None:
    """The pages are an app of their own below the kernel."""
    expected = {"server", "cache-control", "x-content-type-options", "content-length"}
    for answer in (any_server.http.get(path), any_server.http.delete(path)):
        assert expected <= set(answer.headers)
    assert answer.headers["content-type"] == any_server.get("/nothing").headers["content-type"]
    assert answer.json()["code"] == "INVALID_REQUEST_METHOD"


def test_an_error_of_the_page_is_a_500_with_the_id_in_the_log(
    any_server: Deployment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is reported like an error of any other endpoint, and logged once."""

    def fail() -> str:
        raise RuntimeError("no page")

    monkeypatch.setattr("bulkwright.description.pages._rendered_page", fail)

    async def get() -> httpx2.Response:
        app = create_app(any_server.services, any_server.settings, any_server.base_url)
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(DOCS_PAGE.path)

    response = asyncio.run(get())
    assert (response.status_code, response.json()["code"]) == (500, "INTERNAL_ERROR")
    number = response.json()["details"]["correlation_id"]
    assert [r.message for r in caplog.records if number in r.message] == [
        f"internal error {number}"
    ]


def test_the_mount_names_every_resource_of_the_pages() -> None:
    """`asgi.py` names their paths: it imports the pages only on the first request to them."""
    paths = {e.path for e in (DOCS_PAGE, DOCUMENT, STYLE_SHEET)}
    assert {path for path in paths if DOCS.has_resource(path)} == paths


def test_the_start_does_not_import_the_pages() -> None:
    """Starlette and Jinja2 are imported on the first request to a page.

    Granian itself imports anyio, whose modules are then imported one by one when they are used.
    """
    code = "import sys, bulkwright.asgi, bulkwright.runtime.serve; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(run.stdout.split())
    assert "bulkwright.zoho.routes" in imported
    late = ("starlette", "jinja2", "anyio.abc", "anyio.to_thread", "bulkwright.description")
    assert imported.isdisjoint(late)


INTERNAL = re.compile(r"\bfacts \d|client contract|founding page|\bsection \d|\w\.py\b")
"""References that a reader of the page cannot follow."""


def texts(value: object) -> list[str]:
    """Every summary and description in the document."""
    if isinstance(value, list):
        return [text for one in value for text in texts(one)]
    if isinstance(value, dict):
        own = [value[k] for k in ("summary", "description") if isinstance(value.get(k), str)]
        return own + [text for one in value.values() for text in texts(one)]
    return []


def test_the_page_refers_to_nothing_that_its_reader_lacks(any_server: Deployment) -> None:
    """Docstrings name sources for developers; the document has the sentences without them."""
    document = served_document(any_server)
    assert [text for text in texts(document) if INTERNAL.search(text)] == []
    assert [text for text in texts(document) if re.search(r"  |\(\)", text)] == []
    about = document["info"]["description"]
    assert [text for text in texts(document) if "docs/wire.md" in text] == [about]
    page = any_server.http.get(DOCS_PAGE.path).text
    assert INTERNAL.search(re.sub(r"<[^>]*>", "", page)) is None


def test_no_message_refers_to_sources() -> None:
    """Neither errors nor the help of commands: their texts are for users."""
    for kind in {c for m in (errors, problems) for c in vars(m).values() if isinstance(c, type)}:
        assert INTERNAL.search(str(getattr(kind, "default_message", ""))) is None
    for module in sorted((ROOT / "src" / "bulkwright" / "cli").glob("*.py")):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert re.search(r"\bfacts \d|client contract|founding page", node.value) is None
