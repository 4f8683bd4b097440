"""One request of a callback: connect to a checked address, post, read the status, disconnect.

It uses httpcore2 directly, because a whole client does more than a callback may do: redirects,
proxies, .netrc, cookies, content codings. `dispatcher.py` imports this module with the first
callback, not before.
"""

from __future__ import annotations

import asyncio
import email.utils
import os
import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpcore2

from bulkwright.clock import SYSTEM_CLOCK, Clock
from bulkwright.domain.endpoint import Endpoint
from bulkwright.domain.limits import CALLBACK_ANSWER_BYTES, CALLBACK_CONNECT_SECONDS
from bulkwright.egress import NoAnswer


@dataclass(frozen=True, slots=True)
class WebhookResponse:
    """The response of a receiver."""

    status: int
    retry_after: float | None = None
    """Seconds to wait before the next attempt, from the header `Retry-After`."""


class WebhookSender:
    """Sends callbacks. TLS is always verified, by the system's certificates if `tls` is None."""

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        network: httpcore2.AsyncNetworkBackend | None = None,
        *,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._tls = tls or httpcore2.default_ssl_context()
        self._network = network or httpcore2.AnyIOBackend()
        self._clock = clock

    async def post(
        self,
        endpoint: Endpoint,
        addresses: Sequence[str],
        headers: Mapping[str, str],
        body: bytes,
        deadline: float,
    ) -> WebhookResponse:
        """Posts to the first address that accepts a connection; `deadline` is on the loop's clock.

        Raises NoAnswer. Once the status was received, errors in the rest of the response are
        ignored.
        """
        received: WebhookResponse | None = None
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
                    self._tls, max_connections=1, network_backend=_Pinned(addresses, self._network)
                ) as pool,
                pool.stream("POST", url, headers=_encoded(sent), content=body) as response,
            ):
                wait = _retry_after(response.headers, self._clock)
                received = WebhookResponse(response.status, wait)
                # Read on, so that a receiver can finish its response before we disconnect.
                async for _ in response.aiter_stream():
                    pass
        except TimeoutError:
            if received is None:
                raise NoAnswer("no answer in time") from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException) as e:
            if received is None:
                raise NoAnswer(_reason(e)) from e
        assert received is not None
        return received


class _Pinned(httpcore2.AsyncNetworkBackend):
    """Connects to the checked addresses only. Header `Host` and SNI still have the name."""

    def __init__(self, addresses: Sequence[str], network: httpcore2.AsyncNetworkBackend) -> None:
        self._addresses = addresses
        self._network = network

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
                stream = await self._network.connect_tcp(address, port, CALLBACK_CONNECT_SECONDS)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
            else:
                return _Capped(stream)
        raise failure


class _Capped(httpcore2.AsyncNetworkStream):
    """A connection that fails after CALLBACK_ANSWER_BYTES were received."""

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


def _retry_after(headers: Sequence[tuple[bytes, bytes]], clock: Clock) -> float | None:
    """Returns the seconds of `Retry-After`, a number or a date; None for anything else."""
    for name, value in headers:
        if name.lower() != b"retry-after":
            continue
        text = value.decode("latin-1").strip()
        if text.isascii() and text.isdigit() and len(text) <= 9:
            return float(text)
        try:
            until = email.utils.parsedate_to_datetime(text).timestamp()
            return max(0.0, until - clock.now().timestamp())
        except (ValueError, OverflowError):
            return None
    return None


def _reason(error: BaseException) -> str:
    """Returns why there was no response. The text never contains what the receiver sent."""
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
