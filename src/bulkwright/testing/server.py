"""The process of a `bulkwright serve`: start it, wait for `ready`, stop it or kill it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

_LOG_TAIL = 2000
"""How many characters of the log the exception of a failed start shows."""
_POLL_SECONDS = 0.005


class ServerDidNotStart(Exception):
    """The process ended, or the time was over, before the line `ready http://HOST:PORT`."""


class ServerProcess:
    """A `bulkwright serve` on loopback, in a process group of its own.

    `data` is its data folder; `options` are further command line options. With `dev` it serves
    with `--dev`: it makes an org, a user and a client, and writes their credentials to the data
    folder. `port` 0 takes a free port. `environment` replaces the environment of this process,
    `directory` its working directory. `user` is the id of the user and of the only group that the
    server runs as; it needs root.

    A `with` block starts the server and stops it. Without one, call `start` and `stop`; a process
    can be started again after it has ended, and appends to the same log. A server whose program is
    killed stops by itself.
    """

    def __init__(  # wide: they are the options of a process; all have defaults
        self,
        data: Path,
        *options: str,
        dev: bool = True,
        port: int = 0,
        log: Path | None = None,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
        user: int | None = None,
    ) -> None:
        self.data = data
        self.log_path = log or data.parent / f"{data.name}.log"
        """Where standard error of the server and of its workers is appended."""
        self.output_path = self.log_path.with_suffix(".out")
        """Standard output of the last start."""
        self.base_url = ""
        """`http://HOST:PORT`, once the server is ready."""
        self.dev = dev
        self._command = [sys.executable, "-m", "bulkwright", "serve"]
        self._command += ["--data", str(data), "--port", str(port), "--end-with-stdin"]
        self._command += [*(["--dev"] if dev else []), *options]
        self._environment = environment
        self._directory = directory
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # Start and end

    def start(self, seconds: float = 60.0) -> None:
        """Start the server and wait until it is ready.

        Raises ServerDidNotStart, with the end of the log, if the process ends before it is ready
        or is not ready within `seconds`; the process is gone then.
        """
        try:
            self.spawn()
            self.wait_ready(seconds)
        except BaseException:
            if self.running:  # the start was interrupted
                self.stop()
            raise

    def spawn(self) -> None:
        """Start the process and do not wait for it."""
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with (
            self.log_path.open("ab") as log,
            self.output_path.open("wb") as output,
            _deferred_signals(),
        ):
            self._process = subprocess.Popen(
                self._command, stdout=output, stderr=log, stdin=subprocess.PIPE,
                env=self._environment, cwd=self._directory, user=self._user, group=self._user,
                extra_groups=None if self._user is None else [], start_new_session=True,
            )  # fmt: skip

    def wait_ready(self, seconds: float = 60.0) -> None:
        """Wait until the server is ready. Raises ServerDidNotStart as `start` does."""
        deadline = time.monotonic() + seconds
        while not (line := self.output).startswith("ready http") or "\n" not in line:
            status = self.process.poll()
            if status is not None or time.monotonic() > deadline:
                self.kill()
                reason = "is not ready" if status is None else f"ended with status {status}"
                raise ServerDidNotStart(f"the server {reason}:\n{self.log[-_LOG_TAIL:]}")
            time.sleep(_POLL_SECONDS)
        self.base_url = line.split()[1]

    def terminate(self) -> None:
        """Send SIGTERM and do not wait; nothing happens if the server has ended."""
        self.process.terminate()

    def stop(self, seconds: float = 60.0) -> int:
        """Send SIGTERM, wait until the server has ended, and return its exit status.

        Does nothing if it has ended already. Kills it if it has not ended after `seconds`.
        """
        self.terminate()
        try:
            return self.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.process.returncode
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """Send SIGKILL to the server and wait until it has ended.

        Its workers end soon afterwards, because their standard input ends.
        """
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.wait()

    def wait(self, seconds: float | None = None) -> int:
        """Wait until the server has ended and return its exit status.

        Raises subprocess.TimeoutExpired after `seconds`.
        """
        status = self.process.wait(seconds)
        assert self.process.stdin is not None
        self.process.stdin.close()
        return status

    # State

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process; RuntimeError before the first start."""
        if self._process is None:
            raise RuntimeError("the server was not started")
        return self._process

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether the server was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def port(self) -> int:
        """The port that the server listens on."""
        return int(self.base_url.rpartition(":")[2])

    @property
    def log(self) -> str:
        """What the server and its workers have logged, since the log file exists."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    @property
    def output(self) -> str:
        """What the server has printed since its last start: the line `ready http://HOST:PORT`."""
        return self.output_path.read_text(encoding="utf-8")

    @property
    def workers(self) -> list[int]:
        """The process ids of the workers that run now. Works on Linux only."""
        return child_processes(self.pid, "worker")

    @property
    def credentials(self) -> dict[str, Any]:
        """The development credentials: `access_token`, `refresh_token`, `client_id`, `org_id` ...

        Raises FileNotFoundError for a server without `--dev`.
        """
        text = (self.data / "dev-credentials.json").read_text(encoding="utf-8")
        found: dict[str, Any] = json.loads(text)
        return found

    @property
    def access_token(self) -> str:
        """The access token of the development credentials; it carries every scope."""
        return str(self.credentials["access_token"])

    @property
    def org_id(self) -> str:
        """The id of the development org, as the header `X-CRM-ORG` takes it."""
        return str(self.credentials["org_id"])

    @property
    def headers(self) -> dict[str, str]:
        """The Authorization header of the development user."""
        return {"Authorization": f"Zoho-oauthtoken {self.access_token}"}

    def wait_for_workers(self, count: int, seconds: float = 60.0) -> None:
        """Wait until `count` workers run: `ready` says only that requests are answered.

        Raises TimeoutError after `seconds`. Works on Linux only.
        """
        deadline = time.monotonic() + seconds
        while len(self.workers) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"there are no {count} workers:\n{self.log[-_LOG_TAIL:]}")
            time.sleep(0.01)


@contextmanager
def _deferred_signals() -> Iterator[None]:
    """Defers signals to the end of the block: `Popen` forgets a process when it is interrupted."""
    received: list[int] = []
    before = {}
    if threading.current_thread() is threading.main_thread():
        for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if callable(signal.getsignal(one)):
                before[one] = signal.signal(one, lambda number, _: received.append(number))
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        for number in received:
            signal.raise_signal(number)


def child_processes(pid: int, word: str) -> list[int]:
    """Return the children of a process that have this word on their command line (Linux only)."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            line = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # the process has just ended
        if parent == pid and word.encode() in line:
            found.append(int(entry.name))
    return found
