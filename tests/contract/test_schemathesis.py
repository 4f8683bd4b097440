"""Schemathesis compares the running service with its description, docs/openapi.json.

A short run, always the same, is part of the tests; `BULKWRIGHT_CONTRACT_EXAMPLES=500` makes a
long one with other requests each time. The checks that are off, and why: schemathesis.toml.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.support.caller import Caller
from tests.support.live import Live

ROOT = Path(__file__).parents[2]
_SHORT = 8
_SECONDS = 3600


def test_the_service_keeps_its_description(
    live_database: Callable[[], str], tmp_path: Path
) -> None:
    """Examples, edges of every parameter, random requests, and uploads with their jobs."""
    asked = os.environ.get("BULKWRIGHT_CONTRACT_EXAMPLES")
    with Live(tmp_path / "data", database=live_database()) as live:
        caller = Caller(live)
        with caller.http:
            job = caller.create(caller.insert(caller.upload()))
            caller.ended(job)
        known = {"job_id": job, "org": f"org{caller.org}", "file": f"{job}.zip"}
        (tmp_path / "known.json").write_text(json.dumps(known))
        line = [
            *(sys.executable, "-m", "schemathesis.cli", "--no-color"),
            *("--config-file", str(ROOT / "tests" / "contract" / "schemathesis.toml")),
            *("run", f"{live.base_url}/docs/openapi.json"),
            *("--header", f"Authorization: {caller.auth['Authorization']}"),
            *("--max-examples", asked or str(_SHORT)),
            *([] if asked else ["--generation-deterministic"]),
        ]
        run = subprocess.run(
            line,
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
                "BULKWRIGHT_CONTRACT": str(tmp_path / "known.json"),
            },
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-5_000:]
    # A run that tested nothing would be green too.
    tested = re.search(r"(\d+) generated, (\d+) passed", run.stdout)
    assert tested, run.stdout[-5_000:]
    assert int(tested[2]) > 300
    links = re.search(r"API Links: +(\d+) covered", run.stdout)
    assert links, run.stdout[-5_000:]
    assert int(links[1]) >= 1
