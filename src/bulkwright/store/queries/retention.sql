-- name: delete_upload
-- Delete an upload, unless a job needs it since; then it returns no row.
DELETE FROM uploads
WHERE id = :id AND id NOT IN (SELECT r.file_id FROM jobs j CROSS JOIN resources r
                              WHERE r.job_id = j.id AND j.status IN ('ADDED', 'INPROGRESS'))
RETURNING id

-- name: mark_result_swept
-- Mark the result of a job as deleted.
UPDATE jobs SET result_swept = :now WHERE id = :id

-- name: uploads_of_job
-- The uploads that the resources of a job read.
SELECT file_id AS id FROM resources WHERE job_id = :id

-- name: has_pending_delivery
-- The callback of a job, if it is pending.
SELECT id FROM outbox WHERE job_id = :id AND state = 'pending'

-- name: delete_unused_upload
-- Delete an upload, unless a job reads it; then it returns no row.
DELETE FROM uploads WHERE id = :id AND NOT EXISTS (SELECT 1 FROM resources WHERE file_id = :id)
RETURNING id

-- name: delete_delivery_of_job
-- Delete the callback of a job.
DELETE FROM outbox WHERE job_id = :id

-- name: delete_ledger
-- Delete the ledger of a job.
DELETE FROM ledger WHERE job_id = :id

-- name: delete_parts
-- Delete the parts of a job.
DELETE FROM parts WHERE job_id = :id

-- name: delete_resources
-- Delete the resources of a job.
DELETE FROM resources WHERE job_id = :id

-- name: delete_job
-- Delete a job.
DELETE FROM jobs WHERE id = :id

-- name: upload_known
-- One upload, if it exists.
SELECT id FROM uploads WHERE id = :id

-- name: job_files
-- What shows which files of a job are needed.
SELECT status, has_result, result_swept FROM jobs WHERE id = :id

-- name: old_images
-- Up to :most jobs with images that ended before :before and that no undo needs.
SELECT j.id, j.org_id FROM jobs j
WHERE j.finished_time < :before
  AND EXISTS (SELECT 1 FROM resources r WHERE r.job_id = j.id AND r.images IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM undos u JOIN jobs uj ON uj.id = u.job_id
                  WHERE u.undone_id = j.id AND uj.status IN ('ADDED', 'INPROGRESS'))
LIMIT :most

-- name: open_undo
-- An undo of a job that has not ended.
SELECT u.job_id FROM undos u JOIN jobs j ON j.id = u.job_id
WHERE u.undone_id = :id AND j.status IN ('ADDED', 'INPROGRESS')

-- name: release_images
-- Add the images of a job to those that are not needed any more.
INSERT INTO unneeded_images (job_id, module, org_id)
SELECT r.job_id, r.module, j.org_id FROM resources r JOIN jobs j ON j.id = r.job_id
WHERE r.job_id = :id AND r.images IS NOT NULL

-- name: forget_images
-- Set that a job keeps no images any more.
UPDATE resources SET images = NULL WHERE job_id = :id

-- name: unneeded_images
-- Images that are not needed any more: of which job and module.
SELECT job_id, module, org_id FROM unneeded_images ORDER BY job_id, module LIMIT 1

-- name: delete_unneeded_images
-- Record that images are deleted.
DELETE FROM unneeded_images WHERE job_id = :job_id AND module = :module
