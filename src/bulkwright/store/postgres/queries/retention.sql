-- name: old_uploads
-- Up to :most uploads from before :before that no unfinished job needs. The cross join
-- reads the few unfinished jobs before all resources.
SELECT id FROM uploads
WHERE created_time < :before
  AND id NOT IN (SELECT r.file_id FROM jobs j CROSS JOIN resources r
                 WHERE r.job_id = j.id AND j.status IN ('ADDED', 'INPROGRESS'))
ORDER BY created_time LIMIT :most FOR UPDATE SKIP LOCKED

-- name: old_results
-- Up to :most jobs that ended before :before, whose result exists and whose callback is not pending.
SELECT id, finished_time, operation FROM jobs
WHERE has_result AND result_swept IS NULL AND finished_time < :before
  AND NOT EXISTS (SELECT 1 FROM outbox WHERE job_id = jobs.id AND state = 'pending')
ORDER BY finished_time LIMIT :most FOR UPDATE SKIP LOCKED

-- name: old_jobs
-- Up to :most jobs that ended before :before, whose callback is not pending and that no undo needs.
SELECT id, finished_time, operation FROM jobs
WHERE finished_time < :before
  AND NOT EXISTS (SELECT 1 FROM undos u JOIN jobs uj ON uj.id = u.job_id
                  WHERE u.undone_id = jobs.id AND uj.status IN ('ADDED', 'INPROGRESS'))
  AND NOT EXISTS (SELECT 1 FROM outbox WHERE job_id = jobs.id AND state = 'pending')
ORDER BY finished_time LIMIT :most FOR UPDATE SKIP LOCKED

-- name: lock_job
-- One job of an org, which no other transaction changes before this one ends.
SELECT id, status, finished_time, operation, has_result, result_swept FROM jobs
WHERE id = :id AND org_id = :org_id FOR UPDATE

-- name: lock_upload
-- An upload, for which no other transaction adds a job before this one ends.
SELECT id FROM uploads WHERE id = :id FOR UPDATE

-- name: record_sweep
-- Record that results of jobs that ended up to :until were deleted.
INSERT INTO sweeps (what, until) VALUES ('results', :until)
ON CONFLICT (what) DO UPDATE SET until = greatest(sweeps.until, excluded.until)

-- name: delete_old_deliveries
-- Delete up to :most callbacks that were delivered or given up before :before.
DELETE FROM outbox
WHERE id IN (SELECT id FROM outbox WHERE ended_time < :before ORDER BY ended_time LIMIT :most
             FOR UPDATE SKIP LOCKED)
RETURNING id

-- name: delete_old_tokens
-- Delete up to :most tokens and codes that expired before :before.
DELETE FROM tokens
WHERE hash IN (SELECT hash FROM tokens WHERE expires_time < :before
               ORDER BY expires_time LIMIT :most FOR UPDATE SKIP LOCKED)
RETURNING hash

-- name: delete_old_sessions
-- Delete up to :most sessions that expired before :before, with the consents given in them.
DELETE FROM sessions
WHERE hash IN (SELECT hash FROM sessions WHERE expires_time < :before
               ORDER BY expires_time LIMIT :most FOR UPDATE SKIP LOCKED)
RETURNING hash

-- name: delete_idle_refresh_tokens
-- Delete up to :most refresh tokens that were used last before :before. What they gave expires by
-- itself, within the life of an access token.
DELETE FROM tokens
WHERE hash IN (SELECT hash FROM tokens WHERE last_used < :before
               ORDER BY last_used LIMIT :most FOR UPDATE SKIP LOCKED)
RETURNING hash

-- name: delete_forgotten_codes
-- Delete up to :most used codes of which no token is left.
DELETE FROM tokens
WHERE hash IN (SELECT hash FROM tokens c WHERE c.kind = 'code' AND c.used
                 AND NOT EXISTS (SELECT 1 FROM tokens t WHERE t.parent = c.hash)
               LIMIT :most FOR UPDATE SKIP LOCKED)
RETURNING hash

-- name: delete_old_devices
-- Delete up to :most devices that were used last before :before.
DELETE FROM devices
WHERE hash IN (SELECT hash FROM devices WHERE last_used < :before
               ORDER BY last_used LIMIT :most FOR UPDATE SKIP LOCKED)
  AND last_used < :before
RETURNING hash

-- name: delete_old_failures
-- Delete up to :most counts of wrong passwords whose last one was before :before.
DELETE FROM sign_in_failures
WHERE key IN (SELECT key FROM sign_in_failures WHERE last_time < :before
              ORDER BY last_time LIMIT :most FOR UPDATE SKIP LOCKED)
RETURNING key

-- name: delete_old_idempotency_keys
-- Delete up to :most idempotency keys from before :before.
DELETE FROM idempotency_keys
WHERE (org_id, key) IN (SELECT org_id, key FROM idempotency_keys WHERE created_time < :before
                        ORDER BY created_time LIMIT :most FOR UPDATE SKIP LOCKED)
RETURNING key

-- name: delete_old_audit_entries
-- Delete up to :most entries of the audit log from before :before.
DELETE FROM audit
WHERE id IN (SELECT id FROM audit WHERE time < :before ORDER BY time LIMIT :most FOR UPDATE SKIP LOCKED)
RETURNING id
