"""A real Bulkwright server for the tests of other programs.

    from bulkwright.testing import ServerProcess

    with ServerProcess(tmp_path / "data") as server:
        httpx2.get(f"{server.base_url}/crm/v2/org", headers=server.headers)

Needs the standard library only, so that importing it costs a test run nothing.
"""

from bulkwright.testing.server import ServerDidNotStart, ServerProcess, child_processes

__all__ = ["ServerDidNotStart", "ServerProcess", "child_processes"]
