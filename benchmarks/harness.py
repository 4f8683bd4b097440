"""What all benchmarks share: the machine's facts, timed processes, a server, the report.

Nothing here decides what is measured. This process must stay small: the kernel never reports a
lower peak memory for a process than for the one that started it.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import json
import math
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from io import TextIOWrapper
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bulkwright.testing import ServerProcess
from data import default_dir

ROOT = Path(__file__).resolve().parent.parent


class BenchmarkError(Exception):
    """A run did not do its work, so its time means nothing."""


def options(doc: str | None, *, rows: int, runs: int = 5) -> argparse.ArgumentParser:
    """The options of every script, `--rows`, `--runs` and `--dir`; `doc` is its docstring."""
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=rows)
    parser.add_argument("--runs", type=int, default=runs)
    parser.add_argument("--dir", type=Path, default=default_dir())
    return parser


def whole_process(runs: Sequence[Finished], rows: int) -> dict[str, Any]:
    """Our side of a benchmark that times `bulkwright write` from start to exit."""
    seconds = [done.seconds for done in runs]
    return {
        "what": "bulkwright write of the zip, whole process, result zip written",
        **times(seconds),
        "rows_per_s": round(rows / median(seconds)),
        "peak_mb": max(done.peak_mb for done in runs),
    }


def say(text: str) -> None:
    """Progress, on stderr: stdout carries the report only."""
    print(text, file=sys.stderr, flush=True)


# --- where and what ------------------------------------------------------------------------------


def machine() -> dict[str, Any]:
    """The facts without which a time means nothing."""
    return {
        "cpu": _first_value("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mb": int((_first_value("/proc/meminfo", "MemTotal") or "0 kB").split()[0]) // 1024,
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    """What does the work: the service, the libraries it leans on, the shell."""
    found = {"sqlite_shell": sqlite_version()}
    for name in ("bulkwright", "polars", "adbc-driver-sqlite", "isal", "granian"):
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def commit() -> dict[str, Any]:
    """Which code was measured. `dirty`: the tree differed from that commit."""
    head = _git("rev-parse", "HEAD")
    return {"commit": head or None, "dirty": bool(_git("status", "--porcelain")) if head else None}


def _git(*args: str) -> str:
    argv = ["git", "-C", str(ROOT), *args]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _first_value(path: str, key: str) -> str | None:
    with suppress(OSError), Path(path).open(encoding="utf-8") as lines:
        for line in lines:
            name, _, value = line.partition(":")
            if name.strip() == key:
                return value.strip()
    return None


# --- numbers -------------------------------------------------------------------------------------


def median(values: Sequence[float]) -> float:
    """The median, rounded to what a clock can promise."""
    return round(statistics.median(values), 4)


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value that `share` of the ordered values do not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def times(seconds: Sequence[float]) -> dict[str, Any]:
    """All measured times and their median."""
    return {"times_s": [round(s, 4) for s in seconds], "median_s": median(seconds)}


def target(
    measured: float, *, at_most: float | None = None, at_least: float | None = None
) -> dict[str, Any]:
    """What was aimed at, and whether it is met."""
    met = (at_most is None or measured <= at_most) and (at_least is None or measured >= at_least)
    bound = {"at_most": at_most} if at_most is not None else {"at_least": at_least}
    return {**bound, "measured": round(measured, 4), "met": met}


def report(benchmark: str, parameters: dict[str, Any], measures: dict[str, dict[str, Any]]) -> None:
    """Print one line of JSON for each measure of a benchmark, whole in itself."""
    where = {"machine": machine(), "versions": versions(), **commit()}
    for name, figures in measures.items():
        line = {"benchmark": benchmark, "measure": name, **figures}
        line |= {"parameters": parameters, **where}
        print(json.dumps(line, ensure_ascii=False), flush=True)


# --- processes -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finished:
    """A process that was started, timed and has ended."""

    seconds: float
    """From before it is started until it has been waited for."""
    peak_mb: float
    """Peak resident memory of its largest process (itself or a descendant it waited for)."""
    code: int
    stdout: str
    stderr: str
    cpu_s: float = 0.0
    """CPU time of it and of all its descendants that it waited for."""


def peak_floor_mb() -> float:
    """Below this no peak of a started process can be seen: it is the peak of this one."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def timed(argv: Sequence[str | Path], *, stdin: str = "", cwd: Path | None = None) -> Finished:
    """Run a process to its end and measure it as the kernel saw it."""
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        given.write(stdin.encode())
        given.seek(0)
        start = time.perf_counter()
        process = subprocess.Popen(argv, stdin=given, stdout=out, stderr=err, cwd=cwd)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        return Finished(
            seconds=seconds,
            peak_mb=round(usage.ru_maxrss / 1024, 1),
            code=process.returncode,
            stdout=out.read().decode(errors="replace"),
            stderr=err.read().decode(errors="replace"),
            cpu_s=round(usage.ru_utime + usage.ru_stime, 2),
        )


