"""An environment of its own for each peer, built once from an exact lock, outside the repository.

`python benchmarks/peers/environments.py [FOLDER]` builds all of them, so that a network is needed
only then. pgloader itself is Debian's: the installed one, or its package unpacked, without root,
into the environment.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements")
DEBIAN = {"pgloader": ("pgloader", "libsybdb5")}
"""Packages of Debian beside those of Python; the second is one that the first needs."""

_BUILD_SECONDS = 600
_MARK = "complete"


class NotToBeHad(Exception):
    """An environment cannot be built; the message says why."""


def python_of(name: str, cache: Path) -> Path:
    """The Python of a peer's environment, built in `cache` where it is missing.

    Programs are started as its modules: their scripts name the folder in which it was built.

    Raises NotToBeHad.
    """
    lock = REQUIREMENTS / f"{name}.txt"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    place = cache / f"{name}-py{sys.version_info.major}.{sys.version_info.minor}-{digest}"
    if not (place / _MARK).exists():
        cache.mkdir(parents=True, exist_ok=True)
        # Built beside its place and moved there whole: a broken build does no harm.
        making = Path(tempfile.mkdtemp(prefix=".making-", dir=cache))
        try:
            _build(name, lock, making)
            (making / _MARK).touch()
            shutil.rmtree(place, ignore_errors=True)
            making.rename(place)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    return place / "bin" / "python"


def _build(name: str, lock: Path, folder: Path) -> None:
    # The interpreter outside of any virtual environment: its pip is there, ours may not be.
    base = getattr(sys, "_base_executable", sys.executable)
    venv.create(folder, with_pip=False, symlinks=True)
    pip = [base, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet",
           "--disable-pip-version-check"]  # fmt: skip
    _run([*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(lock)], folder)
    packages = DEBIAN.get(name, ())
    if packages and shutil.which(packages[0]) is None:
        _run(["apt-get", "download", *packages], folder)
        (folder / "debian.txt").write_text(next(folder.glob(f"{packages[0]}_*.deb")).stem)
        for package in sorted(folder.glob("*.deb")):
            _run(["dpkg", "-x", str(package), str(folder / "debian")], folder)
            package.unlink()


def _run(line: Sequence[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            line, cwd=folder, capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotToBeHad(f"{line[0]} did not do its work: {error}") from None
    if done.returncode:
        raise NotToBeHad(f"its packages cannot be had: {done.stderr.strip()[-300:]}")


def main() -> None:
    cache = Path(sys.argv[1]) if sys.argv[1:] else Path(tempfile.gettempdir()) / "bulkwright-peers"
    for lock in sorted(REQUIREMENTS.glob("*.txt")):
        try:
            print(f"{lock.stem}: {python_of(lock.stem, cache)}", flush=True)
        except NotToBeHad as reason:
            print(f"{lock.stem}: {reason}", flush=True)


if __name__ == "__main__":
    main()
