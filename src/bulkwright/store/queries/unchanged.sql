-- name: add_unchanged_rows
-- Add which rows of a chunk of a part have changed nothing.
INSERT INTO unchanged_rows (job_id, resource, part, chunk, first_row, runs)
VALUES (:job_id, :resource, :part, :chunk, :first_row, :runs)

-- name: next_unchanged_rows
-- The rows of the next chunk behind the chunk :after that have changed nothing, of each part.
SELECT part, chunk, first_row, runs FROM unchanged_rows
WHERE job_id = :job_id AND resource = :resource
  AND chunk = (SELECT min(chunk) FROM unchanged_rows
               WHERE job_id = :job_id AND resource = :resource AND chunk > :after)
ORDER BY part

-- name: delete_unchanged_rows
-- Delete which rows of a job have changed nothing.
DELETE FROM unchanged_rows WHERE job_id = :id

-- name: delete_unchanged_rows_of_org
-- Delete which rows of the jobs of an org have changed nothing.
DELETE FROM unchanged_rows WHERE job_id IN (SELECT id FROM jobs WHERE org_id = :org_id)
