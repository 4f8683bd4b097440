"""The output of commands: progress, lists, failures. No progress where stdout is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from json import dumps
from typing import NoReturn

import msgspec
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from bulkwright.clock import SYSTEM_CLOCK
from bulkwright.domain.job import Job
from bulkwright.domain.outcome import Counts
from bulkwright.domain.reading import FoundBy, Reading
from bulkwright.events.events import ChunkCommitted, Event, JobStarted, Observer
from bulkwright.formats.csv import DELIMITER_NAMES
from bulkwright.wire.responses import JobDetails

console = Console()
errors = Console(stderr=True)

_NAMES_SHOWN = 20
"""Most names of omitted columns in a line."""
_COLOURS = {
    "ADDED": "green", "UPDATED": "cyan", "SKIPPED": "yellow", "COMPLETED": "green",
    "FAILED": "red", "INPROGRESS": "blue", "UNPROCESSED": "red",
}  # fmt: skip
_TITLE_CHARS = 24
"""Most characters of a file's name before a progress bar."""
_BESIDE_BAR_CHARS = 64
"""What stands beside a progress bar with a title of that length."""
_GAP = "  "


def fail(message: str, *, status: int = 1) -> NoReturn:
    """Prints the reason of a failure on stderr and ends the process."""
    errors.print(Text(f"bulkwright: {message}"), soft_wrap=True)
    sys.exit(status)


def print_line(*parts: str | Text | tuple[str, str]) -> None:
    """Prints one line, which is never cut or wrapped."""
    console.print(Text.assemble(*parts), soft_wrap=True)


def print_json(value: object) -> None:
    """Prints a value as JSON, for other programs."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_list(
    rows: Sequence[Mapping[str, object]], *, json: bool, dispensable: Sequence[str] = ()
) -> None:
    """Prints rows that have the same keys: as a table, or as a JSON array.

    Nothing is cut: in a pipe, each row is one line with all columns. In a narrow terminal, the
    columns of these keys are left out, the last one first.
    """
    if json:
        print(dumps(rows, indent=2, default=str, ensure_ascii=False))
        return
    if not rows:
        print_line("none")
        return
    titles = {key: key.replace("_", " ").capitalize() for key in rows[0]}
    widths = {
        key: max(cell_len(text) for text in (title, *(_text(row[key]) for row in rows)))
        for key, title in titles.items()
    }
    for key in reversed(dispensable):
        needed = sum(widths.values()) + len(_GAP) * (len(widths) - 1)
        if console.is_terminal and needed > console.width:
            del widths[key]
    for row in (titles, *rows):
        line = Text(_GAP).join(_cell(row[key], width) for key, width in widths.items())
        line.rstrip()
        console.print(line, soft_wrap=True)


def coloured(word: str) -> Text:
    """Returns a status or an outcome in its colour."""
    return Text(word, style=_COLOURS.get(word, ""))


def _cell(value: object, width: int) -> Text:
    text = _text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Text(text.rjust(width))
    return Text(set_cell_size(text, width), style=_COLOURS.get(text, ""))


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case list() | tuple():
            return ", ".join(map(_text, value))
        case datetime():
            return value.isoformat(" ", "seconds")
        case _:
            # A line end in a name would break the line of its row.
            return " ".join(str(value).split())


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

        yield observe
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


def job_line(job: Job, *, name: str | None = None) -> None:
    """Prints the status and the counts of a job in one line; `name` is shown instead of its id."""
    counts = job.counts
    line = Text.assemble(
        f"{name or f'job {job.id}'}  ", coloured(job.status.value),
        f" {job.code}" if job.code else "", "  ",
        f"added {counts.added:,}  updated {counts.updated:,}  ",
        (f"skipped {counts.skipped:,}", "yellow" if counts.skipped else ""),
        f"  of {counts.total:,} rows",
    )  # fmt: skip
    console.print(line, soft_wrap=True)


def jobs_list(jobs: Sequence[Job], *, json: bool) -> None:
    """Prints jobs in the given order."""
    records = [
        {
            "id": str(job.id),
            "status": job.status.value,
            "code": job.code,
            "operation": job.operation.value,
            "module": job.resources[0].module,
            "added": job.counts.added,
            "updated": job.counts.updated,
            "skipped": job.counts.skipped,
            "created": job.created_time.isoformat(" ", "seconds"),
            "file": job.resources[0].file_name,
        }
        for job in jobs
    ]
    print_list(records, json=json, dispensable=["created", "file"])


def reading_lines(job: Job, *, omitted: bool = True) -> None:
    """Prints what was a guess when the files of a job were read.

    With `omitted`, also the columns that were left out.
    """
    for resource in job.resources:
        reading = resource.reading
        if reading is not None:
            shown = reading if omitted else replace(reading, left_out=())
            for line in _reading_lines(shown):
                print_line(line)


def parts_lines(job: Job) -> None:
    """Prints how the rows of a job that has begun are divided, or why they are in one part."""
    for resource in job.resources:
        if (split := resource.split) is None:
            continue
        if split.is_divided:
            print_line(f"{split.parts} parts, by {split.by or 'the numbers of the rows'}")
        elif split.reason is not None:
            print_line(f"1 part: {split.reason}")


def _reading_lines(reading: Reading) -> Iterator[str]:
    if reading.encoding_by is FoundBy.GUESS:
        yield f"encoding {reading.encoding}: a guess; --encoding names another one"
    if reading.also_fits or reading.delimiter not in ",;":
        yield f"separated by a {DELIMITER_NAMES[reading.delimiter]}"
    if reading.also_fits:
        others = ", ".join(f"a {DELIMITER_NAMES[sign]}" for sign in reading.also_fits)
        yield f"the first rows also fit {others}; --delimiter names another one"
    if reading.stray_quotes:
        yield (
            f"rows with stray quotes: {reading.stray_quotes:,}, the first is row "
            f"{reading.first_stray_quote:,}; the quotes were read as characters"
        )
    if reading.left_out:
        names = ", ".join(reading.left_out[:_NAMES_SHOWN])
        more = len(reading.left_out) - _NAMES_SHOWN
        yield f"columns left out: {names}" + (f" and {more:,} more" if more > 0 else "")
