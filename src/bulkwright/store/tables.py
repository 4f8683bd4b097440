"""How a module becomes a table: its name, its columns, its indexes, and how it is read.

Each module of each org has a table, `org<zgid>_<api_name>`, with one typed column for each stored
field, so that users can query it with plain SQL. Identifiers come from the schema only, where they
have passed `API_NAME`; values are bound. The statements that write the records of a chunk are in
the `sql.py` of each dialect.

A text field that records are found by has a second column, `<field>__key`, with its normalised
value (trimmed, case-folded; `pipeline/keys.py`). The database never folds anything itself, so all
stores agree on which values are equal.

A module over an existing table has its records there instead, and each field names a column of that
table. These names may hold any character, so statements hold them quoted only; frames and results
use the api_names. Nothing here creates, alters or drops an existing table.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

from bulkwright.domain.module import API_NAME, UNWRITABLE, ExistingTable, Field, Module, StorageType

_LONGEST = 63

MOMENT_TEXT = "%Y-%m-%dT%H:%M:%S%.6fZ"
"""The form of a date-time of an existing table in a frame: in UTC, with parts of a second.

What no date-time of the service's own can be (infinity, years beyond 9999) is as PostgreSQL writes
it."""
WRITER = "$writer"
"""The column of the service's tables that says who wrote a record last: the id of a job, or
the number of one record call. No module has a field of this name."""
BEFORE_ALL = -(2**63)
"""No record has a smaller id: the service's ids are positive, those of an existing table may not
be."""


_PLAIN = "{}"
PLAIN_CELLS: Mapping[StorageType, str] = {
    **dict.fromkeys(StorageType, _PLAIN),
    StorageType.BOOLEAN: "CASE WHEN {0} THEN 'true' WHEN NOT {0} THEN 'false' END",
}
"""SQL that makes the cell of a stored value, where the dialects do not differ. It does as little as
it can: each function that is called for each cell makes a read a third slower."""


@dataclass(frozen=True, slots=True)
class Types:
    """The column types of a dialect."""

    of: Mapping[StorageType, str]
    """For the values of each storage type."""
    key: str
    """For the normalised keys of texts: compared byte by byte."""
    cells: Mapping[StorageType, str]
    """SQL that makes the cell of a stored value (store/read_sql.py)."""
    folded: str = "{}"
    """A text without surrounding spaces, its ASCII letters in lower case; compared byte by byte."""
    ordered: str = "{}"
    """A text that is sorted by its bytes."""
    elements: str = "{}"
    """The values of a list as a table `e` with the column `value`."""
    decimal_is_text: bool = False
    """Whether exact decimals are stored as texts."""


class ModuleTable(ABC):
    """The table of a module as SQL names it. Every name is quoted."""

    def __init__(self, module: Module) -> None:
        self.module = module

    @property
    @abstractmethod
    def name(self) -> str:
        """The table."""

    @property
    @abstractmethod
    def id_column(self) -> str:
        """The column that holds the records' ids."""

    @abstractmethod
    def column(self, field: Field) -> str:
        """The column that holds a field's values."""

    @abstractmethod
    def type_of(self, field: Field, types: Types) -> str:
        """The type of that column."""

    @abstractmethod
    def key_type(self, field: Field, types: Types) -> str:
        """The type to which a key must be cast, so that the index of the field is used."""

    @abstractmethod
    def index(self, field: Field) -> str | None:
        """The name, not quoted, of the index that the service needs to find records by a field.

        None if the service creates none.
        """

    def key(self, field: Field) -> str:
        """The column that records are found by."""
        return quoted(key_column(field)) if field.has_folded_key else self.column(field)

    def columns(self) -> dict[str, str]:
        """All columns by their names in frames: api_names, and key columns."""
        fields = {f.api_name: self.column(f) for f in stored_fields(self.module)}
        return fields | {key_column(f): self.key(f) for f in self.module.fields if f.has_folded_key}

    def column_types(self, types: Types) -> dict[str, str]:
        """The types of all columns by their names in frames."""
        fields = {f.api_name: self.type_of(f, types) for f in stored_fields(self.module)}
        return fields | {key_column(f): types.key for f in self.module.fields if f.has_folded_key}


