-- name: add_undo_job
-- Add the job of an undo.
INSERT INTO jobs (id, org_id, user_id, user_name, operation, created_time, time_zone, status,
                  callback_url, version, queue_time)
VALUES (:id, :org_id, :user_id, :user_name, 'undo', :created_time, :time_zone, 'ADDED',
        :callback_url, :version, :queue_time)

-- name: add_undo
-- Add what an undo undoes.
INSERT INTO undos (job_id, undone_id, dry_run) VALUES (:job_id, :undone_id, :dry_run)

-- name: lock_undone
-- Lock a job that is to be undone: no other undo of it can be added until this transaction ends.
UPDATE jobs SET status = status WHERE id = :id AND org_id = :org_id RETURNING status, operation, dry

-- name: undo_job
-- One undo of an org.
SELECT j.*, u.undone_id, u.dry_run, p.added, p.updated, p.skipped
FROM jobs j JOIN undos u ON u.job_id = j.id
JOIN parts p ON p.job_id = j.id AND p.resource = 0 AND p.part = 0
WHERE j.id = :id AND j.org_id = :org_id

-- name: newest_undo_ids
-- The ids of the newest :most undos of an org before the id :before.
SELECT j.id FROM jobs j
WHERE j.org_id = :org_id AND j.operation = 'undo'
  AND (CAST(:before AS bigint) IS NULL OR j.id < :before)
ORDER BY j.id DESC LIMIT :most

-- name: undo_of_job
-- The undo of a job that changes records, and has not failed.
SELECT j.id, j.status FROM undos u JOIN jobs j ON j.id = u.job_id
WHERE u.undone_id = :id AND NOT u.dry_run AND j.status <> 'FAILED'
ORDER BY j.id DESC LIMIT 1

-- name: undone_resources
-- The resources of a job that is to be undone, the last one first: those that have begun.
SELECT r.position, r.module, r.images, m.table_name
FROM resources r JOIN jobs j ON j.id = r.job_id
LEFT JOIN modules m ON m.org_id = j.org_id AND m.api_name = r.module
WHERE r.job_id = :id AND r.parts IS NOT NULL
ORDER BY r.position DESC

-- name: created_ranges
-- The consecutive ids that the chunks of a resource gave to new records, ascending.
SELECT first_id, first_id + added - 1 AS last_id FROM ledger
WHERE job_id = :job_id AND resource = :resource AND first_id IS NOT NULL AND added > 0
ORDER BY first_id

-- name: delete_undo
-- Delete what the undo of a job undoes.
DELETE FROM undos WHERE job_id = :id

-- name: delete_unneeded_images_of_org
-- Delete which images of an org are not needed any more.
DELETE FROM unneeded_images WHERE org_id = :org_id

-- name: delete_undos_of_org
-- Delete what the undos of an org undo.
DELETE FROM undos WHERE job_id IN (SELECT id FROM jobs WHERE org_id = :org_id)
