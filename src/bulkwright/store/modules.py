"""The CRM schema of each org: modules, fields, picklists, and their tables."""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from bulkwright.domain.module import Column, ExistingTable, Field, Module, ServiceTable
from bulkwright.store import tables
from bulkwright.store.database import Database, Row

_FLAGS = ("system_mandatory", "layout_mandatory", "read_only", "duplicate_check", "custom")
_NAMES = ("module_name", "singular_label", "plural_label", "generated_type")
_MOST_KEPT = 1_000
"""Modules that one store keeps in memory."""


class ModuleStore:
    """Reads and changes the schema.

    A module that was read is kept, and read again only after a change of its fields. So a module
    that has not changed is the same object.
    """

    def __init__(self, database: Database) -> None:
        self._db = database
        self._kept: dict[tuple[int, str], tuple[str, Module]] = {}
        """Modules by org and name, with their schema version. No version comes twice, so a module
        that was read inside a transaction that is rolled back is not found again."""

    def take_ids(self, count: int) -> int:
        """Takes `count` consecutive ids and returns the first; no id is given twice."""
        row = self._db.one("take_ids", n=count)
        assert row is not None
        return int(row["first"])

    def lock(self, module: Module) -> None:
        """Locks the module: no other transaction can match or write its records until this ends."""
        self._db.all("lock_module", id=module.id)

    def lock_groups(self, module: Module, groups: Sequence[int]) -> None:
        """Locks groups of keys, ascending: no other transaction can lock them or the module."""
        self._db.all("lock_groups", id=module.id, groups=f"{{{','.join(map(str, groups))}}}")

    def lock_picklists(self, module: Module) -> None:
        """Locks the picklists of a module: no other job can add values until this transaction ends.

        It is the last lock of a chunk, after those of the records.
        """
        self._db.all("lock_picklists", id=module.id)

    def module(self, org_id: int, api_name: str) -> Module | None:
        """Returns a module of an org with its fields; None if it does not exist."""
        where = {"org_id": org_id, "module": api_name}
        row = self._db.one("module", org_id=org_id, api_name=api_name)
        if row is None:
            return None
        return self._find_kept(row) or self._keep(
            row, self._db.all("fields", **where), self._db.all("picklist_values", **where)
        )

    def modules(self, org_id: int) -> list[Module]:
        """Returns every module of an org with its fields, in display order."""
        rows = self._db.all("modules", org_id=org_id)
        kept = [module for row in rows if (module := self._find_kept(row)) is not None]
        if len(kept) == len(rows):
            return kept
        fields, values = defaultdict[str, list[Row]](list), defaultdict[str, list[Row]](list)
        for field in self._db.all("fields_of_org", org_id=org_id):
            fields[field["module"]].append(field)
        for value in self._db.all("picklist_values_of_org", org_id=org_id):
            values[value["module"]].append(value)
        return [
            self._find_kept(row)
            or self._keep(row, fields[row["api_name"]], values[row["api_name"]])
            for row in rows
        ]

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
                    self._replace_fields(module)

    def extend(self, module: Module, fields: Iterable[Field]) -> Module:
        """Adds fields to a module and its table, all or none; returns the changed module."""
        with self._db.transaction():
            self._db.all("lock_schema")
            self._change_version(module)
            for field in fields:
                self._add_fields(module, [field])
                for statement in tables.add_column(module, field, self._db.types):
                    self._db.sql(statement)
                module = replace(module, fields=(*module.fields, field))
        return module

    def restate(self, module: Module, added: Collection[Field]) -> None:
        """Replaces the labels and the fields of a module; `added` are those without a column yet.

        Every other field has the storage type and the index that it had. All or none.
        """
        with self._db.transaction():
            self._db.all("lock_schema")
            self._describe(module)
            for field in added:
                for statement in tables.add_column(module, field, self._db.types):
                    self._db.sql(statement)

    def rebuild(self, old: Module, new: Module) -> bool:
        """Replaces a module and its table by another one of its name, all or none.

        Returns False, and changes nothing, if the module has records.
        """
        with self._db.transaction():
            self._db.all("lock_schema")
            self.lock(old)
            if self._db.sql(tables.page(old), (tables.BEFORE_ALL, 1)):
                return False
            for statement in tables.drop_table(old):
                self._db.sql(statement)
            self._describe(new)
            for statement in tables.create_table(new, self._db.types):
                self._db.sql(statement)
        return True

    def picklist_values(self, module: Module, field: Field, first: int) -> list[str]:
        """Returns the values of a picklist from the position `first` on, as they are now."""
        rows = self._db.all(
            "picklist_values_from",
            org_id=module.org_id,
            module=module.api_name,
            api_name=field.api_name,
            first=first,
        )
        return [row["value"] for row in rows]

    def grow_picklist(
        self, module: Module, field: Field, first: int, values: Sequence[str]
    ) -> None:
        """Adds values to a picklist that has `first` values and none of these.

        Belongs inside a transaction that has locked the picklists of the module.
        """
        self._add_values(module, field, first, values)
        self._change_version(module)

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
            table_schema=module.table.schema,
            table_name=module.table.name,
            schema_version=_new_version(),
        )
        self._add_fields(module, module.fields)

    def _add_fields(self, module: Module, fields: Sequence[Field]) -> None:
        self._db.run_all("add_field", [_row_of(module, field) for field in fields])
        for field in fields:
            if field.pick_list_values:
                self._add_values(module, field, 0, field.pick_list_values)

    def _describe(self, module: Module) -> None:
        self._db.run(
            "name_module",
            org_id=module.org_id,
            api_name=module.api_name,
            **{name: getattr(module, name) for name in _NAMES},
        )
        self._replace_fields(module)

    def _replace_fields(self, module: Module) -> None:
        self._change_version(module)
        self._db.run("delete_fields", org_id=module.org_id, module=module.api_name)
        self._add_fields(module, module.fields)

    def _add_values(self, module: Module, field: Field, first: int, values: Sequence[str]) -> None:
        self._db.run(
            "add_picklist_values",
            org_id=module.org_id,
            module=module.api_name,
            api_name=field.api_name,
            first=first,
            values=json.dumps(values),
        )

    def _change_version(self, module: Module) -> None:
        self._db.run(
            "change_schema_version",
            org_id=module.org_id,
            module=module.api_name,
            schema_version=_new_version(),
        )

    def _find_kept(self, row: Row) -> Module | None:
        version, module = self._kept.get((row["org_id"], row["api_name"]), ("", None))
        return module if version == row["schema_version"] else None

    def _keep(self, row: Row, fields: Iterable[Row], values: Iterable[Row]) -> Module:
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        module = _module(row, fields, values)
        self._kept[row["org_id"], row["api_name"]] = (row["schema_version"], module)
        return module


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
        "column_name": field.column.name if field.column else None,
        "column_type": field.column.type if field.column else None,
        "column_nullable": field.column.nullable if field.column else None,
        **{flag: getattr(field, flag) for flag in _FLAGS},
    }


def _new_version() -> str:
    return secrets.token_hex(8)


def _module(row: Row, fields: Iterable[Row], values: Iterable[Row]) -> Module:
    picklists: dict[str, list[str]] = {}
    for value in values:
        picklists.setdefault(value["api_name"], []).append(value["value"])
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
        fields=tuple(_field(field, picklists.get(field["api_name"], ())) for field in fields),
        table=ServiceTable()
        if row["table_name"] is None
        else ExistingTable(row["table_name"], row["table_schema"]),
    )


def _field(row: Row, values: Sequence[str]) -> Field:
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
        pick_list_values=tuple(values),
        column=None
        if row["column_name"] is None
        else Column(row["column_name"], row["column_type"], bool(row["column_nullable"])),
        **flags,
    )
