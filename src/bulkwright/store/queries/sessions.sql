-- name: password
-- The password hash of a user.
SELECT hash FROM passwords WHERE user_id = :user_id

-- name: set_password
-- Set the password hash of a user, in place of the old one.
INSERT INTO passwords (user_id, hash, changed_time) VALUES (:user_id, :hash, :changed_time)
ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, changed_time = excluded.changed_time

-- name: add_session
-- Add the hash of a session's cookie.
INSERT INTO sessions (hash, org_id, user_id, created_time, expires_time)
VALUES (:hash, :org_id, :user_id, :created_time, :expires_time)

-- name: session
-- One session by the hash of its cookie, unless it expired before :moment.
SELECT * FROM sessions WHERE hash = :hash AND expires_time > :moment

-- name: delete_session
-- Delete a session.
DELETE FROM sessions WHERE hash = :hash

-- name: delete_expired_sessions
-- Delete sessions that expired before :moment.
DELETE FROM sessions WHERE expires_time <= :moment

-- name: consent
-- The scopes that were agreed to in a session for a client.
SELECT scopes FROM consents WHERE session = :session AND client_id = :client_id

-- name: set_consent
-- Set the scopes that were agreed to in a session for a client.
INSERT INTO consents (session, client_id, scopes) VALUES (:session, :client_id, :scopes)
ON CONFLICT (session, client_id) DO UPDATE SET scopes = excluded.scopes

-- name: delete_password
-- Delete the password of a user.
DELETE FROM passwords WHERE user_id = :user_id

-- name: delete_sessions_of
-- Delete the sessions of an org, of one user if one is given, with the consents given in them.
DELETE FROM sessions
WHERE org_id = :org_id AND (CAST(:user_id AS BIGINT) IS NULL OR user_id = :user_id)
RETURNING hash

-- name: device
-- One device of a user by the hash of its cookie.
SELECT last_used FROM devices WHERE hash = :hash AND user_id = :user_id

-- name: use_device
-- Add a device of a user, or record its use.
INSERT INTO devices (hash, user_id, last_used) VALUES (:hash, :user_id, :moment)
ON CONFLICT (hash, user_id) DO UPDATE SET last_used = excluded.last_used

-- name: delete_devices_of
-- Delete the devices of a user.
DELETE FROM devices WHERE user_id = :user_id

-- name: sign_in_failures
-- The number of wrong passwords of a key, and when the last one was.
SELECT failures, last_time FROM sign_in_failures WHERE key = :key

-- name: add_sign_in_failure
-- Count a wrong password of a key; the count restarts if its last one was before :forgotten or, by
-- a clock that was set back, after :moment.
INSERT INTO sign_in_failures (key, failures, last_time) VALUES (:key, 1, :moment)
ON CONFLICT (key) DO UPDATE
SET failures = CASE WHEN sign_in_failures.last_time BETWEEN :forgotten AND :moment
                    THEN sign_in_failures.failures + 1 ELSE 1 END,
    last_time = excluded.last_time

-- name: delete_sign_in_failures
-- Drop the wrong passwords of a key.
DELETE FROM sign_in_failures WHERE key = :key
