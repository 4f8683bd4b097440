"""The long form: `.venv/bin/python -m tests.fuzz [SECONDS [TARGET ...]]`.

Atheris, which measures the code that an input reaches, searches from the seeds for SECONDS per
target (default: 60). It is not a dependency of the project: the first run installs it into its own
environment in `FUZZ_HOME` (default: a folder in the user's cache). Inputs that reach new code are
kept there for the next run. An input that breaks a target is printed as a line for `seeds.py`, and
the exit status is 1.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.fuzz.seeds import SEEDS

ATHERIS = "atheris==3.0.0"
ROOT = Path(__file__).resolve().parents[2]
HOME = Path(os.environ.get("FUZZ_HOME") or Path.home() / ".cache" / "bulkwright-fuzz")
LONGEST = 8192
"""Bytes of an input."""
SLOWEST = 10
"""Seconds after which an input counts as a hang."""
MOST_MEMORY = 2048
"""MiB after which an input counts as a leak."""


def main() -> int:
    """Fuzz one target after the other; returns 1 if an input broke one."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    names = sys.argv[2:] or list(SEEDS)
    python = environment()
    return max(fuzz(python, name, seconds) for name in names)


def environment() -> Path:
    """The Python of an environment with Atheris and the packages of this one."""
    python = HOME / "venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(HOME / "venv")], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", ATHERIS], check=True)
    return python


def fuzz(python: Path, name: str, seconds: int) -> int:
    """Fuzz one target; returns 1 if an input broke it."""
    corpus = HOME / "corpus" / name
    found = HOME / "found" / name
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[name]):
        (corpus / f"seed-{number}").write_bytes(seed)
    before = set(found.iterdir())
    paths = [str(ROOT), str(ROOT / "src"), sysconfig.get_path("purelib")]
    status = subprocess.run(
        [
            str(python), "-c", "from tests.fuzz.guided import run; run()", name, str(corpus),
            f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-timeout={SLOWEST}",
            f"-rss_limit_mb={MOST_MEMORY}", f"-artifact_prefix={found}{os.sep}", "-verbosity=0",
            "-print_final_stats=1",
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    ).returncode  # fmt: skip
    new = set(found.iterdir()) - before
    for path in sorted(new):
        print(f"{name} is broken by {path.read_bytes()!r}")
    print(f"{name}: {'FOUND ' + str(len(new)) if status else 'nothing found'} in {seconds} s")
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main())
