-- name: split
-- How a resource is divided; nothing is set before it has begun.
SELECT parts, split_by, split_reason, chunk_rows, chunk_bytes, images FROM resources
WHERE job_id = :job_id AND position = :resource

-- name: set_split
-- Set how a resource is divided.
UPDATE resources SET parts = :parts, split_by = :split_by, split_reason = :split_reason,
                     chunk_rows = :chunk_rows, chunk_bytes = :chunk_bytes, images = :images
WHERE job_id = :job_id AND position = :resource

-- name: add_part
-- Add a part that no worker has claimed.
INSERT INTO parts (job_id, resource, part) VALUES (:job_id, :resource, :part)

-- name: add_done_part
-- Add the only part of a resource, with the counters of a run that was undone.
INSERT INTO parts (job_id, resource, part, status, added, updated, skipped, unchanged,
                   stray_quotes, first_stray_quote)
VALUES (:job_id, :resource, 0, 'DONE', :added, :updated, :skipped, :unchanged, :stray_quotes,
        :first_stray_quote)

-- name: take_parts
-- Claim all parts of a resource that are not done, whichever worker has them. The fences grow.
UPDATE parts SET status = 'OPEN', code = NULL, lease_token = lease_token + 1,
                 lease_holder = :worker, lease_until = 0
WHERE job_id = :job_id AND resource = :resource AND status <> 'DONE'
RETURNING part, lease_token, attempts

-- name: advance_part
-- Add a committed chunk to the counters of its part; count its attempts from 0 again if the chunk
-- has done a row.
UPDATE parts SET added = added + :added, updated = updated + :updated, skipped = skipped + :skipped,
                 unchanged = unchanged + :unchanged,
                 stray_quotes = stray_quotes + :stray_quotes,
                 first_stray_quote = coalesce(first_stray_quote, :first_stray_quote),
                 attempts = CASE WHEN :added + :updated + :skipped > 0 THEN 0 ELSE attempts END
WHERE job_id = :job_id AND resource = :resource AND part = :part

-- name: lock_reading
-- How a resource is read; no other transaction can change it now.
UPDATE resources SET reading = reading WHERE job_id = :job_id AND position = :resource
RETURNING reading

-- name: set_reading
-- Set how a resource is read.
UPDATE resources SET reading = :reading WHERE job_id = :job_id AND position = :resource

-- name: lock_limit
-- Whether a resource has passed the limit of its errors; no other chunk of it can be judged now.
UPDATE resources SET stopped = stopped WHERE job_id = :job_id AND position = :resource
RETURNING stopped

-- name: stop_resource
-- Record that a resource has passed the limit of its errors.
UPDATE resources SET stopped = 1 WHERE job_id = :job_id AND position = :resource

-- name: is_stopped
-- Whether a resource has passed the limit of its errors.
SELECT stopped FROM resources WHERE job_id = :job_id AND position = :resource

-- name: end_part
-- Set the final status of a part; returns no row if the claim was lost.
UPDATE parts SET status = :status, code = :code, lease_until = 0
WHERE job_id = :job_id AND resource = :resource AND part = :part AND lease_token = :fence
  AND status = 'OPEN'
RETURNING part

-- name: end_parts
-- Set the final status of the parts of a job that have none yet.
UPDATE parts SET status = 'DONE', lease_until = 0 WHERE job_id = :id AND status = 'OPEN'

-- name: release_part
-- End the claim on a part, so that it can be claimed again at once, and subtract :uncounted from its
-- attempts.
UPDATE parts SET lease_until = 0, lease_holder = NULL,
                 attempts = CASE WHEN attempts > 0 THEN attempts - :uncounted ELSE 0 END
WHERE job_id = :job_id AND resource = :resource AND part = :part AND lease_token = :fence
  AND status = 'OPEN'

-- name: end_part_leases
-- End the claims of a worker that is known to be dead. Its attempts still count.
UPDATE parts SET lease_until = 0, lease_holder = NULL
WHERE lease_holder = :worker AND status = 'OPEN'

-- name: part_sums
-- The rows of a resource that its parts have done, by outcome.
SELECT CAST(coalesce(sum(added), 0) AS bigint) AS added,
       CAST(coalesce(sum(updated), 0) AS bigint) AS updated,
       CAST(coalesce(sum(skipped), 0) AS bigint) AS skipped,
       CAST(coalesce(sum(unchanged), 0) AS bigint) AS unchanged
FROM parts WHERE job_id = :job_id AND resource = :resource

-- name: count_parts_again
-- Set the counters of the parts of a job to what its ledger says.
UPDATE parts SET unchanged = 0,
                 added = (SELECT CAST(coalesce(sum(l.added), 0) AS bigint) FROM ledger l
                          WHERE l.job_id = parts.job_id AND l.resource = parts.resource
                            AND l.part = parts.part),
                 updated = (SELECT CAST(coalesce(sum(l.updated), 0) AS bigint) FROM ledger l
                            WHERE l.job_id = parts.job_id AND l.resource = parts.resource
                              AND l.part = parts.part)
WHERE job_id = :id

-- name: part_states
-- The parts of a resource.
SELECT part, status, code FROM parts WHERE job_id = :job_id AND resource = :resource ORDER BY part
