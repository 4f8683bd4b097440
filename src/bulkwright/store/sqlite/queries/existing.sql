-- name: existing_tables
-- The table of this name. SQLite has no reason why it could not be written to.
SELECT NULL AS schema, name, NULL AS problem, CASE WHEN wr THEN 'without rowid' END AS variety
FROM pragma_table_list
WHERE schema = 'main' AND type = 'table' AND name = :name COLLATE NOCASE
  AND coalesce(:schema, 'main') = 'main' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'

-- name: existing_columns
-- The columns of a table in order; types have the names that PostgreSQL gives them.
WITH found AS (
    SELECT cid, name, upper(type) AS type, "notnull", dflt_value, pk, hidden,
           CASE WHEN instr(type, '(') > 0
                THEN replace(substr(type, instr(type, '(')), ' ', '') ELSE '' END AS size
    FROM pragma_table_xinfo(:name)
),
indexes AS (
    SELECT l."unique" AS is_unique, min(i.name) AS name, count(*) AS columns
    FROM pragma_index_list(:name) l JOIN pragma_index_info(l.name) i
    WHERE l.partial = 0 GROUP BY l.name HAVING count(*) = count(i.name)
),
keys AS (
    SELECT min("table") AS "table", min("from") AS "from", min("to") AS "to"
    FROM pragma_foreign_key_list(:name) GROUP BY id HAVING count(*) = 1
)
SELECT f.name,
       CASE WHEN type LIKE '%INT%' THEN 'bigint'
            WHEN type LIKE '%BOOL%' THEN 'boolean'
            WHEN type LIKE '%UUID%' THEN 'uuid'
            WHEN type LIKE '%CHAR%' THEN 'character varying' || size
            WHEN type LIKE '%TEXT%' OR type LIKE '%CLOB%' OR type = '' THEN 'text'
            WHEN type LIKE 'TIMESTAMP%TZ%' OR type LIKE '%WITH TIME ZONE'
            THEN 'timestamp with time zone'
            WHEN type LIKE 'DATETIME%' OR type LIKE 'TIMESTAMP%' THEN 'timestamp without time zone'
            WHEN type = 'DATE' THEN 'date'
            WHEN type LIKE '%REAL%' OR type LIKE '%FLOA%' OR type LIKE '%DOUB%'
            THEN 'double precision'
            WHEN type LIKE 'DEC%' OR type LIKE 'NUM%' THEN 'numeric' || size
            WHEN type LIKE '%JSON%' THEN 'json'
            ELSE lower(type) END AS type,
       NULL AS labels,
       "notnull" OR pk > 0 AS not_null,
       dflt_value IS NOT NULL AS has_default,
       hidden > 0 AS generated,
       pk = 1 AND (SELECT max(pk) FROM found) = 1 AS is_key,
       EXISTS (SELECT 1 FROM indexes i WHERE i.is_unique AND i.columns = 1 AND i.name = f.name)
           AS is_unique,
       EXISTS (SELECT 1 FROM indexes i WHERE i.columns = 1 AND i.name = f.name) AS is_indexed,
       pk = 1 AND type = 'INTEGER' AND (SELECT max(pk) FROM found) = 1
           AND NOT (SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = :name)
           AS is_numbered,
       NULL AS target_schema,
       (SELECT k."table" FROM keys k WHERE k."from" = f.name COLLATE NOCASE) AS target_table,
       (SELECT coalesce(k."to", (SELECT name FROM pragma_table_info(k."table") WHERE pk = 1))
        FROM keys k WHERE k."from" = f.name COLLATE NOCASE) AS target_column
FROM found f
ORDER BY cid

-- name: foreign_keys
-- The pairs of columns of a table's foreign keys.
SELECT k.id AS number, k."table" AS parent, k."from" AS here,
       coalesce(k."to", (SELECT name FROM pragma_table_info(k."table") WHERE pk = k.seq + 1))
           AS there
FROM pragma_foreign_key_list(:table) k ORDER BY k.id, k.seq

-- name: counts_ids
-- Whether a table never uses an id twice.
SELECT 1 AS counts FROM sqlite_master
WHERE type = 'table' AND name = :table AND sql LIKE '%AUTOINCREMENT%'

-- name: last_counted_id
-- The greatest id that a table has ever used.
SELECT seq AS last FROM sqlite_sequence WHERE name = :table

-- name: is_service_schema
-- Whether a schema is the one that holds the service's tables: an SQLite file has only one.
SELECT 1 AS found

-- name: index_collation
-- The collation of the index over one column: a unique index first, and one that compares fewer
-- texts as different.
SELECT upper(coll) AS collation FROM (
    SELECT min(i.coll) AS coll, min(i.name) AS name, l."unique" AS is_unique
    FROM pragma_index_list(:table) l JOIN pragma_index_xinfo(l.name) i
    WHERE l.partial = 0 AND i."key" = 1
    GROUP BY l.name HAVING count(*) = 1
)
WHERE name = :column
ORDER BY is_unique DESC, upper(coll) = 'BINARY'
LIMIT 1
