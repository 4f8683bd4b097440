-- name: hold_schema
-- Nobody else changes the schema until this transaction ends: its transactions are the only ones.
SELECT 1

-- name: take_time
-- The statements of this transaction may take as long as they need: they always may.
SELECT 1

-- name: hold_module
-- Nobody else matches or writes records of a module until this transaction ends: as above.
SELECT :id
