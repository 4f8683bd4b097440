"""B6: Get Bulk Write Job Details, the request that every client repeats until its job is done.

    python benchmarks/b6_details.py [--seconds S] [--runs K] [--rows N] [--rate R] [--own-load]

Two measures against one `serve --dev`, each with the access token checked at every request:

throughput      16 keep-alive connections ask as fast as they get answers
during a job    500 requests a second are due while a job of a million rows runs, all for the
                details of that very job; times count from when a request was due

The reference is a bare asyncio responder that sends a fixed answer of the same size: no routing, no
token, no database. For the second measure it answers at the same rate while the same job runs, so
it shows what the machine itself does to any process then.

The throughput is asked by wrk where it is installed, else (or with `--own-load`) by load.py; the
paced requests are always load.py's.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from data import COLUMNS_16, Dataset, make_apart
from harness import (
    BenchmarkError,
    Server,
    details_path,
    median,
    options,
    report,
    say,
    scratch,
    target,
    timed,
)
from load import Order

CONNECTIONS = 16
TARGET_PER_S = 15_000
TARGET_P99_MS = 25
SMALL_ROWS = 1_000
COMPLETED = '{"status":"COMPLETED"'
LOAD = Path(__file__).with_name("load.py")


@contextmanager
def responder(size: int) -> Iterator[str]:
    """The reference server with answers of `size` bytes; its base URL."""
    argv = [sys.executable, str(LOAD), "responder", str(size)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[1]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def generate(order: Order) -> dict[str, Any]:
    """Run the generator in its own process; what it saw."""
    done = timed([sys.executable, LOAD], stdin=json.dumps(asdict(order)))
    if done.code:
        raise BenchmarkError(f"the generator failed: {done.stderr[-2000:]}")
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def with_wrk(order: Order) -> dict[str, Any]:
    """The closed way, with wrk in place of our generator."""
    argv = ["wrk", "-t1", f"-c{order.connections}", f"-d{order.seconds:g}s", "--latency"]
    argv += ["-H", f"Authorization: {order.authorization}"]
    done = timed([*argv, f"http://{order.host}:{order.port}{order.path}"])
    if done.code or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise BenchmarkError(f"wrk failed: {done.stdout[-1000:]}{done.stderr[-1000:]}")
    return read_wrk(done.stdout)


def read_wrk(text: str) -> dict[str, Any]:
    """The figures in what wrk prints with `--latency`."""
    units = {"us": 0.001, "ms": 1.0, "s": 1000.0}

    def milliseconds(pattern: str) -> float:
        found = re.search(pattern + r"\s+([\d.]+)(us|ms|s)\b", text)
        if found is None:
            raise BenchmarkError(f"wrk printed something else: {text[-1000:]}")
        return round(float(found[1]) * units[found[2]], 3)

    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    return {
        "requests_per_s": float(rate[1]) if rate else 0.0,
        "p50_ms": milliseconds(r"\b50%"),
        "p99_ms": milliseconds(r"\b99%"),
        "max_ms": milliseconds(r"Latency\s+[\d.]+\w+\s+[\d.]+\w+"),
    }


def uses_wrk(args: argparse.Namespace) -> bool:
    """Whether wrk asks in the throughput measure."""
    return not args.own_load and shutil.which("wrk") is not None


def order_for(base_url: str, path: str, authorization: str, seconds: float, **more: Any) -> Order:
    """An order to ask one path of one server."""
    where = urlsplit(base_url)
    assert where.hostname is not None and where.port is not None
    return Order(where.hostname, where.port, path, authorization, CONNECTIONS, seconds, **more)


def throughput(server: Server, small: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Requests a second on the details of a job that has ended."""
    client = server.connect()
    job_id = client.create(client.upload(small), COLUMNS_16, operation="insert")
    done = client.wait(job_id, every=0.02)
    path = details_path(job_id)
    token = f"Zoho-oauthtoken {server.credentials['access_token']}"
    size = len(json.dumps(done, separators=(",", ":"), ensure_ascii=False).encode())
    ask = with_wrk if uses_wrk(args) else generate
    own: list[dict[str, Any]] = []
    theirs: list[dict[str, Any]] = []
    with responder(size) as bare:
        ask(order_for(server.base_url, path, token, 1.0))
        for run in range(args.runs):
            theirs.append(ask(order_for(bare, path, token, args.seconds)))
            own.append(ask(order_for(server.base_url, path, token, args.seconds)))
            say(
                f"throughput, run {run + 1}: reference {theirs[-1]['requests_per_s']:.0f}/s, "
                f"ours {own[-1]['requests_per_s']:.0f}/s"
            )
    rate = median([seen["requests_per_s"] for seen in own])
    bare_rate = median([seen["requests_per_s"] for seen in theirs])
    return {
        "reference": {
            "what": "asyncio responder, fixed answer of the same size",
            "median_requests_per_s": bare_rate,
            "runs": theirs,
        },
        "ours": {
            "what": "GET job details of a completed job",
            "answer_bytes": size,
            "median_requests_per_s": rate,
            "runs": own,
        },
        "ratio": round(rate / bare_rate, 3),
        "target": target(rate, at_least=TARGET_PER_S),
    }


