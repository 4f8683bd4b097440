"""Mutation testing: `python3 run.py mutation [ROOM ...]`; the rooms are those of ROOMS below.

mutmut changes the code of a room in one small step after another and runs the room's tests; a
change that no test notices is a survivor. Survivors are printed; each is either met by a new test
or listed with a reason in tests/mutation-survivors.md. Exits 1 if there is one that is not listed.

mutmut changes the code after it was imported, and runs only the tests that called it. So it does
not see what runs during the import. Each change that it does not report as killed is therefore made
again, from the start of a process that runs all of the room's tests, unless it is listed. Only what
passes there is a survivor; a process that hangs has noticed the change.

mutmut has an environment of its own, with the versions of requirements/mutation.txt, and works on
a copy: MUTATION_HOME, a folder in the user's cache unless it is set. A run that was interrupted is
continued by the next one, until a file changes. MUTATION_PROCESSES is the number of changes that
are tested at the same time: that of the cores, unless it is set.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOME = Path(os.environ.get("MUTATION_HOME") or Path.home() / ".cache" / "bulkwright-mutation")
LOCK = ROOT / "requirements" / "mutation.txt"
LISTED = ROOT / "tests" / "mutation-survivors.md"
OPTIONS = ("-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:xdist", "--timeout=0",
           "-k", "not postgres")  # fmt: skip
"""A test that is recorded takes many times as long, so it has no time limit of its own. Each change
has a process of its own, and a PostgreSQL server in each of them would take hours."""
PATIENCE = 300
"""Seconds until a process hangs that repeats one change."""
PROCESSES = int(os.environ.get("MUTATION_PROCESSES") or os.cpu_count() or 1)
COPIED = ("src", "tests", "docs", "examples", "pyproject.toml", "run.py", "README.md", "deploy")


@dataclass(frozen=True)
class Room:
    """What is mutated, and the tests that must notice, as arguments of pytest.

    With `-p` a library is imported once, before the process forks for each change.
    """

    files: tuple[str, ...]
    tests: tuple[str, ...]


ROOMS = {
    "domain": Room(("domain/*",), ("tests/domain", "tests/wire")),
    "csv": Room(
        ("formats/csv/*",),
        ("-p", "numpy", "-p", "chardet", "tests/formats", "--ignore=tests/formats/test_zip.py",
         "--ignore=tests/formats/test_stream.py", "--ignore=tests/formats/test_conversion.py",
         "-m", "not slow"),
    ),
    "match": Room(
        ("pipeline/match.py", "pipeline/sequential.py", "pipeline/keys.py"),
        ("tests/engine/test_operations.py", "tests/engine/test_unique.py",
         "tests/engine/test_parent_child.py", "tests/engine/test_existing_equality.py",
         "tests/engine/test_existing_tables.py::"
         "test_a_unique_lookup_is_matched_by_the_record_that_it_means",
         "tests/properties/test_keys.py"),
    ),
}  # fmt: skip
"""From the quickest to the slowest."""


def main() -> int:
    """Mutate the rooms named on the command line, or all of them."""
    names = sys.argv[1:] or list(ROOMS)
    if unknown := [name for name in names if name not in ROOMS]:
        print(f"no such room: {', '.join(unknown)}; there are {', '.join(ROOMS)}", file=sys.stderr)
        return 2
    python = environment()
    listed = set(re.findall(r"`(\S+__mutmut_\d+)`", LISTED.read_text("utf-8")))
    survivors = [name for room in names for name in mutate(python, room, listed)]
    new = [name for name in survivors if name not in listed]
    print(f"survivors: {len(survivors)}, of which {len(new)} are not listed in {LISTED.name}")
    for name in new:
        print(f"    new: {name}")
    return 1 if new else 0


def environment() -> Path:
    """Return the Python that has mutmut; install it if the lock has changed."""
    version = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    folder = HOME / f"venv-{sys.version_info.major}.{sys.version_info.minor}-{version}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        venv.create(folder, with_pip=False, clear=True)
        base = getattr(sys, "_base_executable", sys.executable)
        subprocess.run(
            [base, "-m", "pip", "--python", str(python), "install", "--quiet",
             "--disable-pip-version-check", "--require-hashes", "-r", str(LOCK)],
            check=True,
        )  # fmt: skip
        (folder / "complete").touch()
    return python


def mutate(python: Path, name: str, listed: set[str]) -> list[str]:
    """Mutate one room; print the survivors that are not listed, return the names of all."""
    copy = Copy(python, HOME / "work" / name, ROOMS[name])
    copy.fill()
    copy.mutmut("run", "--max-children", str(PROCESSES))
    found = re.findall(
        r"^\s*(\S+__mutmut_\d+): (.+)$", copy.mutmut("results", "--all", "1"), re.MULTILINE
    )
    if copy.fails(""):
        raise SystemExit(f"the tests of {name} fail without a change")
    passed = [change for change, status in found if status != "killed"]
    known = [change for change in passed if change in listed]
    unknown = [change for change in passed if change not in listed]
    with ThreadPoolExecutor(PROCESSES) as threads:
        noticed = list(threads.map(copy.notices, unknown))
    new = [change for change, seen in zip(unknown, noticed, strict=True) if not seen]
    for survivor in new:
        print(f"{survivor}\n{changed(copy.mutmut('show', survivor))}", flush=True)
    survivors = known + new
    print(f"{name}: {len(found)} changes; {len(found) - len(passed)} killed by mutmut, "
          f"{sum(noticed)} in a process of their own, {len(survivors)} survived")  # fmt: skip
    return survivors


@dataclass(frozen=True)
class Copy:
    """A copy of the project in which one room is mutated."""

    python: Path
    folder: Path
    room: Room

    def fill(self) -> None:
        """Copy the project, and append the settings of mutmut; keep a copy that is the same."""
        mark = self.folder / "copied"
        if mark.exists() and mark.read_text() == digest(settings(self.room)):
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        # Before Python starts: it never looks again into a folder of its path that was not there.
        (self.folder / "mutants" / "src").mkdir(parents=True)
        for each in COPIED:
            if (ROOT / each).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / each, self.folder / each, ignore=ignored)
            else:
                shutil.copyfile(ROOT / each, self.folder / each)
        with (self.folder / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(settings(self.room))
        mark.write_text(digest(settings(self.room)))

    def mutmut(self, *arguments: str) -> str:
        """Run a command of mutmut; `run` prints its progress, the text of others is returned."""
        done = subprocess.run(
            [str(self.python), "-m", "mutmut", *arguments],
            check=True, cwd=self.folder, env=self.variables(), text=True,
            stdout=None if arguments[0] == "run" else subprocess.PIPE,
        )  # fmt: skip
        return done.stdout or ""

    def notices(self, change: str) -> bool:
        """Whether the tests fail with this change; an interrupted run does not ask again."""
        known = self.folder / "noticed" / change
        if not known.exists():
            known.parent.mkdir(exist_ok=True)
            known.write_text(str(self.fails(change)))
        return known.read_text() == "True"

    def fails(self, change: str) -> bool:
        """Whether the room's tests fail in a process that has this change from its start."""
        try:
            done = subprocess.run(
                [str(self.python), "-m", "pytest", "-x", *OPTIONS, *self.room.tests],
                check=False, cwd=self.folder / "mutants",
                env={**self.variables(), "MUTANT_UNDER_TEST": change},
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=PATIENCE,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return True
        return done.returncode != 0

    def variables(self) -> dict[str, str]:
        """The environment: the mutated sources come first, then the packages of this Python."""
        sources = str(self.folder / "mutants" / "src")
        paths = os.pathsep.join([sources, sysconfig.get_path("purelib")])
        return {**os.environ, "PYTHONPATH": paths, "BULKWRIGHT_EFFORT": "0.2"}


def digest(text: str) -> str:
    """Return the checksum of a text and of everything that is copied."""
    found = hashlib.sha256(text.encode())
    for each in COPIED:
        for path in sorted([ROOT / each, *(ROOT / each).rglob("*")]):
            if path.is_file() and "__pycache__" not in path.parts:
                found.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return found.hexdigest()


def settings(room: Room) -> str:
    """The section of pyproject.toml that mutmut reads."""
    only = [f"src/bulkwright/{pattern}" for pattern in room.files]
    return f"""
[tool.mutmut]
source_paths = ["src"]
# Changes run in forks of a process that has run no test: the threads of Polars do not survive one.
process_isolation = "forkserver"
only_mutate = {list(only)!r}
also_copy = {[each for each in COPIED if each not in ("src", "tests")]!r}
pytest_add_cli_args = {list(OPTIONS)!r}
pytest_add_cli_args_test_selection = {list(room.tests)!r}
"""


def changed(diff: str) -> str:
    """The lines of a difference that were removed and added."""
    lines = [line for line in diff.splitlines() if re.match(r"[-+](?![-+])", line)]
    return "\n".join(f"    {line}" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
