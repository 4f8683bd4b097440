"""SQL of bulk reads: records in the order of their ids, almost as they are stored.

Date-times are in UTC, lists are JSON arrays: `pipeline/record_lines.py` writes them.
"""

from __future__ import annotations

from collections.abc import Sequence

from bulkwright.domain.module import Field, Module
from bulkwright.domain.read_job import Selection
from bulkwright.store.criteria_sql import Sql, where
from bulkwright.store.tables import ModuleTable, Types, quoted, table_of


def select(module: Module, fields: Sequence[Field], wanted: Selection, types: Types) -> Sql:
    """SELECT of records, in the order of `fields`."""
    table = table_of(module)
    found = Sql("1 = 1") if wanted.criteria is None else where(module, wanted.criteria, types)
    condition, values = f"({found.text})", found.values
    rest, more = (" OFFSET ?", (wanted.skipped,)) if wanted.skipped else ("", ())
    if wanted.after is not None:
        condition, values = f"{table.id_column} > ? AND {condition}", (wanted.after, *values)
    elif wanted.skipped and wanted.criteria is None:
        # The ids of the skipped records are read from their index alone.
        last_skipped = f"SELECT {table.id_column} FROM {table.name} ORDER BY 1 LIMIT 1 OFFSET ?"
        condition, values = f"{table.id_column} > ({last_skipped})", (wanted.skipped - 1,)
        rest, more = "", ()
    columns = ", ".join(f"{_cell(table, f, types)} AS {quoted(f.api_name)}" for f in fields)
    return Sql(
        f"SELECT {columns} FROM {table.name} WHERE {condition} "
        f"ORDER BY {table.id_column} LIMIT ?{rest}",
        (*values, wanted.most, *more),
    )


def _cell(table: ModuleTable, field: Field, types: Types) -> str:
    cell = types.cells[field.storage_type].format(table.column(field))
    names = [table.module.field(name) for name in ("First_Name", "Last_Name")]
    if field.api_name != "Full_Name" or None in names:
        return cell
    # It is not stored: a record that is listed has both names, joined.
    first, last = (f"coalesce({table.column(f)}, '')" for f in names if f is not None)
    both = f"CASE WHEN {first} = '' OR {last} = '' THEN {first} || {last} "
    return f"coalesce({table.column(field)}, {both}ELSE {first} || ' ' || {last} END)"
