"""Replays recorded calls against an emulator, and says how its answers differ."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx2
import msgspec

from bulkwright.clock import SYSTEM_CLOCK
from bulkwright.intercept.credentials import TOKEN_PATH, DevCredentials
from bulkwright.intercept.exchange import Pairs, RecordedCall
from bulkwright.intercept.shape import differences
from bulkwright.wire.decoding import NO_JSON

_ID = re.compile(r"[0-9]{6,20}")
_IDS = re.compile(r"(?<![0-9])[0-9]{6,20}(?![0-9])")
_JOB = re.compile(r"/crm/bulk/[^/]+/(?:write|read)/[0-9]+")
_ENDED = ("COMPLETED", "FAILED", "FAILURE")
_JOB_SECONDS, _PAUSE_SECONDS = 60.0, 0.05
_SENT_HEADERS = {
    "content-type", "feature", "x-crm-org", "if-modified-since", "if-unmodified-since", "accept",
    "x-external",
}  # fmt: skip
"""Headers of a recorded request that the answer can depend on."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One call, and how the two answers differ."""

    call: RecordedCall
    status: int | None
    """Of the emulator; None if the call was not replayed."""
    differences: tuple[str, ...]
    skipped: str = ""
    """Why it was not replayed."""


@dataclass(slots=True)
class Replay:
    """The replay of one recording."""

    http: httpx2.Client
    credentials: DevCredentials
    _ids: dict[str, str] = field(default_factory=dict)
    """The emulator's ids by those of the recording."""

    def run(self, calls: list[RecordedCall]) -> Iterator[Comparison]:
        """Replays the calls in their order; yields each with its differences."""
        for call in calls:
            if call.body is None:
                yield Comparison(
                    call, None, (), "its file was not recorded; see record --with-files"
                )
                continue
            yield self._compared(call)

    def _compared(self, call: RecordedCall) -> Comparison:
        response = self._sent(call)
        recorded, found = _json(call.answer), _json(response.content)
        if _JOB.fullmatch(call.path) and _state(recorded) in _ENDED:
            deadline = SYSTEM_CLOCK.monotonic() + _JOB_SECONDS
            while _state(found) not in _ENDED and SYSTEM_CLOCK.monotonic() < deadline:
                time.sleep(_PAUSE_SECONDS)
                response = self._sent(call)
                found = _json(response.content)
        lines = []
        if response.status_code != call.status:
            lines.append(f"status {response.status_code} instead of {call.status}")
        # A job that had not ended when it was recorded may have ended here.
        is_running = _JOB.fullmatch(call.path) and _state(recorded) not in _ENDED
        if recorded is not None and found is not None and not is_running:
            lines += differences(recorded, found)
        elif (recorded is None) != (found is None) and call.answer is not None:
            lines.append(f"the answer is {'no ' * (found is None)}JSON")
        self._learn(recorded, found)
        return Comparison(call, response.status_code, tuple(lines))

    def _sent(self, call: RecordedCall) -> httpx2.Response:
        if call.path.rstrip("/") == TOKEN_PATH and _was_granted(call):
            # Its credentials are masked.
            form = self.credentials.grant_form({"grant_type": "refresh_token"})
            return self.http.post(TOKEN_PATH, data=form)
        body = call.body or b""
        if body and _json(body) is not None:
            body = self._known(body.decode("utf-8")).encode("utf-8")
        headers = self._headers(call.headers)
        # Some SDKs put two slashes before the link to a result (client contract 1.1).
        target = "/" + self._known(call.target).lstrip("/")
        return self.http.request(call.method, target, headers=headers, content=body)

    def _headers(self, recorded: Pairs) -> dict[str, str]:
        headers = {n: v for n, v in recorded if n.lower() in _SENT_HEADERS}
        for name, value in recorded:
            if name.lower() == "authorization":
                headers[name] = f"Zoho-oauthtoken {self.credentials.access_token}"
            elif name.lower() == "x-crm-org" and value:
                headers[name] = self.credentials.org_id
        return headers

    def _known(self, text: str) -> str:
        """Returns a text with the emulator's ids."""
        return _IDS.sub(lambda found: self._ids.get(found[0], found[0]), text)

    def _learn(self, recorded: object, found: object) -> None:
        """Learns which id of the emulator stands for which one of the recording."""
        if isinstance(recorded, dict) and isinstance(found, dict):
            for key in recorded.keys() & found.keys():
                self._learn(recorded[key], found[key])
        elif isinstance(recorded, list) and isinstance(found, list):
            for one, other in zip(recorded, found, strict=False):
                self._learn(one, other)
        elif isinstance(recorded, str) and isinstance(found, str):
            if _ID.fullmatch(recorded) and _ID.fullmatch(found):
                self._ids[recorded] = found
            elif recorded.count("/") == found.count("/") > 1:
                # The link to a result has the ids of org and job in it.
                old, new = _IDS.findall(recorded), _IDS.findall(found)
                self._ids |= dict(zip(old, new, strict=False))


def _was_granted(call: RecordedCall) -> bool:
    answer = _json(call.answer)
    return isinstance(answer, dict) and "access_token" in answer


def _json(body: bytes | None) -> object:
    try:
        return msgspec.json.decode(body or b"")
    except NO_JSON:
        return None


def _state(document: object) -> object:
    """Returns the state of a job in its details."""
    if isinstance(document, dict) and isinstance(document.get("data"), list) and document["data"]:
        document = document["data"][0]
    return document.get("status", document.get("state")) if isinstance(document, dict) else None
