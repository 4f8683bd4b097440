-- name: claim_job
-- Claim a free job (or the job :only, or an undo of it; with :most_bytes, a bulk write whose uploads are
-- no larger): the first in the queue of the org with the highest priority
-- that was served least recently. The fence grows. A lease that ends later than any lease can is from before
-- the machine was restarted. A job that ends with its undo is not free before that has ended. The
-- attempts count those since the last progress.
UPDATE jobs SET lease_token = lease_token + 1, lease_holder = :worker, lease_until = :now + :lease,
                attempts = CASE WHEN progress < (SELECT coalesce(sum(added + updated + skipped), 0)
                                                 FROM parts WHERE job_id = jobs.id)
                                THEN 1 ELSE attempts + 1 END,
                progress = (SELECT coalesce(sum(added + updated + skipped), 0)
                            FROM parts WHERE job_id = jobs.id),
                status = 'INPROGRESS'
WHERE id = (SELECT id
            FROM (SELECT o.priority, o.served_time,
                         (SELECT j.id FROM jobs j
                          WHERE j.org_id = o.id AND j.status IN ('ADDED', 'INPROGRESS')
                            AND (j.lease_until <= :now OR j.lease_until > :now + :lease)
                            AND (:only IS NULL OR j.id = :only
                                 OR EXISTS (SELECT 1 FROM undos u WHERE u.job_id = j.id AND u.undone_id = :only))
                            AND (j.ending IS NULL
                                 OR NOT EXISTS (SELECT 1 FROM undos u JOIN jobs uj ON uj.id = u.job_id
                                                WHERE u.undone_id = j.id AND uj.status IN ('ADDED', 'INPROGRESS')))
                            AND (:most_bytes IS NULL
                                 OR NOT j.dry AND j.operation IN ('insert', 'update', 'upsert')
                                    AND :most_bytes >= (SELECT sum(f.bytes) FROM resources r JOIN uploads f ON f.id = r.file_id
                                                        WHERE r.job_id = j.id))
                          ORDER BY j.queue_time, j.id LIMIT 1) AS id
                  FROM orgs o)
            WHERE id IS NOT NULL
            ORDER BY priority DESC, served_time, id LIMIT 1)
RETURNING id, org_id, lease_token, attempts

-- name: renew_lease
-- Extend a claim; returns no row if it was lost.
UPDATE jobs SET lease_until = :now + :lease
WHERE id = :id AND lease_token = :fence AND status = 'INPROGRESS' RETURNING id

-- name: release_lease
-- End a claim, so that the job can be claimed again in :pause microseconds, and subtract :uncounted
-- from its attempts.
UPDATE jobs SET lease_until = CASE WHEN :pause > 0 THEN :now + :pause ELSE 0 END,
                attempts = CASE WHEN attempts > 0 THEN attempts - :uncounted ELSE 0 END
WHERE id = :id AND lease_token = :fence AND status = 'INPROGRESS' RETURNING id

-- name: has_lease
-- The job of a claim, if the claim holds.
SELECT id FROM jobs WHERE id = :id AND lease_token = :fence AND status = 'INPROGRESS'

-- name: end_stalled
-- Nothing: SQLite's lock cannot be taken from a process that was stopped.
SELECT NULL WHERE FALSE

-- name: fence_job
-- Check that a claim holds, and extend it; returns no row if it was lost.
UPDATE jobs SET lease_until = :now + :lease
WHERE id = :id AND lease_token = :fence AND status = 'INPROGRESS' RETURNING id
