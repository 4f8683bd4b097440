-- name: existing_tables
-- The table of this name, and the reason why it cannot be written to, if there is one.
SELECT n.nspname AS schema, c.relname AS name,
       CASE WHEN row_security_active(c.oid)
            THEN 'it has row-level security, which COPY does not pass; connect as its owner'
            WHEN NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
                      AND has_table_privilege(c.oid, 'UPDATE'))
            THEN 'it may not be written to; GRANT SELECT, INSERT, UPDATE to the database''s user'
       END AS problem,
       CASE WHEN c.relkind = 'p' THEN 'partitioned' END AS variety
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND c.relname = :name
  AND CASE WHEN CAST(:schema AS text) IS NULL THEN pg_table_is_visible(c.oid)
           ELSE n.nspname = :schema END

-- name: existing_columns
-- The columns of a table in order, with their types, keys and sequences.
WITH found AS (
    SELECT c.oid
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = :schema AND c.relname = :name
),
indexes AS (
    SELECT i.indkey[0] AS attnum, bool_or(i.indisprimary) AS is_key,
           bool_or(i.indisunique) AS is_unique
    FROM pg_index i JOIN found f ON i.indrelid = f.oid JOIN pg_class c ON c.oid = i.indexrelid
         JOIN pg_am m ON m.oid = c.relam
    WHERE i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indnkeyatts = 1
      AND m.amname = 'btree'
    GROUP BY i.indkey[0]
),
typed AS (
    SELECT a.attnum, t.oid, t.mod
    FROM found f JOIN pg_attribute a ON a.attrelid = f.oid
    CROSS JOIN LATERAL (
        -- The type under a domain, which may be a domain too.
        WITH RECURSIVE base AS (
            SELECT p.oid, p.typtype, p.typbasetype, a.atttypmod AS mod, p.typtypmod
            FROM pg_type p WHERE p.oid = a.atttypid
            UNION ALL
            SELECT p.oid, p.typtype, p.typbasetype, b.typtypmod, p.typtypmod
            FROM base b JOIN pg_type p ON p.oid = b.typbasetype WHERE b.typtype = 'd'
        )
        SELECT oid, mod FROM base WHERE typtype <> 'd'
    ) t
    WHERE a.attnum > 0 AND NOT a.attisdropped
),
sequences AS (
    SELECT d.refobjsubid AS attnum FROM pg_depend d JOIN found f ON d.refobjid = f.oid
    JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
    WHERE d.refclassid = CAST('pg_class' AS regclass) AND d.deptype IN ('a', 'i')
    UNION
    SELECT v.adnum FROM pg_attrdef v JOIN found f ON v.adrelid = f.oid
    JOIN pg_depend d ON d.classid = CAST('pg_attrdef' AS regclass) AND d.objid = v.oid
    JOIN pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
)
SELECT a.attname AS name,
       format_type(t.oid, CASE WHEN y.mod = -1 THEN NULL ELSE y.mod END) AS type,
       (SELECT CAST(json_agg(e.enumlabel ORDER BY e.enumsortorder) AS text) FROM pg_enum e
        WHERE e.enumtypid = t.oid) AS labels,
       a.attnotnull OR (d.typtype = 'd' AND d.typnotnull) AS not_null,
       a.atthasdef OR a.attidentity <> '' OR d.typdefault IS NOT NULL AS has_default,
       a.attgenerated <> '' OR a.attidentity = 'a' AS generated,
       coalesce(x.is_key, FALSE) AS is_key,
       coalesce(x.is_unique, FALSE) AS is_unique,
       x.attnum IS NOT NULL AS is_indexed,
       a.attnum IN (SELECT attnum FROM sequences) AS is_numbered,
       k.target_schema, k.target_table, k.target_column
FROM found f
JOIN pg_attribute a ON a.attrelid = f.oid
JOIN typed y ON y.attnum = a.attnum
JOIN pg_type t ON t.oid = y.oid
JOIN pg_type d ON d.oid = a.atttypid
LEFT JOIN indexes x ON x.attnum = a.attnum
LEFT JOIN LATERAL (
    SELECT n.nspname AS target_schema, p.relname AS target_table, b.attname AS target_column
    FROM pg_constraint c JOIN pg_class p ON p.oid = c.confrelid
         JOIN pg_namespace n ON n.oid = p.relnamespace
         JOIN pg_attribute b ON b.attrelid = p.oid AND b.attnum = c.confkey[1]
    WHERE c.conrelid = f.oid AND c.contype = 'f' AND cardinality(c.conkey) = 1
      AND c.conkey[1] = a.attnum
    ORDER BY c.oid LIMIT 1
) k ON TRUE
ORDER BY a.attnum

