"""`modules` and `records`: the CRM schema and the stored records."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

from cyclopts import Parameter

from bulkwright.atomic_file import atomic_write
from bulkwright.cli.documents import read_document
from bulkwright.cli.failure import fail
from bulkwright.cli.options import (
    DEFAULT_CSV,
    DEFAULT_IN_ORG,
    Csv,
    InOrg,
    Json,
    chosen_org,
    find_module,
    open_existing,
)
from bulkwright.cli.output import print_json, print_line, print_list
from bulkwright.domain.audit import Action
from bulkwright.domain.errors import InvalidData
from bulkwright.domain.module import Module
from bulkwright.formats.csv import CsvWriter
from bulkwright.service.records import as_cell
from bulkwright.services import Services
from bulkwright.store import tables

ModuleName = Annotated[str, Parameter(help="API name of the module.")]
_PAGE = 10_000


def list_(*, json: Json = False, location: InOrg = DEFAULT_IN_ORG) -> None:
    """List the modules with their numbers of fields."""
    with open_existing(location) as services:
        records = [
            {
                "api_name": module.api_name,
                "label": module.plural_label,
                "fields": len(module.fields),
                "bulk_write": module.bulk_write,
                "kind": module.generated_type,
                "table": module.table.name,
            }
            for module in services.modules.modules(chosen_org(services, location).id)
        ]
    print_list(records, json=json, dispensable=["label", "table"])


def show(module: ModuleName, /, *, json: Json = False, location: InOrg = DEFAULT_IN_ORG) -> None:
    """Show the fields of a module."""
    with open_existing(location) as services:
        found = find_module(services, chosen_org(services, location).id, module)
    print_list(_fields(found), json=json, dispensable=["label"])


def apply(
    file: Annotated[Path, Parameter(help="JSON. docs/modules.md has its form.")],
    /,
    *,
    module: Annotated[
        str | None, Parameter(help="The module of a list of fields as Zoho answers it.")
    ] = None,
    json: Json = False,
    location: InOrg = DEFAULT_IN_ORG,
) -> None:
    """Add the modules and fields of a JSON file. It is safe to repeat this.

    The file has the form of docs/modules.md, or the one in which Zoho describes fields.
    """
    document = read_document(file, str(file))
    with open_existing(location) as services:
        org_id = chosen_org(services, location).id
        try:
            translation = services.schema.translated(org_id, document, module)
            changed = services.schema.apply(org_id, translation.document)
            audit_modules(services, org_id, (one.api_name for one in changed))
        except InvalidData as error:
            fail(f"{file}: {error.message} (at {error.details.get('json_path', '$')})")
    if json:
        shown = [{"api_name": one.api_name, "fields": len(one.fields)} for one in changed]
        print_json({"modules": shown, "omitted": translation.omitted})
        return
    if translation.omitted:
        print_line(f"left out because of their types: {', '.join(translation.omitted)}")
    for one in changed:
        print_line(f"{one.api_name}: {len(one.fields)} fields")
    if not changed:
        print_line("nothing to change")


def from_table(  # wide: each is an option of the command
    table: Annotated[str, Parameter(help="The name of the table, as it is stored.")],
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
    json: Json = False,
    location: InOrg = DEFAULT_IN_ORG,
) -> None:
    """Make a module of an existing table. Run it again after the table was altered.

    The table is in the same database and is not changed. Jobs write their rows into it.
    """
    with open_existing(location) as services:
        org_id = chosen_org(services, location).id
        offered = services.existing_tables.offer(
            org_id, table, schema=schema, name=module,
            with_references=with_references, dry_run=dry_run,
        )  # fmt: skip
        if not dry_run:
            audit_modules(services, org_id, (one.module.api_name for one in offered))
    if json:
        print_json(
            [
                {
                    "api_name": one.module.api_name,
                    "existed": one.renewed,
                    "dry_run": dry_run,
                    "fields": _fields(one.module),
                    "omitted": one.omitted,
                }
                for one in offered
            ]
        )
        return
    for one in offered:
        done = "would be created:" if dry_run else "updated:" if one.renewed else "created:"
        print_line(f"{one.module.api_name} {done} {len(one.module.fields)} fields")
        if dry_run:
            print_list(_fields(one.module), json=False, dispensable=["label"])
        if one.omitted:
            print_line(f"omitted because of their types: {', '.join(one.omitted)}")


def export(
    *,
    module: ModuleName,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"], help="Default: stdout.")] = None,
    csv_settings: Csv = DEFAULT_CSV,
    location: InOrg = DEFAULT_IN_ORG,
) -> None:
    """Export all records of a module as CSV, by id, each value as a job reads it."""
    with open_existing(location) as services:
        found = find_module(services, chosen_org(services, location).id, module)
        fields = tables.stored_fields(found)
        with _opened(out) as file:
            write = CsvWriter(file, quote_formulas=csv_settings.quotes_formulas).write
            write([f.api_name for f in fields])
            after = tables.BEFORE_ALL
            while rows := services.database.sql(tables.page(found), (after, _PAGE)):
                for row in rows:
                    write([as_cell(f, row[f.api_name]) for f in fields])
                after = rows[-1]["id"]


def audit_modules(services: Services, org_id: int, names: Iterable[str]) -> None:
    """Adds an entry to the audit log about modules that were added or changed."""
    if changed := ", ".join(names):
        services.audit.record(Action.ORG_MODULES_CHANGED, org_id=org_id, detail=changed)


@contextmanager
def _opened(out: Path | None) -> Iterator[IO[str]]:
    """Yields a file that exists when it is whole; stdout for None. Both are UTF-8."""
    if out is None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", newline="")
        yield sys.stdout
        return
    with atomic_write(out) as whole, io.TextIOWrapper(whole, "utf-8", newline="") as file:
        yield file


def _fields(module: Module) -> list[dict[str, object]]:
    records: list[dict[str, object]] = []
    for field in module.fields:
        traits = (
            "mandatory" if field.system_mandatory else "",
            "unique" if field.unique else "",
            "find_by" if field.is_key and not field.unique else "",
            "" if field.writable else "read only",
            f"→ {field.lookup_module}" if field.lookup_module else "",
        )
        records.append(
            {
                "api_name": field.api_name,
                "label": field.display_label,
                "data_type": field.data_type,
                "length": field.length,
                "traits": [trait for trait in traits if trait],
            }
        )
    return records
