"""The web origins of registered JavaScript clients: their pages may read responses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from bulkwright.domain.account import ClientKind
from bulkwright.domain.endpoint import InvalidEndpoint, parse_endpoint
from bulkwright.store.accounts import AccountStore

ALLOWED_HEADERS = b"Authorization, Content-Type, Idempotency-Key, feature, X-CRM-ORG, X-ZOHO-SDK"
"""The request headers that these clients send (client contract 6)."""


def javascript_origins(accounts: AccountStore) -> frozenset[str]:
    """Returns the origins of the redirect URIs of all active JavaScript clients."""
    return frozenset(_origins(accounts))


def _origins(accounts: AccountStore) -> Iterator[str]:
    for org in accounts.orgs():
        for client in accounts.clients(org.id):
            if client.kind is ClientKind.JAVASCRIPT and client.is_active:
                for uri in client.redirect_uris:
                    # Redirect URIs that are older than their check may be malformed.
                    with suppress(InvalidEndpoint):
                        yield parse_endpoint(uri).origin
