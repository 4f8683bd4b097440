"""The header of a response 405: which methods a path of a mounted app has (RFC 9110, 15.5.6)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bulkwright.web.request import Scope


def allow_header(routes: Iterable[Any], scope: Scope) -> dict[str, str]:
    """Returns the header Allow for the path of a request.

    `routes` are those of a Starlette app: each endpoint of a path is a route of its own.
    """
    fitting = (route for route in routes if route.matches(scope)[0].value)
    return {"allow": ", ".join(sorted({name for route in fitting for name in route.methods}))}
