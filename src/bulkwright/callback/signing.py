"""Signatures by Standard Webhooks: with the secret, a receiver can verify our callbacks.

`webhook-signature` is `v1,` and the base64 HMAC-SHA256 over `id.timestamp.body`; the key is what
follows `whsec_` in the secret, base64 as well. During a change of secrets there are two.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from bulkwright.domain.limits import SIGNING_OVERLAP_SECONDS
from bulkwright.store.outbox import OutboxStore

_PREFIX = "whsec_"
_KEY_BYTES = 32


class SigningKeys:
    """The secrets of each org. The first one is created when it is needed."""

    def __init__(self, outbox: OutboxStore) -> None:
        self._outbox = outbox

    def of(self, org_id: int) -> tuple[str, ...]:
        """Returns the secrets that sign now, newest first."""
        found = self._outbox.secrets(org_id)
        if found:
            return found
        self._outbox.add_secret(org_id, _new_secret())
        return self._outbox.secrets(org_id)

    def rotate(self, org_id: int) -> str:
        """Creates a new secret and returns it. The previous one also signs for another day."""
        self.of(org_id)
        secret = _new_secret()
        self._outbox.rotate_secret(org_id, secret, SIGNING_OVERLAP_SECONDS)
        return secret


def signed_headers(
    webhook_id: str, timestamp: int, body: bytes, keys: Sequence[str]
) -> dict[str, str]:
    """Returns the three headers of Standard Webhooks for one attempt."""
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{_signature(key, signed)}" for key in keys),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def _new_secret() -> str:
    return _PREFIX + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