def during_job(server: Server, large: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Times at a fixed rate while a large job runs: ours, and the bare responder's."""
    client = server.connect()
    token = f"Zoho-oauthtoken {server.credentials['access_token']}"
    own: list[dict[str, Any]] = []
    theirs: list[dict[str, Any]] = []
    for run in range(args.runs):
        # Each side gets a job of its own; both jobs do the same work.
        job_id = client.create(client.upload(large), COLUMNS_16, operation="insert")
        order = order_for(
            server.base_url, details_path(job_id), token, 600.0, rate=args.rate, until=COMPLETED
        )
        own.append(generate(order))
        if not own[-1]["stopped_by_answer"]:
            raise BenchmarkError("the job did not complete while it was polled")
        say(f"during a job, run {run + 1}: ours p99 {own[-1]['p99_ms']} ms")

        job_id = client.create(client.upload(large), COLUMNS_16, operation="insert")
        with responder(2_000) as bare:
            waiter = threading.Thread(target=client.wait, args=(job_id,), kwargs={"every": 0.25})
            waiter.start()
            seconds = own[-1]["seconds"]
            theirs.append(generate(order_for(bare, "/", token, seconds, rate=args.rate)))
            waiter.join()
        say(f"during a job, run {run + 1}: reference p99 {theirs[-1]['p99_ms']} ms")
    worst = max(seen["p99_ms"] for seen in own)
    bare_worst = max(seen["p99_ms"] for seen in theirs)
    return {
        "reference": {
            "what": "asyncio responder at the same rate, on the same machine under the same job",
            "worst_p99_ms": bare_worst,
            "runs": theirs,
        },
        "ours": {
            "what": f"GET details of a running job of {args.rows} rows, {args.rate:g} due a second",
            "worst_p99_ms": worst,
            "runs": own,
            "memory": server.memory(),
        },
        "ratio": round(worst / bare_worst, 3),
        "target": target(worst, at_most=TARGET_P99_MS),
    }


def main() -> None:
    parser = options(__doc__, rows=1_000_000)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each throughput run")
    parser.add_argument("--rate", type=float, default=500.0, help="requests due a second")
    parser.add_argument("--own-load", action="store_true", help="leave wrk aside")
    args = parser.parse_args()
    small = make_apart(Dataset(SMALL_ROWS), args.dir, zipped=True)
    large = make_apart(Dataset(args.rows), args.dir, zipped=True)
    with (
        scratch(args.dir) as space,
        Server(space / "data", "--profile", "service") as server,
    ):
        results = {
            "throughput": throughput(server, small, args),
            "during-job": during_job(server, large, args),
        }
    parameters = {
        "seconds": args.seconds,
        "runs": args.runs,
        "rows": args.rows,
        "rate_per_s": args.rate,
        "connections": CONNECTIONS,
        "generator": "wrk" if uses_wrk(args) else "load.py",
    }
    report("B6", parameters, results)


if __name__ == "__main__":
    main()