class ServiceModuleTable(ModuleTable):
    """A table that the service created: named after the org, the module and its fields."""

    @property
    def name(self) -> str:
        """The table."""
        return quoted(f"org{self.module.org_id}_{self.module.api_name}")

    @property
    def id_column(self) -> str:
        """The column that holds the records' ids."""
        return quoted("id")

    def column(self, field: Field) -> str:
        """The column that holds a field's values."""
        return quoted(field.api_name)

    def columns(self) -> dict[str, str]:
        """All columns by their names in frames: api_names, key columns, and the last writer."""
        return super().columns() | {WRITER: identifier(WRITER)}

    def column_types(self, types: Types) -> dict[str, str]:
        """The types of all these columns."""
        return super().column_types(types) | {WRITER: types.of[StorageType.INTEGER]}

    def type_of(self, field: Field, types: Types) -> str:
        """The type of that column."""
        return types.of[field.storage_type]

    def key_type(self, field: Field, types: Types) -> str:
        """The type to which a key must be cast, so that the index of the field is used."""
        return types.of[field.storage_type]

    def index(self, field: Field) -> str | None:
        """The index by which records are found by a field; ids have the primary key.

        A name that is too long for PostgreSQL (63 letters) ends in a checksum of the whole name.
        """
        if field.api_name == "id":
            return None
        name = f"org{self.module.org_id}_{self.module.api_name}__by_{field.api_name}"
        if len(name) <= _LONGEST:
            return name
        return f"{name[: _LONGEST - 9]}_{crc32(name.encode()):08x}"


class ExistingModuleTable(ModuleTable):
    """An existing table: names and types are those that the user gave it."""

    def __init__(self, module: Module, table: ExistingTable) -> None:
        super().__init__(module)
        self.existing = table

    @property
    def name(self) -> str:
        """The table."""
        return qualified_name(self.existing)

    @property
    def id_column(self) -> str:
        """The column that holds the records' ids."""
        return self.column(stored_fields(self.module)[0])

    def column(self, field: Field) -> str:
        """The column that holds a field's values."""
        assert field.column is not None
        return identifier(field.column.name)

    def type_of(self, field: Field, types: Types) -> str:
        """The type of that column."""
        assert field.column is not None
        return field.column.type

    def key_type(self, field: Field, types: Types) -> str:
        """The type to which a key must be cast, so that the index of the field is used.

        PostgreSQL compares numbers of all widths as they are; a text needs the type of its index.
        """
        is_text = field.storage_type is StorageType.TEXT
        return self.type_of(field, types) if is_text else types.of[field.storage_type]

    def index(self, field: Field) -> str | None:
        """None: nothing is created in an existing table."""
        return None


def table_of(module: Module) -> ModuleTable:
    """The table of a module."""
    if isinstance(module.table, ExistingTable):
        return ExistingModuleTable(module, module.table)
    return ServiceModuleTable(module)


def existing_table_of(module: Module) -> ExistingModuleTable:
    """The existing table of a module that has one."""
    table = table_of(module)
    assert isinstance(table, ExistingModuleTable)
    return table


def quoted(name: str) -> str:
    """An identifier of the schema, quoted. Raises ValueError for anything else."""
    if not API_NAME.fullmatch(name):
        raise ValueError(f"not an identifier: {name!r}")
    return f'"{name}"'


def identifier(name: str) -> str:
    """A name that the user gave, with any characters, quoted."""
    return '"' + name.replace('"', '""') + '"'


def qualified_name(table: ExistingTable) -> str:
    """The quoted name of an existing table, with its schema where it has one."""
    return ".".join(identifier(n) for n in (table.schema, table.name) if n is not None)


def stored_fields(module: Module) -> tuple[Field, ...]:
    """The fields that have a column, `id` first."""
    rest = (f for f in module.fields if f.api_name != "id" and f.data_type not in UNWRITABLE)
    return tuple(f for f in module.fields if f.api_name == "id") + tuple(rest)


def key_column(field: Field) -> str:
    """The name, in frames, of the column that records are found by."""
    return f"{field.api_name}__key" if field.has_folded_key else field.api_name


def create_table(module: Module, types: Types) -> list[str]:
    """The statements that create a module's table with its unique indexes."""
    number = types.of[StorageType.INTEGER]
    columns = [f'"id" {number} PRIMARY KEY', f"{identifier(WRITER)} {number}"]
    for field in stored_fields(module):
        if field.api_name != "id":
            columns += _column_definitions(field, types)
    table = f"CREATE TABLE {table_of(module).name} ({', '.join(columns)})"
    return [table, *(s for f in module.unique_fields for s in create_index(module, f))]


