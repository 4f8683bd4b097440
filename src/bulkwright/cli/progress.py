"""The progress of a job as a bar. There is none where stdout is no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from bulkwright.cli.output import console, errors
from bulkwright.clock import SYSTEM_CLOCK
from bulkwright.domain.outcome import Counts
from bulkwright.events.events import ChunkCommitted, Event, JobStarted, Observer
from bulkwright.wire.responses import JobDetails

_TITLE_CHARS = 24
"""Most characters of a file's name before a progress bar."""
_BESIDE_BAR_CHARS = 64
"""What stands beside a progress bar with a title of that length."""


class _Rows(ProgressColumn):
    """The number of rows, and rows a second once there is more than one report."""

    def render(self, task: Task) -> Text:
        speed = task.fields.get("speed")
        shown = "" if speed is None else f"{speed:,.0f}/s"
        return Text(f"{task.fields.get('rows', 0):>11,} rows {shown:>10}")


@contextmanager
def progress(title: str) -> Iterator[Observer]:
    """Yields an observer that shows a job's events as a progress bar, if stdout is a terminal.

    The speed is that of the rows: neither the start nor the upload is part of its time.
    """
    short = title if len(title) <= _TITLE_CHARS else f"{title[: _TITLE_CHARS - 1]}…"
    width = max(8, min(40, console.width - _BESIDE_BAR_CHARS))
    bar = Progress(
        TextColumn(Text(short).markup), BarColumn(width), _Rows(), TimeRemainingColumn(),
        console=console, disable=not console.is_terminal, transient=False,
    )  # fmt: skip
    with bar:
        task = bar.add_task(title, total=1.0, rows=0)
        began: tuple[float, int] | None = None

        def observe(event: Event) -> None:
            nonlocal began
            now = SYSTEM_CLOCK.monotonic()
            if isinstance(event, JobStarted):
                began = now, event.row
                bar.update(task, rows=event.row)
            elif isinstance(event, ChunkCommitted):
                rows = event.counts.total
                began = began or (now, rows)
                speed = (rows - began[1]) / (now - began[0]) if rows > began[1] else None
                bar.update(task, completed=event.share, rows=rows, speed=speed)

        def end() -> None:
            # The bar of a job that has not begun says nothing: it is cleared.
            bar.live.transient = began is None
            bar.stop()

        errors.end_bar = end
        try:
            yield observe
        except BaseException:
            end()
            raise
        finally:
            errors.end_bar = None
        bar.update(task, completed=1.0)


def as_progress(details: JobDetails) -> ChunkCommitted:
    """Returns job details as an event for `progress`. The API does not report the share read."""
    file = details.resource[0].file
    counts = Counts(
        added=file.added_count or 0,
        updated=file.updated_count or 0,
        skipped=file.skipped_count or 0,
    )
    share = 1.0 if details.status == "COMPLETED" else 0.0
    return ChunkCommitted(int(details.id), counts.total, counts, share, counts, 0.0)


def watching(observe: Observer) -> Callable[[JobDetails], None]:
    """Returns a watcher of job details for `progress`, from when a worker began."""

    def watch(details: JobDetails) -> None:
        if details.status != "ADDED":
            observe(as_progress(details))

    return watch
