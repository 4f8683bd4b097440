"""The credentials of the emulator, in the place of those that a program has for Zoho.

A program that was written for Zoho knows a client, a refresh token, an access token and an org that
the emulator has never seen. Only here they stand for its development user; the emulator itself
checks every token as always.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl

import httpx2
import msgspec
from multipart import MultipartParser, parse_options_header

from bulkwright.clock import SYSTEM_CLOCK
from bulkwright.intercept.conversation import Headers, ProgramRequest
from bulkwright.wire.decoding import NO_JSON

TOKEN_PATH = "/oauth/v2/token"  # noqa: S105 (a path)
_GRANTS = ("refresh_token", "authorization_code", "client_credentials")
_FORM_BYTES = 64 * 1024
_FRESH_SECONDS = 50 * 60
"""After this time an access token is replaced: it lives an hour."""


class DevCredentials:
    """The development user of an emulator (`dev-credentials.json`)."""

    def __init__(self, path: Path, base_url: str) -> None:
        """Reads the file of an emulator that is reached by this URL. Raises FileNotFoundError."""
        self.base_url = base_url
        self._path = path
        self._issued: set[str] = set()
        """Access tokens that programs got from the emulator; they pass as they are."""
        self._fresh_until = 0.0
        self._written = 0
        self._read()

    def _read(self) -> None:
        """Reads the file if it has changed: a reset of the emulator ends all tokens."""
        written = self._path.stat().st_mtime_ns
        if written == self._written:
            return
        stored = msgspec.json.decode(self._path.read_bytes())
        self.org_id: str = stored["org_id"]
        self.client_id: str = stored["client_id"]
        self.access_token: str = stored["access_token"]
        self._client_secret: str = stored["client_secret"]
        self._refresh_token: str = stored["refresh_token"]
        self._issued.clear()
        # The token of the file was issued when the file was written, and a reset does not end it.
        age = SYSTEM_CLOCK.now().timestamp() - written / 1e9
        self._fresh_until = SYSTEM_CLOCK.monotonic() + _FRESH_SECONDS - age
        self._written = written

    async def authorized(self, client: httpx2.AsyncClient, request: ProgramRequest) -> Headers:
        """Returns the headers, with a token and an org that the emulator knows."""
        self._read()
        headers = []
        for name, value in request.headers:
            if name.lower() == b"authorization":
                value = await self._authorization(client, value)
            elif name.lower() == b"x-crm-org":
                value = self.org_id.encode()
            headers.append((name, value))
        return headers

    def note(self, status: int) -> None:
        """Takes notice of a response: after 401 the next call gets a new token."""
        if status == httpx2.codes.UNAUTHORIZED:
            self._fresh_until = 0.0

    def grant_form(self, given: Mapping[str, str]) -> dict[str, str] | None:
        """Returns the form that gets a token for a program; None if its own form does."""
        self._read()
        if given.get("grant_type") not in _GRANTS or given.get("client_id") == self.client_id:
            return None
        return {
            "grant_type": "refresh_token",
            "client_id": self.client_id,
            "client_secret": self._client_secret,
            "refresh_token": self._refresh_token,
        }

    def granted(self, given: Mapping[str, str], body: bytes, api_domain: str) -> bytes:
        """Returns what the program gets for a response of the token endpoint."""
        try:
            answer = msgspec.json.decode(body)
        except NO_JSON:
            return body
        if not isinstance(answer, dict) or "access_token" not in answer:
            return body
        self._issued.add(str(answer["access_token"]))
        # Programs call the URL that stands here. It is Zoho's, so the calls come here too.
        answer["api_domain"] = api_domain
        if given.get("grant_type") == "authorization_code":
            answer.setdefault("refresh_token", self._refresh_token)
        return msgspec.json.encode(answer)

    async def _authorization(self, client: httpx2.AsyncClient, value: bytes) -> bytes:
        scheme, _, token = value.partition(b" ")
        if token.decode("latin-1").strip() in self._issued:
            return value
        if SYSTEM_CLOCK.monotonic() > self._fresh_until:
            response = await client.post(
                f"{self.base_url}{TOKEN_PATH}", data=self.grant_form({"grant_type": _GRANTS[0]})
            )
            self.access_token = response.json().get("access_token", self.access_token)
            self._fresh_until = SYSTEM_CLOCK.monotonic() + _FRESH_SECONDS
        return scheme + b" " + self.access_token.encode()


async def token_form(request: ProgramRequest) -> tuple[dict[str, str], bytes]:
    """Returns the parameters of a request to the token endpoint, and its body.

    They are in the query, in a form or in a multipart form (client contract 1.2).
    """
    body = b""
    async for piece in request.body:
        body += piece
        if len(body) > _FORM_BYTES:
            break
    query = request.target.partition(b"?")[2].decode("latin-1")
    given = dict(parse_qsl(query))
    kind, options = parse_options_header(request.header(b"content-type"))
    if kind == "multipart/form-data" and "boundary" in options:
        parser = MultipartParser(io.BytesIO(body), options["boundary"])
        return given | {part.name: part.value for part in parser.parts()}, body
    return given | dict(parse_qsl(body.decode("utf-8", "replace"))), body
