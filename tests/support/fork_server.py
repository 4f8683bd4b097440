"""Starts the program faster: processes are forked from one that has imported its libraries.

Nine tenths of the time of a short command are imports. A forked process has the arguments, folder,
environment, outputs and exit status of one that was started by `python -m bulkwright`, and imports
the commands itself, which look at the terminal then. `python -m tests.support.fork_server FD`
serves requests on a socket that it inherits.
"""

from __future__ import annotations

import io
import json
import os
import runpy
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile

IMPORTED = (
    "adbc_driver_sqlite.dbapi", "cyclopts", "httpx2", "jinja2", "msgspec", "numpy", "polars",
    "psycopg", "psycopg_pool", "rich.console", "rich.json", "rich.progress", "rich.table",
    "rich.text", "bulkwright.runtime.worker", "bulkwright.wiring",
    "bulkwright.store.sqlite.connection",
)  # fmt: skip
"""What is imported before. Nothing may be called: a forked process has no threads of a library."""
_REQUEST_BYTES = 1 << 20


class ForkServer:
    """A process that forks others."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket = ours
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.fork_server", str(theirs.fileno())],
                cwd=Path(__file__).parents[2],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )

    def run(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run `bulkwright` to its end."""
        request = json.dumps([list(arguments), str(folder), dict(environment)]).encode()
        assert len(request) < _REQUEST_BYTES
        with TemporaryFile() as output, TemporaryFile() as errors:
            descriptors = [output.fileno(), errors.fileno()]
            socket.send_fds(self._socket, [request], descriptors)
            answer = self._socket.recv(100)
            assert answer, "the fork server has ended"
            texts = []
            for file in (output, errors):
                file.seek(0)
                texts.append(file.read().decode())
        return subprocess.CompletedProcess(list(arguments), int(answer), *texts)


@cache
def fork_server() -> ForkServer:
    """The one of this process; it ends with this process."""
    return ForkServer()


def serve(requests: socket.socket) -> None:
    """Fork a process for each request, and answer with its exit status."""
    for name in IMPORTED:
        import_module(name)
    while True:
        request, descriptors, _, _ = socket.recv_fds(requests, _REQUEST_BYTES, 2)
        if not request:
            return
        pid = os.fork()
        if pid == 0:
            requests.close()
            _become(*json.loads(request), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        _, status = os.waitpid(pid, 0)
        with suppress(BrokenPipeError):
            requests.send(b"%d" % os.waitstatus_to_exitcode(status))


def _become(
    arguments: list[str], folder: str, environment: dict[str, str], output: int, errors: int
) -> None:
    """Run the program in this forked process, and end it."""
    status = 1
    try:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        for descriptor, standard in ((output, 1), (errors, 2)):
            os.dup2(descriptor, standard)
            os.close(descriptor)
        sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), "utf-8", write_through=True)
        sys.stderr = io.TextIOWrapper(
            io.FileIO(2, "w", closefd=False), "utf-8", "backslashreplace", write_through=True
        )
        sys.path[0] = folder  # as `python -m` has it
        sys.argv = ["bulkwright", *arguments]
        runpy.run_module("bulkwright", run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # As at the end of a process: what is registered there runs too.
        import atexit

        atexit._run_exitfuncs()
        os._exit(status)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
