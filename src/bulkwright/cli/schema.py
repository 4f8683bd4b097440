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
from rich.text import Text

from bulkwright.cli.options import HERE, Place, known, the_org
from bulkwright.cli.show import console, refuse
from bulkwright.domain.module import Module
from bulkwright.service.records import as_cell
from bulkwright.store import tables
from bulkwright.wiring import Services, open_services

_PAGE = 10_000


def list_(*, place: Place = HERE) -> None:
    """Every module with its number of fields."""
    table = Table("Module", "Label", "Fields", "Bulk write", "Kind")
    with open_services(known(place)) as services:
        for module in services.modules.modules(the_org(services).id):
            written = "yes" if module.bulk_write else "no"
            table.add_row(
                module.api_name, module.plural_label, str(len(module.fields)), written,
                module.generated_type,
            )  # fmt: skip
    console.print(table)


def show(module: str, /, *, place: Place = HERE) -> None:
    """The fields of a module."""
    with open_services(known(place)) as services:
        console.print(_fields_table(_module(services, module)))


def apply(file: Path, /, *, place: Place = HERE) -> None:
    """Add the modules and fields that a JSON file describes; safe to repeat."""
    try:
        document = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        refuse(f"{file} cannot be read: {error}")
    with open_services(known(place)) as services:
        changed = services.schema.apply(the_org(services).id, document)
    for module in changed:
        console.print(f"{module.api_name}: {len(module.fields)} fields")
    if not changed:
        console.print("nothing to change")


def from_table(
    table: str,
    /,
    *,
    schema: Annotated[
        str | None, Parameter(help="Where it is on PostgreSQL; default: on the search path.")
    ] = None,
    module: Annotated[
        str | None, Parameter(help="The module's name; default: the table's, cleaned.")
    ] = None,
    with_references: Annotated[
        bool, Parameter(negative="", help="Offer the tables that it refers to as well.")
    ] = False,
    dry_run: Annotated[
        bool, Parameter(negative="", help="Show the module, and make nothing.")
    ] = False,
    place: Place = HERE,
) -> None:
    """Offer a table of your own as a module; run it again when the table was altered.

    The table is in the same database, and stays as it is: jobs load straight into it.
    """
    with open_services(known(place)) as services:
        offered = services.own_tables.offer(
            the_org(services).id, table, schema=schema, name=module,
            with_references=with_references, dry_run=dry_run,
        )  # fmt: skip
    for one in offered:
        what = "would be made:" if dry_run else "is renewed:" if one.renewed else "is made:"
        console.print(f"{one.module.api_name} {what} {len(one.module.fields)} fields")
        if dry_run:
            console.print(_fields_table(one.module))
        if one.left_out:
            console.print(f"left out, for their types: {', '.join(one.left_out)}", markup=False)


def export(
    *,
    module: str,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"], help="Default: stdout.")] = None,
    place: Place = HERE,
) -> None:
    """All records of a module as CSV, in id order, each value as a job reads it."""
    with open_services(known(place)) as services:
        found = _module(services, module)
        fields = tables.stored(found)
        target = nullcontext(sys.stdout) if out is None else out.open("w", newline="")
        with target as file:
            writer = csv.writer(file, lineterminator="\n")
            # A lone CR ends a row too, and the writer quotes only what it ends rows with itself.
            careful = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
            writer.writerow([f.api_name for f in fields])
            after = tables.BEFORE_ALL
            while rows := services.database.sql(tables.page(found), (after, _PAGE)):
                for row in rows:
                    cells = [as_cell(f, row[f.api_name]) for f in fields]
                    odd = any("\r" in cell for cell in cells if isinstance(cell, str))
                    (careful if odd else writer).writerow(cells)
                after = rows[-1]["id"]


def _fields_table(module: Module) -> Table:
    table = Table("Field", "Label", "Type", "Length", "Traits")
    for field in module.fields:
        traits = (
            "mandatory" if field.system_mandatory else "",
            "unique" if field.unique else "",
            "find_by" if field.key and not field.unique else "",
            "" if field.writable else "read only",
            f"→ {field.lookup_module}" if field.lookup_module else "",
        )
        table.add_row(
            field.api_name, Text(field.display_label), field.data_type,
            "" if field.length is None else str(field.length),
            ", ".join(t for t in traits if t),
        )  # fmt: skip
    return table


def _module(services: Services, name: str) -> Module:
    module = services.modules.module(the_org(services).id, name)
    if module is None:
        refuse(f"There is no module {name}; `bulkwright modules list` names them.")
    return module
