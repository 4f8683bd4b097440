-- name: note_turn
-- Record that a job of this org was claimed: other orgs have their turn before its next job.
UPDATE orgs SET served_time = :now WHERE id = :id

-- name: job_step
-- How far a job is.
SELECT id, status, created_time, lease_until, abort_time, undos.job_id AS undo
FROM jobs LEFT JOIN undos ON undos.job_id = jobs.id WHERE id = :id

-- name: open_job_steps
-- How far the oldest :most jobs are that have not ended.
SELECT id, status, created_time, lease_until, abort_time, undos.job_id AS undo
FROM jobs LEFT JOIN undos ON undos.job_id = jobs.id
WHERE status IN ('ADDED', 'INPROGRESS') ORDER BY id LIMIT :most

-- name: end_leases
-- End the claims of a worker that is known to be dead. Its attempts still count.
UPDATE jobs SET lease_until = 0
WHERE lease_holder = :worker AND status = 'INPROGRESS' AND lease_until > 0

-- name: lease_workers
-- The workers that claimed an open job or part last, where that claim was not ended.
SELECT lease_holder FROM jobs WHERE status = 'INPROGRESS' AND lease_until > 0
UNION
SELECT lease_holder FROM parts WHERE status = 'OPEN' AND lease_until > 0

-- name: lease_worker
-- The worker that claimed a job last.
SELECT lease_holder FROM jobs WHERE id = :id

-- name: set_encoding
-- Set the character encoding in which the job is processed.
UPDATE jobs SET character_encoding = :encoding WHERE id = :id

-- name: begin_twin
-- Give a new job to a worker, inside a transaction that no other one sees.
UPDATE jobs SET status = 'INPROGRESS', lease_token = 1, lease_holder = :worker WHERE id = :id

-- name: set_ending
-- Set the code with which a job ends as soon as what it has stored is undone.
UPDATE jobs SET ending = :code WHERE id = :id

-- name: abort_job
-- Set the time of a job's abort, and end its claim: no worker has the fence, so none can change it
-- before it claims it again. Returns no row if the job has ended or its abort was requested before.
UPDATE jobs SET abort_time = :now, lease_token = lease_token + 1, lease_until = 0, attempts = 0
WHERE id = :id AND org_id = :org_id AND status IN ('ADDED', 'INPROGRESS') AND abort_time IS NULL
RETURNING id

-- name: fence_parts
-- End the claims on the parts of a job, whichever workers have them. The fences grow.
UPDATE parts SET lease_token = lease_token + 1, lease_holder = NULL, lease_until = 0, attempts = 0
WHERE job_id = :id AND status = 'OPEN'

-- name: fence_all_jobs
-- End the claims of all workers: none has a fence any more.
UPDATE jobs SET lease_token = lease_token + 1, lease_until = 0 WHERE status = 'INPROGRESS'

-- name: fence_all_parts
-- End the claims of all workers on parts.
UPDATE parts SET lease_token = lease_token + 1, lease_holder = NULL, lease_until = 0
WHERE status = 'OPEN'

-- name: finish_job
-- Set a job's final status; returns no row if the claim was lost.
UPDATE jobs SET status = :status, code = :code, has_result = :has_result,
                result_sha256 = :result_sha256, lease_until = 0, finished_time = :now
WHERE id = :id AND lease_token = :fence AND status = 'INPROGRESS' RETURNING org_id, callback_url

-- name: complete_resource
-- Set the status of a resource whose rows are all stored.
UPDATE resources SET status = 'COMPLETED' WHERE job_id = :id AND position = :position

-- name: fail_resource
-- Set the status of the resource that a job had reached when it failed.
UPDATE resources SET status = 'FAILED', code = :code
WHERE job_id = :id AND position = (SELECT min(position) FROM resources
                                   WHERE job_id = :id AND status = 'INPROGRESS')

-- name: finish_resources
-- Set the final status of the resources that have none yet.
UPDATE resources SET status = :status WHERE job_id = :id AND status = 'INPROGRESS'
