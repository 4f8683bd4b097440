"""Adds the records of a folder when the server starts: one CSV or JSON file for a module.

    Leads.csv               a header of API names
    02-Contacts.json        a list of records; files are read in the order of their names
    all.json                an object of modules, as the control `seed` takes it

Each file is added once to a data folder, and again when its content has changed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

from bulkwright.domain.account import Caller
from bulkwright.domain.errors import BulkwrightError
from bulkwright.domain.record_write import RecordInput
from bulkwright.emulator.seeding import (
    InvalidSeed,
    SeedServices,
    add_records,
    decode_json,
    records_of_csv,
    records_of_document,
)
from bulkwright.folders import make_private

_MODULE = re.compile(r"(?:[0-9]+[-_])?(?P<module>\w+)", re.ASCII)


def seed_from(folder: Path, known: Path, services: SeedServices, caller: Caller) -> None:
    """Adds the records of the files that were not added before; `known` is the list of those.

    Raises InvalidSeed, which names the file; then nothing of the file is added.
    """
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in (".csv", ".json"))
    added = json.loads(known.read_text("utf-8")) if known.is_file() else {}
    for path in paths:
        data = path.read_bytes()
        checksum = hashlib.sha256(data).hexdigest()
        if added.get(path.name) == checksum:
            continue
        try:
            add_records(services, caller, _records(path, data))
        except BulkwrightError as error:
            details = f" {json.dumps(error.details)}" if error.details else ""
            raise InvalidSeed(f"{path}: {error.message}{details}") from None
        added[path.name] = checksum
        make_private(known.parent)
        known.write_text(json.dumps(added), "utf-8")


def _records(path: Path, data: bytes) -> dict[str, Sequence[RecordInput]]:
    found = _MODULE.fullmatch(path.stem)
    module = path.stem if found is None else found["module"]
    if path.suffix.lower() == ".csv":
        return {module: records_of_csv(data)}
    document = decode_json(data)
    return dict(records_of_document({module: document} if isinstance(document, list) else document))
