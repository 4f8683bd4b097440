-- name: add_delivery
-- Add the callback of a job; it is due at once.
INSERT INTO outbox (id, org_id, job_id, url, lane, next_time, deadline, created_time) -- codespell:ignore lane
VALUES (:id, :org_id, :job_id, :url, :destination, :now, :deadline, :now)

-- name: pending_destinations
-- Each destination with pending callbacks, and when its first one is due. One index step for each.
SELECT destination,
       (SELECT min(next_time) FROM outbox
        WHERE state = 'pending' AND lane = destinations.destination) AS due -- codespell:ignore lane
FROM (WITH RECURSIVE step (destination) AS (
          SELECT min(lane) FROM outbox WHERE state = 'pending' -- codespell:ignore lane
          UNION ALL
          SELECT (SELECT min(lane) FROM outbox -- codespell:ignore lane
                  WHERE state = 'pending' AND lane > step.destination) -- codespell:ignore lane
          FROM step WHERE step.destination IS NOT NULL)
      SELECT destination FROM step WHERE destination IS NOT NULL) AS destinations

-- name: release_deliveries
-- End all claims, because their dispatcher is dead: the callbacks are due at once.
UPDATE outbox SET lease_until = 0, next_time = :now WHERE state = 'pending' AND lease_until > 0

-- name: postpone_delivery
-- Set the next attempt to :next; changes nothing if another attempt has begun since.
UPDATE outbox SET lease_until = 0, next_time = :next, last_status = :status, last_error = :error
WHERE id = :id AND attempts = :attempts AND state = 'pending'

-- name: break_off_delivery
-- End the claim of an attempt that was stopped: the callback is due at once.
UPDATE outbox SET lease_until = 0, next_time = :now
WHERE id = :id AND attempts = :attempts AND state = 'pending' AND lease_until > 0

-- name: end_delivery
-- Mark a callback as delivered or given up; changes nothing if another attempt has begun since.
UPDATE outbox SET lease_until = 0, state = :state, ended_time = :now, last_status = :status,
                  last_error = :error
WHERE id = :id AND attempts = :attempts AND state = 'pending'

-- name: newest_deliveries
-- The newest :most deliveries of an org.
SELECT *, lane AS destination FROM outbox -- codespell:ignore lane
WHERE org_id = :org_id ORDER BY id DESC LIMIT :most

-- name: delivery_of_job
-- The delivery of a job.
SELECT *, lane AS destination FROM outbox -- codespell:ignore lane
WHERE job_id = :job_id AND org_id = :org_id

-- name: delete_ended_delivery
-- Delete the delivery of a job, unless it is pending.
DELETE FROM outbox WHERE job_id = :job_id AND state <> 'pending'

-- name: add_signing_secret
-- Add the first signing secret of an org, unless it has one.
INSERT INTO signing_secrets (org_id, current) VALUES (:org_id, :secret)
ON CONFLICT (org_id) DO NOTHING

-- name: signing_secrets
-- The signing secrets of an org.
SELECT * FROM signing_secrets WHERE org_id = :org_id

-- name: rotate_signing_secret
-- Sign with a new secret; the previous one signs too until :until.
UPDATE signing_secrets SET previous = current, previous_until = :until, current = :secret
WHERE org_id = :org_id
