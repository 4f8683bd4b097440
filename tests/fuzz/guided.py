"""One target under Atheris; runs in the environment that `__main__.py` makes."""

from __future__ import annotations

import sys


def run() -> None:
    """Fuzz the target in the first argument; the other arguments are options of libFuzzer."""
    import atheris

    with atheris.instrument_imports(
        include=["bulkwright", "multipart", "zipfile", "csv", "urllib.parse", "ipaddress", "json"]
    ):
        from tests.fuzz.targets import TARGETS

    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
