-- name: forget_parents
-- The job has ended: nobody asks any more.
DELETE FROM parents WHERE job_id = :job_id
