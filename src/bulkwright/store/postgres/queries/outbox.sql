-- name: claim_deliveries
-- Claim the first :most due rows of a lane; they are due again when the lease runs out.
UPDATE outbox SET attempts = attempts + 1, lease_until = :until, next_time = :until
WHERE id IN (SELECT id FROM outbox
             WHERE state = 'pending' AND lane = :lane AND next_time <= :now
             ORDER BY next_time LIMIT :most FOR UPDATE SKIP LOCKED)
RETURNING *
