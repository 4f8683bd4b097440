-- name: hold_schema
-- Nobody else changes the schema until this transaction ends.
SELECT pg_advisory_xact_lock(7235420135291191)

-- name: take_time
-- The statements of this transaction may take as long as they need.
SET LOCAL statement_timeout = 0

-- name: hold_module
-- Nobody else matches or writes records of a module until this transaction ends.
SELECT pg_advisory_xact_lock(:id)
