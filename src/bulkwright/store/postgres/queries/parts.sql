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
-- that lease, so it has no time of its own. It claims its own parts again, except up to :after.
UPDATE parts SET lease_token = lease_token + 1, lease_holder = :worker, lease_until = 0,
                 attempts = attempts + 1
WHERE job_id = :job_id AND resource = :resource
  AND part = (SELECT part FROM parts
              WHERE job_id = :job_id AND resource = :resource AND status = 'OPEN'
                AND part > :after
                AND (lease_until <= lease_now() OR lease_until > lease_now() + CAST(:lease AS bigint))
              ORDER BY part LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING part, lease_token, attempts

-- name: fence_part
-- Check that the claim on a part holds, extend it if it has a time of its own, and lock its row;
-- returns no row if the claim was lost.
UPDATE parts SET lease_until = CASE WHEN lease_until > 0 THEN lease_now() + CAST(:lease AS bigint)
                                    ELSE 0 END
WHERE job_id = :job_id AND resource = :resource AND part = :part AND lease_token = :fence
  AND status = 'OPEN'
RETURNING part

-- name: claim_free_part
-- Claim a part of a divided job that another worker runs. The fence grows. A part that the worker of
-- the job runs itself has no time of its own, so that worker's name shows it. Of a job that
-- `write` runs, only the processes of that command claim parts (:only), because others may not have
-- its file.
UPDATE parts SET lease_token = lease_token + 1, lease_holder = :worker, attempts = attempts + 1,
                 lease_until = lease_now() + CAST(:lease AS bigint)
WHERE (job_id, resource, part) = (
    SELECT p.job_id, p.resource, p.part
    FROM jobs j JOIN resources r ON r.job_id = j.id AND r.parts > 1 AND r.status = 'INPROGRESS'
    JOIN parts p ON p.job_id = j.id AND p.resource = r.position
    WHERE j.status = 'INPROGRESS' AND j.lease_until > lease_now() AND p.status = 'OPEN'
      AND j.abort_time IS NULL AND j.ending IS NULL
      AND (p.lease_until <= lease_now() OR p.lease_until > lease_now() + CAST(:lease AS bigint))
      AND p.lease_holder IS DISTINCT FROM j.lease_holder
      AND CASE WHEN CAST(:only AS bigint) IS NULL THEN j.fingerprint IS NULL
               ELSE j.id = CAST(:only AS bigint) END
    ORDER BY j.queue_time, p.job_id, p.part LIMIT 1 FOR UPDATE OF p SKIP LOCKED)
RETURNING job_id, resource, part, lease_token, attempts,
          (SELECT org_id FROM jobs WHERE id = parts.job_id) AS org_id

-- name: renew_part
-- Extend the claim on a part; returns no row if the claim was lost or ended.
UPDATE parts SET lease_until = lease_now() + CAST(:lease AS bigint)
WHERE job_id = :job_id AND resource = :resource AND part = :part AND lease_token = :fence
  AND status = 'OPEN' AND lease_until > 0
RETURNING part

-- name: resume_part
-- Claim a part again that was released; returns no row if another worker has claimed it meanwhile.
UPDATE parts SET lease_until = lease_now() + CAST(:lease AS bigint), lease_holder = :worker
WHERE job_id = :job_id AND resource = :resource AND part = :part AND lease_token = :fence
  AND status = 'OPEN'
RETURNING part

-- name: workers
-- How many workers wait for jobs or run them: each has a session that listens for jobs.
SELECT count(*) AS workers FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND query = 'LISTEN bulkwright_jobs'

-- name: free_sessions
-- How many more sessions the server allows.
SELECT CAST(current_setting('max_connections') AS bigint)
       - CAST(current_setting('superuser_reserved_connections') AS bigint)
       - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS sessions

-- name: release_parts
-- End the claims that a worker has on parts through its lease of their job, and subtract :uncounted
-- from their attempts. Parts that another transaction has locked are left out.
UPDATE parts SET lease_holder = NULL,
                 attempts = CASE WHEN attempts > 0 THEN attempts - :uncounted ELSE 0 END
WHERE (job_id, resource, part) IN (
    SELECT job_id, resource, part FROM parts
    WHERE job_id = :id AND lease_holder = :worker AND lease_until = 0 AND status = 'OPEN'
    FOR UPDATE SKIP LOCKED)
