"""The output of commands: progress, tables, failures. No progress where stdout is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from json import dumps
from typing import NoReturn

from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from bulkwright.domain.job import Job
from bulkwright.domain.outcome import Counts
from bulkwright.domain.reading import FoundBy, Reading
from bulkwright.events.events import ChunkCommitted, Event, JobStarted, Observer
from bulkwright.formats.csv import DELIMITER_NAMES
from bulkwright.wire.responses import JobDetails

console = Console()
errors = Console(stderr=True)

_WIDEST = 10_000
"""Columns of a table in a file or a pipe."""

_NAMES_SHOWN = 20
_COLOURS = {
    "ADDED": "green", "UPDATED": "cyan", "SKIPPED": "yellow", "COMPLETED": "green",
    "FAILED": "red", "INPROGRESS": "blue", "UNPROCESSED": "red",
}  # fmt: skip


def fail(message: str) -> NoReturn:
    """Prints the reason of a failure on stderr and ends the process with status 1."""
    errors.print(Text(f"bulkwright: {message}"), soft_wrap=True)
    sys.exit(1)


def print_list(rows: Sequence[Mapping[str, object]], *, json: bool) -> None:
    """Prints rows that have the same keys: as a table, or as a JSON array.

    A table is as wide as its longest line where stdout is no terminal, so that nothing is cut.
    """
    if json:
        print(dumps(rows, indent=2, default=str, ensure_ascii=False))
        return
    if not rows:
        return
    table = Table(*(name.replace("_", " ").capitalize() for name in rows[0]))
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row.values()))
    if console.is_terminal:
        console.print(table)
        return
    needed = Measurement.get(console, console.options.update(max_width=_WIDEST), table)
    Console(width=needed.maximum).print(table)


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return "\n".join(map(str, value))
        case datetime():
            return value.isoformat(" ", "seconds")
    return str(value)


def coloured(word: str) -> Text:
    """Returns a status or an outcome in its colour."""
    return Text(word, style=_COLOURS.get(word, ""))


class _Rows(ProgressColumn):
    """The number of rows, and rows a second."""

    def render(self, task: Task) -> Text:
        rows = task.fields.get("rows", 0)
        seconds = task.finished_time if task.finished else task.elapsed
        speed = task.fields.get("fresh", 0) / seconds if seconds else 0
        return Text(f"{rows:>12,} rows  {speed:>9,.0f} rows/s")


@contextmanager
def progress(title: str) -> Iterator[Observer]:
    """Yields an observer that shows a job's events as a progress bar, if stdout is a terminal."""
    bar = Progress(
        TextColumn(title), BarColumn(), _Rows(), TimeRemainingColumn(),
        console=console, disable=not console.is_terminal, transient=False,
    )  # fmt: skip
    with bar:
        task = bar.add_task(title, total=1.0, rows=0, fresh=0)
        before = 0

        def observe(event: Event) -> None:
            nonlocal before
            if isinstance(event, JobStarted):
                before = event.row
                bar.update(task, rows=before)
            elif isinstance(event, ChunkCommitted):
                rows = event.counts.total
                bar.update(task, completed=event.share, rows=rows, fresh=rows - before)

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


def job_line(job: Job) -> None:
    """Prints the status and the counts of a job in one line."""
    counts = job.counts
    line = Text.assemble(
        f"job {job.id}  ", coloured(job.status.value), f" {job.code}" if job.code else "", "  ",
        f"added {counts.added:,}  updated {counts.updated:,}  ",
        (f"skipped {counts.skipped:,}", "yellow" if counts.skipped else ""),
        f"  of {counts.total:,} rows",
    )  # fmt: skip
    console.print(line, soft_wrap=True)


def reading_lines(job: Job) -> None:
    """Prints what was a guess when the files of a job were read, and what was left out."""
    for resource in job.resources:
        for line in _reading_lines(resource.reading) if resource.reading else ():
            console.print(Text(line), soft_wrap=True)


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


def jobs_table(jobs: list[Job]) -> None:
    """Prints a table of jobs in the given order."""
    table = Table("Job", "Status", "Operation", "Module", "File", "Added", "Updated", "Skipped",
                  "Created")  # fmt: skip
    for name in ("Added", "Updated", "Skipped"):
        next(c for c in table.columns if c.header == name).justify = "right"
    for job in jobs:
        first, counts = job.resources[0], job.counts
        table.add_row(
            str(job.id), coloured(job.status.value), job.operation.value, first.module,
            Text(first.file_name or ""), f"{counts.added:,}", f"{counts.updated:,}",
            f"{counts.skipped:,}", job.created_time.isoformat(" ", "seconds"),
        )  # fmt: skip
    console.print(table)
