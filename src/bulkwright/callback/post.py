"""One call: connect to a checked address, post, look at the status, hang up.

Right on top of httpcore2, for less can go astray there than in a whole client: it knows no
redirects, proxies, .netrc, cookies or content codings. It comes into memory with the first
callback, not before (`courier.py` sees to it).
"""

from __future__ import annotations

import asyncio
import email.utils
import os
import ssl
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpcore2

from bulkwright.domain.endpoint import Endpoint
from bulkwright.domain.limits import CALLBACK_ANSWER_BYTES, CALLBACK_CONNECT_SECONDS
from bulkwright.egress import NoAnswer


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver said."""

    status: int
    retry_after: float | None = None
    """Seconds that it asks to wait."""


class Poster:
    """Makes calls. TLS is always verified, against the system's certificates unless told others."""

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        dial: httpcore2.AsyncNetworkBackend | None = None,
    ) -> None:
        self._tls = tls or httpcore2.default_ssl_context()
        self._dial = dial or httpcore2.AnyIOBackend()

    async def post(
        self,
        endpoint: Endpoint,
        addresses: Sequence[str],
        headers: Mapping[str, str],
        body: bytes,
        deadline: float,
    ) -> Answer:
        """Post to the first address that accepts, until `deadline` on the loop's clock.

        Raises NoAnswer. A status that has come counts, however the rest of the answer goes on.
        """
        answer: Answer | None = None
        url = httpcore2.URL(
            scheme=endpoint.scheme.encode(),
            host=endpoint.host.encode(),
            port=endpoint.port,
            target=endpoint.path.encode(),
        )
        sent = {
            "Host": endpoint.authority,
            "User-Agent": "bulkwright",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "Connection": "close",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **headers,
        }
        try:
            async with (
                asyncio.timeout_at(deadline),
                httpcore2.AsyncConnectionPool(
                    self._tls, max_connections=1, network_backend=_Pinned(addresses, self._dial)
                ) as pool,
                pool.stream("POST", url, headers=_encoded(sent), content=body) as response,
            ):
                answer = Answer(response.status, _retry_after(response.headers))
                # Reading a little on lets an honest receiver finish before we hang up.
                async for _ in response.aiter_stream():
                    pass
        except TimeoutError:
            if answer is None:
                raise NoAnswer("no answer in time") from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException) as e:
            if answer is None:
                raise NoAnswer(_reason(e)) from e
        assert answer is not None
        return answer


class _Pinned(httpcore2.AsyncNetworkBackend):
    """Connects to the checked addresses, whatever name the call has. Host and SNI stay the name."""

    def __init__(self, addresses: Sequence[str], dial: httpcore2.AsyncNetworkBackend) -> None:
        self._addresses = addresses
        self._dial = dial

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        failure: Exception = httpcore2.ConnectError("no address")
        for address in self._addresses:
            try:
                stream = await self._dial.connect_tcp(address, port, CALLBACK_CONNECT_SECONDS)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
            else:
                return _Capped(stream)
        raise failure


class _Capped(httpcore2.AsyncNetworkStream):
    """A connection that ends when the other side has sent too much."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream
        self._left = CALLBACK_ANSWER_BYTES

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._left <= 0:
            raise httpcore2.ReadError("answer too long")
        data = await self._stream.read(min(max_bytes, self._left), timeout)
        self._left -= len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        return _Capped(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def _retry_after(headers: Sequence[tuple[bytes, bytes]]) -> float | None:
    """Seconds of `Retry-After`, which is a number or a date; None for anything else."""
    for name, value in headers:
        if name.lower() != b"retry-after":
            continue
        text = value.decode("latin-1").strip()
        if text.isascii() and text.isdigit() and len(text) <= 9:
            return float(text)
        try:
            return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
        except (ValueError, OverflowError):
            return None
    return None


def _reason(error: BaseException) -> str:
    """Why there was no answer; never a text that the other side has a hand in."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"TLS: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return "TLS: the handshake failed"
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno).lower()
        cause = cause.__cause__ or cause.__context__
    match error:
        case httpcore2.ConnectTimeout():
            return "no connection in time"
        case httpcore2.ConnectError():
            return "no connection"
        case httpcore2.ProtocolError():
            return "the answer is not HTTP"
    return "the connection ended before the answer"
