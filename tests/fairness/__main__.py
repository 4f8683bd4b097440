"""Attacks a server by every known means, and prints how long its other org waited.

    python -m tests.fairness [--postgres] [--seconds 30] [ATTACK ...]

Exits 1 if the promise is broken (`tests/fairness/victim.py`).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.fairness.attacks import ATTACKS
from tests.fairness.victim import judged, ring
from tests.support.postgres import own_server

_LEAST = 50


def main() -> None:
    """Attack."""
    parser = argparse.ArgumentParser(prog="python -m tests.fairness", description=__doc__)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("attacks", nargs="*", metavar="ATTACK")
    options = parser.parse_args()
    failed = False
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = stack.enter_context(own_server()).database() if options.postgres else ""
        made = stack.enter_context(ring(folder / "data", database))
        calm = made.calm(options.seconds, _LEAST)
        print(f"without an attack, on a busy machine\n{calm}\n", flush=True)
        for name in options.attacks or ATTACKS:
            times = made.attacked(name, options.seconds, _LEAST)
            problems = judged(times, calm)
            failed = failed or bool(problems)
            outcome = f"BROKEN: {'; '.join(problems)[:500]}" if problems else "kept"
            print(f"{name}: {outcome}\n{times}\n", flush=True)
        print(made.served.log[-1000:])
    sys.exit(failed)


if __name__ == "__main__":
    main()
