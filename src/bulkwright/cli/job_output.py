"""Jobs as commands print them: their counts, and what was a guess when their files were read."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace

from rich.text import Text

from bulkwright.cli.output import (
    coloured,
    console,
    print_json,
    print_line,
    print_list,
    shown_time,
)
from bulkwright.domain.any_job import AnyJob
from bulkwright.domain.job import Job
from bulkwright.domain.outcome import Outcome
from bulkwright.domain.read_job import ReadJob
from bulkwright.domain.reading import FoundBy, Reading
from bulkwright.domain.undo_job import UndoJob
from bulkwright.formats.csv import DELIMITER_NAMES
from bulkwright.service.reports import ErrorGroup, ErrorGroups

_NAMES_SHOWN = 20
"""Most names of omitted columns in a line."""


def job_line(job: AnyJob, *, name: str | None = None) -> None:
    """Prints the status and the counts of a job in one line; `name` is shown instead of its id."""
    line = Text.assemble(
        f"{name or f'job {job.id}'}  ", coloured(job.status.value),
        " dry run" if name is None and isinstance(job, Job) and job.dry else "",
        f" {job.code}" if job.code else "", "  ", *_counts(job),
    )  # fmt: skip
    console.print(line, soft_wrap=True)


def _counts(job: AnyJob) -> Iterator[str | tuple[str, str]]:
    if isinstance(job, ReadJob):
        yield f"bulk read of {job.module}"
        if job.read is not None:
            yield f"  read {job.read.rows:,}"
        return
    if isinstance(job, UndoJob):
        yield f"{'dry run of the ' if job.dry_run else ''}undo of job {job.undone_id}  "
        yield f"removed {job.removed:,}  restored {job.restored:,}  "
        yield f"kept {job.kept:,}", "yellow" if job.kept else ""
        return
    counts = job.counts
    yield f"added {counts.added:,}  updated {counts.changed:,}  "
    if counts.unchanged:
        yield f"unchanged {counts.unchanged:,}  "
    yield f"skipped {counts.skipped:,}", "yellow" if counts.skipped else ""
    yield f"  of {counts.total:,} rows"


def jobs_list(jobs: Sequence[AnyJob], *, json: bool) -> None:
    """Prints jobs in the given order. What a kind of job does not have is None."""
    records = list(map(job_record, jobs))
    print_list(records, json=json, dispensable=["read", "unchanged", "created", "file"])


def job_record(job: AnyJob) -> dict[str, object]:
    """Returns a job as a row of a list, or as the JSON object of one command."""
    return {
        "job_id": str(job.id),
        "status": job.status.value,
        "code": job.code,
        **_cells(job),
        "created": job.created_time,
        "file": job.resources[0].file_name if isinstance(job, Job) else None,
    }


def _cells(job: AnyJob) -> dict[str, object]:
    match job:
        case ReadJob():
            return _read_cells(job)
        case UndoJob():
            return _undo_cells(job)
        case _:
            return _write_cells(job)


def _write_cells(job: Job) -> dict[str, object]:
    counts = job.counts
    return {
        "operation": f"{job.operation.value}{' (dry)' if job.dry else ''}",
        "module": job.resources[0].module,
        "added": counts.added,
        "updated": counts.changed,
        "unchanged": counts.unchanged,
        "skipped": counts.skipped,
        "read": None,
    }


def _read_cells(job: ReadJob) -> dict[str, object]:
    return {
        "operation": "read",
        "module": job.module,
        "added": None,
        "updated": None,
        "unchanged": None,
        "skipped": None,
        "read": None if job.read is None else job.read.rows,
    }


def _undo_cells(job: UndoJob) -> dict[str, object]:
    nothing = dict.fromkeys(("module", "added", "updated", "unchanged", "skipped", "read"))
    return {"operation": "undo", **nothing}


def errors_list(found: ErrorGroups, *, json: bool) -> None:
    """Prints the groups of errors of a job, and how many rows it did not reach.

    At a terminal a group has two lines, because a sentence beside its numbers would be too wide.
    """
    groups = found.groups()
    if json:
        print_json([asdict(group) for group in groups])
        return
    if console.is_terminal:
        for group in groups:
            print_line(f"{group.rows:>7,}  {group.code}  {group.column}")
            for first in group.samples[:1]:
                print_line(f"         row {first.row:,}: {first.message}")
    else:
        print_list(list(map(_group_row, groups)), json=False)
    if not_reached := found.outcomes[Outcome.UNPROCESSED]:
        print_line(f"rows that the job did not reach: {not_reached:,}")


def _group_row(group: ErrorGroup) -> dict[str, object]:
    first = next(iter(group.samples), None)
    return {
        "rows": group.rows,
        "code": group.code,
        "column": group.column,
        "first_row": first.row if first else None,
        "message": first.message if first else None,
    }


def reading_lines(job: Job, *, omitted: bool = True) -> None:
    """Prints what was a guess when the files of a job were read.

    With `omitted`, also the columns that were left out.
    """
    for resource in job.resources:
        reading = resource.reading
        if reading is not None:
            print_reading(reading if omitted else replace(reading, left_out=()))


def print_reading(reading: Reading) -> None:
    """Prints what was a guess when a file was read, and the columns that were left out."""
    for line in _reading_lines(reading):
        print_line(line)


def facts_line(job: Job) -> None:
    """Prints what a job writes, when it was created, its user, and what has undone it."""
    files = ", ".join(f"{r.module} from {r.file_name}" for r in job.resources)
    undone = "" if job.undo_id is None else f"; undo: job {job.undo_id}"
    print_line(
        f"{job.operation.value} into {files}, created {shown_time(job.created_time)} "
        f"by {job.created_by.name}{undone}"
    )


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
    for column, pattern in reading.assumed.items():
        named = shlex.quote(f"{column}=PATTERN")
        yield f"{column}: read as {pattern}, a guess; --format {named} names another form"
    if reading.left_out:
        names = ", ".join(reading.left_out[:_NAMES_SHOWN])
        more = len(reading.left_out) - _NAMES_SHOWN
        yield f"columns left out: {names}" + (f" and {more:,} more" if more > 0 else "")
