-- name: lock_splits
-- Lock the decision how rows of a module are divided, until this transaction ends.
SELECT pg_advisory_xact_lock(-module_id) FROM resources
WHERE job_id = :job_id AND position = :resource

-- name: other_split
-- The field by which an unfinished job, other than this one, has divided rows of the same module,
-- if it is another field. A job that finds no records by a field is compatible with all.
SELECT r.split_by
FROM resources own JOIN jobs mine ON mine.id = own.job_id
JOIN jobs j ON j.org_id = mine.org_id AND j.status = 'INPROGRESS' AND j.id <> mine.id
JOIN resources r ON r.job_id = j.id AND r.module_id = own.module_id
WHERE own.job_id = :job_id AND own.position = :resource
  AND r.split_by <> :split_by AND r.split_by <> ''
LIMIT 1

-- name: claim_part
-- Claim a part for the worker that has the lease of its job. The fence grows. The claim ends with
-- that lease, so it has no time of its own.
UPDATE parts SET lease_token = lease_token + 1, lease_holder = :worker, lease_until = 0
WHERE job_id = :job_id AND resource = :resource
  AND part = (SELECT part FROM parts
              WHERE job_id = :job_id AND resource = :resource AND status = 'OPEN'
                AND (lease_until <= lease_now() OR lease_until > lease_now() + CAST(:lease AS bigint))
              ORDER BY part LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING part, lease_token

-- name: fence_part
-- Check that the claim on a part holds, and lock its row; returns no row if the claim was lost.
SELECT part FROM parts
WHERE job_id = :job_id AND resource = :resource AND part = :part AND lease_token = :fence
  AND status = 'OPEN'
FOR UPDATE

-- name: claim_free_part
-- Claim a part of a divided job of another worker. The fence grows. The part that the worker of the
-- job runs itself has no time of its own, so it is told by that worker's name.
UPDATE parts SET lease_token = lease_token + 1, lease_holder = :worker, attempts = attempts + 1,
                 lease_until = lease_now() + CAST(:lease AS bigint)
WHERE (job_id, resource, part) = (
    SELECT p.job_id, p.resource, p.part
    FROM jobs j JOIN resources r ON r.job_id = j.id AND r.parts > 1 AND r.status = 'INPROGRESS'
    JOIN parts p ON p.job_id = j.id AND p.resource = r.position
    WHERE j.status = 'INPROGRESS' AND j.lease_until > lease_now() AND p.status = 'OPEN'
      AND (p.lease_until <= lease_now() OR p.lease_until > lease_now() + CAST(:lease AS bigint))
      AND p.lease_holder IS DISTINCT FROM j.lease_holder
    ORDER BY p.job_id, p.part LIMIT 1 FOR UPDATE OF p SKIP LOCKED)
RETURNING job_id, resource, part, lease_token, attempts,
          (SELECT org_id FROM jobs WHERE id = parts.job_id) AS org_id

-- name: renew_part
-- Extend the claim on a part, unless a chunk of it is being written, which keeps it anyway; returns
-- no row if the claim was lost.
UPDATE parts SET lease_until = lease_now() + CAST(:lease AS bigint)
WHERE job_id = :job_id AND resource = :resource AND part = :part AND lease_token = :fence
  AND status = 'OPEN'
RETURNING part

-- name: release_part
-- End the claim on a part, so that it can be claimed again at once; the attempt does not count if
-- it is :uncounted.
UPDATE parts SET lease_until = 0, lease_holder = NULL, attempts = greatest(attempts - CAST(:uncounted AS bigint), 0)
WHERE job_id = :job_id AND resource = :resource AND part = :part AND lease_token = :fence
  AND status = 'OPEN'
