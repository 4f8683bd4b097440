"""`modules from-table`: a table of the user's own becomes a module, and stays as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bulkwright.domain.errors import InvalidData
from bulkwright.domain.module import API_NAME, Column, Field, Kind, Module, OwnTable
from bulkwright.store.modules import ModuleStore
from bulkwright.store.own_tables import ColumnFacts, OwnTables, TableFacts
from bulkwright.store.tables import identifier, own_table

_TYPE = re.compile(r"([a-z ]+?)(?:\(([0-9]+)(?:,(-?[0-9]+))?\))?( with(?:out)? time zone)?")
_DATA_TYPES = {
    "text": "textarea",
    "character varying": "text",
    "character": "text",
    "smallint": "integer",
    "integer": "integer",
    "bigint": "bigint",
    "numeric": "double",
    "real": "double",
    "double precision": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "datetime",
    "json": "textarea",
    "jsonb": "textarea",
    "uuid": "text",
}
"""The field that a column of each type becomes; other columns are left out."""
_WHOLE = ("smallint", "integer", "bigint")
_DIGITS = {"smallint": 5, "integer": 10, "bigint": 19}
_FOUND_BY = (Kind.TEXT, Kind.INTEGER, Kind.REFERENCE)
"""Kinds whose values are equal when their texts are."""
_NEVER_FOUND_BY = ("json", "jsonb")
_LONGEST = 50
_TAKEN = ("id", "tag")
"""Names that every record has already (facts 9)."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A module over a table, and the columns that it leaves out."""

    module: Module
    left_out: tuple[str, ...]
    renewed: bool
    """Whether the module was there before."""


class OwnTableService:
    """Offers tables as modules."""

    def __init__(self, modules: ModuleStore, found: OwnTables) -> None:
        self._modules = modules
        self._tables = found

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
        """Make a module of a table, or renew the one that was made of it.

        With references, the tables that it refers to become modules as well, as far as they can.
        Raises InvalidData with what is wrong and what to do about it; then nothing changed.
        """
        wanted = {
            facts.own: facts for facts in self._found(table, schema, also_targets=with_references)
        }
        known = self._modules.modules(org_id)
        before = {m.table: m for m in known if m.table is not None}
        first = next(iter(wanted))
        names = {own: before[own].api_name for own in wanted if own in before}
        taken = {m.api_name.casefold() for m in known}
        for own in wanted:
            if own not in names:
                asked = name if own == first else None
                names[own] = _module_name(own, asked, taken)
                taken.add(names[own].casefold())
        if name is not None and names[first] != name:
            raise InvalidData(f"{table} is the module {names[first]} already")
        ids = {m.table: _id_column(m) for m in before.values() if m.table is not None}
        ids |= {own: _key(facts, self._tables.dialect).name for own, facts in wanted.items()}
        targets = {own: m.api_name for own, m in before.items() if own is not None} | names
        offered = [
            self._offered(org_id, facts, names[own], before.get(own), targets, ids)
            for own, facts in wanted.items()
        ]
        if not dry_run:
            self._modules.put_over_tables([o.module for o in offered])
        return offered

    def _found(self, table: str, schema: str | None, *, also_targets: bool) -> list[TableFacts]:
        """The table, sound, and behind it those that it refers to, as far as they are sound."""
        found = [self._sound(self._named(table, schema))]
        seen = {found[0].own}
        for facts in found:
            for column in facts.columns if also_targets else ():
                if column.target is None or column.target in seen:
                    continue
                seen.add(column.target)
                try:
                    found.append(self._sound(self._named(column.target.name, column.target.schema)))
                except InvalidData:
                    continue  # then its ids are plain numbers
        return found

    def _named(self, name: str, schema: str | None) -> TableFacts:
        found = self._tables.find(name, schema)
        if not found:
            raise InvalidData(
                f"there is no table {_shown(OwnTable(name, schema))} of your own in the database; "
                "a name is spelled as it is stored, and --schema says where it is"
            )
        return found[0]

    def _sound(self, facts: TableFacts) -> TableFacts:
        """Facts of a table that can be written to. Raises InvalidData for any other."""
        if facts.problem is not None:
            raise InvalidData(f"{_shown(facts.own)}: {facts.problem}")
        _key(facts, self._tables.dialect)
        lost = [c.name for c in facts.columns if _data_type(c) is None and _needed(c)]
        if lost:
            types = ", ".join(f"{c.name} ({c.type})" for c in facts.columns if c.name in lost)
            raise InvalidData(
                f"{_shown(facts.own)}: every record needs {types}, whose type cannot be written; "
                "give it a default, or let it be empty"
            )
        return facts

    def _offered(
        self,
        org_id: int,
        facts: TableFacts,
        name: str,
        before: Module | None,
        targets: Mapping[OwnTable, str],
        ids: Mapping[OwnTable, str],
    ) -> Offered:
        key = _key(facts, self._tables.dialect)
        kept = [c for c in facts.columns if c is key or _data_type(c) is not None]
        names = _field_names([c for c in kept if c is not key])
        fields = [_id_field(key)]
        fields += [_field(c, names[c.name], targets, ids) for c in kept if c is not key]
        there = {} if before is None else {f.api_name: f.id for f in before.fields}
        new = [f for f in fields if f.api_name not in there]
        first = self._modules.take_ids(len(new) + 2) if new or before is None else 0
        there |= {f.api_name: first + 2 + i for i, f in enumerate(new)}
        numbered = tuple(replace(f, id=there[f.api_name]) for f in fields)
        left_out = tuple(c.name for c in facts.columns if c not in kept)
        if before is not None:
            return Offered(replace(before, fields=numbered), left_out, renewed=True)
        label = facts.own.name
        module = Module(
            org_id=org_id,
            id=first,
            api_name=name,
            module_name=name,
            singular_label=label,
            plural_label=label,
            generated_type="custom",
            layout_id=first + 1,
            bulk_write=True,
            fields=numbered,
            table=facts.own,
        )
        return Offered(module, left_out, renewed=False)


