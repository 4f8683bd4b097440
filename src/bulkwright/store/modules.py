"""The CRM schema of each org: modules, fields, picklists, and their tables."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from bulkwright.domain.module import Column, ExistingTable, Field, Module
from bulkwright.store import tables
from bulkwright.store.database import Database, Row

_FLAGS = ("system_mandatory", "layout_mandatory", "read_only", "duplicate_check", "custom")


class ModuleStore:
    """Reads and changes the schema."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def take_ids(self, count: int) -> int:
        """Takes `count` consecutive ids and returns the first; no id is given twice."""
        row = self._db.one("take_ids", n=count)
        assert row is not None
        return int(row["first"])

    def lock(self, module: Module) -> None:
        """Locks the module: no other transaction can match or write its records until this ends."""
        self._db.all("lock_module", id=module.id)

    def module(self, org_id: int, api_name: str) -> Module | None:
        """Returns a module of an org with its fields; None if it does not exist."""
        row = self._db.one("module", org_id=org_id, api_name=api_name)
        if row is None:
            return None
        return _module(row, self._db.all("fields", org_id=org_id, module=api_name))

    def modules(self, org_id: int) -> list[Module]:
        """Returns every module of an org with its fields, in display order."""
        rows = self._db.all("modules", org_id=org_id)
        fields: dict[str, list[Row]] = defaultdict(list)
        for field in self._db.all("fields_of_org", org_id=org_id):
            fields[field["module"]].append(field)
        return [_module(row, fields[row["api_name"]]) for row in rows]

    def ids(self, org_id: int) -> dict[str, int]:
        """Returns the ids of an org's modules by their API names."""
        return {row["api_name"]: row["id"] for row in self._db.all("module_ids", org_id=org_id)}

    def add(self, modules: Iterable[Module]) -> None:
        """Adds new modules with their tables, all or none."""
        with self._db.transaction():
            self._db.all("lock_schema")
            for module in modules:
                self._add(module)
                for statement in tables.create_table(module, self._db.types):
                    self._db.sql(statement)

    def put_over_tables(self, modules: Iterable[Module]) -> None:
        """Adds modules over existing tables, or replaces their fields, all or none."""
        with self._db.transaction():
            self._db.all("lock_schema")
            for module in modules:
                if self.module(module.org_id, module.api_name) is None:
                    self._add(module)
                else:
                    self._db.run("delete_fields", org_id=module.org_id, module=module.api_name)
                    self._add_fields(module)

    def extend(self, module: Module, fields: Iterable[Field]) -> Module:
        """Adds fields to a module and its table, all or none; returns the changed module."""
        with self._db.transaction():
            self._db.all("lock_schema")
            for field in fields:
                self._db.run("add_field", **_row_of(module, field))
                for statement in tables.add_column(module, field, self._db.types):
                    self._db.sql(statement)
                module = replace(module, fields=(*module.fields, field))
        return module

    def grow_pick_list(self, module: Module, field: Field, values: Sequence[str]) -> Field:
        """Adds values that a picklist does not have yet; returns the changed field.

        The list is read again first, because another job may have added the same values.
        """
        current = self.module(module.org_id, module.api_name)
        kept = None if current is None else current.field(field.api_name)
        before = field.pick_list_values if kept is None else kept.pick_list_values
        grown = tuple(dict.fromkeys((*before, *values)))
        if grown != before:
            self._db.run(
                "set_pick_list",
                org_id=module.org_id,
                module=module.api_name,
                api_name=field.api_name,
                pick_list_values=json.dumps(grown),
            )
        return replace(field, pick_list_values=grown)

    def _add(self, module: Module) -> None:
        self._db.run(
            "add_module",
            org_id=module.org_id,
            api_name=module.api_name,
            id=module.id,
            module_name=module.module_name,
            singular_label=module.singular_label,
            plural_label=module.plural_label,
            generated_type=module.generated_type,
            layout_id=module.layout_id,
            bulk_write=module.bulk_write,
            table_schema=module.table.schema if module.table else None,
            table_name=module.table.name if module.table else None,
        )
        self._add_fields(module)

    def _add_fields(self, module: Module) -> None:
        self._db.run_all("add_field", [_row_of(module, field) for field in module.fields])


def _row_of(module: Module, field: Field) -> dict[str, object]:
    """Returns the parameters of `add_field` for a field."""
    return {
        "org_id": module.org_id,
        "module": module.api_name,
        "id": field.id,
        "api_name": field.api_name,
        "display_label": field.display_label,
        "data_type": field.data_type,
        "length": field.length,
        "decimal_place": field.decimal_place,
        "is_unique": field.unique,
        "lookup_module": field.lookup_module,
        "pick_list_values": json.dumps(field.pick_list_values),
        "column_name": field.column.name if field.column else None,
        "column_type": field.column.type if field.column else None,
        "column_nullable": field.column.nullable if field.column else None,
        **{flag: getattr(field, flag) for flag in _FLAGS},
    }


def _module(row: Row, fields: Iterable[Row]) -> Module:
    return Module(
        org_id=row["org_id"],
        id=row["id"],
        api_name=row["api_name"],
        module_name=row["module_name"],
        singular_label=row["singular_label"],
        plural_label=row["plural_label"],
        generated_type=row["generated_type"],
        layout_id=row["layout_id"],
        bulk_write=bool(row["bulk_write"]),
        fields=tuple(_field(field) for field in fields),
        table=None
        if row["table_name"] is None
        else ExistingTable(row["table_name"], row["table_schema"]),
    )


def _field(row: Row) -> Field:
    flags: dict[str, Any] = {flag: bool(row[flag]) for flag in _FLAGS}
    return Field(
        id=row["id"],
        api_name=row["api_name"],
        display_label=row["display_label"],
        data_type=row["data_type"],
        length=row["length"],
        decimal_place=row["decimal_place"],
        unique=bool(row["is_unique"]),
        lookup_module=row["lookup_module"],
        pick_list_values=tuple(json.loads(row["pick_list_values"])),
        column=None
        if row["column_name"] is None
        else Column(row["column_name"], row["column_type"], bool(row["column_nullable"])),
        **flags,
    )
