-- name: lock_splits
-- Nothing: SQLite has only one writing transaction, and one part.
SELECT :job_id AS job_id, :resource AS resource WHERE FALSE

-- name: other_split
-- Nothing: on SQLite the chunks of all jobs are written one after the other.
SELECT :job_id AS job_id, :resource AS resource, :split_by AS split_by WHERE FALSE

-- name: claim_part
-- Claim a part for the worker that has the lease of its job. The fence grows. The claim ends with
-- that lease, so it has no time of its own. It claims its own parts again, except up to :after.
UPDATE parts SET lease_token = lease_token + 1, lease_holder = :worker, lease_until = 0,
                 attempts = attempts + 1
WHERE job_id = :job_id AND resource = :resource
  AND part = (SELECT min(part) FROM parts
              WHERE job_id = :job_id AND resource = :resource AND status = 'OPEN'
                AND part > :after
                AND (lease_until <= :now OR lease_until > :now + :lease))
RETURNING part, lease_token, attempts

-- name: fence_part
-- Check that the claim on a part holds; returns no row if it was lost. The claim has no time of its
-- own that could be extended.
SELECT part, :lease AS lease FROM parts
WHERE job_id = :job_id AND resource = :resource AND part = :part AND lease_token = :fence
  AND status = 'OPEN'

-- name: claim_free_part
-- Nothing: on SQLite a job has one part, which the worker of the job runs.
SELECT :worker AS worker, :only AS only, :lease AS lease WHERE FALSE

-- name: renew_part
-- Nothing: see claim_free_part.
SELECT :job_id AS job_id, :resource AS resource, :part AS part, :fence AS fence, :lease AS lease
WHERE FALSE

-- name: resume_part
-- Nothing: see claim_free_part.
SELECT :job_id AS job_id, :resource AS resource, :part AS part, :fence AS fence, :worker AS worker,
       :lease AS lease
WHERE FALSE

-- name: workers
-- One: on SQLite a job is not divided.
SELECT 1 AS workers

-- name: free_sessions
-- None: on SQLite a job is not divided.
SELECT 0 AS sessions

-- name: release_parts
-- End the claims that a worker has on parts through its lease of their job, and subtract :uncounted
-- from their attempts.
UPDATE parts SET lease_holder = NULL,
                 attempts = CASE WHEN attempts > 0 THEN attempts - :uncounted ELSE 0 END
WHERE job_id = :id AND lease_holder = :worker AND lease_until = 0 AND status = 'OPEN'
