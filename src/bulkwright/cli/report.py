"""What `write` reports beside the counts of a job: columns left out, reasons, what to do next."""

from __future__ import annotations

import csv
import io
import shlex
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import bulkwright.formats.csv  # noqa: F401 - it raises the csv module's limit of a cell
from bulkwright.cli.output import print_line
from bulkwright.domain.errors import TooManyErrors, UndoFailed
from bulkwright.domain.job import Job, JobStatus
from bulkwright.domain.result_file import split_errors
from bulkwright.events.events import ChunkCommitted, Event
from bulkwright.service.columns import Omission, OmittedColumn
from bulkwright.settings import OrgLocation

_MOST_REASONS = 20
"""Most reasons that are shown."""

Reasons = Counter[tuple[str, str]]
"""The number of rows by code and column."""


@dataclass(frozen=True, slots=True)
class Written:
    """What `write` has done."""

    status: int
    """The exit status of the command."""
    job: Mapping[str, object]
    """The job, as in the list of jobs."""
    reasons: Reasons

    def value(self, *, dry_run: bool) -> dict[str, object]:
        """Returns the JSON object for other programs; it has all reasons."""
        reasons = [
            {"code": code, "column": column, "rows": rows}
            for (code, column), rows in self.reasons.most_common()
        ]
        return {**self.job, "dry_run": dry_run, "reasons": reasons}


NOTHING_STORED = "nothing was stored; without --dry-run, the same command stores these rows"
"""The last line of a dry run."""


class ReasonCounter:
    """Counts why rows are skipped, from the events of a job."""

    def __init__(self) -> None:
        self.reasons: Reasons = Counter()
        self.rows = 0
        """How many skipped rows were counted."""

    def observe(self, event: Event) -> None:
        """Counts a chunk."""
        if isinstance(event, ChunkCommitted):
            self.reasons.update(event.reasons)
            self.rows += event.fresh.skipped


def reasons_of(result: BinaryIO, columns: Sequence[str]) -> Reasons:
    """Counts why rows are skipped, from a result zip; `columns` are the headers of the file."""
    cells: Counter[str] = Counter()
    with zipfile.ZipFile(result) as archive:
        for member in archive.namelist():
            with archive.open(member) as file:
                lines = csv.reader(io.TextIOWrapper(file, "utf-8", newline=""))
                next(lines, None)
                cells.update(line[-1] for line in lines if line[-1])
    reasons: Reasons = Counter()
    labels = [name.strip() for name in columns]
    for cell, rows in cells.items():
        for code, label in split_errors(cell, labels):
            reasons[code, label] += rows
    return reasons


def print_reasons(reasons: Reasons) -> None:
    """Prints the reasons for skipped rows, the most frequent first."""
    most = reasons.most_common(_MOST_REASONS)
    width = max((len(f"{rows:,}") for _, rows in most), default=0)
    code_width = max((len(code) for (code, _), _ in most), default=0)
    for (code, label), rows in most:
        print_line(f"  {rows:>{width},}  {code:<{code_width}}  {label}")
    if len(reasons) > len(most):
        print_line(f"  and {len(reasons) - len(most)} further reasons")


def why_to_save(job: Job) -> str:
    """Returns the line before the command that saves the rows that a job did not store."""
    if job.all_or_nothing and job.code != UndoFailed.code:
        return "nothing of the job stays; save its rows with what is wrong with them:"
    if job.code == TooManyErrors.code:
        return (
            f"more rows were skipped than --max-errors {job.error_limit} allows; what is stored "
            "stays. Save the rows that are not:"
        )
    if job.status is JobStatus.FAILED:
        return "the job failed before its last row; save the rows that it did not store:"
    return "to correct these rows and write them again, save them:"


def print_omitted(omitted: Sequence[OmittedColumn]) -> None:
    """Prints the columns that are left out, one line for each reason."""
    for why in Omission:
        names = [column.name for column in omitted if column.why is why]
        if names:
            print_line(f"left out: {', '.join(names)} ({why.value})")


def command(*words: str, location: OrgLocation) -> str:
    """Returns a command line on a data folder, as a user types it."""
    default = OrgLocation()
    options = [
        f"--{name} {shlex.quote(str(value))}"
        for name in ("data", "files")
        if (value := getattr(location, name)) != getattr(default, name)
    ]
    if location.org is not None:
        options.append(f"--org {location.org}")
    # The URL of a database may hold a password.
    if location.database:
        options.append("--database URL")
    return " ".join(["bulkwright", *map(shlex.quote, words), *options])
