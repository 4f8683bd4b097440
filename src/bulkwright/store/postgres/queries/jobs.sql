-- name: lock_fingerprint
-- Lock a fingerprint: no other transaction can add a job with it until this one ends. The pair is in
-- another space of locks than the single numbers of modules and schema.
SELECT pg_advisory_xact_lock(1, hashtext(:fingerprint))
