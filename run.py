#!/usr/bin/env python3
"""Sets everything up and runs it: `python3 run.py demo`, `python3 run.py test`.

Needs Python 3.11 or newer with pip, and nothing else: no root, no uv, no Docker. It installs into
`.venv` beside this file, at the versions and hashes of `requirements/`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin") / "python"
USAGE = """usage: python3 run.py COMMAND [ARGUMENT ...]

  demo         one bulk write job from a CSV to its result
  test         format, lint, types, layers, words and all tests (add -k NAME etc. for pytest)
  test --fast  the same, with only the quick tests
  check        the same without the tests
  docs         build the docs site into build/docs; a warning fails it
  coverage     the tests that cover branches, a table by package, and its floors
  mutation     change the code in small steps and see whether tests notice (add a NAME for one room)
  bulkwright   the command itself, in the folder where you are, for example:
               python3 run.py bulkwright serve --dev"""

PROSE = (
    "src", "tests", "docs", "benchmarks", "examples", "deploy", "requirements/README.md",
    "run.py", ".ci", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md",
)  # fmt: skip

CHECKS = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "."),
    ("mypy",),
    ("lint-imports",),
    ("codespell", *PROSE),
)

TOOLS = {"coverage": "tests/measure_coverage.py", "mutation": "tests/mutation.py"}

SITE = ("--fail-on-warning", "--nitpicky", "--builder", "html", "docs", "build/docs")

SHARED = ("--dist", "loadfile", "--no-loadscope-reorder")
"""The processes share the tests, file by file, in the order of `tests/conftest.py`."""


def main() -> int:
    """Run the command named on the command line and return its exit status."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the user's Python may be older
        print(f"Bulkwright needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    command, *rest = sys.argv[1:] or [""]
    if command in ("demo", "bulkwright"):
        set_up("run")
        before = ["demo"] if command == "demo" else []
        return become("bulkwright", *before, *rest)
    if command in ("test", "check"):
        set_up("dev")
        if failed := failed_checks():
            print(f"failed: {', '.join(failed)}", file=sys.stderr)
            return 1
        os.chdir(ROOT)
        return become("pytest", "-n", processes(rest), *SHARED, *rest) if command == "test" else 0
    if command == "docs":
        set_up("dev")
        os.chdir(ROOT)
        return become("sphinx-build", *SITE, *rest)
    if command in TOOLS:
        set_up("dev")
        os.chdir(ROOT)
        return become("python", TOOLS[command], *rest)
    print(USAGE)
    return 0 if command in ("-h", "--help", "help") else 2


def processes(arguments: list[str]) -> str:
    """Return how many processes run the tests: as many as cores, at most 4.

    Without `--fast` there is one more, because a third of a test's time is waiting for a process or
    a lease.
    """
    return str(min(4, (os.cpu_count() or 1) + ("--fast" not in arguments)))


def set_up(kind: str) -> None:
    """Install the locked packages of `requirements/<kind>.txt` and this project, once."""
    locked = ROOT / "requirements" / f"{kind}.txt"
    digest = hashlib.sha256(locked.read_bytes()).hexdigest()
    mark = ENVIRONMENT / f".{kind}-{sys.version_info.major}.{sys.version_info.minor}"
    if PYTHON.exists() and mark.exists() and mark.read_text() == digest:
        return
    print(f"setting up {ENVIRONMENT.name} (once) ...", file=sys.stderr, flush=True)
    if sys.prefix != sys.base_prefix and Path(sys.prefix).resolve() == ENVIRONMENT:
        # It has no pip, and its own Python cannot be written while it runs.
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        python = shutil.which(version, path=str(Path(sys.base_prefix) / "bin")) or "python3"
        os.execvp(python, [python, *sys.argv])  # noqa: S606 - the Python that made it
    # Without pip inside: Debian's Python cannot install it there, and the pip outside does as well.
    venv.create(ENVIRONMENT, with_pip=False, symlinks=os.name != "nt")
    pip = [sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "--quiet",
           "--disable-pip-version-check"]  # fmt: skip
    subprocess.run([*pip, "--require-hashes", "-r", str(locked)], check=True)
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)], check=True)
    mark.write_text(digest)


def failed_checks() -> list[str]:
    """Run all checks at the same time; print what they report, and return those that failed."""
    running = [
        (" ".join(check), start(*check, stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
        for check in CHECKS
    ]
    failed = []
    try:
        for name, process in running:
            report, _ = process.communicate()
            print(report.decode(errors="replace"), end="", flush=True)
            if process.returncode != 0:
                failed.append(name)
    finally:
        for _, process in running:
            process.terminate()  # after a signal; it does nothing to one that has ended
    return failed


def start(program: str, *arguments: str, **more: Any) -> subprocess.Popen[bytes]:
    """Start a program of the environment in the project's folder."""
    path = str(PYTHON.parent / program)
    return subprocess.Popen([path, *arguments], cwd=ROOT, env=environment(), **more)


def become(program: str, *arguments: str) -> int:
    """Replace this process by a program of the environment, in the folder where the user is.

    So the program gets the user's paths and signals, and its exit status is that of the command.
    """
    path = str(PYTHON.parent / program)
    sys.stdout.flush()
    if os.name != "nt":
        os.execve(path, [path, *arguments], environment())  # noqa: S606 - the path is ours
    # Windows cannot replace a process.
    return subprocess.run([path, *arguments], env=environment()).returncode


def environment() -> dict[str, str]:
    """Return the variables of a program: those of the user, with the environment on the PATH."""
    path = os.pathsep.join([str(PYTHON.parent), os.environ.get("PATH", "")])
    variables = {**os.environ, "PATH": path}
    # Tests start hundreds of processes: compiling every module in each doubles their time.
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    return variables


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
