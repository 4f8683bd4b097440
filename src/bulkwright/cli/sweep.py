"""`sweep`: deletes expired data where no server runs that does so."""

from __future__ import annotations

from typing import Annotated

from msgspec import structs
from rich.text import Text

from bulkwright.cli.options import DEFAULT_LOCATION, FLAT, Json, Location, require_data
from bulkwright.cli.output import console, print_json
from bulkwright.domain.audit import Action
from bulkwright.settings import RetentionSettings, Settings
from bulkwright.wiring import open_services

_DEFAULT_RETENTION = RetentionSettings()


def sweep(
    *,
    json: Json = False,
    location: Location = DEFAULT_LOCATION,
    retention: Annotated[RetentionSettings, FLAT] = _DEFAULT_RETENTION,
) -> None:
    """Delete expired uploads, results, jobs and callbacks. Records are never deleted.

    A server does this at its start and once an hour. This command is for data folders that only
    `bulkwright write` uses.
    """
    require_data(location)
    with open_services(Settings.merged(location, retention)) as services:
        deleted = structs.asdict(services.retention.sweep())
        if some := ", ".join(f"{name} {count}" for name, count in deleted.items() if count):
            services.audit.record(Action.DATA_SWEPT, detail=some)
    if json:
        print_json(deleted)
        return
    counts = ", ".join(f"{name} {count:,}" for name, count in deleted.items())
    console.print(Text(f"deleted: {counts}"), soft_wrap=True)
