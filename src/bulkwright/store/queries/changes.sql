-- name: kept_images
-- The columns of which a resource of a job keeps images.
SELECT images FROM resources WHERE job_id = :job_id AND position = :resource

-- name: jobs_with_images
-- The jobs that keep images of records of a module, with the columns of these.
SELECT job_id, images FROM resources WHERE images IS NOT NULL AND module_id = :module_id

-- name: creator_of_record
-- The job that created a record, by the ids that its chunk gave.
SELECT l.job_id FROM ledger l JOIN resources r ON r.job_id = l.job_id AND r.position = l.resource
WHERE l.first_id = (SELECT max(first_id) FROM ledger WHERE first_id <= :id)
  AND l.first_id + l.added > :id AND r.module_id = :module_id

-- name: job_of_org
-- A job of an org.
SELECT id FROM jobs WHERE id = :id AND org_id = :org_id
