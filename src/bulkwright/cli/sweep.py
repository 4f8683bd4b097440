"""`sweep`: what was kept for its time goes, where no server is running to see to it."""

from __future__ import annotations

from dataclasses import asdict, replace

from rich.text import Text

from bulkwright.cli.options import (
    HERE,
    KeepCallbacks,
    KeepJobs,
    KeepResults,
    KeepUploads,
    Place,
    Profile,
    keeping,
    known,
)
from bulkwright.cli.show import console


def sweep(
    *,
    place: Place = HERE,
    profile: Profile = "service",
    keep_uploads: KeepUploads = None,
    keep_results: KeepResults = None,
    keep_jobs: KeepJobs = None,
    keep_callbacks: KeepCallbacks = None,
) -> None:
    """Remove uploads, results, jobs and callbacks whose time is over; records are never removed.

    A server does this by itself at its start and once an hour. This is for data folders that only
    `bulkwright write` uses.
    """
    from bulkwright.wiring import open_services

    kept = keeping(
        profile,
        uploads=keep_uploads,
        results=keep_results,
        jobs=keep_jobs,
        callbacks=keep_callbacks,
    )
    with open_services(replace(known(place), profile=profile, kept=kept)) as services:
        gone = asdict(services.retention.sweep())
    told = ", ".join(f"{what} {count:,}" for what, count in gone.items())
    console.print(Text(f"gone: {told}"), soft_wrap=True)
