-- name: idempotency_key
-- One idempotency key of an org: its request, and the upload or the job that this has made.
SELECT request, made FROM idempotency_keys WHERE org_id = :org_id AND key = :key

-- name: add_idempotency_key
-- Add an idempotency key; returns no row if the org has it already.
INSERT INTO idempotency_keys (org_id, key, request, made, created_time)
VALUES (:org_id, :key, :request, :made, :now)
ON CONFLICT (org_id, key) DO NOTHING RETURNING made

-- name: replace_idempotency_key
-- Set what an idempotency key names.
UPDATE idempotency_keys SET made = :made WHERE org_id = :org_id AND key = :key
