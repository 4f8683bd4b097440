"""The log of requests as HAR 1.2, which browsers and HTTP tools read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import parse_qsl

from bulkwright import __version__
from bulkwright.emulator.exchanges import Exchange

_NOTHING = -1
"""What HAR has for a size or a time that is not known."""


def har(exchanges: Iterable[Exchange], base_url: str) -> dict[str, object]:
    """Returns the document. URLs begin with `base_url`; secrets are replaced."""
    creator = {"name": "Bulkwright", "version": __version__}
    entries = [_entry(one, base_url) for one in exchanges]
    return {"log": {"version": "1.2", "creator": creator, "entries": entries}}


def _entry(one: Exchange, base_url: str) -> dict[str, object]:
    taken = round(one.seconds * 1000, 3)
    begun = one.time - timedelta(seconds=one.seconds)
    return {
        "startedDateTime": begun.isoformat(timespec="milliseconds"),
        "time": taken,
        "request": _request(one, base_url),
        "response": _response(one),
        "cache": {},
        "timings": {"send": 0, "wait": taken, "receive": 0},
    }


def _request(one: Exchange, base_url: str) -> dict[str, object]:
    query = one.shown_query
    found: dict[str, object] = {
        "method": one.method,
        "url": f"{base_url}{one.shown_path}{'?' if query else ''}{query}",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(one.shown_headers),
        "queryString": _pairs(parse_qsl(query, keep_blank_values=True)),
        "headersSize": _NOTHING,
        "bodySize": _NOTHING if one.sent is None else len(one.sent),
    }
    text = one.shown_body(one.sent)
    if text:
        kind = next((v for k, v in one.shown_headers if k == "content-type"), "")
        found["postData"] = {"mimeType": kind, "text": text}
    return found


def _response(one: Exchange) -> dict[str, object]:
    text = one.shown_body(one.answered)
    size = _NOTHING if one.answered is None else len(one.answered)
    content: dict[str, object] = {"size": size, "mimeType": "application/json" if text else ""}
    if text:
        content["text"] = text
    return {
        "status": one.status,
        "statusText": _phrase(one.status),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [],
        "content": content,
        "redirectURL": "",
        "headersSize": _NOTHING,
        "bodySize": size,
    }


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _pairs(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]
