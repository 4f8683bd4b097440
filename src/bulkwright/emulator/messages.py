"""The messages of a response, held back so that it can be changed."""

from __future__ import annotations

from dataclasses import dataclass, field

from bulkwright.web.request import ASGIApp, Message, Receive, Scope, Send

_LENGTH = b"content-length"


@dataclass(slots=True)
class HeldResponse:
    """A response that was made and not sent."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def send(self, send: Send) -> None:
        """Sends it."""
        await self.send_start(send)
        await send({"type": "http.response.body", "body": self.body})

    async def send_start(self, send: Send) -> None:
        """Sends status and headers."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})

    def replace_body(self, body: bytes) -> None:
        """Replaces the body, and the length that the headers announce."""
        self.body = body
        kept = [pair for pair in self.headers if pair[0].lower() != _LENGTH]
        self.headers = [*kept, (_LENGTH, b"%d" % len(body))]


async def held(scope: Scope, receive: Receive, serve: ASGIApp) -> HeldResponse:
    """Serves a request and returns its response."""
    found = HeldResponse()
    body = bytearray()

    async def hold(message: Message) -> None:
        if message["type"] == "http.response.start":
            found.status, found.headers = message["status"], list(message["headers"])
        else:
            body.extend(message.get("body", b""))

    await serve(scope, receive, hold)
    found.body = bytes(body)
    return found