def bulkwright() -> list[str]:
    """How to start the program under test: the one installed next to this Python."""
    script = Path(sys.executable).with_name("bulkwright")
    return [str(script)] if script.exists() else [sys.executable, "-m", "bulkwright"]


def sqlite_shell() -> str:
    """The sqlite3 shell, the reference of several benchmarks."""
    shell = shutil.which("sqlite3")
    if shell is None:
        raise SystemExit("this benchmark needs the sqlite3 shell as its reference")
    return shell


def sqlite_version() -> str:
    """The version of that shell; the library in ours may be another one."""
    return subprocess.run(
        [sqlite_shell(), "--version"], capture_output=True, text=True, check=True
    ).stdout.split()[0]


def read_once(path: Path) -> None:
    """Bring a file into the page cache, so that no run pays for the disk alone."""
    with path.open("rb") as file:
        while file.read(1 << 20):
            pass


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """An empty folder next to the data (so on the same disk), removed afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="run-", dir=folder, ignore_cleanup_errors=True) as made:
        yield Path(made)


def expect_statuses(result: Path, expected: dict[str, int]) -> None:
    """Check that a result zip has a line for each row, and that the lines say what they must."""
    counted = statuses(result)
    expected = {status: count for status, count in expected.items() if count}
    if counted != expected:
        raise BenchmarkError(f"the result should say {expected}, it says {dict(counted)}")


def expect_stored(data: Path, expected: int) -> None:
    """Check, through the sqlite3 shell, the number of leads in a data folder without a server."""
    stored = int(_asked(data, f'SELECT count(*) FROM "{leads_table(data)}"'))
    if stored != expected:
        raise BenchmarkError(f"there should be {expected} leads, there are {stored}")


def leads_table(data: Path) -> str:
    """The name of the table in which a data folder with one org keeps its leads."""
    return _asked(data, "SELECT name FROM sqlite_schema WHERE name GLOB 'org*_Leads'")


def _asked(data: Path, sql: str) -> str:
    done = timed([sqlite_shell(), "-batch", data / "bulkwright.sqlite", sql])
    if done.code:
        raise BenchmarkError(f"the shell failed: {done.stderr[-500:]}")
    return done.stdout.strip()


def statuses(result: Path) -> Counter[str]:
    """How often each STATUS occurs in a result zip."""
    counted: Counter[str] = Counter()
    with zipfile.ZipFile(result) as archive:
        for member in archive.namelist():
            with TextIOWrapper(archive.open(member), "utf-8", newline="") as text:
                lines = csv.reader(text)
                at = next(lines).index("STATUS")
                counted.update(line[at] for line in lines)
    return counted


# --- the server ----------------------------------------------------------------------------------


class Connection:
    """One keep-alive connection that speaks the bulk write wire, as a client would."""

    def __init__(self, base_url: str, credentials: dict[str, Any]) -> None:
        where = urlsplit(base_url)
        self._http = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        self._org = str(credentials["org_id"])
        self._headers = {"Authorization": f"Zoho-oauthtoken {credentials['access_token']}"}

    def upload(self, archive: Path) -> str:
        """Upload a zip, read piece by piece; the id of the file."""
        mark = uuid.uuid4().hex
        head = (
            f"--{mark}\r\nContent-Disposition: form-data; "
            f'name="file"; filename="{archive.name}"\r\nContent-Type: application/zip\r\n\r\n'
        ).encode()
        tail = f"\r\n--{mark}--\r\n".encode()

        def body() -> Iterator[bytes]:
            yield head
            with archive.open("rb") as file:
                while piece := file.read(1 << 20):
                    yield piece
            yield tail

        answer = self._call(
            "POST",
            "/crm/v2/upload",
            body(),
            {
                "Content-Length": str(len(head) + archive.stat().st_size + len(tail)),
                "Content-Type": f"multipart/form-data; boundary={mark}",
                "feature": "bulk-write",
                "X-CRM-ORG": self._org,
            },
        )
        return str(answer["details"]["file_id"])

    def create(
        self, file_id: str, columns: Sequence[str], *, operation: str, find_by: str | None = None
    ) -> str:
        """Create a job for Leads that maps every column to the field of its name; its id."""
        mappings = [{"api_name": name, "index": at} for at, name in enumerate(columns)]
        resource: dict[str, Any] = {
            "type": "data",
            "module": "Leads",
            "file_id": file_id,
            "field_mappings": mappings,
        }
        if find_by:
            resource["find_by"] = find_by
        body = json.dumps({"operation": operation, "resource": [resource]}).encode()
        kind = {"Content-Type": "application/json"}
        answer = self._call("POST", "/crm/bulk/v2/write", body, kind)
        return str(answer["details"]["id"])

    def details(self, job_id: str) -> dict[str, Any]:
        """The job details."""
        return self.get(details_path(job_id))

    def wait(self, job_id: str, *, every: float, at_most: float = 600.0) -> dict[str, Any]:
        """Poll until the job has ended; its details. Raises unless it is COMPLETED."""
        end = time.perf_counter() + at_most
        while True:
            job = self.details(job_id)
            if job["status"] == "COMPLETED":
                return job
            if job["status"] == "FAILED" or time.perf_counter() > end:
                raise BenchmarkError(f"the job did not complete: {json.dumps(job)[:2000]}")
            time.sleep(every)

    def result(self, details: dict[str, Any], to: Path) -> Path:
        """Download the result zip of a job that has ended; where it was put."""
        self._http.request("GET", details["result"]["download_url"], headers=self._headers)
        answer = self._http.getresponse()
        if answer.status != 200:
            raise BenchmarkError(f"no result: {answer.status} {answer.read()[:500]!r}")
        with to.open("wb") as file:
            shutil.copyfileobj(answer, file)
        return to

    def get(self, path: str) -> dict[str, Any]:
        """What a GET answers."""
        return self._call("GET", path)

    def post(self, path: str, body: object) -> dict[str, Any]:
        """What a POST of JSON answers."""
        return self._call("POST", path, json.dumps(body).encode())

    def _call(
        self,
        method: str,
        path: str,
        body: bytes | Iterator[bytes] = b"",
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        self._http.request(method, path, body or None, {**self._headers, **(headers or {})})
        answer = self._http.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise BenchmarkError(f"{method} {path}: {answer.status} {text[:500]!r}")
        parsed: dict[str, Any] = json.loads(text)
        return parsed


def details_path(job_id: str) -> str:
    """The path of the founding endpoint, Get Bulk Write Job Details."""
    return f"/crm/bulk/v2/write/{job_id}"


class Server(ServerProcess):
    """A `bulkwright serve --dev` of its own, on a free port, and the times of its start."""

    spawned = 0.0
    """When it was spawned, on the clock of `time.perf_counter`."""
    start_s = 0.0
    """From spawn until the line `ready` was read."""

    def spawn(self) -> None:
        """Start the process and note the time."""
        self.spawned = time.perf_counter()
        super().spawn()

    def wait_ready(self, seconds: float = 60.0) -> None:
        """Wait for the line `ready` and note the time."""
        super().wait_ready(seconds)
        self.start_s = round(time.perf_counter() - self.spawned, 4)

    def connect(self) -> Connection:
        """A new connection with the rights of the dev credentials."""
        return Connection(self.base_url, self.credentials)

    def memory(self) -> list[dict[str, Any]]:
        """Peak resident memory of each process of the server, largest first."""
        found = []
        for pid in _family(self.pid):
            with suppress(OSError):
                peak = _first_value(f"/proc/{pid}/status", "VmHWM")
                words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
                names = [word.rpartition("/")[2] for word in words if word]
                if peak:
                    what = " ".join(names)[:80]
                    found.append({"process": what, "peak_mb": round(int(peak.split()[0]) / 1024)})
        return sorted(found, key=lambda entry: -int(entry["peak_mb"]))

    def peak_mb(self, *, worker: bool) -> int:
        """Peak resident memory of the largest worker, or of the largest process that is none."""
        return max(
            int(entry["peak_mb"])
            for entry in self.memory()
            if (" worker " in f"{entry['process']} ") == worker
        )


def _family(root: int) -> list[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                children.setdefault(int(parent), []).append(int(entry.name))
    family = [root]
    for pid in family:
        family += children.get(pid, [])
    return family
