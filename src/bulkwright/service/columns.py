"""Which column of a file fills which field of a module, by the rule of `bulkwright write`.

In:   the header of a file, a module, and what the user stated about columns and fields.
Out:  the mappings of a job, and the columns that no mapping reads, each with its reason.

A column fills the field that was stated for it. Otherwise its header names the field: by API name;
by the field's label, which is the column's own name in an existing table; or by a spelling of one
of the two that differs in case, blanks and signs only. A request of Zoho's API follows other rules:
it has mappings by index, or `MappingRules.by_header` makes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from bulkwright.domain.column_names import index_of, place_name
from bulkwright.domain.errors import DuplicateMapping, InvalidField
from bulkwright.domain.job import FieldMapping, Operation
from bulkwright.domain.module import SYSTEM_FIELDS, Field, Module
from bulkwright.domain.result_file import ERRORS, MESSAGE, RECORD_ID, STATUS
from bulkwright.domain.spelling import did_you_mean, folded
from bulkwright.domain.type_formats import TypeFormats

_RESULT_COLUMNS = ((STATUS, RECORD_ID, ERRORS), (ERRORS, MESSAGE), (ERRORS,))
"""The last columns of a result, of a file of failed rows, and of one of an earlier version."""


class Omission(Enum):
    """Why no mapping reads a column; the value stands in messages."""

    NO_FIELD = "no such field"
    SEVERAL_FIELDS = "several fields have this name"
    OTHER_COLUMN = "another column fills this field"
    NEW_IDS = "new records get new ids"
    READ_ONLY = "it cannot be written"
    RESULT = "part of a result"
    STATED = "as stated"

    @property
    def loses_values(self) -> bool:
        """Whether the column may hold values that the user wants to store."""
        return self not in (Omission.READ_ONLY, Omission.RESULT, Omission.STATED)


@dataclass(frozen=True, slots=True)
class OmittedColumn:
    """A column that no mapping reads."""

    name: str
    why: Omission
    hint: str = ""
    """`; did you mean X?`, `; write X or Y`, or nothing."""

    def __str__(self) -> str:
        return f"{self.name} ({self.why.value}{self.hint})"


@dataclass(frozen=True, slots=True)
class StatedColumn:
    """What the user states about a column: the field that it fills."""

    column: str
    field: str | None
    """None: the column is left out."""
    find_by: str | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """What the user states about columns and fields. The header decides the rest."""

    columns: tuple[StatedColumn, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    """Values for empty cells, by field; for every row if no column fills the field."""
    formats: Mapping[str, str] = field(default_factory=dict)
    """Formats, by column or by field."""
    of_types: TypeFormats = field(default_factory=TypeFormats)
    """Formats of the other columns."""


@dataclass(frozen=True, slots=True)
class ColumnMatch:
    """What becomes of the columns of a file."""

    mappings: tuple[FieldMapping, ...]
    omitted: tuple[OmittedColumn, ...]

    @property
    def lost(self) -> tuple[OmittedColumn, ...]:
        """The omitted columns whose values would be lost."""
        return tuple(column for column in self.omitted if column.why.loses_values)


@dataclass(frozen=True, slots=True)
class _Named:
    """The field that a name means."""

    field: Field
    rank: int
    """0 for an API name, 1 for a label, 2 for another spelling: the lowest one counts."""
    find_by: str | None = None


class FieldNames:
    """The fields of a module by their names."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._labels: dict[str, list[Field]] = {}
        self._spellings: dict[str, list[Field]] = {}
        for one in module.fields:
            self._labels.setdefault(one.display_label.strip(), []).append(one)
            for spelling in {folded(one.display_label), folded(one.api_name)}:
                self._spellings.setdefault(spelling, []).append(one)

    def field(self, name: str) -> Field:
        """Returns the field of a name that the user stated. Raises InvalidField."""
        named = self.find(name)
        if named is None:
            number = "several fields" if self.has_several(name) else "no field"
            module = self._module.api_name
            raise InvalidField(f"{module} has {number} {name!r}{self.hint(name)}")
        return named.field

    def find(self, name: str) -> _Named | None:
        """Returns the field of a name, if one field alone has it."""
        rank, fields = self._fields(name)
        return _Named(fields[0], rank) if len(fields) == 1 else None

    def has_several(self, name: str) -> bool:
        """Returns whether a name means several fields."""
        return len(self._fields(name)[1]) > 1

    def _fields(self, name: str) -> tuple[int, list[Field]]:
        """Returns the fields that a name may mean, and the rank of the name."""
        exact, labelled = self._module.field(name), self._labels.get(name, [])
        if exact is not None:
            # A column of an existing table may have the name that another field got.
            return 0, [exact, *(one for one in labelled if one is not exact)]
        return (1, labelled) if labelled else (2, self._spellings.get(folded(name), []))

    def hint(self, name: str) -> str:
        """Returns `; write X or Y` with names of the fields that a name means, if it means several.

        Otherwise returns `; did you mean X?` with the field that is most similar, or nothing.
        """
        if self.has_several(name):
            plain = (self._plain_name(one) for one in self._fields(name)[1])
            return f"; write {' or '.join(repr(text) for text in plain)}"
        names = [one.api_name for one in self._module.fields]
        return did_you_mean(name, [*(f.display_label for f in self._module.fields), *names])

    def _plain_name(self, one: Field) -> str:
        """Returns the label of a field, or its API name if the label means other fields too."""
        found = self.find(one.display_label)
        return one.display_label if found is not None and found.field is one else one.api_name


