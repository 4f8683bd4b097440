"""Bulkwright: a bulk write service that speaks the Zoho CRM Bulk Write API on the wire.

`bulkwright.Client` and `bulkwright.AsyncClient` talk to it, and to Zoho CRM itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bulkwright.client import ApiError, AsyncClient, Client, Credentials

__version__ = "0.1.0"
__all__ = ["ApiError", "AsyncClient", "Client", "Credentials", "__version__"]


def __getattr__(name: str) -> object:
    # On demand: a server starts without an HTTP client.
    if name in __all__:
        from bulkwright import client

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
