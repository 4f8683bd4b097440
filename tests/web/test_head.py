"""The head of a request: one Host, and a body that is chunked or has a length (RFC 9112)."""

from __future__ import annotations

import pytest

from bulkwright.web.errors import BadRequest
from bulkwright.web.head import check_head

Headers = list[tuple[bytes, bytes]]


def scope(*headers: tuple[bytes, bytes], version: str = "1.1") -> dict[str, object]:
    """The head of a request as the server passes it on."""
    return {"http_version": version, "headers": list(headers)}


@pytest.mark.parametrize(
    "host", [b"localhost", b"127.0.0.1:8080", b"[::1]:8080", b"crm.example", b"xn--mller-kva.de"]
)
def test_one_host(host: bytes) -> None:
    """A name or an address, with or without a port."""
    check_head(scope((b"accept", b"*/*"), (b"host", host), (b"transfer-encoding", b"Chunked")))


@pytest.mark.parametrize(
    "headers",
    [
        [(b"host", b"")],
        [(b"host", b"a"), (b"host", b"a")],
        [(b"host", b"a"), (b"host", b"b")],
        [(b"host", b"a b")],
        [(b"host", b"a/b")],
        [(b"host", b"a\xff")],
        [(b"host", b"user@a")],
        [(b"host", b"a"), (b"transfer-encoding", b"gzip, chunked")],
        [(b"host", b"a"), (b"transfer-encoding", b"identity")],
    ],
)
def test_what_is_rejected(headers: Headers) -> None:
    """The server adds an empty Host where there is none."""
    with pytest.raises(BadRequest):
        check_head(scope(*headers))


def test_http_1_0_needs_no_host() -> None:
    """Health checks of some balancers send none."""
    check_head(scope((b"host", b""), version="1"))
