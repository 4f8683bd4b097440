"""Idempotency keys: a request that is repeated with its key has no second effect."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from bulkwright.domain.errors import InvalidData
from bulkwright.domain.limits import IDEMPOTENCY_KEY_CHARACTERS


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The key of a request, and what the request asks for."""

    key: str
    request: str
    """The SHA-256 of what is requested: another request with the same key is a mistake."""


def idempotency_key(text: str, *requested: bytes) -> IdempotencyKey:
    """Returns the key of a request that asks for `requested`. Raises InvalidData."""
    if not (0 < len(text) <= IDEMPOTENCY_KEY_CHARACTERS and text.isascii() and text.isprintable()):
        raise InvalidData(
            f"Idempotency-Key has 1 to {IDEMPOTENCY_KEY_CHARACTERS} printable ASCII characters",
            {"header": "Idempotency-Key"},
        )
    digest = hashlib.sha256()
    for part in requested:
        digest.update(b"%d:" % len(part))  # so that no two requests join to the same bytes
        digest.update(part)
    return IdempotencyKey(text, digest.hexdigest())