def match_columns(
    header: Sequence[str],
    module: Module,
    operation: Operation,
    find_by: str | None,
    stated: Stated,
) -> ColumnMatch:
    """Maps the columns of a file to the fields of a module.

    Raises InvalidField if a stated column or field does not exist or cannot be filled,
    DuplicateMapping if one field is stated for two columns.
    """
    columns = _Columns(header, module, operation, find_by)
    for one in stated.columns:
        columns.state(one)
    columns.name_others()
    for name, text in stated.defaults.items():
        columns.give_default(name, text)
    for name, pattern in stated.formats.items():
        columns.give_format(name, pattern)
    mappings = stated.of_types.applied(columns.mappings.values(), module)
    return ColumnMatch(mappings, columns.omitted)


def find_by_name(name: str, module: Module) -> str:
    """Returns the API name of the field that identifies records. Raises InvalidField."""
    found = FieldNames(module).field(name)
    if found.api_name == "id" or found.is_key:
        return found.api_name
    keys = ", ".join(f.api_name for f in module.fields if f.api_name == "id" or f.is_key)
    raise InvalidField(
        f"records of {module.api_name} are not identified by {found.api_name}; give one of {keys}"
    )


def position_of(column: str, header: Sequence[str]) -> int:
    """Returns the index of the column with this name. Raises InvalidField.

    The name is its header, or its place: `column 3`.
    """
    index = index_of(column, header)
    if index is not None:
        return index
    places = [repr(place_name(at)) for at, text in enumerate(header) if text.strip() == column]
    if places:
        raise InvalidField(
            f"the file has {len(places)} columns {column!r}; write {' or '.join(places)}"
        )
    meant = did_you_mean(column, header) or f"; it has {', '.join(header)}"
    raise InvalidField(f"the file has no column {column!r}{meant}")


ParentModule = Callable[[str], Module | None]
"""Returns a module to which lookups refer, by its API name."""


def with_parent_fields(match: ColumnMatch, module: Module, parent: ParentModule) -> ColumnMatch:
    """Returns the match with API names of the fields by which the records of lookups are found.

    Raises InvalidField for a name that is none of such a field.
    """
    named = []
    for mapping in match.mappings:
        field, name = module.field(mapping.api_name), mapping.find_by
        if field is not None and name is not None:
            mapping = replace(mapping, find_by=_parent_field(field, name, parent))
        named.append(mapping)
    return replace(match, mappings=tuple(named))


def _parent_field(field: Field, name: str, parent: ParentModule) -> str:
    if field.has_users and name not in ("id", "email"):
        raise InvalidField(f"{field.api_name} finds its user by id or email, not by {name!r}")
    target = parent(field.lookup_module) if field.lookup_module else None
    return name if target is None or name == "id" else FieldNames(target).field(name).api_name


