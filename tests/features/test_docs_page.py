"""The API's description: complete, true to the golden samples, kept in the repository."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
from tests.conftest import Deployment

from bulkwright.api import problems
from bulkwright.api.auth import Open
from bulkwright.api.describe import description
from bulkwright.api.operations import OPERATIONS
from bulkwright.wire.versions import VERSIONS

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "wire" / "golden"
Json = dict[str, Any]


def described(server: Deployment) -> Json:
    """The document as it is served."""
    answer = server.http.get("/docs/openapi.json")
    assert answer.status_code == 200
    found: Json = answer.json()
    return found


def operations(document: Json) -> dict[tuple[str, str], Json]:
    """Every operation by method and path, answers with a name put in their places."""
    named = document["components"]["responses"]
    return {
        (method.upper(), path): told
        | {
            "responses": {
                status: named[answer["$ref"].rsplit("/", 1)[1]] if "$ref" in answer else answer
                for status, answer in told["responses"].items()
            }
        }
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    }


def test_the_kept_document_is_the_served_one(server: Deployment) -> None:
    """Made anew by `python -m bulkwright.api.describe > docs/openapi.json`."""
    kept = (ROOT / "docs" / "openapi.json").read_text("utf-8")
    assert server.http.get("/docs/openapi.json").text == kept
    assert description() == kept


def test_every_route_is_described_and_nothing_else(server: Deployment) -> None:
    """A new route has to be told of in api/operations.py."""
    routes = {(r.method, r.path): r for r in server.app.router.routes}
    assert set(routes) == set(OPERATIONS)
    found = operations(described(server))
    assert set(found) == set(routes)
    for key, told in found.items():
        named = [p["name"] for p in told.get("parameters", []) if p["in"] == "path"]
        assert named == re.findall(r"\{(\w+)\}", key[1])
        assert bool(told["security"]) == (routes[key].needed is not Open.PUBLIC)
        assert {"400", "500"} <= set(told["responses"])
        if told["security"]:
            assert "401" in told["responses"]
    names = [told["operationId"] for told in found.values()]
    assert len(set(names)) == len(names)


def test_versions_and_references_are_sound(server: Deployment) -> None:
    """All versions are named, and every `$ref` leads somewhere."""
    document = described(server)
    (version,) = {
        json.dumps(p["schema"]["enum"])
        for told in operations(document).values()
        for p in told.get("parameters", [])
        if p["name"] == "version"
    }
    assert json.loads(version) == list(VERSIONS)
    for ref in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))):
        place = document
        for step in ref.split("/"):
            place = place[step]


def test_every_error_has_an_example_with_its_status(server: Deployment) -> None:
    """The table of statuses is the only one: examples are made of it."""
    by_name = {e.__name__: e for e in problems.STATUS}
    seen = set()
    for told in operations(described(server)).values():
        for status, answer in told["responses"].items():
            for media in answer.get("content", {}).values():
                for name in media.get("examples", {}):
                    if name in by_name:
                        assert problems.status_of(by_name[name]) == int(status), name
                        seen.add(name)
    inner = {"BulkwrightError", "RequestError"}
    assert seen - inner == set(by_name) - inner


def test_the_examples_are_the_golden_samples(server: Deployment) -> None:
    """Byte for byte as the founding page shows them."""
    told = operations(described(server))["GET", "/crm/bulk/{version}/write/{job_id}"]
    shown = told["responses"]["200"]["content"]["application/json"]["examples"]
    for name in ("added", "in_progress", "completed"):
        golden = (GOLDEN / f"{name}.json").read_bytes().rstrip()
        assert msgspec.json.encode(shown[name]["value"]) == golden


class _Page(HTMLParser):
    """What a page would load or run, and whether its tags are closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []
        self.ran = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [v or "" for k, v in attrs if k in ("src", "href")]
        self.ran |= tag in ("script", "iframe", "style") or any(
            k.startswith("on") for k, _ in attrs
        )
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_runs_and_loads_nothing_from_elsewhere(server: Deployment) -> None:
    """No script at all, one style sheet of our own, and room for a phone."""
    answer = server.http.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'; style-src 'self'" in answer.headers["content-security-policy"]
    page = _Page(answer.text)
    assert not page.ran
    assert page.open == []
    assert set(page.loads) == {"/docs/page.css", "/docs/openapi.json"}
    assert 'name="viewport" content="width=device-width' in answer.text
    for told in OPERATIONS.values():
        assert f'id="{told.name}"' in answer.text
    style = server.http.get("/docs/page.css")
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert "url(" not in style.text
    assert "@import" not in style.text


def test_the_description_costs_nothing_at_start() -> None:
    """Nothing of it is loaded before somebody asks."""
    code = (
        "import sys, bulkwright.api.app; print([m for m in sys.modules if 'bulkwright.api' in m])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "bulkwright.api.docpages" in run.stdout
    for module in ("openapi", "operations", "samples", "schemas"):
        assert f"bulkwright.api.{module}" not in run.stdout
