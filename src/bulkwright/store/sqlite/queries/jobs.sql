-- name: hold_upload
-- The upload that a job is about to need: no sweep takes it before this transaction has ended.
SELECT id FROM uploads WHERE org_id = :org_id AND id = :id

-- name: claim_job
-- Claim a job that is free (or the job :only), of the org with the highest priority that was served
-- least lately its oldest; the token grows. A lease that ends later than any can is from before the
-- machine was started anew.
UPDATE jobs SET lease_token = lease_token + 1, lease_holder = :holder, lease_until = :now + :lease,
                attempts = attempts + 1, status = 'INPROGRESS'
WHERE id = (SELECT id
            FROM (SELECT o.priority, o.served_time,
                         (SELECT j.id FROM jobs j
                          WHERE j.org_id = o.id AND j.status IN ('ADDED', 'INPROGRESS')
                            AND (j.lease_until <= :now OR j.lease_until > :now + :lease)
                            AND (:only IS NULL OR j.id = :only)
                          ORDER BY j.id LIMIT 1) AS id
                  FROM orgs o)
            WHERE id IS NOT NULL
            ORDER BY priority DESC, served_time, id LIMIT 1)
RETURNING id, org_id, lease_token, attempts

-- name: renew_lease
-- Hold a claim longer; no row comes back when it was lost.
UPDATE jobs SET lease_until = :now + :lease
WHERE id = :id AND lease_token = :token AND status = 'INPROGRESS' RETURNING id

-- name: release_lease
-- Give a claim back, to be claimed again in :pause microseconds, and take so many attempts off its
-- count.
UPDATE jobs SET lease_until = CASE WHEN :pause > 0 THEN :now + :pause ELSE 0 END,
                attempts = CASE WHEN attempts > 0 THEN attempts - :uncounted ELSE 0 END
WHERE id = :id AND lease_token = :token AND status = 'INPROGRESS' RETURNING id

-- name: has_lease
-- Whether a claim is this worker's.
SELECT id FROM jobs WHERE id = :id AND lease_token = :token AND status = 'INPROGRESS'

-- name: end_stalled
-- Nobody can take SQLite's lock from a process that was stopped: the others wait.
SELECT NULL WHERE FALSE

-- name: hold_job
-- Fence: the job is still this worker's; its lease starts anew.
UPDATE jobs SET lease_until = :now + :lease
WHERE id = :id AND lease_token = :token AND status = 'INPROGRESS' RETURNING id
