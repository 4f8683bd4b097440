-- name: deployment
-- The id of this database, by which a file area knows its owner.
SELECT id FROM deployment
