"""Makes modules over existing tables, which stay as they are: `modules from-table`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bulkwright.domain.errors import InvalidData
from bulkwright.domain.module import API_NAME, MAX_NEW_NAME_CHARS, ExistingTable, Module
from bulkwright.service.existing_fields import (
    ReferenceTarget,
    Targets,
    api_name,
    check_columns,
    id_column,
    table_fields,
    table_text,
)
from bulkwright.store.existing_tables import ExistingTables, TableFacts
from bulkwright.store.modules import ModuleStore


@dataclass(frozen=True, slots=True)
class Offered:
    """A module over a table, and the columns that it omits."""

    module: Module
    omitted: tuple[str, ...]
    renewed: bool
    """Whether the module existed before."""


class ExistingTableService:
    """Offers existing tables as modules."""

    def __init__(self, modules: ModuleStore, tables: ExistingTables) -> None:
        self._modules = modules
        self._tables = tables

    def offer(
        self,
        org_id: int,
        table: str,
        *,
        schema: str | None = None,
        name: str | None = None,
        with_references: bool = False,
        dry_run: bool = False,
    ) -> list[Offered]:
        """Makes a module of a table, or updates the module that was made of it.

        With `with_references`, the tables that it refers to become modules as well, if they can.
        Raises InvalidData with the mistake and what to do about it; then nothing has changed.
        """
        found = self._find(table, schema, with_targets=with_references)
        tables = {facts.table: facts for facts in found}
        known = self._modules.modules(org_id)
        existing = {
            module.table: module for module in known if isinstance(module.table, ExistingTable)
        }
        names = _module_names(list(tables), known, existing, wanted=name)
        first = next(iter(tables))
        if name is not None and names[first] != name:
            raise InvalidData(f"{table} is the module {names[first]} already")
        targets: Targets = {
            other: ReferenceTarget(module.api_name, _id_column_name(module))
            for other, module in existing.items()
        } | {
            own: ReferenceTarget(names[own], id_column(facts, self._tables.dialect).name)
            for own, facts in tables.items()
        }
        offered = [
            self._offered(org_id, facts, names[own], existing.get(own), targets)
            for own, facts in tables.items()
        ]
        if not dry_run:
            self._modules.put_over_tables([o.module for o in offered])
        return offered

    def _find(self, table: str, schema: str | None, *, with_targets: bool) -> list[TableFacts]:
        """Returns the table first, then those that it refers to and that can be written."""
        found = [self._writable(self._table(table, schema))]
        seen = {found[0].table}
        for facts in found:
            for column in facts.columns if with_targets else ():
                if column.target is None or column.target in seen:
                    continue
                seen.add(column.target)
                try:
                    target = self._table(column.target.name, column.target.schema)
                    found.append(self._writable(target))
                except InvalidData:
                    continue  # the foreign key becomes a plain number
        return found

    def _table(self, name: str, schema: str | None) -> TableFacts:
        found = self._tables.find(name, schema)
        if not found:
            raise InvalidData(
                f"there is no table {table_text(ExistingTable(name, schema))} of your own in the "
                "database; a name is spelled as it is stored, and --schema says where it is"
            )
        return found[0]

    def _writable(self, facts: TableFacts) -> TableFacts:
        """Returns the facts of a table. Raises InvalidData if it cannot be written to."""
        if facts.problem is not None:
            raise InvalidData(f"{table_text(facts.table)}: {facts.problem}")
        check_columns(facts, self._tables.dialect)
        return facts

    def _offered(
        self,
        org_id: int,
        facts: TableFacts,
        name: str,
        before: Module | None,
        targets: Targets,
    ) -> Offered:
        """Returns the module; the fields that it had before keep their names and ids."""
        old = () if before is None else before.fields
        fields, omitted = table_fields(facts, self._tables.dialect, targets, old)
        ids = {f.api_name: f.id for f in old}
        new = [f for f in fields if f.api_name not in ids]
        first_id = self._modules.take_ids(len(new) + 2) if new or before is None else 0
        ids |= {f.api_name: first_id + 2 + i for i, f in enumerate(new)}
        numbered = tuple(replace(f, id=ids[f.api_name]) for f in fields)
        if before is not None:
            return Offered(replace(before, fields=numbered), omitted, renewed=True)
        module = Module(
            org_id=org_id,
            id=first_id,
            api_name=name,
            module_name=name,
            singular_label=facts.table.name,
            plural_label=facts.table.name,
            generated_type="custom",
            layout_id=first_id + 1,
            bulk_write=True,
            fields=numbered,
            table=facts.table,
        )
        return Offered(module, omitted, renewed=False)


def _id_column_name(module: Module) -> str:
    column = module.fields[0].column
    assert column is not None
    return column.name


def _module_names(
    tables: list[ExistingTable],
    known: list[Module],
    existing: Mapping[ExistingTable, Module],
    *,
    wanted: str | None,
) -> dict[ExistingTable, str]:
    """Returns the name of each table's module; `wanted` is that of the first table."""
    names = {table: existing[table].api_name for table in tables if table in existing}
    taken = {module.api_name.casefold() for module in known}
    for table in tables:
        if table not in names:
            names[table] = _new_name(table, wanted if table == tables[0] else None, taken)
            taken.add(names[table].casefold())
    return names


def _new_name(table: ExistingTable, wanted: str | None, taken: set[str]) -> str:
    if wanted is not None:
        if not API_NAME.fullmatch(wanted) or len(wanted) > MAX_NEW_NAME_CHARS:
            raise InvalidData(
                "a module's name is a letter, then letters, digits and _, "
                f"at most {MAX_NEW_NAME_CHARS}"
            )
        if wanted.casefold() in taken:
            raise InvalidData(f"there is a module {wanted} already; choose another --module")
        return wanted
    name = api_name(table.name)
    if name.casefold() in taken:
        raise InvalidData(
            f"there is a module {name} already; choose the name for {table_text(table)} with "
            "--module"
        )
    return name
