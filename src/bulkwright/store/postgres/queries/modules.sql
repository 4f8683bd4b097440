-- name: lock_schema
-- Lock the schema: no other transaction can change it until this one ends.
SELECT pg_advisory_xact_lock(7235420135291191)

-- name: disable_timeout
-- Let the statements of this transaction take as long as they need.
SET LOCAL statement_timeout = 0

-- name: lock_module
-- Lock the records of a module: no other transaction can match or write them until this one ends.
SELECT pg_advisory_xact_lock(:id)
