"""SQL that handles the records of a chunk on PostgreSQL, each statement run once for all rows.

Keys come as one array; changes stand in a temporary table. Identifiers come from the schema; values
are bound, but for the service's own ids and times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zlib import crc32

from bulkwright.domain.module import Field, Kind, Module, Stamps
from bulkwright.store import tables
from bulkwright.store.tables import Types, identifier, quoted


def find(module: Module, field: Field, types: Types) -> str:
    """SELECT of the records that hold the keys of an array, as lines of place and id; binds it.

    The inner SELECT is an index step for each key; two matches are enough to know that there are
    several.
    """
    # Numbers of all widths are compared as they are; texts have to be of the index's very type.
    text = field.column.type if field.column and field.kind is Kind.TEXT else None
    return (
        "SELECT string_agg(k.at - 1 || ',' || r.id, E'\\n') AS lines "
        f"FROM unnest(CAST(? AS {text or types.of[field.kind]}[])) WITH ORDINALITY AS k (key, at) "
        f"CROSS JOIN LATERAL (SELECT t.{tables.id_column(module)} AS id "
        f"FROM {tables.table(module)} t WHERE t.{tables.key(field)} = k.key LIMIT 2) r"
    )


def keys_of(module: Module, fields: Sequence[Field]) -> str:
    """SELECT of records' keys by their ids; binds the array of them."""
    keys = ((f"t.{tables.key(f)}", f) for f in fields)
    names = ", ".join(
        f"{f'CAST({key} AS text)' if f.column and f.kind is Kind.TEXT else key} "
        f"AS {quoted(f.api_name)}"
        for key, f in keys
    )
    return (
        f'SELECT k.id AS "id", {names} FROM unnest(CAST(? AS bigint[])) AS k (id) '
        f"JOIN {tables.table(module)} t ON t.{tables.id_column(module)} = k.id"
    )


def stage(name: str, columns: Mapping[str, str]) -> str:
    """CREATE of a temporary table with these columns, empty again after each transaction."""
    made = ", ".join(f"{identifier(column)} {kind}" for column, kind in columns.items())
    return f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} ({made}) ON COMMIT DELETE ROWS"


def update(
    module: Module, columns: Sequence[str], stamps: Stamps, staged: str, *, keep_empty: bool
) -> str:
    """UPDATE of the records whose changes are staged.

    With `keep_empty` a null leaves the column as it is.
    """
    names = tables.columns(module)
    new = {c: f"s.{quoted(c)}" for c in columns}
    if keep_empty:
        new = {c: f"coalesce({value}, t.{names[c]})" for c, value in new.items()}
    changes = [f"{names[c]} = {value}" for c, value in new.items()]
    changes += [f"{names[c]} = {_literal(stamp)}" for c, stamp in stamps.items()]
    return (
        f"UPDATE {tables.table(module)} t SET {', '.join(changes)} "
        f'FROM {staged} s WHERE t.{tables.id_column(module)} = s."id"'
    )


def each(
    module: Module, staged: str, columns: Sequence[str], changed: Sequence[str], *, keep_empty: bool
) -> str:
    """A block that writes staged rows one after the other, and enters those that are refused.

    Each row has a savepoint of its own. What was staged as text becomes what its column holds
    only here, so that no row's text can speak against all.
    """
    names, types = tables.columns(module), column_types(module, columns, Types({}, ""))
    value = {c: f"CAST(r.{quoted(c)} AS {types[c]})" for c in columns}
    target, at = tables.table(module), f"t.{tables.id_column(module)} = {value['id']}"
    kept = {c: f"coalesce({value[c]}, t.{names[c]})" if keep_empty else value[c] for c in changed}
    changes = ", ".join(f"{names[c]} = {new}" for c, new in kept.items())
    update = f"UPDATE {target} t SET {changes} WHERE {at}" if changed else "PERFORM 1"
    body = f"""
DECLARE r record; written bigint; state text; rule text; col text; told text;
BEGIN
FOR r IN SELECT * FROM {staged} ORDER BY CAST("$at" AS bigint) LOOP
BEGIN
    IF CAST(r."$new" AS boolean) AND NOT EXISTS (SELECT 1 FROM {target} t WHERE {at}) THEN
        CONTINUE WHEN CAST(r."$lacks" AS boolean);
        INSERT INTO {target} ({", ".join(names[c] for c in columns)}) OVERRIDING SYSTEM VALUE
        VALUES ({", ".join(value.values())});
    ELSE
        {update};
    END IF;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written = 0 THEN
        INSERT INTO refused (at) VALUES (CAST(r."$at" AS bigint));
    END IF;
EXCEPTION WHEN data_exception OR integrity_constraint_violation OR with_check_option_violation
    OR plpgsql_error THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, rule = CONSTRAINT_NAME, col = COLUMN_NAME,
        told = MESSAGE_TEXT;
    INSERT INTO refused VALUES (CAST(r."$at" AS bigint), state, rule, col, told);
END;
END LOOP;
END
"""
    # A name may hold dollars too, but not the very number that is made of it.
    quote = f"$each{crc32(body.encode())}$"
    return f"DO {quote}{body}{quote}"


def column_types(module: Module, columns: Sequence[str], types: Types) -> dict[str, str]:
    """The type of each of these columns of a module's table."""
    made = {f.api_name: f.column.type if f.column else types.of[f.kind] for f in module.fields}
    made |= {tables.key_column(f): types.key for f in module.fields if f.folded}
    return {name: made[name] for name in columns}


def _literal(stamp: int | datetime) -> str:
    return str(int(stamp)) if isinstance(stamp, int) else f"'{stamp:%Y-%m-%dT%H:%M:%SZ}'"
