"""The wheel holds what the package needs, and is typed for those who use it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.structure.tree import ROOT, SOURCE

DATA = {".cjs", ".css", ".html", ".js", ".json", ".sql", ".svg", ".txt", ".typed"}
"""The kinds of files in the source that are no Python modules."""

USER = """
from bulkwright import Client
from bulkwright.testing import ServerProcess
reveal_type(Client.upload)
server: ServerProcess = "none"
"""
"""A user's code: one type to be shown, one mistake to be found."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], ROOT)
    (built,) = folder.glob("*.whl")
    return built


def run(line: list[str], folder: Path) -> None:
    """Run a program that must succeed."""
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, (done.stdout, done.stderr)


@pytest.mark.slow
def test_every_module_and_every_file_of_data_is_inside(wheel: Path) -> None:
    """py.typed, templates, SQL, migrations, and the example of the demo."""
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    wanted = {
        str(path.relative_to(SOURCE.parent))
        for path in SOURCE.rglob("*")
        if path.suffix in {".py", *DATA} and "__pycache__" not in path.parts
    }
    assert wanted - inside == set()
    assert {Path(name).suffix for name in wanted} >= {".py", ".sql", ".typed"}
    assert "bulkwright/py.typed" in inside and "bulkwright/data/leads.csv" in inside
    unknown = {p.suffix for p in SOURCE.rglob("*") if p.is_file()} - {".py", ".pyc", *DATA}
    assert unknown == set(), "say in DATA that it belongs to the package"


@pytest.mark.slow
def test_a_users_code_is_type_checked(wheel: Path, tmp_path: Path) -> None:
    """Installed like any package: the types of the client are known, and a mistake is found."""
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)  # what an installer does with a wheel of pure Python
    (tmp_path / "user.py").write_text(USER)
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = True\n")
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "user.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300,
        env={"PATH": "", "MYPYPATH": "", "PYTHONPATH": str(site), "HOME": str(tmp_path)},
    )  # fmt: skip
    lines = [line for line in checked.stdout.splitlines() if line.startswith("user.py")]
    assert len(lines) == 2, checked.stdout + checked.stderr
    assert "Revealed type" in lines[0] and lines[0].split('"')[1] != "Any"
    assert 'has type "str"' in lines[1] and "ServerProcess" in lines[1]