def drop_table(module: Module) -> list[str]:
    """Returns the statements that delete the service's tables of a module; none for others."""
    table = table_of(module)
    if not isinstance(table, ServiceModuleTable):
        return []
    return [f"DROP TABLE {table.name}", f"DROP TABLE IF EXISTS {images_table(module)}"]


def images_table(module: Module) -> str:
    """The table with the images of a module's records; no module has a table of such a name."""
    return quoted(f"org{module.org_id}_{module.id}_images")


def add_writer(module: Module, types: Types) -> list[str]:
    """The statements that add the column of the last writer to a table that an older version made.

    Empty for an existing table.
    """
    table = table_of(module)
    if not isinstance(table, ServiceModuleTable):
        return []
    number = types.of[StorageType.INTEGER]
    return [f"ALTER TABLE {table.name} ADD COLUMN {identifier(WRITER)} {number}"]


def add_column(module: Module, field: Field, types: Types) -> list[str]:
    """The statements that add a field to a module's table."""
    definitions = _column_definitions(field, types)
    added = [f"ALTER TABLE {table_of(module).name} ADD COLUMN {c}" for c in definitions]
    return added + (create_index(module, field) if field.unique else [])


def create_index(module: Module, field: Field) -> list[str]:
    """The statements that create the index of a field if it is missing.

    Empty for `id` and for an existing table.
    """
    table = table_of(module)
    index = table.index(field)
    if index is None:
        return []
    unique = "UNIQUE " if field.unique else ""
    on = f"{table.name} ({table.key(field)})"
    return [f"CREATE {unique}INDEX IF NOT EXISTS {quoted(index)} ON {on}"]


def page(module: Module) -> str:
    """SELECT of records in id order, after an id; binds (after, limit)."""
    id_column = table_of(module).id_column
    return f"{select(module)} WHERE {id_column} > ? ORDER BY {id_column} LIMIT ?"


def by_id(module: Module) -> str:
    """SELECT of one record by its id."""
    return f"{select(module)} WHERE {table_of(module).id_column} = ?"


def greatest_id(module: Module) -> str:
    """SELECT of the greatest id of a module's records, NULL if it has none."""
    table = table_of(module)
    return f"SELECT max({table.id_column}) AS id FROM {table.name}"


def display_names(module: Module, field: Field, count: int) -> str:
    """SELECT of the display names of `count` records by id."""
    table = table_of(module)
    marks = ", ".join("?" * count)
    columns = f'{table.id_column} AS "id", {table.column(field)} AS name'
    return f"SELECT {columns} FROM {table.name} WHERE {table.id_column} IN ({marks})"


def find_missing(module: Module) -> str:
    """SELECT of the number of named records (queries/check.sql) that do not exist.

    Binds the module id. Records that a caller has deleted are no finding.
    """
    record = f'SELECT 1 FROM {table_of(module).name} r WHERE r."id" = named.id'
    deleted = "SELECT 1 FROM deleted_records d WHERE d.module_id = ? AND d.id = named.id"
    return (
        "SELECT count(*) AS count, min(id) AS first FROM named "
        f"WHERE NOT EXISTS ({record}) AND NOT EXISTS ({deleted})"
    )


def find_unreported(module: Module, *, dated: bool) -> str:
    """SELECT of the number of records before an id that no result line reports.

    Binds (id, module id, module id), and with `dated` the time after which the records were
    created. Records of record calls have no result line.
    """
    reported = 'SELECT 1 FROM reported p WHERE p.module = ? AND p.id = r."id"'
    direct_end = (
        "SELECT d.first + d.count FROM direct_ids d "
        'WHERE d.module_id = ? AND d.first <= r."id" ORDER BY d.first DESC LIMIT 1'
    )
    since = ' AND r."Created_Time" > ?' if dated else ""
    return (
        f'SELECT count(*) AS count, min(r."id") AS first FROM {table_of(module).name} r '
        f'WHERE r."id" < ? AND NOT EXISTS ({reported}) '
        f'AND coalesce(({direct_end}), 0) <= r."id"{since}'
    )


def select(module: Module) -> str:
    """SELECT of records, without a condition."""
    table = table_of(module)
    names = ", ".join(f"{table.column(f)} AS {quoted(f.api_name)}" for f in stored_fields(module))
    return f"SELECT {names} FROM {table.name}"


def _column_definitions(field: Field, types: Types) -> list[str]:
    definitions = [f"{quoted(field.api_name)} {types.of[field.storage_type]}"]
    if field.has_folded_key:
        definitions.append(f"{quoted(key_column(field))} {types.key}")
    return definitions
