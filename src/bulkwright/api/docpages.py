"""`/docs`: the API's description as a page and as OpenAPI, made on the first request."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from bulkwright.api.auth import Open
from bulkwright.api.http import Answer, Request
from bulkwright.api.paths import Route

Json = dict[str, Any]

_HTML = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", b"default-src 'none'; style-src 'self'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
_CSS = ((b"content-type", b"text/css; charset=utf-8"),)
_JSON = ((b"content-type", b"application/json"),)


def doc_routes(every: Callable[[], Sequence[Route]]) -> list[Route]:
    """The routes of the description; `every` gives what there is to describe, later."""

    @cache
    def described() -> str:
        # Not at start: the service is ready sooner without it.
        from bulkwright.api import openapi

        return openapi.text(every())

    @cache
    def drawn() -> bytes:
        return _page(json.loads(described())).encode()

    async def page(request: Request) -> Answer:
        return Answer(200, await request.run(drawn), _HTML)

    async def document(request: Request) -> Answer:
        return Answer(200, (await request.run(described)).encode(), _JSON)

    return [
        Route("GET", "/docs", Open.PUBLIC, page),
        Route("GET", "/docs/openapi.json", Open.PUBLIC, document),
        Route("GET", "/docs/page.css", Open.PUBLIC, _style),
    ]


def _style(_request: Request) -> Answer:
    return Answer(200, (files("bulkwright") / "data" / "docs.css").read_bytes(), _CSS)


def _page(document: Json) -> str:
    """The description as HTML: everything in it is text of ours, escaped all the same."""
    listed: dict[str, list[str]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            listed[operation["tags"][0]].append(_operation(method, path, operation, document))
    title = escape(document["info"]["title"])
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<title>{title} API</title><link rel="stylesheet" href="/docs/page.css"></head><body>',
        f"<header><h1>{title} API</h1><p>{escape(document['info']['description'])}</p>",
        '<p>The same for programs: <a href="/docs/openapi.json">OpenAPI 3.1</a>.</p></header>',
        "<main>",
    ]
    for name, operations in listed.items():
        if operations:
            parts += [f"<section><h2>{escape(name)}</h2>", *operations, "</section>"]
    return "\n".join([*parts, "</main></body></html>", ""])


def _words(text: str) -> str:
    """Escaped text, with `code` as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def _operation(method: str, path: str, told: Json, document: Json) -> str:
    scopes = [s for one in told["security"] for s in one["oauthtoken"]]
    needs = " or ".join(f"<code>{escape(s)}</code>" for s in scopes)
    return "\n".join(
        [
            f'<details id="{escape(told["operationId"])}"><summary>'
            f"<b>{method.upper()}</b> <code>{escape(path)}</code>"
            f"<span>{escape(told['summary'])}</span></summary>",
            f"<p>{_words(told.get('description', ''))}</p>",
            f"<p>Scope: {needs}.</p>" if needs else "<p>No token is needed.</p>",
            *_parameters(told.get("parameters", [])),
            *_body(told.get("requestBody")),
            *_answers(told["responses"], document),
            "</details>",
        ]
    )


def _parameters(parameters: Sequence[Json]) -> Iterable[str]:
    if not parameters:
        return
    yield "<h3>Parameters</h3><dl>"
    for one in parameters:
        schema = one["schema"]
        kind = ", ".join(schema["enum"]) if "enum" in schema else schema["type"]
        needed = "" if one["required"] else ", optional"
        yield (
            f"<dt><code>{escape(one['name'])}</code> <small>{escape(one['in'])}, "
            f"{escape(kind)}{needed}</small></dt><dd>{_words(one['description'])}</dd>"
        )
    yield "</dl>"


def _body(body: Json | None) -> Iterable[str]:
    if body is None:
        return
    kinds = ", ".join(f"<code>{escape(k)}</code>" for k in body["content"])
    yield f"<h3>Body</h3><p>{kinds}. {escape(body.get('description', ''))}</p>"
    for content in body["content"].values():
        yield from _examples(content.get("examples", {}))


def _answers(answers: Json, document: Json) -> Iterable[str]:
    yield "<h3>Answers</h3>"
    for status, answer in answers.items():
        if "$ref" in answer:
            answer = document["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
        kinds = ", ".join(f"<code>{escape(k)}</code>" for k in answer.get("content", {}))
        yield f"<h4>{status}</h4><p>{_words(answer['description'])} {kinds}</p>"
        for content in answer.get("content", {}).values():
            yield from _examples(content.get("examples", {}))


def _examples(examples: Json) -> Iterable[str]:
    for name, one in examples.items():
        about = f"{name}: {one['summary']}" if "summary" in one else name
        shown = json.dumps(one["value"], indent=1, ensure_ascii=False)
        yield (
            f"<details><summary>{escape(about)}</summary>"
            f'<pre tabindex="0">{escape(shown)}</pre></details>'
        )
