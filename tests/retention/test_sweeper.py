"""Sweeping goes on beside serving: at start, once in a while, and through kills."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.crash.watching import Watch, until
from tests.retention.folder import HOUR, Change, Jobs

from bulkwright.config import Settings
from bulkwright.domain.keeping import SERVICE, ZOHO, parse_time
from bulkwright.observe import Event, SweepPutOff, SweepTripped, Swept
from bulkwright.service import retention
from bulkwright.service.retention import Retention, Sweeper
from bulkwright.wiring import open_check


class Upkeep(Retention):
    """Sweeps nothing, as often as it is asked; what is in `does` happens instead."""

    def __init__(self, *does: Callable[[], object]) -> None:
        object.__setattr__(self, "_does", list(does))

    __slots__ = ("_does",)
    _does: list[Callable[[], object]]

    def sweep(self, stop: threading.Event | None = None) -> Swept:
        """One sweep."""
        if self._does:
            self._does.pop(0)()
        return Swept()


def events(upkeep: Retention, count: int, monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """The first few events of a sweeper in a hurry."""
    monkeypatch.setattr(retention, "SWEEP_SECONDS", 0.01)
    seen: list[Event] = []
    enough = threading.Event()

    def observe(event: Event) -> None:
        seen.append(event)
        if len(seen) >= count:
            enough.set()

    sweeper = Sweeper(upkeep, observe)
    sweeper.start()
    assert enough.wait(10)
    sweeper.stop()
    assert not sweeper._thread.is_alive()
    return seen[:count]


def test_it_sweeps_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """One event for each sweep."""
    assert events(Upkeep(), 3, monkeypatch) == [Swept()] * 3


def test_what_goes_wrong_once_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk ends one sweep, not all of them."""

    def fail() -> None:
        raise OSError(28, "No space left on device")

    first, second = events(Upkeep(fail), 2, monkeypatch)
    assert isinstance(first, SweepTripped) and isinstance(first.error, OSError)
    assert second == Swept()


def test_a_clock_that_jumps_makes_nothing_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep after it is left out; when the clock stays so, it is believed."""
    clock = time.time
    decade = 10 * 365 * 86_400

    def jump() -> None:
        monkeypatch.setattr(time, "time", lambda: clock() + decade)

    before, jumped, after = events(Upkeep(jump), 3, monkeypatch)
    assert isinstance(jumped, SweepPutOff) and abs(jumped.seconds - decade) < 5
    assert before == after == Swept()


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("1h", timedelta(hours=1)),
        ("36h", timedelta(hours=36)),
        ("7d", timedelta(days=7)),
        (" 4 W ", timedelta(weeks=4)),
        ("forever", None),
        ("Forever", None),
    ],
)
def test_times_as_people_write_them(text: str, time: timedelta | None) -> None:
    """Hours, days, weeks, or forever."""
    assert parse_time(text) == time


@pytest.mark.parametrize("text", ["", "7", "d", "0d", "0h", "-1d", "1.5d", "7m", "9999999d", "٧d"])
def test_times_that_are_none(text: str) -> None:
    """Refused, and what would do is said."""
    with pytest.raises(ValueError, match=r"7d|1h"):
        parse_time(text)


def test_a_job_is_never_forgotten_before_its_result() -> None:
    """By default, at least."""
    for keeping in (ZOHO, SERVICE):
        assert keeping.jobs is not None and keeping.results is not None
        assert keeping.jobs >= keeping.results


class Served:
    """`bulkwright serve` on a folder; whatever of it still runs at the end is killed."""

    def __init__(self, data: Path, *options: str, **variables: str) -> None:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("BULKWRIGHT_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bulkwright", "serve", "--data", str(data), "--port", "0",
             "--workers", "0", *options],
            cwd=data.parent, env={**clean, **variables}, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ready(self) -> None:
        """Wait until it serves."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("ready "), self.process.communicate()

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate(timeout=20)


def test_a_server_sweeps_when_it_starts(data: Path, jobs: Jobs, change: Change) -> None:
    """As long as its options say: here results for two weeks, uploads for ever."""
    change("UPDATE uploads SET created_time = 5")
    change("UPDATE jobs SET finished_time = finished_time - ?", 15 * 24 * HOUR)
    with Served(data, "--keep-results", "2w", BULKWRIGHT_KEEP_UPLOADS="forever") as served:
        served.ready()
        results = data / "files" / "results"
        assert until(lambda: not any(results.iterdir()))
        begun = time.monotonic()
        served.process.send_signal(signal.SIGTERM)
        _, said = served.process.communicate(timeout=20)
        assert time.monotonic() - begun < 10
    assert "bulkwright.sweep: gone: uploads 0, results 2, jobs 0" in said
    assert change("SELECT count(*) FROM uploads") == [(4,)]
    assert change("SELECT count(*) FROM jobs") == [(4,)]


@pytest.mark.parametrize("kind", ["uploads", "results", "jobs", "callbacks"])
def test_a_slip_in_an_option_is_refused(data: Path, kind: str) -> None:
    """In one line that names the option and what would do."""
    with Served(data, f"--keep-{kind}", "5 minutes") as served:
        out, said = served.process.communicate(timeout=20)
    assert (served.process.returncode, out) == (1, "")
    (line,) = said.splitlines()
    assert line.startswith(f"bulkwright: --keep-{kind}: '5 minutes'") and "7d" in line


def test_a_key_of_bulkwright_toml(data: Path) -> None:
    """It is read like every other option's."""
    (data.parent / "bulkwright.toml").write_text('keep-jobs = "5 minutes"\n')
    with Served(data) as served:
        _, said = served.process.communicate(timeout=20)
    assert "--keep-jobs: '5 minutes'" in said


@pytest.mark.slow
def test_killed_again_and_again_while_it_sweeps(
    data: Path, jobs: Jobs, change: Change, tmp_path: Path
) -> None:
    """Whatever goes, goes whole: what is left of it is a file that belongs to nothing."""
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

    hurt = 0
    for goal in (many - 1, many * 2 // 3, many // 3, 0):
        with Served(data, "--keep-uploads", "1h") as served:
            assert until(lambda goal=goal: left() <= goal, pause=0.002)  # type: ignore[misc]
            os.killpg(served.process.pid, signal.SIGKILL)
            served.process.wait()
            hurt += 0 < left() < many
    assert hurt >= 2
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

    assert swept().startswith("gone: uploads 0,")
    assert swept("--keep-uploads", "2d").startswith("gone: uploads 2,")
    assert change("SELECT count(*) FROM uploads") == [(2,)]


@pytest.mark.parametrize(
    ("lost", "options", "said"),
    [
        ("UPDATE jobs SET result_swept = 5", (), "result of job"),
        ("DELETE FROM uploads WHERE id = {upload}", ("--failed",), "upload of this job"),
        ("results/{job}.zip", (), "is missing; `bulkwright check`"),
        ("uploads/{upload}.zip", ("--failed",), "is missing; `bulkwright check`"),
    ],
)
def test_a_command_that_comes_too_late(
    data: Path, jobs: Jobs, change: Change, lost: str, options: tuple[str, ...], said: str
) -> None:
    """`jobs result` says in a line what is no longer there."""
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
