"""SQL that handles the records of a chunk on PostgreSQL, each statement run once for all rows.

Keys are bound as one array; changes are staged in a temporary table. Identifiers come from the
schema. Values are bound, except the ids and times of the service.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from zlib import crc32

from bulkwright.domain.module import Field, Module, Stamps, StorageType
from bulkwright.store import images_sql
from bulkwright.store.tables import Types, identifier, quoted, table_of


class IndexEquality(NamedTuple):
    """How the index of a text column of an existing table compares."""

    collation: str
    """With its schema, quoted; the column may have another one."""
    operator: str
    """Its operator for equal values, with the schema."""
    compares_bytes: bool
    """Whether different texts are never equal."""


def find(module: Module, field: Field, types: Types, index: IndexEquality | None = None) -> str:
    """SELECT of the records that hold the keys of the bound array, as lines `position,id`.

    The inner SELECT is an index scan for each key. Two matches are enough to know that a key is not
    unique.
    """
    table = table_of(module)
    equals = f" COLLATE {index.collation} {index.operator}" if index else " ="
    return (
        "SELECT string_agg(k.at - 1 || ',' || r.id, E'\\n') AS lines "
        f"FROM unnest(CAST(? AS {table.key_type(field, types)}[])) WITH ORDINALITY AS k (key, at) "
        f"CROSS JOIN LATERAL (SELECT t.{table.id_column} AS id "
        f"FROM {table.name} t WHERE t.{table.key(field)}{equals} k.key LIMIT 2) r"
    )


def same_keys(module: Module, field: Field, types: Types, collation: str) -> str:
    """SELECT of the position of the first equal key for each key of the bound array, as lines."""
    type_ = table_of(module).key_type(field, types)
    return (
        "SELECT string_agg(CAST(first AS text), E'\\n' ORDER BY at) AS lines FROM ("
        f"SELECT k.at, min(k.at) OVER (PARTITION BY k.key COLLATE {collation}) - 1 AS first "
        f"FROM unnest(CAST(? AS {type_}[])) WITH ORDINALITY AS k (key, at)) compared"
    )


def keys_of(module: Module, fields: Sequence[Field]) -> str:
    """SELECT of records' keys by their ids; binds the array of the ids."""
    table = table_of(module)
    keys = ((quoted(f.api_name), f"t.{table.key(f)}", f.storage_type) for f in fields)
    names = ", ".join(
        f"{f'CAST({key} AS text)' if type_ is StorageType.TEXT else key} AS {name}"
        for name, key, type_ in keys
    )
    return (
        f'SELECT k.id AS "id", {names} FROM unnest(CAST(? AS bigint[])) AS k (id) '
        f"JOIN {table.name} t ON t.{table.id_column} = k.id"
    )


def stage(name: str, columns: Mapping[str, str]) -> str:
    """CREATE of a temporary table with these columns, emptied by the end of each transaction."""
    definitions = ", ".join(f"{identifier(column)} {type_}" for column, type_ in columns.items())
    return f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} ({definitions}) ON COMMIT DELETE ROWS"


def update(
    module: Module, columns: Sequence[str], stamps: Stamps, staged: str, *, keep_empty: bool
) -> str:
    """UPDATE of the records whose changes are staged.

    With `keep_empty` a null leaves the column as it is.
    """
    table = table_of(module)
    names = table.columns()
    new = {c: f"s.{quoted(c)}" for c in columns}
    if keep_empty:
        new = {c: f"coalesce({value}, t.{names[c]})" for c, value in new.items()}
    changes = [f"{names[c]} = {value}" for c, value in new.items()]
    changes += [f"{names[c]} = {_literal(stamp)}" for c, stamp in stamps.items()]
    return (
        f"UPDATE {table.name} t SET {', '.join(changes)} "
        f'FROM {staged} s WHERE t.{table.id_column} = s."id"'
    )


def differs(module: Module, compared: Sequence[str], *, keep_empty: bool) -> str:
    """The condition that a record `t` differs from its staged change `s` in one of the columns."""
    return f"NOT ({_equals(module, compared, keep_empty=keep_empty)})"


def equal(module: Module, columns: Sequence[str], staged: str, *, keep_empty: bool) -> str:
    """SELECT of `$at` of the staged rows that hold what their records hold, as `lines`."""
    table = table_of(module)
    return (
        """SELECT string_agg(CAST(s."$at" AS text), E'\\n') AS lines """
        f'FROM {staged} s JOIN {table.name} t ON t.{table.id_column} = s."id" '
        f"WHERE {_equals(module, columns, keep_empty=keep_empty)}"
    )


