-- name: oldest_free_job
-- When the oldest job was created that a worker could claim (see claim_job).
SELECT min(created_time) AS created_time FROM jobs
WHERE status IN ('ADDED', 'INPROGRESS') AND (lease_until <= :now OR lease_until > :now + :lease)

-- name: lock_wait
-- Nothing: SQLite does not know who waits for its lock.
SELECT 0.0 AS seconds, :application AS application
