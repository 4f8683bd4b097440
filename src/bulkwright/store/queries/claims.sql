-- name: note_turn
-- Record that a job of this org was claimed: other orgs have their turn before its next job.
UPDATE orgs SET served_time = :now WHERE id = :id

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
