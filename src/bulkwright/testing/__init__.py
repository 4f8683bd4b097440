"""A real Bulkwright server for the tests of other programs.

    from bulkwright.testing import temporary_server

    with temporary_server() as server:
        httpx2.get(f"{server.base_url}/crm/v2/org", headers=server.headers)

`plugin.py` is the pytest plugin. All of it needs the standard library only, and is imported on its
first use, so that importing it costs a test run nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkwright.testing.server import ServerDidNotStart, ServerProcess, child_processes

if TYPE_CHECKING:
    from bulkwright.testing.controls import ControlFailed
    from bulkwright.testing.emulator import BulkwrightServer, RunningServer, temporary_server

__all__ = [
    "BulkwrightServer",
    "ControlFailed",
    "RunningServer",
    "ServerDidNotStart",
    "ServerProcess",
    "child_processes",
    "temporary_server",
]


def __getattr__(name: str) -> object:
    if name in __all__:
        from bulkwright.testing import controls, emulator

        return getattr(controls if name == "ControlFailed" else emulator, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
