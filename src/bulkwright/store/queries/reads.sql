-- name: add_read_job
-- Add the job of a bulk read.
INSERT INTO jobs (id, org_id, user_id, user_name, operation, created_time, time_zone, status,
                  callback_url, version, queue_time)
VALUES (:id, :org_id, :user_id, :user_name, 'read', :created_time, :time_zone, 'ADDED',
        :callback_url, :version, :created_time)

-- name: add_read
-- Add what a bulk read asks for.
INSERT INTO reads (job_id, module, module_id, query) VALUES (:job_id, :module, :module_id, :query)

-- name: read_job
-- One bulk read of an org.
SELECT j.*, r.module, r.module_id, r.query, r.row_count, r.last_id, r.more
FROM jobs j JOIN reads r ON r.job_id = j.id
WHERE j.id = :id AND j.org_id = :org_id

-- name: newest_read_ids
-- The ids of the newest :most bulk reads of an org before the id :before.
SELECT r.job_id AS id FROM reads r JOIN jobs j ON j.id = r.job_id
WHERE j.org_id = :org_id AND (CAST(:before AS bigint) IS NULL OR r.job_id < :before)
ORDER BY r.job_id DESC LIMIT :most

-- name: set_read_result
-- Set what a bulk read has read: its records, the greatest id of them, and whether there are more.
UPDATE reads SET row_count = :row_count, last_id = :last_id, more = :more WHERE job_id = :job_id

-- name: delete_read
-- Delete what the bulk read of a job asks for.
DELETE FROM reads WHERE job_id = :id
