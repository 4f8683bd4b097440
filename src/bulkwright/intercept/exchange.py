"""A recorded call: what a program sent and what it got. It is read from and written to HAR 1.2."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bulkwright import __version__

_NOTHING = -1
"""What HAR has for a size that is not known."""
_OF_BODIES = ("content-type", "transfer-encoding")
"""Headers of requests with a body, if their length is not known."""
Pairs = list[tuple[str, str]]


class NoHar(Exception):
    """A document is not a HAR; the message says where."""


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call. A body is None if it was not kept."""

    started: str
    """ISO 8601."""
    milliseconds: float
    method: str
    url: str
    headers: Pairs
    body: bytes | None
    status: int
    answer_headers: Pairs
    answer: bytes | None

    @property
    def host(self) -> str:
        """The host that was called."""
        return urlsplit(self.url).hostname or ""

    @property
    def target(self) -> str:
        """Path and query."""
        parts = urlsplit(self.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    @property
    def path(self) -> str:
        """The path."""
        return urlsplit(self.url).path


def as_har(calls: Iterable[RecordedCall]) -> dict[str, object]:
    """Returns the document of these calls."""
    creator = {"name": "Bulkwright", "version": __version__}
    return {"log": {"version": "1.2", "creator": creator, "entries": list(map(_entry, calls))}}


def from_har(document: object) -> list[RecordedCall]:
    """Returns the calls of a document of any tool, in the order of their start. Raises NoHar."""
    try:
        entries = document["log"]["entries"]  # type: ignore[index]
        calls = [_call(entry) for entry in entries]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NoHar(f"{type(error).__name__}: {error}") from None
    return sorted(calls, key=lambda call: call.started)


def _entry(call: RecordedCall) -> dict[str, object]:
    request: dict[str, object] = {
        "method": call.method,
        "url": call.url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _named(call.headers),
        "queryString": _named(parse_qsl(urlsplit(call.url).query, keep_blank_values=True)),
        "headersSize": _NOTHING,
        "bodySize": _NOTHING if call.body is None else len(call.body),
    }
    if call.body:
        request["postData"] = {"mimeType": _kind(call.headers), **_text(call.body)}
    size = _NOTHING if call.answer is None else len(call.answer)
    content: dict[str, object] = {"size": size, "mimeType": _kind(call.answer_headers)}
    response: dict[str, object] = {
        "status": call.status,
        "statusText": _phrase(call.status),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _named(call.answer_headers),
        "content": content | (_text(call.answer) if call.answer else {}),
        "redirectURL": "",
        "headersSize": _NOTHING,
        "bodySize": size,
    }
    return {
        "startedDateTime": call.started,
        "time": call.milliseconds,
        "request": request,
        "response": response,
        "cache": {},
        "timings": {"send": 0, "wait": call.milliseconds, "receive": 0},
    }


def _call(entry: Mapping[str, Any]) -> RecordedCall:
    request, response = entry["request"], entry["response"]
    has_body = "postData" in request or not _announces_body(request)
    content = response["content"]
    has_answer = "text" in content or content.get("size", 0) == 0
    return RecordedCall(
        started=str(entry["startedDateTime"]),
        milliseconds=float(entry.get("time", 0)),
        method=_sound(str(request["method"])),
        url=_sound(str(request["url"])),
        headers=[(pair["name"], pair["value"]) for pair in request["headers"]],
        body=_bytes(request.get("postData", {})) if has_body else None,
        status=int(response["status"]),
        answer_headers=[(pair["name"], pair["value"]) for pair in response["headers"]],
        answer=_bytes(content) if has_answer else None,
    )


def _announces_body(request: Mapping[str, Any]) -> bool:
    """Returns whether a request had a body. Some tools write -1, not known, for each size."""
    size = int(request.get("bodySize", _NOTHING))
    if size != _NOTHING:
        return size > 0
    headers = {pair["name"].lower(): pair["value"] for pair in request["headers"]}
    if "content-length" in headers:
        return str(headers["content-length"]) != "0"
    return not headers.keys().isdisjoint(_OF_BODIES)


def _sound(text: str) -> str:
    """Returns a method or a URL. Raises ValueError if no request can have it."""
    if not text.isprintable():
        raise ValueError(f"{text!r} is no method and no URL")
    urlsplit(text)
    return text


def _named(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _kind(headers: Pairs) -> str:
    return next((value for name, value in headers if name.lower() == "content-type"), "")


def _text(body: bytes) -> dict[str, str]:
    try:
        return {"text": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(body).decode("ascii"), "encoding": "base64"}


def _bytes(found: Mapping[str, Any]) -> bytes:
    text = str(found.get("text", ""))
    if found.get("encoding") == "base64":
        return base64.b64decode(text, validate=True)
    return text.encode("utf-8")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
