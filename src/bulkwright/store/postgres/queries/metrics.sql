-- name: oldest_free_job
-- When the oldest job was created that a worker could claim (see claim_job).
SELECT min(created_time) AS created_time FROM jobs
WHERE status IN ('ADDED', 'INPROGRESS') AND (lease_until <= lease_now() OR lease_until > lease_now() + CAST(:lease AS bigint))

-- name: lock_wait
-- How many seconds the session that waits longest for a lock has been waiting.
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - query_start)), 0) AS seconds
FROM pg_stat_activity
WHERE datname = current_database() AND application_name = :application
    AND wait_event_type = 'Lock'
