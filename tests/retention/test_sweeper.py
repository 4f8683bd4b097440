"""A server sweeps at start and repeatedly, also if it is killed meanwhile."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import pytest
from tests.support.finished_jobs import HOUR, Change, Jobs
from tests.support.processes import clean_environment, until
from tests.support.watch import Watch

from bulkwright.clock import SYSTEM_CLOCK, Clock, ManualClock
from bulkwright.domain.retention import SERVICE, ZOHO
from bulkwright.events.events import Event, SweepDeferred, SweepFailed, Swept
from bulkwright.service import retention
from bulkwright.service.retention import Retention, Sweeper
from bulkwright.settings import Settings
from bulkwright.testing import ServerProcess
from bulkwright.wiring import open_check


class FakeRetention(Retention):
    """Sweeps nothing; each sweep calls the next of `effects` instead."""

    def __init__(self, *effects: Callable[[], object]) -> None:
        object.__setattr__(self, "_effects", list(effects))

    __slots__ = ("_effects",)
    _effects: list[Callable[[], object]]

    def sweep(self, stop: threading.Event | None = None) -> Swept:
        """One sweep."""
        if self._effects:
            self._effects.pop(0)()
        return Swept()


def events(
    fake: Retention, count: int, monkeypatch: pytest.MonkeyPatch, clock: Clock = SYSTEM_CLOCK
) -> list[Event]:
    """The first events of a sweeper that sweeps every hundredth of a second."""
    monkeypatch.setattr(retention, "SWEEP_SECONDS", 0.01)
    seen: list[Event] = []
    enough = threading.Event()

    def observe(event: Event) -> None:
        seen.append(event)
        if len(seen) >= count:
            enough.set()

    sweeper = Sweeper(fake, observe, clock)
    sweeper.start()
    assert enough.wait(10)
    sweeper.stop()
    assert not sweeper._thread.is_alive()
    return seen[:count]


def test_it_sweeps_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """One event for each sweep."""
    assert events(FakeRetention(), 3, monkeypatch) == [Swept()] * 3


def test_a_failed_sweep_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk ends one sweep, not all of them."""

    def fail() -> None:
        raise OSError(28, "No space left on device")

    first, second = events(FakeRetention(fail), 2, monkeypatch)
    assert isinstance(first, SweepFailed) and isinstance(first.error, OSError)
    assert second == Swept()