-- name: take_existing_ids
-- Take ids from the sequence of a table's key, as lines; as many as it has before its end. One that
-- starts again at its end gives no number twice to those who have taken some.
WITH sequence AS (
    SELECT seqcycle AS starts_again, CAST(seqincrement AS numeric) AS step,
           CAST(CASE WHEN seqincrement > 0 THEN seqmin ELSE seqmax END AS numeric) AS first,
           CAST(CASE WHEN seqincrement > 0 THEN seqmax ELSE seqmin END AS numeric) AS final,
           CASE WHEN has_sequence_privilege(seqrelid, 'USAGE, SELECT')
                THEN coalesce(pg_sequence_last_value(seqrelid), CAST(seqstart AS numeric)
                              - seqincrement) END AS last
    FROM pg_sequence WHERE seqrelid = CAST(:sequence AS regclass)
),
numbers AS (
    SELECT starts_again, div(final - first, step) + 1 AS every,
           coalesce(div(final - last, step), CAST(:n AS bigint)) AS rest
    FROM sequence
)
SELECT string_agg(CAST(id AS text), E'\n') AS lines
FROM (SELECT nextval(CAST(:sequence AS regclass)) AS id
      FROM numbers CROSS JOIN LATERAL generate_series(1, CAST(least(CAST(:n AS bigint),
          CASE WHEN starts_again THEN every - CAST(:taken AS bigint) ELSE rest END) AS bigint))) taken

-- name: sequence_of
-- The sequence that numbers a column: the one that the column owns, or the one that its default
-- names.
SELECT coalesce(
    pg_get_serial_sequence(:table, :column),
    (SELECT CAST(CAST(s.oid AS regclass) AS text) FROM pg_attrdef v
     JOIN pg_attribute a ON a.attrelid = v.adrelid AND a.attnum = v.adnum
     JOIN pg_depend d ON d.classid = CAST('pg_attrdef' AS regclass) AND d.objid = v.oid
     JOIN pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
     WHERE v.adrelid = CAST(:table AS regclass) AND a.attname = :column LIMIT 1)) AS name

-- name: move_sequence
-- Move a sequence behind an id that did not come from it, as far as the user's rights allow, and if
-- it has a number behind it.
SELECT setval(CAST(:sequence AS regclass), CAST(:id AS bigint))
FROM pg_sequence
WHERE seqrelid = CAST(:sequence AS regclass)
  AND seqincrement > 0 AND CAST(:id AS bigint) BETWEEN seqmin AND seqmax - seqincrement
  AND has_sequence_privilege(CAST(:sequence AS regclass), 'UPDATE')
  AND CAST(:id AS bigint) > coalesce(pg_sequence_last_value(CAST(:sequence AS regclass)), 0)

-- name: rule_columns
-- The columns of a constraint or a unique index of a table.
SELECT a.attname AS name FROM pg_attribute a
WHERE a.attrelid = CAST(:table AS regclass) AND a.attnum = ANY (
    SELECT unnest(c.conkey) FROM pg_constraint c
    WHERE c.conrelid = a.attrelid AND c.conname = :rule
    UNION
    SELECT unnest(CAST(i.indkey AS int2[])) FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
    WHERE i.indrelid = a.attrelid AND x.relname = :rule)

-- name: check_rules_at_once
-- Check deferred constraints at once, while the row that violates them is known.
SET CONSTRAINTS ALL IMMEDIATE

-- name: is_service_schema
-- Whether a schema is the one that holds the service's tables.
SELECT 1 AS found WHERE CAST(:schema AS text) = current_schema()

-- name: make_rejected
-- Create a temporary table for the rows of a block that the database rejects. Its name must not hide
-- a table that the user's triggers write to.
CREATE TEMPORARY TABLE IF NOT EXISTS bulkwright_rejected (
    at BIGINT, state TEXT, rule TEXT, col TEXT, message TEXT
) ON COMMIT DELETE ROWS

-- name: rejected_rows
-- The rows that were rejected, and the error that the server reported for each.
SELECT at, state, nullif(rule, '') AS rule, nullif(col, '') AS col, message FROM bulkwright_rejected
ORDER BY at

-- name: index_equality
-- How the index over one column compares texts: a unique index first, and one that compares fewer
-- texts as different. The operator may be in a schema that is not in the search path.
SELECT quote_ident(cs.nspname) || '.' || quote_ident(c.collname) AS collation,
       'OPERATOR(' || quote_ident(os.nspname) || '.' || o.oprname || ')' AS operator,
       c.collisdeterministic AND t.typname <> 'citext' AS compares_bytes
FROM pg_attribute a
JOIN pg_index i ON i.indrelid = a.attrelid AND i.indkey[0] = a.attnum
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_am m ON m.oid = x.relam
JOIN pg_opclass k ON k.oid = i.indclass[0]
JOIN pg_type t ON t.oid = k.opcintype
JOIN pg_amop e ON e.amopfamily = k.opcfamily AND e.amopstrategy = 3
    AND e.amoplefttype = k.opcintype AND e.amoprighttype = k.opcintype
JOIN pg_operator o ON o.oid = e.amopopr
JOIN pg_namespace os ON os.oid = o.oprnamespace
JOIN pg_collation c ON c.oid = i.indcollation[0]
JOIN pg_namespace cs ON cs.oid = c.collnamespace
WHERE a.attrelid = CAST(:table AS regclass) AND a.attname = :column
  AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indnkeyatts = 1
  AND m.amname = 'btree'
ORDER BY i.indisunique DESC, compares_bytes
LIMIT 1
