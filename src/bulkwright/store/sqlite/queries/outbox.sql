-- name: claim_deliveries
-- Claim the first :most due callbacks of a destination; they are due again when the lease expires.
UPDATE outbox SET attempts = attempts + 1, lease_until = :until, next_time = :until
WHERE id IN (SELECT id FROM outbox
             WHERE state = 'pending' AND lane = :destination AND next_time <= :now -- codespell:ignore lane
             ORDER BY next_time LIMIT :most)
RETURNING *, lane AS destination -- codespell:ignore lane
