"""The names by which a browser reaches the machine that it runs on.

The owner of any other name can make it resolve to this machine, and a page of that name can then
read what a server without passwords returns (DNS rebinding).
"""

from __future__ import annotations

import re
from collections.abc import Callable

_LOOPBACK = re.compile(
    r"(?:localhost|[a-z0-9-]+\.localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?",
    re.IGNORECASE | re.ASCII,
)


def is_loopback_host(host: str) -> bool:
    """Returns whether a `Host` header has a loopback name, with or without a port."""
    return _LOOPBACK.fullmatch(host) is not None


def loopback_or(origin: str) -> Callable[[str], bool]:
    """Returns a check of `Host` headers: loopback names, and the authority of `origin` if any."""
    own = origin.partition("://")[2].lower()
    return lambda host: is_loopback_host(host) or (own != "" and host.lower() == own)
