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

-- name: delete_user_sessions
-- Delete every session of a user.
DELETE FROM sessions WHERE user_id = :user_id

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
