"""How many threads a process of the program uses."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests.support.processes import clean_environment

PROGRAM = """
import sys
from bulkwright.cli import main
try:
    main()
finally:
    import polars
    print(polars.thread_pool_size())
"""


@pytest.mark.parametrize("given", [None, "3"])
def test_polars_has_a_thread_for_two_cores(given: str | None) -> None:
    """At least one; the environment may name another number."""
    named = {} if given is None else {"POLARS_MAX_THREADS": given}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "--version"],
        capture_output=True, text=True, check=True,
        env={name: value for name, value in clean_environment().items()
             if name != "POLARS_MAX_THREADS"} | named,
    )  # fmt: skip
    expected = given or str(max(1, len(os.sched_getaffinity(0)) // 2))
    assert done.stdout.splitlines()[-1] == expected
