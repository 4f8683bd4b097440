-- name: add_delivery
-- Remember that a job's end is to be told; due at once.
INSERT INTO outbox (id, org_id, job_id, url, lane, next_time, deadline, created_time)
VALUES (:id, :org_id, :job_id, :url, :lane, :now, :deadline, :now)

-- name: pending_lanes
-- Each lane with something pending and when its first row is due; one index step a lane.
SELECT lane,
       (SELECT min(next_time) FROM outbox
        WHERE state = 'pending' AND outbox.lane = lanes.lane) AS due
FROM (WITH RECURSIVE step (lane) AS (
          SELECT min(lane) FROM outbox WHERE state = 'pending'
          UNION ALL
          SELECT (SELECT min(lane) FROM outbox WHERE state = 'pending' AND lane > step.lane)
          FROM step WHERE step.lane IS NOT NULL)
      SELECT lane FROM step WHERE lane IS NOT NULL) AS lanes

-- name: release_deliveries
-- Whoever held these claims is gone: they are due at once.
UPDATE outbox SET lease_until = 0, next_time = :now WHERE state = 'pending' AND lease_until > 0

-- name: postpone_delivery
-- Try again at :next; nothing changes when another attempt has begun since.
UPDATE outbox SET lease_until = 0, next_time = :next, last_status = :status, last_error = :error
WHERE id = :id AND attempts = :attempts AND state = 'pending'

-- name: break_off_delivery
-- This attempt was stopped half-way: due at once.
UPDATE outbox SET lease_until = 0, next_time = :now
WHERE id = :id AND attempts = :attempts AND state = 'pending' AND lease_until > 0

-- name: end_delivery
-- Delivered or given up; nothing changes when another attempt has begun since.
UPDATE outbox SET lease_until = 0, state = :state, ended_time = :now, last_status = :status,
                  last_error = :error
WHERE id = :id AND attempts = :attempts AND state = 'pending'

-- name: delivery_of_job
-- The delivery of one job of an org.
SELECT * FROM outbox WHERE org_id = :org_id AND job_id = :job_id

-- name: newest_deliveries
-- The newest :most deliveries of an org.
SELECT * FROM outbox WHERE org_id = :org_id ORDER BY id DESC LIMIT :most

-- name: add_signing_secret
-- Give an org its first signing secret, unless it has one.
INSERT INTO signing_secrets (org_id, current) VALUES (:org_id, :secret)
ON CONFLICT (org_id) DO NOTHING

-- name: signing_secrets
-- The signing secrets of an org.
SELECT * FROM signing_secrets WHERE org_id = :org_id

-- name: rotate_signing_secret
-- Sign with a new secret; the one before signs too until :until.
UPDATE signing_secrets SET previous = current, previous_until = :until, current = :secret
WHERE org_id = :org_id
