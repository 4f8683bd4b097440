"""Stands before the service and gives calls the faults of the rules."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import msgspec

from bulkwright.emulator.connections import cut
from bulkwright.emulator.fault_rules import FaultEffect, FaultRule, FaultRules
from bulkwright.emulator.gate import CONSOLE, is_below
from bulkwright.emulator.messages import HeldResponse, held
from bulkwright.emulator.steps import JobSteps
from bulkwright.web.app import CHOSEN_RESPONSE
from bulkwright.web.request import ASGIApp, Receive, Scope, Send
from bulkwright.web.response import Response, json_response

_TOKENS = "/oauth/"
"""A client that gets a new token may send the old one along."""
_PIECES = 10
"""How many pieces a slow body has."""
_NONE_LEFT = (b"x-api-credits-remaining", b"0")


def _problem(status: int, code: str, message: str, *headers: tuple[bytes, bytes]) -> Response:
    body = {"code": code, "details": {}, "message": message, "status": "error"}
    made = json_response(body, status)
    return made._replace(headers=(*made.headers, *headers))


TOO_MANY_REQUESTS = _problem(
    429, "TOO_MANY_REQUESTS", "Many requests fired in concurrent than the allowed limit", _NONE_LEFT
)
"""For calls at the same time and for credits alike: the answer does not say which (facts 6)."""
_INVALID_TOKEN = _problem(401, "INVALID_TOKEN", "invalid oauth token")
_ANSWERS = {
    FaultEffect.TOO_MANY_REQUESTS: TOO_MANY_REQUESTS,
    FaultEffect.EXPIRED_TOKEN: _INVALID_TOKEN,
    FaultEffect.INTERNAL_ERROR: _problem(500, "INTERNAL_ERROR", "Internal Server Error"),
    FaultEffect.UNAVAILABLE: _problem(503, "SERVICE_UNAVAILABLE", "Service Unavailable"),
}


@dataclass(slots=True)
class Faults:
    """The fault rules of an emulator, and what they have done."""

    steps: JobSteps
    org_of: Callable[[bytes], int | None]
    """Returns the org of an Authorization header; called on a thread."""
    abort: Callable[[int, int], None]
    """Ends a job of an org as FAILED; called on a thread."""
    wake: Callable[[], None]
    """Makes workers look for work; called on a thread."""
    callbacks: dict[int, FaultRule]
    """The rules of callbacks, by job."""
    rules: FaultRules = field(default_factory=FaultRules)
    _expired: set[bytes] = field(default_factory=set)
    """Authorization headers whose tokens a rule has ended."""
    _pauses: set[asyncio.Future[None]] = field(default_factory=set)
    """Calls that wait because of a rule."""
    _in_a_hurry: int = 0

    @property
    def has_expired(self) -> bool:
        """Whether a rule has ended a token."""
        return bool(self._expired)

    @contextmanager
    def without_pauses(self) -> Iterator[None]:
        """Lets no call wait because of a rule inside the block; those that wait continue."""
        self._in_a_hurry += 1
        try:
            self._end_pauses()
            yield
        finally:
            self._in_a_hurry -= 1

    def _end_pauses(self) -> None:
        for pause in self._pauses:
            if not pause.done():
                pause.set_result(None)

    async def _pause(self, seconds: float) -> None:
        """Waits, but no longer than until the next `without_pauses`."""
        if self._in_a_hurry:
            return
        pause = asyncio.get_running_loop().create_future()
        self._pauses.add(pause)
        try:
            await asyncio.wait((pause,), timeout=seconds)
        finally:
            self._pauses.discard(pause)

    def clear(self) -> None:
        """Removes all rules. Jobs that are stuck continue, tokens that were ended are valid."""
        self._end_pauses()
        self.rules.clear()
        self._expired.clear()
        self.callbacks.clear()
        self.steps.release_stuck()

    async def __call__(self, scope: Scope, receive: Receive, send: Send, serve: ASGIApp) -> None:
        """Serves a request. The console meets no rule, because rules are removed there."""
        path: str = scope["path"]
        if scope["method"] == "OPTIONS" or path == "/" or is_below(path, CONSOLE):
            await serve(scope, receive, send)
            return
        token = next((v for k, v in scope["headers"] if k == b"authorization"), b"")
        if token in self._expired and not path.startswith(_TOKENS):
            await serve({**scope, CHOSEN_RESPONSE: _INVALID_TOKEN}, receive, send)
            return
        org_id = await asyncio.to_thread(self.org_of, token) if self.rules.need_org else None
        rule = self.rules.firing(scope["method"], path, org_id)
        if rule is None:
            await serve(scope, receive, send)
            return
        if rule.delay:
            await self._pause(rule.delay.total_seconds())
        if rule.effect is FaultEffect.EXPIRED_TOKEN and token:
            self._expired.add(token)
        if rule.effect in _ANSWERS:
            await serve({**scope, CHOSEN_RESPONSE: _ANSWERS[rule.effect]}, receive, send)
        elif rule.effect.is_of_job:
            await self._change_job(rule, scope, receive, send, serve)
        elif rule.effect is not FaultEffect.DROPPED_CONNECTION or not cut(scope["client"]):
            await self._send_altered(rule, await held(scope, receive, serve), scope, send)

    async def _change_job(
        self, rule: FaultRule, scope: Scope, receive: Receive, send: Send, serve: ASGIApp
    ) -> None:
        """Creates a job by the call, and gives it the fault before a worker can end it."""
        with self.steps.holding_new():
            response = await held(scope, receive, serve)
            job_id = _new_job(response)
            if job_id is not None:
                if rule.effect is FaultEffect.JOB_STUCK:
                    self.steps.stick(job_id)
                elif rule.effect.is_of_callback:
                    self.callbacks[job_id] = rule
                else:
                    token = next((v for k, v in scope["headers"] if k == b"authorization"), b"")
                    await asyncio.to_thread(self._end_as_failed, token, job_id)
        await asyncio.to_thread(self.wake)
        await response.send(send)

    async def _send_altered(
        self, rule: FaultRule, response: HeldResponse, scope: Scope, send: Send
    ) -> None:
        """Sends a response with the fault of a rule."""
        effect, is_good = rule.effect, response.status < 300
        if effect is FaultEffect.SLOW_BODY:
            await self._send_slowly(response, rule.time.total_seconds(), send)
            return
        if effect in (FaultEffect.LOST_RESPONSE, FaultEffect.DROPPED_CONNECTION):
            if not cut(scope["client"]):
                # Nothing but the beginning of the response; the announced rest never comes.
                await response.send_start(send)
                first = response.body[:1]
                await send({"type": "http.response.body", "body": first, "more_body": True})
            return
        if effect is FaultEffect.TRUNCATED_BODY and is_good:
            response.replace_body(response.body[: len(response.body) // 2])
        elif effect is FaultEffect.EMPTY_ZIP and is_good:
            response.replace_body(_empty_zip())
        elif effect is FaultEffect.SLOW_FIRST_BYTE:
            await self._pause(rule.time.total_seconds())
        await response.send(send)

    async def _send_slowly(self, response: HeldResponse, seconds: float, send: Send) -> None:
        await response.send_start(send)
        size = len(response.body) // _PIECES + 1
        for at in range(0, len(response.body), size):
            await self._pause(seconds / _PIECES)
            piece = response.body[at : at + size]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    def _end_as_failed(self, token: bytes, job_id: int) -> None:
        org_id = self.org_of(token)
        if org_id is not None:
            self.abort(org_id, job_id)


def _new_job(response: HeldResponse) -> int | None:
    """Returns the id of the job that a response has announced."""
    if response.status not in (200, 201, 202):
        return None
    try:
        body = msgspec.json.decode(response.body)
    except msgspec.DecodeError:
        return None
    if isinstance(body, dict) and isinstance(body.get("data"), list) and body["data"]:
        body = body["data"][0]  # of a bulk read
    found = body.get("details", body) if isinstance(body, dict) else {}
    text = found.get("id") if isinstance(found, dict) else None
    return int(text) if isinstance(text, str) and text.isdigit() else None


def _empty_zip() -> bytes:
    made = io.BytesIO()
    zipfile.ZipFile(made, "w").close()
    return made.getvalue()
