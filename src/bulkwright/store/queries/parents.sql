-- name: delete_parents
-- Delete which records the rows of a job's parent CSV became.
DELETE FROM parents WHERE job_id = :id