def test_a_clock_that_jumps_makes_nothing_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next sweep is skipped; if the clock stays so, later sweeps rely on it."""
    clock = ManualClock(datetime(2024, 1, 31, tzinfo=UTC))
    decade = timedelta(days=3650)

    def jump() -> None:
        clock.set_wall(clock.now() + decade)

    before, jumped, after = events(FakeRetention(jump), 3, monkeypatch, clock)
    assert jumped == SweepDeferred(decade.total_seconds())
    assert before == after == Swept()


def test_no_policy_deletes_a_job_before_its_result() -> None:
    """The policies of both profiles."""
    for policy in (ZOHO, SERVICE):
        assert policy.jobs is not None and policy.results is not None
        assert policy.jobs >= policy.results


class SweepingServer(ServerProcess):
    """`bulkwright serve` without workers; it is killed at the end of the block."""

    def __init__(self, data: Path, *options: str, **variables: str) -> None:
        super().__init__(
            data, "--workers", "0", *options,
            dev=False, environment=clean_environment(**variables), directory=data.parent,
        )  # fmt: skip

    def __enter__(self) -> Self:
        self.spawn()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def test_a_server_sweeps_when_it_starts(data: Path, jobs: Jobs, change: Change) -> None:
    """Its options set the times: here two weeks for results, forever for uploads."""
    change("UPDATE uploads SET created_time = 5")
    change("UPDATE jobs SET finished_time = finished_time - ?", 15 * 24 * HOUR)
    with SweepingServer(data, "--keep-results", "2w", BULKWRIGHT_KEEP_UPLOADS="forever") as served:
        served.wait_ready()
        results = data / "files" / "results"
        assert until(lambda: not any(results.iterdir()))
        begun = time.monotonic()
        served.stop()
        assert time.monotonic() - begun < 10
    assert "bulkwright.sweep: deleted: uploads 0, results 2, jobs 0" in served.log
    assert change("SELECT count(*) FROM uploads") == [(4,)]
    assert change("SELECT count(*) FROM jobs") == [(4,)]


@pytest.mark.parametrize("kind", ["uploads", "results", "jobs", "callbacks"])
def test_a_mistyped_option_is_rejected(data: Path, kind: str) -> None:
    """In one line that names the option and gives examples of valid times."""
    with SweepingServer(data, f"--keep-{kind}", "5 minutes") as served:
        assert (served.wait(300), served.output) == (1, "")
    (line,) = served.log.splitlines()
    assert line.startswith(f"bulkwright: --keep-{kind}: '5 minutes'") and "7d" in line


def test_a_key_of_bulkwright_toml(data: Path) -> None:
    """It is read like that of every other option."""
    (data.parent / "bulkwright.toml").write_text('keep-jobs = "5 minutes"\n')
    with SweepingServer(data) as served:
        assert served.wait(300) == 1
    assert "--keep-jobs: '5 minutes'" in served.log


@pytest.mark.slow
def test_killed_again_and_again_while_it_sweeps(
    data: Path, jobs: Jobs, change: Change, tmp_path: Path
) -> None:
    """A deletion that is cut short leaves at most a file that no row refers to."""
    many = 3_000
    change(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
        "INSERT INTO uploads SELECT i, org_id, user_id, name, bytes, sha256, 5, csv, problem "
        "FROM n, (SELECT * FROM uploads WHERE id = ?)",
        many,
        jobs.uploads[jobs.done],
    )
    uploads = data / "files" / "uploads"
    for number in range(1, many + 1):
        shutil.copyfile(uploads / f"{jobs.uploads[jobs.done]}.zip", uploads / f"{number}.zip")
    watch = Watch(data)

    def left() -> int:
        return watch.number("SELECT count(*) FROM uploads WHERE id <= ?", many)

    interrupted = 0
    for goal in (many - 1, many * 2 // 3, many // 3, 0):
        with SweepingServer(data, "--keep-uploads", "1h") as served:
            assert until(lambda goal=goal: left() <= goal, pause=0.002)  # type: ignore[misc]
            served.kill()
            interrupted += 0 < left() < many
    assert interrupted >= 2
    known = {f"{i}.zip" for (i,) in watch.ask("SELECT id FROM uploads")}
    assert len(known) == 4 <= len(list(uploads.iterdir()))
    assert known <= {path.name for path in uploads.iterdir()}
    with open_check(Settings(data)) as check:
        assert [finding for finding in check.run() if not finding.fault.harmless] == []


def test_a_folder_without_a_server_is_swept_by_a_command(
    data: Path, jobs: Jobs, change: Change, tmp_path: Path
) -> None:
    """`bulkwright sweep`, with the same options."""
    change("UPDATE uploads SET created_time = created_time - ?", 3 * 24 * HOUR)
    command = [sys.executable, "-m", "bulkwright", "sweep", "--data", str(data)]

    def swept(*options: str) -> str:
        done = subprocess.run(
            [*command, *options], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return done.stdout

    assert swept().startswith("deleted: uploads 0,")
    assert swept("--keep-uploads", "2d").startswith("deleted: uploads 2,")
    found = change("SELECT detail FROM audit WHERE action = 'data-swept'")
    assert [str(detail).split(",")[0] for (detail,) in found] == ["uploads 2"]
    assert change("SELECT count(*) FROM uploads") == [(2,)]


@pytest.mark.parametrize(
    ("lost", "options", "said"),
    [
        ("UPDATE jobs SET result_swept = 5", (), "result of job"),
        ("DELETE FROM uploads WHERE id = {upload}", ("--failed",), "upload of job"),
        ("results/{job}.zip", (), "is missing; `bulkwright check`"),
        ("uploads/{upload}.zip", ("--failed",), "is missing; `bulkwright check`"),
    ],
)
def test_a_command_that_comes_too_late(
    data: Path, jobs: Jobs, change: Change, lost: str, options: tuple[str, ...], said: str
) -> None:
    """`jobs result` says in one line which file was deleted."""
    lost = lost.format(job=jobs.done, upload=jobs.uploads[jobs.done])
    if lost.endswith(".zip"):
        (data / "files" / lost).unlink()
    else:
        change(lost)
    command = (sys.executable, "-m", "bulkwright", "jobs", "result", str(jobs.done), *options)
    done = subprocess.run(
        [*command, "--data", str(data)], cwd=data.parent, capture_output=True, text=True
    )
    assert done.returncode == 1 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert said in line