def _key(facts: TableFacts, dialect: str) -> ColumnFacts:
    """The column that holds the records' ids; raises InvalidData where none can."""
    able = [c for c in facts.columns if c.type in _WHOLE and c.not_null and (c.is_key or c.unique)]
    able.sort(key=lambda c: not c.is_key)
    numbered = next((c for c in able if c.numbered), None)
    if numbered is not None:
        return numbered
    shown = own_table(facts.own)
    if dialect == "sqlite":
        raise InvalidData(
            f"{_shown(facts.own)}: records need an id that the database gives; make the table anew "
            "with a column INTEGER PRIMARY KEY"
        )
    if able:
        raise InvalidData(
            f"{_shown(facts.own)}: nothing gives {able[0].name} its next value; run: "
            f"ALTER TABLE {shown} ALTER COLUMN {identifier(able[0].name)} "
            "ADD GENERATED BY DEFAULT AS IDENTITY"
        )
    raise InvalidData(
        f"{_shown(facts.own)}: records need an id, one whole number that is unique; run: "
        f"ALTER TABLE {shown} ADD COLUMN record_id bigint GENERATED BY DEFAULT AS IDENTITY UNIQUE"
    )


def _id_column(module: Module) -> str:
    column = module.fields[0].column
    assert column is not None
    return column.name


def _id_field(key: ColumnFacts) -> Field:
    return Field(
        0, "id", key.name, "bigint", _DIGITS[key.type], read_only=True, unique=True,
        column=Column(key.name, key.type, nullable=False),
    )  # fmt: skip


def _field(
    column: ColumnFacts, name: str, targets: Mapping[OwnTable, str], ids: Mapping[OwnTable, str]
) -> Field:
    data_type = _data_type(column)
    assert data_type is not None
    base, length, places = _parts(column.type)
    if base == "numeric" and length is not None and not 0 <= places <= length:
        length = None  # odd scales: the database decides
    target = None
    if column.type in _WHOLE and column.target is not None:
        known = ids.get(column.target) == column.target_column
        target = targets.get(column.target) if known else None
    field = Field(
        id=0,
        api_name=name,
        display_label=column.name,
        data_type="lookup" if target else data_type,
        length=_DIGITS.get(column.type, 36 if base == "uuid" else length),
        decimal_place=places if base == "numeric" and length is not None else None,
        system_mandatory=_needed(column),
        read_only=column.generated,
        custom=True,
        lookup_module=target,
        pick_list_values=column.labels,
        column=Column(column.name, column.type, nullable=not column.not_null),
    )
    findable = field.kind in _FOUND_BY and base not in _NEVER_FOUND_BY
    return replace(
        field,
        unique=findable and column.unique,
        duplicate_check=findable and column.indexed and not column.unique,
    )


def _data_type(column: ColumnFacts) -> str | None:
    """The type of the field that a column becomes; None for one that is left out."""
    return "picklist" if column.labels else _DATA_TYPES.get(_parts(column.type)[0])


def _parts(text: str) -> tuple[str, int | None, int]:
    """A type's name, its length or precision, and its scale: `numeric(10,2)`."""
    parts = _TYPE.fullmatch(text)
    if parts is None:
        return text, None, 0
    name, length, places, _ = parts.groups()
    return name, int(length) if length and name != "timestamp" else None, int(places or 0)


def _needed(column: ColumnFacts) -> bool:
    return column.not_null and not column.has_default and not column.generated


def _module_name(own: OwnTable, asked: str | None, taken: set[str]) -> str:
    if asked is not None:
        if not API_NAME.fullmatch(asked) or len(asked) > _LONGEST:
            raise InvalidData(
                f"a module's name is a letter, then letters, digits and _, at most {_LONGEST}"
            )
        if asked.casefold() in taken:
            raise InvalidData(f"there is a module {asked} already; choose another --module")
        return asked
    name = _clean(own.name)
    if name.casefold() in taken:
        raise InvalidData(
            f"there is a module {name} already; choose the name for {_shown(own)} with --module"
        )
    return name


def _field_names(columns: Sequence[ColumnFacts]) -> dict[str, str]:
    """An api_name for each column; the second of two that are cleaned alike gets a number."""
    names: dict[str, str] = {}
    taken = set(_TAKEN)
    for column in columns:
        clean, number = _clean(column.name), 1
        name = clean
        while name.casefold() in taken:
            number += 1
            name = f"{clean}_{number}"
        taken.add(name.casefold())
        names[column.name] = name
    return names


def _clean(name: str) -> str:
    """Letters, digits and _ of a name, a letter first."""
    clean = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_") or "x"
    return (clean if clean[0].isalpha() else f"x_{clean}")[:_LONGEST]


def _shown(own: OwnTable) -> str:
    return own.name if own.schema is None else f"{own.schema}.{own.name}"
