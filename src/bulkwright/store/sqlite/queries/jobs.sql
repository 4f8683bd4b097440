-- name: lock_fingerprint
-- Lock a fingerprint until this transaction ends: SQLite has only one writing transaction anyway.
SELECT :fingerprint
