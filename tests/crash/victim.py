"""The deployment that is attacked: a server and its workers, started again when they are killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
from tests.crash.power import cut_power
from tests.support.processes import free_port, on_path, until

from bulkwright.testing import ServerDidNotStart, ServerProcess

CHUNK_ROWS = 8
ROWS = 48
"""Rows of a job, unless it is to last longer."""
CONSTANTS: Mapping[str, Mapping[str, object]] = {
    "bulkwright.domain.limits": {
        "CHUNK_ROWS": CHUNK_ROWS,
        "CHUNK_TEXT_BYTES": 700,
        "LEASE_SECONDS": 0.8,
        "CALLBACK_BACKOFF_SECONDS": 0.2,
    },
    "bulkwright.store.sqlite.driver": {"CHECKPOINT_ROWS": CHUNK_ROWS},
    "bulkwright.runtime.supervisor": {"_RESTART_SECONDS": 0.05, "_RESTART_MOST_SECONDS": 0.2},
    "bulkwright.service.retention": {"SWEEP_SECONDS": 0.5},
}
"""Small chunks and short waits; everything else is as it is."""


class Broken(Exception):
    """The sabotage does not fit the product: nothing can be said about it."""


@dataclass(frozen=True)
class Strike:
    """Who dies where."""

    id: str
    at: str
    """Point and side: `P7-before`."""
    nth: int = 1
    """At which time from now on."""
    act: str = "self"
    """`self`, `other` (the server of a worker, the workers of a server), `both`, or `stop`."""
    power: bool = False
    """Whether the power goes too."""


def prepared(folder: Path) -> Path:
    """A data folder with its org, made once: a stand begins with a copy."""
    with ServerProcess(folder, "--profile", "service", "--workers", "0"):
        pass
    return folder


class Victim:
    """A server on a data folder of its own, with sabotage in all of its processes."""

    def __init__(self, folder: Path, template: Path, *, fault: str = "", workers: int = 1) -> None:
        self.data = folder / "data"
        self.kills: list[tuple[int | None, str]] = []
        """The job that each kill hit, and where."""
        self.job: int | None = None
        """The one at hand."""
        self._plan: list[Strike] = []
        self._seen: set[str] = set()
        self._lock = threading.RLock()
        self._sabotage = folder / "sabotage"
        shutil.copytree(template, self.data)
        set_up_sabotage(
            self._sabotage, self.data, constants=CONSTANTS, fault=fault,
            last_chunk=ROWS // CHUNK_ROWS - 1,
        )  # fmt: skip
        self._server = ServerProcess(
            self.data, "--profile", "service", "--workers", str(workers),
            port=free_port(), log=folder / "log",
            environment={**os.environ, **sabotaged(self._sabotage)},
        )  # fmt: skip
        self._started = False

    def start(self) -> None:
        """Start the server, and wait until it is ready."""
        self._started = True
        for _ in range(20):
            with suppress(ServerDidNotStart):
                self._server.start()
                break
            self._note_end()  # killed before it was ready
        else:
            raise Broken(f"the server does not start: see {self._server.log_path}")
        self.url, self.token = self._server.base_url, self._server.access_token
        self.org = self._server.org_id
        self.http = httpx2.Client(
            verify=False, base_url=self.url, headers=self._server.headers, timeout=15
        )

    def attend(self) -> None:
        """Start the server again if it is gone, as any service manager does."""
        with self._lock:
            if (self._sabotage / "broken").exists():
                raise Broken((self._sabotage / "broken").read_text())
            self._note_strikes()
            if not self._started or self._server.running:
                return
            self._note_end()
            self.http.close()
            self.start()

    def _note_end(self) -> None:
        status = self._server.wait()  # its workers live a little longer
        if (self._sabotage / "broken").exists():
            raise Broken((self._sabotage / "broken").read_text())
        if status != -signal.SIGKILL:
            raise Broken(f"the server ended by itself: {status}")
        self._note_strikes()
        if any(s.power and s.id in self._seen for s in self._plan):
            self.cut_power()

    def cut_power(self) -> None:
        """Wait until no process is left, then undo what was not durable."""
        until(lambda: not self._workers_anywhere())
        cut_power(self._sabotage / "disk")
        self._plan = [strike for strike in self._plan if not strike.power]

    def _workers_anywhere(self) -> list[int]:
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    if str(self.data).encode() in (entry / "cmdline").read_bytes().split(b"\0"):
                        found.append(int(entry.name))
        return found

    def stop(self) -> None:
        """An orderly stop."""
        if self._started:
            self._server.stop(30)

    # Strikes

    def strike(self, *strikes: Strike) -> None:
        """Arm these, and disarm all others."""
        self._plan = list(strikes)
        self._arm()

    def _arm(self) -> None:
        arm(self._sabotage, [strike for strike in self._plan if strike.id not in self._seen])

    def _note_strikes(self) -> None:
        with self._lock:
            for strike in self._plan:
                if strike.id not in self._seen and (self._sabotage / "marks" / strike.id).exists():
                    self._seen.add(strike.id)
                    self.kills.append((self.job, strike.at))

    def struck(self, strike: Strike) -> bool:
        """Whether it happened, and the process that it hit has ended."""
        self._note_strikes()
        if strike.id not in self._seen:
            return False
        hit = (self._sabotage / "marks" / strike.id).read_text().split()
        return not any(_alive(int(pid)) for pid in hit)

    @property
    def hits(self) -> dict[str, int]:
        """How often each passage was reached so far."""
        return {path.name: path.stat().st_size for path in (self._sabotage / "hits").iterdir()}

    def kill(self, process: str, *, power: bool = False) -> str:
        """Kill `server`, `worker` (one), or `both` (all) now; where they were."""
        with self._lock:
            workers = self.workers()
            victims = {
                "server": [self._server.pid],
                "worker": workers[:1],
                "both": [self._server.pid, *workers],
            }[process]
            victims = [pid for pid in victims if _end(pid)]
            if not victims:
                return ""
            at = ",".join(sorted({self._last(pid) for pid in victims}))
            self.kills.append((self.job, at))
            if process != "worker":
                self._server.wait()
                if power:
                    self.cut_power()
            return at

    def workers(self) -> list[int]:
        """The process ids of the workers; the one that is at work first."""
        pids = self._server.workers
        return sorted(pids, key=lambda pid: self._last(pid) == "start")

    def _last(self, pid: int) -> str:
        path = self._sabotage / "last" / str(pid)
        return path.read_text().strip() if path.exists() else "start"


def set_up_sabotage(
    folder: Path, data: Path, *, fault: str = "", last_chunk: int = -1,
    constants: Mapping[str, Mapping[str, object]] | None = None,
) -> None:  # fmt: skip
    """Make the folder that controls the sabotage of one deployment (striking.py); arm nothing."""
    for name in ("hits", "counts", "marks", "last"):
        (folder / name).mkdir(parents=True)
    setup = {
        "files": str(data / "files"),
        "constants": constants or {},
        "fault": fault,
        "last_chunk": last_chunk,
    }
    (folder / "setup.json").write_text(json.dumps(setup))
    arm(folder, [])


def arm(folder: Path, strikes: list[Strike]) -> None:
    """Arm these strikes, and disarm all others."""
    fresh = folder / "plan.new"
    fresh.write_text(json.dumps([vars(strike) for strike in strikes]))
    fresh.replace(folder / "plan.json")


def sabotaged(folder: Path) -> dict[str, str]:
    """The environment that brings the sabotage of this folder into a process."""
    path = on_path(Path(__file__).parent / "sabotage")
    return {"PYTHONPATH": path, "BULKWRIGHT_SABOTAGE": str(folder)}


def _end(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def _alive(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