class _Columns:
    """The columns of a file while their fields are decided."""

    def __init__(
        self, header: Sequence[str], module: Module, operation: Operation, find_by: str | None
    ) -> None:
        self._header = tuple(text.strip() for text in header)
        self._names = FieldNames(module)
        self._finds_ids = find_by == "id"
        self._may_keep_ids = operation is Operation.INSERT and module.table_kind.keeps_given_ids
        self.mappings: dict[str, FieldMapping] = {}
        self._omitted: dict[int, OmittedColumn] = {}

    @property
    def omitted(self) -> tuple[OmittedColumn, ...]:
        """The columns that no mapping reads, in the order of the file."""
        return tuple(self._omitted[at] for at in sorted(self._omitted))

    def state(self, one: StatedColumn) -> None:
        """Gives a column the field that is stated for it."""
        at = position_of(one.column, self._header)
        if one.field is None:
            self._omitted[at] = OmittedColumn(one.column, Omission.STATED)
            return
        found = self._names.field(one.field)
        why = self._obstacle(found)
        if why is not None:
            raise InvalidField(f"{found.api_name} takes no column: {why.value}")
        is_reference = found.data_type == "lookup" or found.has_users
        if one.find_by is not None and not is_reference:
            raise InvalidField(
                f"{found.api_name} is no lookup, so it takes no :{one.find_by}; "
                f"give {one.column}={one.field}"
            )
        if found.api_name in self.mappings:
            raise DuplicateMapping(f"{found.api_name} is mapped twice")
        self._map(at, _Named(found, 0, one.find_by))

    def name_others(self) -> None:
        """Gives every other column the field that its header names, exact names first."""
        decided = {m.index for m in self.mappings.values()} | self._omitted.keys()
        rest = [at for at in range(len(self._header)) if at not in decided]
        named = {at: self._named(self._header[at]) for at in rest}
        for at, one in sorted(named.items(), key=lambda item: item[1].rank if item[1] else 0):
            why = self._omission(at, one)
            if one is None or why is not None:
                unknown = why in (Omission.NO_FIELD, Omission.SEVERAL_FIELDS)
                hint = self._names.hint(self._header[at]) if unknown else ""
                name = self._header[at] or place_name(at)
                self._omitted[at] = OmittedColumn(name, why or Omission.NO_FIELD, hint)
            else:
                self._map(at, one)

    def give_default(self, name: str, text: str) -> None:
        """Sets the value of a field for empty cells."""
        found = self._names.field(name)
        api_name = found.api_name
        why = self._obstacle(found)
        if why is not None:
            raise InvalidField(f"{api_name} takes no default: {why.value}")
        before = self.mappings.get(api_name, FieldMapping(api_name))
        self.mappings[api_name] = replace(before, default=text, default_json={"value": text})

    def give_format(self, name: str, pattern: str) -> None:
        """Sets the format of a column, or of the column that fills a field."""
        by_index = {m.index: m.api_name for m in self.mappings.values()}
        at = index_of(name, self._header)
        api_name = by_index.get(at) if at is not None else None
        found = None if api_name else self._names.find(name)
        api_name = api_name or (found.field.api_name if found else None)
        if api_name is None:
            raise InvalidField(
                f"{name!r} takes no format, because it is neither a column of the file nor a field "
                f"of the module{did_you_mean(name, self._header) or self._names.hint(name)}"
            )
        if api_name not in self.mappings:
            raise InvalidField(f"no column fills {api_name}, so it takes no format")
        self.mappings[api_name] = replace(self.mappings[api_name], format=pattern)

    def _map(self, at: int, one: _Named) -> None:
        find_by = one.find_by or ("id" if one.field.data_type == "lookup" else None)
        name = one.field.api_name
        self.mappings[name] = FieldMapping(name, at, find_by=find_by)

    def _named(self, text: str) -> _Named | None:
        """Returns the field that a header names; `Lookup.Field` also names how it is found."""
        whole = self._names.find(text)
        name, _, parent = text.partition(".")
        if whole is not None or not parent:
            return whole
        found = self._names.find(name)
        is_reference = found is not None and (
            found.field.data_type == "lookup" or found.field.has_users
        )
        return replace(found, find_by=parent) if found is not None and is_reference else None

    def _omission(self, at: int, one: _Named | None) -> Omission | None:
        """Returns why a column cannot be mapped to the field that it names; None if it can."""
        if self._is_of_result(at) and (one is None or one.rank):
            return Omission.RESULT
        if one is None:
            several = self._names.has_several(self._header[at])
            return Omission.SEVERAL_FIELDS if several else Omission.NO_FIELD
        if one.field.api_name in self.mappings:
            return Omission.OTHER_COLUMN
        return self._obstacle(one.field)

    def _obstacle(self, found: Field) -> Omission | None:
        if found.api_name == "id":
            is_kept = self._may_keep_ids and found.writable
            return None if is_kept or self._finds_ids else Omission.NEW_IDS
        is_system = found.api_name in SYSTEM_FIELDS and not found.in_existing_table
        return None if found.writable and not is_system else Omission.READ_ONLY

    def _is_of_result(self, at: int) -> bool:
        behind = len(self._header) - at
        return any(
            behind <= len(names) and tuple(self._header[-len(names) :]) == names
            for names in _RESULT_COLUMNS
        )
