"""Loaded by Python at the start of a program that `bulkwright intercept` runs.

Some HTTP clients of Python use no proxy: `http.client`, and `aiohttp` by default. So the
names of Zoho's hosts resolve to the interceptor. TLS stays: the interceptor has certificates of an
authority that SSL_CERT_FILE names.
"""

from __future__ import annotations

import importlib.util
import os
import re
import socket
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

_PORT = int(os.environ.get("BULKWRIGHT_INTERCEPT_PORT") or 0)
_ONLY_ZOHO = os.environ.get("BULKWRIGHT_INTERCEPT_ONLY_ZOHO") == "1"
_ZOHO = re.compile(os.environ.get("BULKWRIGHT_INTERCEPT_HOSTS") or "(?!)")
_LOCAL = re.compile(r"localhost|127\.[0-9.]+|::1|0\.0\.0\.0|::")
_resolve = socket.getaddrinfo


def _getaddrinfo(host: Any, port: Any, *more: Any, **named: Any) -> Any:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if isinstance(name, str):
        if _ZOHO.search(name.lower()):
            return _resolve("127.0.0.1", _PORT, 0, socket.SOCK_STREAM)
        if _ONLY_ZOHO and not _LOCAL.fullmatch(name):
            raise socket.gaierror(
                socket.EAI_NONAME, f"bulkwright intercept: --only-zoho refuses {name}"
            )
    return _resolve(host, port, *more, **named)


def _run_next() -> None:
    """Runs the module of this name that Python would have loaded without this one."""
    here = Path(__file__).parent
    rest = [folder for folder in sys.path if Path(folder or ".").absolute() != here]
    found = PathFinder.find_spec("sitecustomize", rest)
    if found is not None and found.loader is not None:
        found.loader.exec_module(importlib.util.module_from_spec(found))


if _PORT:
    socket.getaddrinfo = _getaddrinfo
_run_next()
