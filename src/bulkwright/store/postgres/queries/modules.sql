-- name: lock_schema
-- Lock the schema: no other transaction can change it until this one ends.
SELECT pg_advisory_xact_lock(7235420135291191)

-- name: disable_timeout
-- Let the statements of this transaction take as long as they need.
SET LOCAL statement_timeout = 0

-- name: lock_module
-- Lock the records of a module: no other transaction can match or write them until this one ends.
SELECT pg_advisory_xact_lock(:id)

-- name: lock_groups
-- Lock groups of keys of a module, and keep those waiting who lock the whole module. The locks are
-- taken in the order of the array. Modules whose ids are equal in these 31 bits share them.
SELECT CASE WHEN k IS NULL THEN CAST(pg_advisory_xact_lock_shared(m.id) AS text)
       ELSE CAST(pg_advisory_xact_lock(CAST(mod(m.id, 2147483647) AS integer), k) AS text) END
FROM (SELECT CAST(:id AS bigint) AS id) m
CROSS JOIN unnest(array_prepend(CAST(NULL AS integer), CAST(:groups AS integer[]))) AS k

-- name: lock_picklists
-- Lock the picklists of a module: a lock beside those of the groups, which are not negative.
SELECT pg_advisory_xact_lock(CAST(mod(CAST(:id AS bigint), 2147483647) AS integer), -1)

-- name: add_picklist_values
-- Add the values of a JSON array to a picklist, the first one at the position `first`.
INSERT INTO picklist_values (org_id, module, api_name, position, value)
SELECT :org_id, :module, :api_name, :first + at - 1, value
FROM json_array_elements_text(CAST(:values AS json)) WITH ORDINALITY AS v (value, at)

-- name: columns_of_table
-- The columns of a table; none if it does not exist.
SELECT attname AS name FROM pg_attribute
WHERE attrelid = to_regclass(quote_ident(:name)) AND attnum > 0 AND NOT attisdropped

-- name: index_exists
-- The index of this name, if there is one.
SELECT relname AS name FROM pg_class
WHERE oid = to_regclass(quote_ident(:name)) AND relkind = 'i'
