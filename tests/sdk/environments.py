"""An environment of its own for each SDK, built once from an exact lock, outside the repository.

`python tests/sdk/environments.py` builds all of them. BULKWRIGHT_SDK_CACHE names the folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.sdk.catalogue import PROGRAMS, SDKS, Sdk

_BUILD_SECONDS = 240
_MARK = "complete"
_NODE = 16


class Unavailable(Exception):
    """The environment of an SDK cannot be built; the message says why."""


def cache_folder() -> Path:
    """The folder of all environments."""
    named = os.environ.get("BULKWRIGHT_SDK_CACHE")
    if named:
        return Path(named).absolute()
    users = os.environ.get("XDG_CACHE_HOME")
    return (Path(users) if users else Path.home() / ".cache") / "bulkwright-sdk"


def command(sdk: Sdk) -> list[str]:
    """The command that runs an SDK's driver; builds its environment first if it is missing.

    Raises Unavailable.
    """
    if sdk.is_python:
        return [str(_python_of(_built(sdk))), str(sdk.driver)]
    return [_program("node"), str(sdk.driver), str(_built(sdk))]


def _built(sdk: Sdk) -> Path:
    place = cache_folder() / _folder_name(sdk)
    if (place / _MARK).exists():
        return place
    cache_folder().mkdir(parents=True, exist_ok=True)
    # Built beside its place and then renamed: a broken or a second build does no harm.
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=cache_folder()))
    try:
        (_build_python if sdk.is_python else _build_node)(sdk, making)
        (making / _MARK).touch()
        shutil.rmtree(place, ignore_errors=True)
        making.rename(place)
    except OSError:
        if not (place / _MARK).exists():
            raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return place


def _folder_name(sdk: Sdk) -> str:
    lock = hashlib.sha256(sdk.lock.read_bytes()).hexdigest()[:12]
    runtime = f"py{sys.version_info.major}.{sys.version_info.minor}" if sdk.is_python else "node"
    return f"{sdk.name.split('/')[-1]}-{sdk.version}-{runtime}-{lock}"


def _build_python(sdk: Sdk, folder: Path) -> None:
    # The interpreter outside of any virtual environment has pip; this environment may lack it.
    base = getattr(sys, "_base_executable", sys.executable)
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    pip = [base, "-m", "pip", "--python", str(_python_of(folder)), "install", "--quiet",
           "--disable-pip-version-check"]  # fmt: skip
    _run(
        [*pip, "--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(sdk.lock)],
        folder,
    )


def _build_node(sdk: Sdk, folder: Path) -> None:
    node = subprocess.run([_program("node"), "--version"], capture_output=True, text=True)
    if int(node.stdout.strip().lstrip("v").split(".")[0] or 0) < _NODE:
        raise Unavailable(f"Node {_NODE} or newer is needed, this is {node.stdout.strip()}")
    lock = json.loads(sdk.lock.read_text("utf-8"))
    manifest = {"name": lock["name"], "private": True, **lock["packages"][""]}
    (folder / "package.json").write_text(json.dumps(manifest), "utf-8")
    shutil.copyfile(sdk.lock, folder / "package-lock.json")
    npm = [_program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    _run(npm, folder)


def _run(line: Sequence[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            line, cwd=folder, capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"its packages did not arrive in {_BUILD_SECONDS} s") from None
    if done.returncode:
        errors = [part for part in done.stderr.splitlines() if "error" in part.lower()]
        raise Unavailable(f"its packages cannot be installed: {' '.join(errors[:3])[:300]}")


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Unavailable(f"{name} is not installed")
    return found


def _python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


if __name__ == "__main__":
    for each in (*SDKS, *PROGRAMS):
        try:
            command(each)
            print(f"{each}: ready", flush=True)
        except Unavailable as reason:
            print(f"{each}: {reason}", flush=True)
