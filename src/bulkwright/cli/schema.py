"""`modules` and `records`: the CRM schema and the stored records."""

from __future__ import annotations

import csv
import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from bulkwright.cli.options import DEFAULT_IN_ORG, InOrg, chosen_org, open_existing
from bulkwright.cli.output import console, fail
from bulkwright.domain.module import Module
from bulkwright.service.records import as_cell
from bulkwright.settings import OrgLocation
from bulkwright.store import tables
from bulkwright.wiring import Services

_PAGE = 10_000


def list_(*, location: InOrg = DEFAULT_IN_ORG) -> None:
    """List the modules with their numbers of fields."""
    table = Table("Module", "Label", "Fields", "Bulk write", "Kind")
    with open_existing(location) as services:
        for module in services.modules.modules(chosen_org(services, location).id):
            written = "yes" if module.bulk_write else "no"
            table.add_row(
                module.api_name, module.plural_label, str(len(module.fields)), written,
                module.generated_type,
            )  # fmt: skip
    console.print(table)


def show(module: str, /, *, location: InOrg = DEFAULT_IN_ORG) -> None:
    """Show the fields of a module."""
    with open_existing(location) as services:
        console.print(_fields_table(_module(services, location, module)))


def apply(file: Path, /, *, location: InOrg = DEFAULT_IN_ORG) -> None:
    """Add the modules and fields of a JSON file. It is safe to repeat this."""
    try:
        document = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        fail(f"{file} cannot be read: {error}")
    with open_existing(location) as services:
        changed = services.schema.apply(chosen_org(services, location).id, document)
    for module in changed:
        console.print(f"{module.api_name}: {len(module.fields)} fields")
    if not changed:
        console.print("nothing to change")


def from_table(
    table: str,
    /,
    *,
    schema: Annotated[
        str | None, Parameter(help="Its schema on PostgreSQL. Default: the search path.")
    ] = None,
    module: Annotated[
        str | None,
        Parameter(help="API name of the module. Default: the table's name, made valid."),
    ] = None,
    with_references: Annotated[
        bool, Parameter(negative="", help="Also make modules of the tables that it refers to.")
    ] = False,
    dry_run: Annotated[
        bool, Parameter(negative="", help="Show the module, but change nothing.")
    ] = False,
    location: InOrg = DEFAULT_IN_ORG,
) -> None:
    """Make a module of an existing table. Run it again after the table was altered.

    The table is in the same database and is not changed. Jobs write their rows into it.
    """
    with open_existing(location) as services:
        offered = services.existing_tables.offer(
            chosen_org(services, location).id, table, schema=schema, name=module,
            with_references=with_references, dry_run=dry_run,
        )  # fmt: skip
    for one in offered:
        done = "would be created:" if dry_run else "updated:" if one.renewed else "created:"
        console.print(f"{one.module.api_name} {done} {len(one.module.fields)} fields")
        if dry_run:
            console.print(_fields_table(one.module))
        if one.omitted:
            console.print(f"omitted because of their types: {', '.join(one.omitted)}", markup=False)


def export(
    *,
    module: str,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"], help="Default: stdout.")] = None,
    location: InOrg = DEFAULT_IN_ORG,
) -> None:
    """Export all records of a module as CSV, by id, each value as a job reads it."""
    with open_existing(location) as services:
        found = _module(services, location, module)
        fields = tables.stored_fields(found)
        target = nullcontext(sys.stdout) if out is None else out.open("w", newline="")
        with target as file:
            writer = csv.writer(file, lineterminator="\n")
            # A lone CR also ends a row, but the writer quotes only its own line terminator.
            quoting = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
            writer.writerow([f.api_name for f in fields])
            after = tables.BEFORE_ALL
            while rows := services.database.sql(tables.page(found), (after, _PAGE)):
                for row in rows:
                    cells = [as_cell(f, row[f.api_name]) for f in fields]
                    has_cr = any("\r" in cell for cell in cells if isinstance(cell, str))
                    (quoting if has_cr else writer).writerow(cells)
                after = rows[-1]["id"]


def _fields_table(module: Module) -> Table:
    table = Table("Field", "Label", "Type", "Length", "Traits")
    for field in module.fields:
        traits = (
            "mandatory" if field.system_mandatory else "",
            "unique" if field.unique else "",
            "find_by" if field.is_key and not field.unique else "",
            "" if field.writable else "read only",
            f"→ {field.lookup_module}" if field.lookup_module else "",
        )
        table.add_row(
            field.api_name, Text(field.display_label), field.data_type,
            "" if field.length is None else str(field.length),
            ", ".join(t for t in traits if t),
        )  # fmt: skip
    return table


def _module(services: Services, location: OrgLocation, name: str) -> Module:
    module = services.modules.module(chosen_org(services, location).id, name)
    if module is None:
        fail(f"There is no module {name}; `bulkwright modules list` shows the modules.")
    return module
