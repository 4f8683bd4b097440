"""The callback of a request: whether it can ever be sent."""

from __future__ import annotations

from collections.abc import Callable

from bulkwright.domain.endpoint import Endpoint, InvalidEndpoint, parse_endpoint
from bulkwright.domain.errors import InvalidCallbackMethod, InvalidCallbackUrl
from bulkwright.domain.job import Callback

_MAX_URL_LENGTH = 2_000
"""Most characters of a callback URL."""

WhyNever = Callable[[Endpoint], str | None]
"""Returns why callbacks to an endpoint are never sent; None if they may be (egress.py)."""


def check_callback(callback: Callback | None, why_never: WhyNever) -> None:
    """Raises InvalidCallbackMethod and InvalidCallbackUrl."""
    if callback is None:
        return
    if callback.method.lower() != "post":
        raise InvalidCallbackMethod(details={"supported_callback_methods": ["post"]})
    details = {"json_path": "$.callback.url"}
    if len(callback.url) > _MAX_URL_LENGTH:
        raise InvalidCallbackUrl(details=details)
    try:
        # The sender uses the same parser. It resolves and checks names at each attempt.
        reason = why_never(parse_endpoint(callback.url))
    except InvalidEndpoint:
        raise InvalidCallbackUrl(details=details) from None
    if reason is not None:
        raise InvalidCallbackUrl(
            f"callbacks are not sent to this address ({reason}); the operator of the server "
            "can allow it with --callback-allow HOST:PORT",
            details,
        )
