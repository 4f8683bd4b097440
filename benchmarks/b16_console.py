"""B16: the console in a browser: first paint of the list of jobs and of the columns of a file.

    python benchmarks/b16_console.py [--rows N] [--jobs J] [--runs K] [--dir DIR]

On SQLite, with `serve --dev`: the list of jobs while `--jobs` jobs are kept, and the page on which
the columns of a file of `--rows` rows are assigned to fields. The time is the browser's own, from
the start of the navigation to the first content that it has painted. The reference is the text of
/healthz from the same server: what the browser itself takes.

Needs Debian's packages chromium and chromium-driver.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from data import COLUMNS_16, Dataset, make_apart
from harness import (
    ROOT,
    BenchmarkError,
    Server,
    median,
    options,
    report,
    say,
    scratch,
    target,
    times,
)

sys.path.insert(0, str(ROOT))
from tests.support.chromium import Chromium, missing

TARGET_S = 0.3
PAINT = (
    "const [one] = performance.getEntriesByName('first-contentful-paint');"
    "return one ? one.startTime : null"
)


def copy_job(database: Path, job_id: str, copies: int) -> None:
    """Add copies of an ended job to the database, with smaller ids."""
    with closing(sqlite3.connect(database, timeout=60)) as file:
        for table, key in (("jobs", "id"), ("resources", "job_id"), ("parts", "job_id")):
            names = [row[1] for row in file.execute(f"PRAGMA table_info({table})") if row[1] != key]
            listed = ", ".join(f'"{name}"' for name in names)
            file.execute(
                f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
                f"INSERT INTO {table} ({key}, {listed}) "
                f"SELECT {key} - 1000000 - i, {listed} FROM {table}, n WHERE {key} = ?",
                (copies, int(job_id)),
            )
        file.commit()


def painted(browser: Chromium, url: str) -> float:
    """The seconds until a page shows something."""
    browser.visit(url)
    found: list[float] = []

    def is_painted() -> bool:
        time = browser.script(PAINT)
        found.extend([] if time is None else [float(time)])
        return bool(found)

    browser.until(is_painted)
    return found[0] / 1000


def measured(
    browser: Chromium, reference: Callable[[], float], url: str, runs: int, what: str
) -> dict[str, Any]:
    """First paints of a page and of the reference, in turns."""
    painted(browser, url)
    own, bare = [], []
    for _ in range(runs):
        bare.append(reference())
        own.append(painted(browser, url))
    say(f"{what}: {median(own):.3f} s, at most {max(own):.3f} s")
    return {
        "reference": {"what": "first paint of the text of /healthz", **times(bare)},
        "ours": {"what": f"first paint of {what}", **times(own)},
        "ratio": round(median(own) / median(bare), 3),
        "target": target(median(own), at_most=TARGET_S),
    }


def main() -> None:
    parser = options(__doc__, rows=1_000_000)
    parser.add_argument("--jobs", type=int, default=100_000)
    args = parser.parse_args()
    if reason := missing():
        raise BenchmarkError(reason)
    parameters = {"rows": args.rows, "jobs": args.jobs, "runs": args.runs}
    small = make_apart(Dataset(100), args.dir, zipped=True)
    large = make_apart(Dataset(args.rows), args.dir)
    with (
        scratch(args.dir) as space,
        Server(space / "data", "--profile", "service") as server,
        Chromium() as browser,
    ):
        server.wait_for_workers(1)
        client = server.connect()
        job_id = client.create(client.upload(small), COLUMNS_16, operation="insert")
        client.wait(job_id, every=0.02)
        copy_job(space / "data" / "bulkwright.sqlite", job_id, args.jobs)
        console = f"{server.base_url}/console"
        browser.visit(console)
        browser.click("button[name=user]")
        browser.until(lambda: browser.has(".top"))
        bare = partial(painted, browser, f"{server.base_url}/healthz")
        pages = {f"the list of {args.jobs:,} jobs": f"{console}/jobs"}
        browser.visit(f"{console}/import")
        browser.type("#file", str(large))
        browser.click("button.main")
        browser.until(lambda: browser.has("#import"))
        pages[f"the columns of {args.rows:,} rows"] = browser.url
        measures = {
            what.partition(" of ")[0].removeprefix("the "): measured(
                browser, bare, url, args.runs, what
            )
            for what, url in pages.items()
        }
        report("B16", parameters, measures)


if __name__ == "__main__":
    main()