def _equals(module: Module, columns: Sequence[str], *, keep_empty: bool) -> str:
    """The condition that a record `t` holds the values of a staged row `s`.

    Decimals are compared as texts: 1.50 is not 1.5.
    """
    names = table_of(module).columns()
    pairs = [(f"t.{names[c]}", f"s.{quoted(c)}") for c in columns]
    decimal = {f.api_name for f in module.fields if f.storage_type is StorageType.DECIMAL}
    pairs = [
        (f"CAST({old} AS text)", f"CAST({new} AS text)") if column in decimal else (old, new)
        for column, (old, new) in zip(columns, pairs, strict=True)
    ]
    if keep_empty:
        return " AND ".join(f"({new} IS NULL OR {old} = {new})" for old, new in pairs)
    return " AND ".join(f"{old} IS NOT DISTINCT FROM {new}" for old, new in pairs)


def write_each(
    module: Module, staged: str, columns: Sequence[str], changed: Sequence[str], *, keep_empty: bool
) -> str:
    """A block that writes staged rows one by one and stores the rejected ones in a table.

    Each row has its own savepoint. The staged texts are cast to the types of their columns only
    here, so that a text that cannot be cast rejects its own row only. The server does not say which
    of them it was: they are cast once more, one by one.
    """
    table = table_of(module)
    names, types = table.columns(), column_types(module, columns, Types({}, "", {}))
    value = {c: f"CAST(r.{quoted(c)} AS {types[c]})" for c in columns}
    same_id = f"t.{table.id_column} = {value['id']}"
    kept = {c: f"coalesce({value[c]}, t.{names[c]})" if keep_empty else value[c] for c in changed}
    changes = ", ".join(f"{names[c]} = {new}" for c, new in kept.items())
    update = f"UPDATE {table.name} t SET {changes} WHERE {same_id}" if changed else "PERFORM 1"
    own_names = {f.api_name: f.column.name for f in module.fields if f.column}
    casts = "".join(
        f"        tried := {_text_literal(own_names[c])}; PERFORM {value[c]};\n" for c in columns
    )
    body = f"""
DECLARE r record; written bigint; state text; rule text; col text; message text; tried text;
BEGIN
FOR r IN SELECT * FROM {staged} ORDER BY CAST("$at" AS bigint) LOOP
BEGIN
    IF CAST(r."$new" AS boolean)
        AND NOT EXISTS (SELECT 1 FROM {table.name} t WHERE {same_id}) THEN
        CONTINUE WHEN CAST(r."$incomplete" AS boolean);
        INSERT INTO {table.name} ({", ".join(names[c] for c in columns)}) OVERRIDING SYSTEM VALUE
        VALUES ({", ".join(value.values())});
    ELSE
        {update};
    END IF;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written = 0 THEN
        INSERT INTO bulkwright_rejected (at) VALUES (CAST(r."$at" AS bigint));
    END IF;
EXCEPTION WHEN data_exception OR integrity_constraint_violation OR with_check_option_violation
    OR plpgsql_error THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, rule = CONSTRAINT_NAME, col = COLUMN_NAME,
        message = MESSAGE_TEXT;
    IF left(state, 2) = '22' AND coalesce(col, '') = '' THEN
    BEGIN
{casts}    EXCEPTION WHEN data_exception THEN
        col := tried;
    END;
    END IF;
    INSERT INTO bulkwright_rejected VALUES (CAST(r."$at" AS bigint), state, rule, col, message);
END;
END LOOP;
END
"""
    # A name may hold dollars too, but not the checksum of the text that holds the name.
    quote = f"$each{crc32(body.encode())}$"
    return f"DO {quote}{body}{quote}"


def keep(module: Module, job_id: int, columns: Sequence[str]) -> str:
    """INSERT of the images of records, unless the job wrote them last; binds the array of ids."""
    source = (
        "FROM unnest(CAST(? AS bigint[])) AS k (id) "
        f'JOIN {table_of(module).name} t ON t."id" = k.id WHERE TRUE'
    )
    return images_sql.keep(module, job_id, columns, source)


def numbers(columns: Sequence[str], select: str) -> str:
    """SELECT of the rows of another one, whole numbers, as `lines` of a CSV."""
    line = ", ".join(columns)
    return f"SELECT string_agg(concat_ws(',', {line}), E'\\n') AS lines FROM ({select}) AS found"


def column_types(module: Module, columns: Sequence[str], types: Types) -> dict[str, str]:
    """The type of each of these columns of a module's table."""
    all_types = table_of(module).column_types(types)
    return {name: all_types[name] for name in columns}


def _text_literal(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def _literal(stamp: int | datetime) -> str:
    return str(int(stamp)) if isinstance(stamp, int) else f"'{stamp:%Y-%m-%dT%H:%M:%SZ}'"
