-- name: hold_upload
-- The upload that a job is about to need: no sweep takes it before this transaction has ended.
SELECT id FROM uploads WHERE org_id = :org_id AND id = :id FOR KEY SHARE

-- name: claim_job
-- Claim a job that is free (or the job :only), of the org with the highest priority that was served
-- least lately its oldest; the token grows. What another worker is about to claim is passed over;
-- by the server's clock, whose jumps no lease survives for longer than any lease lasts.
UPDATE jobs SET lease_token = lease_token + 1, lease_holder = :holder,
                lease_until = lease_now() + CAST(:lease AS bigint), attempts = attempts + 1, status = 'INPROGRESS'
WHERE id = (SELECT j.id
            FROM orgs o CROSS JOIN LATERAL (
                SELECT id FROM jobs
                WHERE org_id = o.id AND status IN ('ADDED', 'INPROGRESS')
                  AND (lease_until <= lease_now() OR lease_until > lease_now() + CAST(:lease AS bigint))
                  AND (CAST(:only AS bigint) IS NULL OR id = CAST(:only AS bigint))
                ORDER BY id LIMIT 64) free
            JOIN jobs j ON j.id = free.id
            WHERE j.status IN ('ADDED', 'INPROGRESS')
              AND (j.lease_until <= lease_now() OR j.lease_until > lease_now() + CAST(:lease AS bigint))
            ORDER BY o.priority DESC, o.served_time, j.id LIMIT 1 FOR UPDATE OF j SKIP LOCKED)
RETURNING id, org_id, lease_token, attempts

-- name: renew_lease
-- Hold a claim longer; no row comes back when it was lost.
UPDATE jobs SET lease_until = lease_now() + CAST(:lease AS bigint)
WHERE id = :id AND lease_token = :token AND status = 'INPROGRESS' RETURNING id

-- name: release_lease
-- Give a claim back, to be claimed again in :pause microseconds, and take so many attempts off its
-- count; no row comes back when it was lost, or when somebody else has the job's row locked.
UPDATE jobs SET lease_until = CASE WHEN CAST(:pause AS bigint) > 0 THEN lease_now() + CAST(:pause AS bigint) ELSE 0 END,
                attempts = CASE WHEN attempts > 0 THEN attempts - CAST(:uncounted AS bigint) ELSE 0 END
WHERE id = (SELECT id FROM jobs
            WHERE id = :id AND lease_token = :token AND status = 'INPROGRESS'
            FOR UPDATE SKIP LOCKED)
RETURNING id

-- name: has_lease
-- Whether a claim is this worker's, for all that others can see.
SELECT id FROM jobs WHERE id = :id AND lease_token = :token AND status = 'INPROGRESS'

-- name: end_stalled
-- Break off what waits for its own process for longer than any statement may take: it was stopped
-- in the middle of a COPY, where no timeout of the server's comes by, and others wait for its locks.
SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND application_name = 'bulkwright'
  AND state = 'active' AND wait_event IN ('ClientRead', 'ClientWrite')
  AND query_start < clock_timestamp() - CAST(current_setting('statement_timeout') AS interval)

-- name: hold_job
-- Fence: the job is still this worker's; its lease starts anew.
UPDATE jobs SET lease_until = lease_now() + CAST(:lease AS bigint)
WHERE id = :id AND lease_token = :token AND status = 'INPROGRESS' RETURNING id
