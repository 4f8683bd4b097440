-- name: lock_schema
-- Lock the schema: no other transaction can change it until this one ends.
SELECT pg_advisory_xact_lock(7235420135291191)

-- name: disable_timeout
-- Let the statements of this transaction take as long as they need.
SET LOCAL statement_timeout = 0

-- name: lock_module
-- Lock the records of a module: no other transaction can match or write them until this one ends.
SELECT pg_advisory_xact_lock(:id)

-- name: add_picklist_values
-- Add the values of a JSON array to a picklist, the first one at the position `first`.
INSERT INTO picklist_values (org_id, module, api_name, position, value)
SELECT :org_id, :module, :api_name, :first + at - 1, value
FROM json_array_elements_text(CAST(:values AS json)) WITH ORDINALITY AS v (value, at)

-- name: index_exists
-- The index of this name, if there is one.
SELECT relname AS name FROM pg_class
WHERE oid = to_regclass(quote_ident(:name)) AND relkind = 'i'
