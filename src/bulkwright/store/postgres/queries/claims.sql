-- name: claim_job
-- Claim a free job (or the job :only, or an undo of it; with :most_bytes, a bulk write whose uploads are
-- no larger): the first in the queue of the org with the highest priority
-- that was served least recently. The fence grows. A job that another worker is claiming is skipped. The
-- clock is the server's; if it jumps, a lease lasts no longer than any lease can. A job that ends
-- with its undo is not free before that has ended. The attempts count those since the last progress.
UPDATE jobs SET lease_token = lease_token + 1, lease_holder = :worker,
                lease_until = lease_now() + CAST(:lease AS bigint),
                attempts = CASE WHEN progress < (SELECT coalesce(sum(added + updated + skipped), 0)
                                                 FROM parts WHERE job_id = jobs.id)
                                THEN 1 ELSE attempts + 1 END,
                progress = (SELECT coalesce(sum(added + updated + skipped), 0)
                            FROM parts WHERE job_id = jobs.id),
                status = 'INPROGRESS'
WHERE id = (SELECT j.id
            FROM orgs o CROSS JOIN LATERAL (
                SELECT id FROM jobs
                WHERE org_id = o.id AND status IN ('ADDED', 'INPROGRESS')
                  AND (lease_until <= lease_now() OR lease_until > lease_now() + CAST(:lease AS bigint))
                  AND (CAST(:only AS bigint) IS NULL OR jobs.id = CAST(:only AS bigint)
                       OR EXISTS (SELECT 1 FROM undos u WHERE u.job_id = jobs.id AND u.undone_id = CAST(:only AS bigint)))
                  AND (jobs.ending IS NULL
                       OR NOT EXISTS (SELECT 1 FROM undos u JOIN jobs uj ON uj.id = u.job_id
                                      WHERE u.undone_id = jobs.id AND uj.status IN ('ADDED', 'INPROGRESS')))
                  AND (CAST(:most_bytes AS bigint) IS NULL
                       OR NOT jobs.dry AND jobs.operation IN ('insert', 'update', 'upsert')
                          AND CAST(:most_bytes AS bigint) >= (SELECT sum(f.bytes) FROM resources r JOIN uploads f ON f.id = r.file_id
                                                              WHERE r.job_id = jobs.id))
                ORDER BY queue_time, id LIMIT 64) free
            JOIN jobs j ON j.id = free.id
            WHERE j.status IN ('ADDED', 'INPROGRESS')
              AND (j.lease_until <= lease_now() OR j.lease_until > lease_now() + CAST(:lease AS bigint))
            ORDER BY o.priority DESC, o.served_time, j.queue_time, j.id LIMIT 1 FOR UPDATE OF j SKIP LOCKED)
RETURNING id, org_id, lease_token, attempts

-- name: renew_lease
-- Extend a claim; returns no row if it was lost.
UPDATE jobs SET lease_until = lease_now() + CAST(:lease AS bigint)
WHERE id = :id AND lease_token = :fence AND status = 'INPROGRESS' RETURNING id

-- name: release_lease
-- End a claim, so that the job can be claimed again in :pause microseconds, and subtract :uncounted
-- from its attempts; returns no row if the claim was lost or another transaction has locked the job.
UPDATE jobs SET lease_until = CASE WHEN CAST(:pause AS bigint) > 0 THEN lease_now() + CAST(:pause AS bigint) ELSE 0 END,
                attempts = CASE WHEN attempts > 0 THEN attempts - CAST(:uncounted AS bigint) ELSE 0 END
WHERE id = (SELECT id FROM jobs
            WHERE id = :id AND lease_token = :fence AND status = 'INPROGRESS'
            FOR UPDATE SKIP LOCKED)
RETURNING id

-- name: has_lease
-- The job of a claim, if the claim holds by what is committed.
SELECT id FROM jobs WHERE id = :id AND lease_token = :fence AND status = 'INPROGRESS'

-- name: end_stalled
-- End sessions that have waited for their own process longer than any statement may take. Such a
-- process was stopped during a COPY, where the server has no timeout, and other sessions wait for
-- its locks.
SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND application_name = 'bulkwright'
  AND state = 'active' AND wait_event IN ('ClientRead', 'ClientWrite')
  AND query_start < clock_timestamp() - CAST(current_setting('statement_timeout') AS interval)

-- name: fence_job
-- Check that a claim holds, and extend it; returns no row if it was lost.
UPDATE jobs SET lease_until = lease_now() + CAST(:lease AS bigint)
WHERE id = :id AND lease_token = :fence AND status = 'INPROGRESS' RETURNING id
