"""axe-core, which finds barriers in pages: downloaded once at a pinned version, and not shipped."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import pytest
from tests.support.chromium import Chromium

_NAME, _VERSION = "axe-core", "4.14.1"
_SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
"""Of the package, as npm's lock files have it."""
_WHAT = "NOT TESTED: barriers in pages"
_RUN = """
return axe.run(document, {resultTypes: ["violations"]}).then((found) => found.violations
  .filter((one) => ["serious", "critical"].includes(one.impact))
  .map((one) => one.id + ": " + one.nodes.map((node) => node.target.join(" ")).join(", ")))
"""


def script() -> str:
    """Returns the script. Skips the test if it cannot be downloaded."""
    users = os.environ.get("XDG_CACHE_HOME")
    folder = (Path(users) if users else Path.home() / ".cache") / "bulkwright-axe"
    package = folder / f"{_NAME}-{_VERSION}.tgz"
    if not package.exists():
        _download(package)
    digest = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    assert digest == _SHA512, f"{package} is another package; delete it"
    with tarfile.open(package) as archive:
        file = archive.extractfile("package/axe.min.js")
        assert file is not None
        return file.read().decode()


def _download(package: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"{_WHAT}: npm is not installed")
    with tempfile.TemporaryDirectory() as folder:
        line = [npm, "pack", "--silent", f"{_NAME}@{_VERSION}"]
        done = subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=120)
        if done.returncode:
            pytest.skip(f"{_WHAT}: npm cannot download {_NAME}: {done.stderr[-200:]}")
        package.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(Path(folder) / package.name, package)


def barriers(browser: Chromium, text: str) -> Any:
    """Returns the serious barriers of the page in the window: the rule, and the elements."""
    if not browser.script("return typeof axe === 'object'"):
        browser.script(text)
    return browser.script(_RUN)
