-- name: oldest_free_job
-- When the oldest job was created that a worker could claim (see claim_job).
SELECT min(created_time) AS created_time FROM jobs
WHERE status IN ('ADDED', 'INPROGRESS') AND (lease_until <= lease_now() OR lease_until > lease_now() + CAST(:lease AS bigint))
