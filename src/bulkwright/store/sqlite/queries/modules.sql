-- name: lock_schema
-- Lock the schema until this transaction ends: SQLite has only one writing transaction anyway.
SELECT 1

-- name: disable_timeout
-- Let the statements of this transaction take as long as they need: SQLite has no timeout.
SELECT 1

-- name: lock_module
-- Lock the records of a module until this transaction ends: see lock_schema.
SELECT :id

-- name: lock_groups
-- Lock groups of keys of a module until this transaction ends: see lock_schema.
SELECT :id, :groups

-- name: lock_picklists
-- Lock the picklists of a module until this transaction ends: see lock_schema.
SELECT :id

-- name: add_picklist_values
-- Add the values of a JSON array to a picklist, the first one at the position `first`.
INSERT INTO picklist_values (org_id, module, api_name, position, value)
SELECT :org_id, :module, :api_name, :first + key, value FROM json_each(:values)

-- name: columns_of_table
-- The columns of a table; none if it does not exist.
SELECT name FROM pragma_table_info(:name)

-- name: index_exists
-- The index of this name, if there is one.
SELECT name FROM sqlite_master WHERE type = 'index' AND name = :name
