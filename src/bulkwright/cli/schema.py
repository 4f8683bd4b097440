"""`modules` and `records`: the CRM schema and what is stored in it."""

from __future__ import annotations

import csv
import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from bulkwright.cli.options import DEFAULT_DATA, Data, known, the_org
from bulkwright.cli.show import console, refuse
from bulkwright.domain.module import Module
from bulkwright.store import tables
from bulkwright.wiring import Services, open_services

_PAGE = 10_000


def list_(*, data: Data = DEFAULT_DATA) -> None:
    """Every module with its number of fields."""
    table = Table("Module", "Label", "Fields", "Bulk write", "Kind")
    with open_services(known(data)) as services:
        for module in services.modules.modules(the_org(services).id):
            written = "yes" if module.bulk_write else "no"
            table.add_row(
                module.api_name, module.plural_label, str(len(module.fields)), written,
                module.generated_type,
            )  # fmt: skip
    console.print(table)


def show(module: str, /, *, data: Data = DEFAULT_DATA) -> None:
    """The fields of a module."""
    table = Table("Field", "Label", "Type", "Length", "Traits")
    with open_services(known(data)) as services:
        for field in _module(services, module).fields:
            traits = (
                "mandatory" if field.system_mandatory else "",
                "unique" if field.unique else "",
                "find_by" if field.key and not field.unique else "",
                "" if field.writable else "read only",
                f"→ {field.lookup_module}" if field.lookup_module else "",
            )
            table.add_row(
                field.api_name, field.display_label, field.data_type,
                "" if field.length is None else str(field.length),
                ", ".join(t for t in traits if t),
            )  # fmt: skip
    console.print(table)


def apply(file: Path, /, *, data: Data = DEFAULT_DATA) -> None:
    """Add the modules and fields that a JSON file describes; safe to repeat."""
    try:
        document = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        refuse(f"{file} cannot be read: {error}")
    with open_services(known(data)) as services:
        changed = services.schema.apply(the_org(services).id, document)
    for module in changed:
        console.print(f"{module.api_name}: {len(module.fields)} fields")
    if not changed:
        console.print("nothing to change")


def export(
    *,
    module: str,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"], help="Default: stdout.")] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """All records of a module as CSV, in id order, values as they are stored."""
    with open_services(known(data)) as services:
        found = _module(services, module)
        names = [f.api_name for f in tables.stored(found)]
        target = nullcontext(sys.stdout) if out is None else out.open("w", newline="")
        with target as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(names)
            after = 0
            while rows := services.database.sql(tables.page(found), (after, _PAGE)):
                writer.writerows([row[n] for n in names] for row in rows)
                after = rows[-1]["id"]


def _module(services: Services, name: str) -> Module:
    module = services.modules.module(the_org(services).id, name)
    if module is None:
        refuse(f"There is no module {name}; `bulkwright modules list` names them.")
    return module
