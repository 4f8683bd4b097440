-- name: open_jobs
-- The number of jobs that have not ended, by status; their index has no other jobs.
SELECT status, count(*) AS jobs FROM jobs WHERE status IN ('ADDED', 'INPROGRESS') GROUP BY status

-- name: pending_deliveries
-- The number of pending callbacks, and when the first of them is or was due.
SELECT count(*) AS pending, min(next_time) AS due FROM outbox WHERE state = 'pending'
