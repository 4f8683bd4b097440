"""What responds to the calls for Zoho's hosts: the emulator."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

from bulkwright.intercept.conversation import Gateway, ProgramRequest, Reply, pieces
from bulkwright.intercept.credentials import TOKEN_PATH, DevCredentials, token_form
from bulkwright.intercept.hosts import api_domain
from bulkwright.intercept.upstream import forward, new_client

_NOT_IMPLEMENTED = 501


@dataclass(slots=True)
class Seen:
    """What a program has called."""

    hosts: Counter[str] = field(default_factory=Counter)
    not_implemented: Counter[str] = field(default_factory=Counter)
    """Calls that the emulator has no answer for, by method and path."""

    def note(self, request: ProgramRequest, status: int) -> None:
        """Counts a call."""
        self.hosts[request.host] += 1
        if status == _NOT_IMPLEMENTED:
            path = request.target.partition(b"?")[0].decode("latin-1")
            self.not_implemented[f"{request.method} {path}"] += 1


def emulator_gateway(base_url: str, credentials: DevCredentials | None, seen: Seen) -> Gateway:
    """Returns a gateway to an emulator. Without credentials, those of the program pass as they are.

    Belongs into the event loop in which it is used.
    """
    client = new_client(on_loopback=True)

    @asynccontextmanager
    async def gateway(request: ProgramRequest) -> AsyncIterator[Reply]:
        headers = request.headers
        given: dict[str, str] | None = None
        if credentials is not None:
            if _is_token_request(request):
                given = await _stand_in(request, credentials)
                headers = request.headers
            else:
                headers = await credentials.authorized(client, request)
        async with forward(client, base_url, request, headers) as reply:
            seen.note(request, reply.status)
            if credentials is not None:
                credentials.note(reply.status)
                if given is not None:
                    reply = await _granted(reply, given, credentials, request.host)
            yield reply

    return gateway


def _is_token_request(request: ProgramRequest) -> bool:
    path = request.target.partition(b"?")[0].decode("latin-1")
    return request.method == "POST" and path.rstrip("/") == TOKEN_PATH


async def _stand_in(request: ProgramRequest, credentials: DevCredentials) -> dict[str, str]:
    """Replaces the form of a token request by one of the emulator's; returns the given one."""
    given, body = await token_form(request)
    form = credentials.grant_form(given)
    if form is not None:
        body = urlencode(form).encode()
        request.target = TOKEN_PATH.encode()
        kind = (b"content-type", b"application/x-www-form-urlencoded")
        request.headers = [*_without(request, b"content-type"), kind]
    length = (b"content-length", str(len(body)).encode())
    request.headers = [*_without(request, b"content-length"), length]
    request.body, request.has_body = pieces(body), True
    return given


def _without(request: ProgramRequest, name: bytes) -> list[tuple[bytes, bytes]]:
    return [pair for pair in request.headers if pair[0].lower() != name]


async def _granted(
    reply: Reply, given: dict[str, str], credentials: DevCredentials, host: str
) -> Reply:
    body = b"".join([piece async for piece in reply.body])
    body = credentials.granted(given, body, api_domain(host))
    headers = [pair for pair in reply.headers if pair[0].lower() != b"content-length"]
    length = (b"content-length", str(len(body)).encode())
    return Reply(reply.status, [*headers, length], pieces(body))
