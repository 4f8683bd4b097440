"""HTML: the templates, what they share, and the headers of a page.

Jinja2 escapes every value. A page loads nothing from elsewhere and has no inline script or style.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from starlette.responses import Response

from bulkwright.console import PREFIX
from bulkwright.console.session import Visitor
from bulkwright.domain.account import Right
from bulkwright.formats.csv import DELIMITER_NAMES
from bulkwright.wire.own import ProblemDetails

_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
_MEDIA = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml", "txt": "text/plain"}
_FILES = ("style.css", "htmx.min.js", "sse.min.js", "icon.svg", "LICENSE.txt")
_COMPILE_AFTER_SECONDS = 0.5
_SENTENCE_END = re.compile(r"(?<=[.?]) ")
_NAVIGATION = (
    ("jobs", "Jobs", f"{PREFIX}/jobs", Right.READ_JOBS),
    ("import", "New import", f"{PREFIX}/import", Right.CREATE_JOBS),
    ("data", "Data", f"{PREFIX}/modules", Right.READ_METADATA),
    ("org", "Org", f"{PREFIX}/org", Right.READ_METADATA),
    ("access", "API access", f"{PREFIX}/access", Right.MANAGE_ACCESS),
    ("audit", "Audit log", f"{PREFIX}/audit", Right.MANAGE_ACCESS),
)
"""The sections: their key, name, address and the right that they need."""


END_OF_EVENTS = b"event: end\ndata: end\n\n"
"""A page closes its stream of events when it receives this."""


def render(template: str, visitor: Visitor | None, status: int = 200, **values: object) -> Response:
    """Returns a page. `section`, if given, is the key of the section that it belongs to."""
    shared: dict[str, object] = {
        "csrf": "" if visitor is None else visitor.csrf,
        "signed_in": None if visitor is None else visitor.signed_in,
        "navigation": _navigation(visitor),
        "section": "",
        "emulated": False,
        "zone": _zone(visitor),
    }
    html = _templates().get_template(template).render(shared | values)
    return Response(html, status, _HEADERS, "text/html")


def compile_templates() -> None:
    """Compiles all templates, so that no visitor waits for it.

    That of the columns takes 0.1 s of CPU, ten times as long as the rest of its page.
    """
    made = _templates()
    for name in made.list_templates():
        made.get_template(name)


def compile_templates_soon() -> None:
    """Compiles all templates on a thread, as soon as the first page is probably shown."""
    timer = threading.Timer(_COMPILE_AFTER_SECONDS, compile_templates)
    timer.daemon = True
    timer.start()


def fragment(template: str, **values: object) -> bytes:
    """Returns a piece of a page; it has no form."""
    return _templates().get_template(template).render(values).encode()


def error_page(
    problem: ProblemDetails, visitor: Visitor | None, *, emulated: bool = False
) -> Response:
    """Returns the page of an error: what is wrong, what to do, and the code."""
    values = {"problem": problem, "said": _said(problem), "emulated": emulated}
    return render("error.html", visitor, problem.status, **values)


def static_file(name: str) -> Response | None:
    """Returns a file that pages load; None if there is none of this name."""
    if name not in _FILES:
        return None
    headers = {"cache-control": "public, max-age=31536000, immutable"}
    media = _MEDIA[name.rpartition(".")[2]]
    return Response(_content(name), 200, headers, media_type=media)


def plain(problem: ProblemDetails) -> str:
    """Returns an error as one text, as a page shows it beside a form."""
    place = problem.details.get("json_path")
    return f"{_said(problem)} ({problem.code}{f', {place}' if place else ''})"


def _said(problem: ProblemDetails) -> str:
    """Returns what an error says, without the sentences for programs, which name an endpoint."""
    sentences = _SENTENCE_END.split(problem.detail)
    return " ".join(one for one in sentences if "/api/v1" not in one)


def _zone(visitor: Visitor | None) -> ZoneInfo:
    signed_in = None if visitor is None else visitor.signed_in
    return ZoneInfo("UTC" if signed_in is None else signed_in.user.time_zone)


def _navigation(visitor: Visitor | None) -> list[tuple[str, str, str]]:
    if visitor is None or visitor.signed_in is None:
        return []
    return [(key, name, url) for key, name, url, right in _NAVIGATION if visitor.may(right)]


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= _FILTERS
    made.globals |= {"prefix": PREFIX, "file_url": _file_url}
    return made


@cache
def _content(name: str) -> bytes:
    return (files(__package__) / "static" / name).read_bytes()


@cache
def _file_url(name: str) -> str:
    """Returns the address of a file, which changes with its content."""
    return f"{PREFIX}/static/{name}?v={hashlib.sha256(_content(name)).hexdigest()[:12]}"


def _number(value: float) -> str:
    return f"{value:,.0f}"


@pass_context
def _moment(context: Context, text: str | datetime) -> str:
    """Returns a time in the time zone of the reader, to the second: `2026-11-28 09:00:05`."""
    moment = datetime.fromisoformat(text) if isinstance(text, str) else text
    return f"{moment.astimezone(context['zone']):%Y-%m-%d %H:%M:%S}"


def _iso(moment: str | datetime) -> str:
    return moment if isinstance(moment, str) else moment.isoformat(timespec="seconds")


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """Returns a length of time for a person: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    return _whole_seconds(seconds)


def _whole_seconds(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _took(seconds: float) -> str:
    """Returns the length of a job. Its times are known to the second."""
    return "under 1 s" if seconds < 1 else _whole_seconds(seconds)


def _bytes(count: int) -> str:
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1000
    raise AssertionError


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


_FILTERS: Mapping[str, Any] = {
    "number": _number,
    "moment": _moment,
    "iso": _iso,
    "plural": _plural,
    "took": _took,
    "bytes": _bytes,
    "pretty": _pretty,
    "delimiter": lambda sign: DELIMITER_NAMES.get(sign, sign),
}
