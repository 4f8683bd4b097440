-- name: open_jobs
-- How many jobs have not ended, by status; their index holds no other jobs.
SELECT status, count(*) AS jobs FROM jobs WHERE status IN ('ADDED', 'INPROGRESS') GROUP BY status

-- name: pending_deliveries
-- How many callbacks are pending, and when the first of them is or was due.
SELECT count(*) AS pending, min(next_time) AS due FROM outbox WHERE state = 'pending'
