-- name: drop_upload
-- Forget an upload, unless a job has come to need it since; no row comes back then.
DELETE FROM uploads
WHERE id = :id AND id NOT IN (SELECT r.file_id FROM jobs j CROSS JOIN resources r
                              WHERE r.job_id = j.id AND j.status IN ('ADDED', 'INPROGRESS'))
RETURNING id

-- name: drop_result
-- From now on the job has no result any more.
UPDATE jobs SET result_swept = :now WHERE id = :id

-- name: drop_delivery_of_job
-- Forget the callback of a job.
DELETE FROM outbox WHERE job_id = :id

-- name: drop_ledger
-- Forget the ledger of a job.
DELETE FROM ledger WHERE job_id = :id

-- name: drop_parents
-- Forget which records the rows of a job's parent CSV became.
DELETE FROM parents WHERE job_id = :id

-- name: drop_resources
-- Forget the resources of a job.
DELETE FROM resources WHERE job_id = :id

-- name: drop_job
-- Forget a job.
DELETE FROM jobs WHERE id = :id

-- name: upload_known
-- Whether there is such an upload.
SELECT id FROM uploads WHERE id = :id

-- name: job_files
-- What the files of a job are needed for.
SELECT status, has_result, result_swept FROM jobs WHERE id = :id
